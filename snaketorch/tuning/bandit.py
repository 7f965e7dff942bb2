"""Population based bandits: a model of what values do to the metric says which to go on with.

Parker-Holder et al., arXiv 2002.02518: a Gaussian process of how much the metric rises, and the upper bound that it
gives. The epoch is one more input, so that what held long ago counts less. Ray Tune's model of the same finds nothing
in tables as small as those of a population (2.60).
"""

import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from snaketorch.config.space import Space
from snaketorch.config.suggestions import Given, Seeded
from snaketorch.config.tune import Sweep
from snaketorch.data.loading.seeds import stable_seed
from snaketorch.tuning.ledger import Known
from snaketorch.tuning.trial import Trial

CANDIDATES = 1000
"""Values among which the best are looked for."""


class Row(NamedTuple):
    """What a part of a training between two comparisons says."""

    epoch: int
    """Its last one."""
    before: float
    """The metric before it; more is better."""
    rise: float
    """Of the metric, an epoch."""
    values: dict[str, Any]


class Bandit:
    """Learns from each part of each trial between two comparisons how much the metric rose in it."""

    def __init__(self, space: Space, sweep: Sweep, known: Known):
        self.space, self.mutable, self.known = space, sweep.mutable, known
        self.interval = sweep.scheduler.perturbation_interval
        self.sign = 1 if sweep.mode == "max" else -1

    def explore(self, donor: Trial, epoch: int, name: str, taken: Sequence[dict[str, Any]]) -> dict[str, Any]:
        values = donor.values_in(epoch)
        seed = stable_seed(name) % 2**32
        rows = [row for trial in self.known.all for row in self._rows(trial)]
        proposed: dict[str, Any] = {}  # nothing after the first comparison: it is not known what values do
        if mine := [row for row in self._rows(donor) if row.epoch == epoch]:
            after = mine[0].before + mine[0].rise * self.interval
            proposed = self._proposed(rows, Row(epoch + self.interval, after, 0.0, values), values, taken, seed)
        new = self.space.draw(_Changes(values, self.mutable, proposed, Seeded(seed, 0)))
        return {path: new[path] if path in self.mutable else value for path, value in values.items()}

    def _proposed(
        self, rows: Sequence[Row], newest: Row, values: dict[str, Any], taken: Sequence[dict[str, Any]], seed: int
    ) -> dict[str, Any]:
        """The values of the highest upper bound of what the metric may rise, from where the donor is."""
        given = Given(values)
        self.space.draw(given)
        ranges = {path: _Scale(*given.asked[path]) for path in self.mutable if path in values}

        def places(of: Sequence[dict[str, Any]]) -> np.ndarray:
            # a key that another trial does not use stands in the middle of its range there
            return np.array(
                [[scale.place(one[path]) if path in one else 0.5 for path, scale in ranges.items()] for one in of]
            )

        fixed = _standard(np.array([[row.epoch, row.before] for row in (*rows, newest)]))
        known = np.hstack([fixed[:-1], places([row.values for row in rows])])
        rises = _standard(np.array([row.rise for row in rows]))
        candidates = np.random.default_rng(seed).uniform(size=(CANDIDATES, len(ranges)))
        asked = np.hstack([np.tile(fixed[-1], (CANDIDATES, 1)), candidates])
        model = GaussianProcessRegressor(
            ConstantKernel(1.0, (1e-2, 1e2)) * RBF(np.ones(known.shape[1]), (0.1, 10.0)) + WhiteKernel(0.1, (1e-4, 1.0))
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a value of no effect is at the end of its range
            model.fit(known, rises)
        mean, spread = model.predict(asked, return_std=True)
        if taken:  # what others try next to this will be known: there is less to learn near it
            more = np.hstack([np.tile(fixed[-1], (len(taken), 1)), places(taken)])
            told = GaussianProcessRegressor(model.kernel_, optimizer=None)
            told.fit(np.vstack([known, more]), np.concatenate([rises, model.predict(more)]))
            spread = told.predict(asked, return_std=True)[1]
        width = math.sqrt(0.2 + max(0.0, math.log(0.4 * len(rows))))
        found = candidates[np.argmax(mean + width * spread)].tolist()
        return {path: scale.value(share) for (path, scale), share in zip(ranges.items(), found, strict=True)}

    def _rows(self, trial: Trial) -> list[Row]:
        """Of each part that has a metric before it."""
        points, found = dict(trial.curve), []
        for epoch in range(2 * self.interval, trial.epochs + 1, self.interval):
            start = epoch - self.interval
            change = next((change for change in trial.changes if change.epoch == start), None)
            before = dict(self.known.trials[change.donor].curve).get(start) if change else points.get(start)
            after = points.get(epoch)
            if before is not None and after is not None:
                rise = self.sign * (after - before) / self.interval
                found.append(Row(epoch, self.sign * before, rise, trial.values_in(epoch)))
        return found


class _Changes:
    """Answers what a space asks: of keys that may change what is proposed or else drawn, of others ``values``."""

    def __init__(self, values: dict[str, Any], mutable: Sequence[str], proposed: dict[str, Any], drawn: Seeded):
        self.values, self.mutable, self.proposed, self.drawn = values, mutable, proposed, drawn

    def number(self, name: str, low: float, high: float, *, log: bool, step: float | None) -> float:
        if name not in self.mutable:
            return self.values[name]
        if name not in self.proposed:
            return self.drawn.number(name, low, high, log=log, step=step)
        return min(high, max(low, self.proposed[name]))  # a bound may be another key, which has changed too

    def integer(self, name: str, low: int, high: int, *, log: bool, step: int) -> int:
        return self.values[name]

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        return self.values[name]


class _Scale:
    """A range as one from 0 to 1."""

    def __init__(self, low: float, high: float, log: bool):
        self.low, self.high, self.log = low, high, log

    def place(self, value: float) -> float:
        low, high, value = (math.log(each) if self.log else each for each in (self.low, self.high, value))
        return (value - low) / (high - low) if high > low else 0.0

    def value(self, share: float) -> float:
        if self.log:
            found = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            found = self.low + share * (self.high - self.low)
        return min(self.high, max(self.low, found))


def _standard(columns: np.ndarray) -> np.ndarray:
    """With mean 0 and deviation 1 in each column; a column of one value is 0."""
    return (columns - columns.mean(0)) / (columns.std(0) + 1e-9)
