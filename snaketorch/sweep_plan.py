"""What a sweep would try, and what it may cost, told without running anything."""

import json
import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from snaketorch.config.domains import Range
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.space import MOST_COUNTED, Space
from snaketorch.config.suggestions import MOST_DRAWS, Seeded
from snaketorch.config.tune import (
    Asha,
    BohbSearch,
    Fifo,
    GridSearch,
    HyperOptSearch,
    OptunaSearch,
    Pb2,
    Pbt,
    RandomSearch,
)


class Plan:
    """The trials and epochs of an experiment's sweep, as far as they are clear before it."""

    def __init__(self, name: str, experiment: ExperimentConfig):
        """``experiment`` is resolved and has a sweep."""
        self.name, self.experiment, self.tune = name, experiment, experiment.tune
        document = experiment.model_dump(mode="json", exclude={"tune", "matrix"})
        self.space = Space(self.tune.space, document)

    @cached_property
    def trials(self) -> int:
        """How many there are at most."""
        wanted = self.tune.num_samples
        if not isinstance(self.tune.search_alg, GridSearch):
            return wanted
        return self.space.size(MOST_COUNTED if wanted is None else min(wanted, MOST_COUNTED))

    @property
    def most_epochs(self) -> int:
        """Epochs of all trials, if none of them ends early."""
        return self.trials * self.experiment.trainer.max_epochs

    @property
    def usual_epochs(self) -> int:
        """Epochs of all trials when a scheduler that halves keeps the share that it is to keep."""
        scheduler, epochs = self.tune.scheduler, self.experiment.trainer.max_epochs
        if not isinstance(scheduler, Asha):
            return self.most_epochs
        total, rung, left = 0.0, 0, float(self.trials)
        after = scheduler.grace_period
        while rung < epochs:
            until = min(after, epochs)
            total += left * (until - rung)
            rung, after = until, after * scheduler.reduction_factor
            left = max(1.0, left / scheduler.reduction_factor)
        return math.ceil(total)

    def configurations(self) -> Iterator[dict[str, Any]]:
        """Those that are clear before the first trial."""
        algorithm = self.tune.search_alg
        if isinstance(algorithm, GridSearch):
            yield from islice(self.space.every(), self.trials)
        elif isinstance(algorithm, RandomSearch):
            yield from self._drawn(algorithm.seed)

    def _drawn(self, seed: int) -> Iterator[dict[str, Any]]:
        """Each once, until chance finds nothing that is new."""
        known: set[str] = set()
        for number in range(self.trials):
            draws = (self.space.draw(Seeded(seed, number, draw)) for draw in range(MOST_DRAWS))
            new = next((values for values in draws if json.dumps(values, sort_keys=True) not in known), None)
            if new is None:
                return
            known.add(json.dumps(new, sort_keys=True))
            yield new

    def text(self, most: int) -> str:
        """For a person; no more than ``most`` configurations."""
        return "\n".join(self._lines(most))

    def _lines(self, most: int) -> Iterator[str]:
        tune, trainer = self.tune, self.experiment.trainer
        trials, algorithm = _counted(self.trials, "trial"), tune.search_alg.kind
        yield f"{self.name}: {trials} by search_alg {algorithm}, to {tune.mode}imise {tune.metric}"
        yield f"  epochs: at most {self.most_epochs:,} ({self.trials:,} x {trainer.max_epochs})" + self._saved()
        yield f"  at once: {self._at_once()}"
        if tune.time_budget_s is not None:
            minutes = tune.time_budget_s / 60
            said = f"{minutes:.0f}" if minutes >= 10 else f"{minutes:.2g}"
            yield f"  time: at most {said} minutes, of all attempts together"
        yield f"  then: {_counted(len(self.experiment.seeds), 'training')} with the best values" + (
            ", and as many without the sweep" if tune.baseline else ""
        )
        yield "space:"
        width = max(map(len, self.space.domains))
        yield from (f"  {path:{width}}  {_in_words(domain)}" for path, domain in self.space.domains.items())
        found = list(islice(self.configurations(), most + 1))
        listed = found[:most]
        if listed:
            yield "trials:"
            digits = len(str(self.trials - 1))
            yield from (f"  {number:{digits}}  {_shown(values)}" for number, values in enumerate(listed))
            if len(found) > most:
                yield f"  ... and {self.trials - len(listed):,} more (--trials)"
            elif self.trials > len(listed):
                yield "  ... and no more: the space has nothing new to try"
        else:
            yield f"trials: {self._startup()}"

    def _saved(self) -> str:
        scheduler = self.tune.scheduler
        if self.usual_epochs < self.most_epochs:
            return f"; about {self.usual_epochs:,} where {scheduler.kind} ends as many as it is to"
        return "" if isinstance(scheduler, Fifo | Pbt | Pb2) else f"; {scheduler.kind} may end trials early"

    def _at_once(self) -> str:
        if self.tune.vectorise is True:
            return "as many as memory holds, side by side in one process"
        job, trial = self.tune.resources, self.tune.resources_per_trial
        fit = int(job.cpus / trial.cpu + 1e-9)
        if trial.gpu:
            by_gpu = job.gpus * int(1 / trial.gpu + 1e-9) if trial.gpu < 1 else job.gpus // int(trial.gpu)
            fit = min(fit, by_gpu)
        fit *= self.tune.num_nodes
        at_once = min(fit, self.tune.max_concurrent_trials or fit)
        gpus = f" and {trial.gpu:g} GPU" if trial.gpu else ""
        nodes = f", on {self.tune.num_nodes} nodes" if self.tune.num_nodes > 1 else ""
        return f"{_counted(at_once, 'trial')} of {trial.cpu:g} CPU{gpus}{nodes}"

    def _startup(self) -> str:
        algorithm = self.tune.search_alg
        if isinstance(algorithm, OptunaSearch):
            first = min(self.trials, algorithm.n_startup_trials)
        elif isinstance(algorithm, HyperOptSearch):
            first = min(self.trials, algorithm.n_initial_points)
        else:
            assert isinstance(algorithm, BohbSearch)
            return "each is chosen by what those before it came to"
        return f"the first {first} at random, each of the others by what those before it came to"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _in_words(domain: Range) -> str:
    options = domain.options
    what = f"one of {', '.join(map(_value, options))}" if options is not None else _range(domain)
    if domain.when is None:
        return what
    conditions = " and ".join(f"{path} is {_wanted(wanted)}" for path, wanted in domain.when.items())
    return f"{what}, when {conditions}"


def _range(domain: Range) -> str:
    low, high, step = (_value(bound) for bound in (domain.low, domain.high, domain.step))
    kind = "whole number" if domain.whole else "number"
    steps = f" in steps of {step}" if domain.step is not None else ""
    return f"a {kind} from {low} to {high}{steps}{', by its logarithm' if domain.log else ''}"


def _wanted(wanted: Any) -> str:
    return " or ".join(map(_value, wanted)) if isinstance(wanted, list) else _value(wanted)


def _shown(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{path} {_value(value)}" for path, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_value(item)}' for key, item in value.items())}}}"
    return str(value)
