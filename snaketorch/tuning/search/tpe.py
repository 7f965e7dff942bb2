"""Optuna's tree-structured Parzen estimator (Bergstra et al., 2011): it learns where in the space good values lie."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from snaketorch.config.space import Space
from snaketorch.config.suggestions import Given
from snaketorch.config.tune import Sweep
from snaketorch.data.loading.seeds import stable_seed
from snaketorch.tuning.trial import GOOD, Trial

optuna.logging.set_verbosity(optuna.logging.WARNING)


class TpeSearch:
    """Proposes where trials did well; what was stopped early counts by how far it came."""

    def __init__(self, sweep: Sweep, space: Space):
        self.space, self.options, self.mode = space, sweep.search_alg, sweep.mode
        self.study = optuna.create_study(direction="maximize" if self.mode == "max" else "minimize")
        self.numbers: dict[int, int] = {}
        """Optuna's numbers of trials that are not done yet, by ours."""

    def propose(self, number: int, draw: int) -> dict[str, Any]:
        # its state would be lost with the process: each proposal has a generator of its own
        seed = stable_seed(self.options.seed, "proposal", number, draw) % 2**32
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study.sampler = optuna.samplers.TPESampler(
                n_startup_trials=self.options.n_startup_trials,
                multivariate=True,  # values that go well together are drawn together,
                group=True,  # also where some are there under a condition only
                constant_liar=True,  # trials that run at one time keep away from each other
                seed=seed,
            )
        if draw:  # what it proposed before will not be trained
            self.study.tell(self.numbers.pop(number), state=TrialState.FAIL)
        trial = self.study.ask()
        self.numbers[number] = trial.number
        return self.space.draw(_Asks(trial))

    def expect(self, trial: Trial) -> None:
        self.numbers[trial.number] = len(self.study.trials)
        self.study.add_trial(self._frozen(trial, TrialState.RUNNING))

    def learn(self, trial: Trial) -> None:
        best = trial.best(self.mode) if trial.status in GOOD else None
        if best is None:
            state = TrialState.FAIL
        else:
            state = TrialState.COMPLETE if trial.status == "finished" else TrialState.PRUNED
        if trial.number in self.numbers:  # the one that waits is no more
            self.study.tell(self.numbers.pop(trial.number), state=TrialState.FAIL)
        self.study.add_trial(self._frozen(trial, state, best[1] if state == TrialState.COMPLETE else None))

    def _frozen(self, trial: Trial, state: TrialState, value: float | None = None) -> FrozenTrial:
        known = _Remembers(trial.values)
        self.space.draw(known)
        return optuna.trial.create_trial(
            state=state,
            value=value,
            params=known.params,
            distributions=known.distributions,
            intermediate_values={epoch: point for epoch, point in trial.curve if point is not None},
        )


class _Asks:
    """Has Optuna answer what a space asks."""

    def __init__(self, trial: optuna.Trial):
        self.trial = trial

    def number(self, name: str, low: float, high: float, *, log: bool, step: float | None) -> float:
        if step is None:
            return self.trial.suggest_float(name, low, high, log=log)
        found = self.trial.suggest_float(name, _as_written(low), _as_written(high), step=step)
        return round(found / step) * step

    def integer(self, name: str, low: int, high: int, *, log: bool, step: int) -> int:
        return self.trial.suggest_int(name, low, high, log=log, step=step)

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        return options[self.trial.suggest_categorical(name, range(len(options)))]


class _Remembers(Given):
    """Values that were chosen before, in Optuna's words."""

    def __init__(self, values: Mapping[str, Any]):
        super().__init__(values)
        self.params: dict[str, Any] = {}
        self.distributions: dict[str, BaseDistribution] = {}

    def number(self, name: str, low: float, high: float, *, log: bool, step: float | None) -> float:
        value = super().number(name, low, high, log=log, step=step)
        told = (value, low, high) if step is None else [_as_written(each) for each in (value, low, high)]
        self._add(name, told[0], FloatDistribution(told[1], told[2], log=log, step=step))
        return value

    def integer(self, name: str, low: int, high: int, *, log: bool, step: int) -> int:
        value = super().integer(name, low, high, log=log, step=step)
        self._add(name, value, IntDistribution(low, high, log=log, step=step))
        return value

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        value = super().choice(name, options)
        self._add(name, list(options).index(value), CategoricalDistribution(range(len(options))))
        return value

    def _add(self, name: str, value: Any, distribution: BaseDistribution) -> None:
        self.params[name], self.distributions[name] = value, distribution


def _as_written(multiple: float) -> float:
    """A multiple of a step as people write it, which Optuna counts in: 0.1 three times is a little more than 0.3."""
    return float(f"{multiple:.12g}")
