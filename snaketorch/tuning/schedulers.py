"""Which trials go on, by Ray Tune's schedulers."""

import math
from collections.abc import Iterable
from typing import Any

from ray.tune.schedulers import (
    AsyncHyperBandScheduler,
    FIFOScheduler,
    HyperBandForBOHB,
    HyperBandScheduler,
    MedianStoppingRule,
    TrialScheduler,
)

from snaketorch.config.tune import Scheduler
from snaketorch.tuning.trial import Trial

METRIC = "objective"
TIME = "epoch"


def build_scheduler(
    options: Scheduler, mode: str, max_epochs: int, at_once: int | None = None, of_bohb: bool = False
) -> TrialScheduler:
    """Ray Tune's scheduler of that name; time is counted in epochs.

    Args:
        options: Which one.
        mode: Which way the metric is better.
        max_epochs: Of a training.
        at_once: Trials at one time, where the scheduler pauses them; else Ray Tune sees to that.
        of_bohb: For BOHB, which begins with the shortest trainings.
    """
    asked: dict[str, Any] = options.model_dump(exclude={"kind"}, exclude_none=True)
    common = {"time_attr": TIME, "metric": METRIC, "mode": mode}
    if options.kind in ("fifo", "pbt", "pb2"):  # the trials of a population are compared between their trainings
        return FIFOScheduler()
    if options.kind == "asha":
        return AsyncHyperBandScheduler(**common, **asked, max_t=max_epochs)
    if options.kind == "hyperband":
        rounds = _BohbRounds if of_bohb else _Rounds
        return rounds(**common, **asked, max_t=max_epochs, at_once=at_once)
    # a trial that cannot be judged yet goes on: to pause it would train a part of it twice
    return _Medians(**common, **asked, min_time_slice=math.inf)


def pauses(options: Scheduler) -> bool:
    """Whether trials wait for others in the middle of their training, where Ray Tune may give their process away."""
    return options.kind == "hyperband"


def milestones(options: Scheduler, max_epochs: int) -> list[int]:
    """Epochs after which a trial is judged, so that it tells of them at once."""
    if options.kind in ("fifo", "pbt", "pb2"):
        return []
    if options.kind != "asha":
        return list(range(1, max_epochs + 1))
    found, epoch = [], float(options.grace_period)
    while epoch < max_epochs:
        found.append(math.ceil(epoch))
        epoch *= options.reduction_factor
    return found


def remember(scheduler: TrialScheduler, trials: Iterable[Trial]) -> None:
    """Tells a new scheduler of the trials that were done before, as if it had seen them itself."""
    for trial in trials:
        known = _Known(trial)
        results = [{TIME: epoch, METRIC: float("nan") if value is None else value} for epoch, value in trial.curve]
        if isinstance(scheduler, MedianStoppingRule):
            for result in results:  # not as those of a trial that runs, which it would judge once more
                scheduler.on_trial_complete(None, known, result)
        elif isinstance(scheduler, AsyncHyperBandScheduler) and results:
            scheduler.on_trial_add(None, known)
            for result in results:
                scheduler.on_trial_result(None, known, result)
            scheduler.on_trial_complete(None, known, results[-1])
        # the brackets of HyperBand are filled by trials that run: those that are done would block them


class _Medians(MedianStoppingRule):
    """Takes no report without a metric for a result.

    For Ray Tune NaN, once told, is the best that a trial came to, and the epoch of its last report how far it came.
    """

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        if math.isnan(result.get(METRIC, math.nan)):
            return self.CONTINUE
        return super().on_trial_result(tune_controller, trial, result)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        if not math.isnan(result.get(METRIC, math.nan)):
            super().on_trial_complete(tune_controller, trial, result)


class _Limited:
    """Counts the trials that run. Ray Tune's own limit counts those that are paused too, and would begin no other."""

    def __init__(self, *, at_once: int | None, **options: Any):
        super().__init__(**options)
        self.at_once = at_once

    def choose_trial_to_run(self, tune_controller: Any, **how: Any) -> Any:
        running = sum(trial.status == trial.RUNNING for trial in tune_controller.get_trials())
        if self.at_once is not None and running >= self.at_once:
            return None
        return super().choose_trial_to_run(tune_controller, **how)


class _Rounds(_Limited, HyperBandScheduler):
    """Rounds of halving."""


class _BohbRounds(_Limited, HyperBandForBOHB):
    """The same, the round with the shortest trainings first."""


class _Known:
    """As much of a trial of Ray Tune's as its schedulers look at."""

    def __init__(self, trial: Trial):
        self.trial_id = f"known-{trial.number}"

    def __str__(self) -> str:
        return self.trial_id
