"""HyperOpt and BOHB, each through Ray Tune's own searcher for it.

Ray reads the environment when it is imported, so this waits until a proposal is asked for.
"""

import importlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from snaketorch.config.space import Space
from snaketorch.config.suggestions import Given
from snaketorch.config.tune import Sweep
from snaketorch.data.loading.seeds import stable_seed
from snaketorch.errors import UserError
from snaketorch.tuning.trial import GOOD, Trial

if TYPE_CHECKING:
    from ray.tune.search import Searcher

METRIC = "objective"
WHOLE = ("randint", "lograndint", "choice")
"""Words of Ray Tune's for what has no fractions."""


class OfRay(ABC):
    """A searcher of Ray Tune's, told of trials by their numbers, so that another process can tell it the same."""

    def __init__(self, sweep: Sweep, space: Space):
        self.space, self.options, self.mode = space, sweep.search_alg, sweep.mode
        asked = _Asked()
        space.draw(asked)
        self.scales = asked.scales
        self.searcher: Searcher | None = None
        """None before the first proposal, and when what it knows is no more all that there is to know."""
        self.trials: dict[int, Trial] = {}
        """Those that it was told of, by number."""
        self.proposed: dict[int, dict[str, Any]] = {}
        """The values of all that are in it or are to be, by number, on the scales of the searcher."""

    def propose(self, number: int, draw: int) -> dict[str, Any]:
        if draw:  # what it proposed before will not be trained: it must not know of it
            self.proposed.pop(number, None)
            self.searcher = None
        if self.searcher is None:
            self.searcher = self._informed()
        found = self._ask(str(number), stable_seed(self.options.seed, "proposal", number, draw) % 2**32)
        self.proposed[number] = {path: scale.plain(found[path]) for path, scale in self.scales.items()}
        return self.space.draw(_Answers(self.proposed[number], self.scales))

    def expect(self, trial: Trial) -> None:
        self._add(trial)

    def learn(self, trial: Trial) -> None:
        if trial.number not in self.proposed:
            self._add(trial)
        self.trials[trial.number] = trial
        if self.searcher is not None:
            self._tell(self.searcher, trial)

    @abstractmethod
    def _make(self, known: Sequence[dict[str, Any]], seed: int) -> "Searcher":
        """A new searcher of Ray's that gives ``known`` values first."""

    @abstractmethod
    def _ask(self, name: str, seed: int) -> dict[str, Any]:
        """The searcher's next values, drawn by ``seed``."""

    @abstractmethod
    def _tell(self, searcher: "Searcher", trial: Trial) -> None:
        """A trial is done."""

    def _add(self, trial: Trial) -> None:
        given = Given(trial.first_values)
        self.space.draw(given)
        self.proposed[trial.number] = {path: scale.of(trial.first_values[path]) for path, scale in self.scales.items()}
        self.searcher = None

    def _informed(self) -> "Searcher":
        """A searcher that knows what this process was told, in the order of the trials' numbers."""
        numbers = sorted(self.proposed)
        searcher = self._make([dict(self.proposed[number]) for number in numbers], self.options.seed)
        for number in numbers:
            searcher.suggest(str(number))
        for number in numbers:
            if number in self.trials:
                self._tell(searcher, self.trials[number])
        return searcher


class HyperOptSearch(OfRay):
    """HyperOpt's tree-structured Parzen estimator (Bergstra et al., 2011)."""

    def __init__(self, sweep: Sweep, space: Space):
        _needs("hyperopt", "hyperopt", "hyperopt")
        super().__init__(sweep, space)

    def _make(self, known: Sequence[dict[str, Any]], seed: int) -> "Searcher":
        from ray.tune.search.hyperopt import HyperOptSearch

        logging.getLogger("hyperopt").setLevel(logging.WARNING)
        searcher = HyperOptSearch(
            points_to_evaluate=list(known) or None,
            n_initial_points=self.options.n_initial_points,
            random_state_seed=seed,
        )
        searcher.set_search_properties(METRIC, self.mode, {path: scale.domain for path, scale in self.scales.items()})
        return searcher

    def _ask(self, name: str, seed: int) -> dict[str, Any]:
        # its state would be lost with the process: each proposal has a generator of its own
        self.searcher.rstate = np.random.RandomState(seed)
        return self.searcher.suggest(name)

    def _tell(self, searcher: "Searcher", trial: Trial) -> None:
        best = trial.best(self.mode) if trial.status in GOOD else None
        searcher.on_trial_complete(str(trial.number), best and {METRIC: best[1]}, error=best is None)


class BohbSearch(OfRay):
    """Bayesian optimisation with HyperBand (Falkner et al., 2018): what was stopped early counts at its epochs."""

    def __init__(self, sweep: Sweep, space: Space):
        _needs("bohb", "hpbandster", "hpbandster ConfigSpace")
        super().__init__(sweep, space)

    def _make(self, known: Sequence[dict[str, Any]], seed: int) -> "Searcher":
        from ray.tune.search.bohb import TuneBOHB

        for name in ("hpbandster", "ConfigSpace"):
            logging.getLogger(name).setLevel(logging.ERROR)
        searcher = TuneBOHB(points_to_evaluate=list(known), seed=seed % 2**31)
        searcher.set_search_properties(METRIC, self.mode, {path: scale.domain for path, scale in self.scales.items()})
        return searcher

    def _ask(self, name: str, seed: int) -> dict[str, Any]:
        self.searcher._space.seed(seed % 2**31)
        before = np.random.get_state()
        np.random.seed(seed)  # which it draws from
        try:
            return self.searcher.suggest(name)
        finally:
            np.random.set_state(before)

    def _tell(self, searcher: "Searcher", trial: Trial) -> None:
        name = str(trial.number)
        for epoch, value in trial.curve if trial.status in GOOD else ():
            if value is not None:
                searcher.on_trial_result(name, {METRIC: value, "hyperband_info": {"budget": epoch}})
        searcher.on_trial_complete(name)


class _Scale:
    """One key in the words of Ray Tune: a number, or the place of a value in a list."""

    def __init__(self, word: str, *bounds: Any, options: Sequence[Any] | None = None, multiple: Any = None):
        """``multiple``: of which the values are, the lowest of them with the place 0."""
        self.word, self.bounds, self.options, self.multiple = word, bounds, options, multiple

    @property
    def domain(self) -> Any:
        """As Ray Tune has it."""
        from ray import tune

        return getattr(tune, self.word)(*(list(bound) if isinstance(bound, range) else bound for bound in self.bounds))

    def of(self, value: Any) -> Any:
        """A value as the searcher knows it."""
        if self.options is not None:
            return list(self.options).index(value)
        return value if self.multiple is None else round(value / self.multiple)

    def value(self, found: Any) -> Any:
        """What the searcher means."""
        if self.options is not None:
            return self.options[found]
        return found if self.multiple is None else found * self.multiple

    def plain(self, found: Any) -> Any:
        """A number of Python's own."""
        return round(found) if self.word in WHOLE else float(found)


class _Asked:
    """Notes what a space asks, in Ray Tune's words; the ranges must not depend on the answers."""

    def __init__(self) -> None:
        self.scales: dict[str, _Scale] = {}

    def number(self, name: str, low: float, high: float, *, log: bool, step: float | None) -> float:
        if step is None:
            self.scales[name] = _Scale("loguniform" if log else "uniform", low, high)
        else:
            self.scales[name] = _Scale("randint", round(low / step), round(high / step) + 1, multiple=step)
        return low

    def integer(self, name: str, low: int, high: int, *, log: bool, step: int) -> int:
        word = "lograndint" if log else "randint"
        self.scales[name] = _Scale(word, low // step, high // step + 1, multiple=None if step == 1 else step)
        return low

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        self.scales[name] = _Scale("choice", range(len(options)), options=options)
        return options[0]


class _Answers:
    """Gives a space what a searcher found."""

    def __init__(self, found: dict[str, Any], scales: dict[str, _Scale]):
        self.found, self.scales = found, scales

    def number(self, name: str, low: float, high: float, *, log: bool, step: float | None) -> float:
        return self.scales[name].value(self.found[name])

    def integer(self, name: str, low: int, high: int, *, log: bool, step: int) -> int:
        return self.scales[name].value(self.found[name])

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        return self.scales[name].value(self.found[name])


def _needs(kind: str, module: str, packages: str) -> None:
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"tune.search_alg: {{kind: {kind}}} needs {packages.replace(' ', ' and ')}, and {error.name} is not "
            f"installed; install it with `python -m pip install {packages}`, or use {{kind: optuna}}"
        ) from error
