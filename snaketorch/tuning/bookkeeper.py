"""Writes down what happens to the trials of a sweep in Ray Tune."""

import logging
from collections.abc import Mapping
from typing import Any

from ray.exceptions import OutOfMemoryError
from ray.tune import Callback
from ray.tune.experiment import Trial as RayTrial

from snaketorch.tuning.context import SweepContext
from snaketorch.tuning.diary import Diary
from snaketorch.tuning.ends import Ends
from snaketorch.tuning.trial import OVER, Trial

log = logging.getLogger(__name__)


class Bookkeeper(Callback):
    """Ray Tune's events become the diary's; and the trials are told when the sweep ends."""

    def __init__(self, of_ray: Mapping[str, Trial], diary: Diary, ends: Ends, context: SweepContext):
        self.of_ray, self.diary, self.ends, self.context = of_ray, diary, ends, context
        self._begun: dict[int, str] = {}
        """Ray's name for what began last, by the number of its trial."""

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Ray Tune keeps a copy that nobody reads: what lasts of a sweep is its ledger

    def on_step_end(self, iteration: int, trials: list[RayTrial], **info: Any) -> None:
        self.diary.progress.say()
        if self.ends.is_over():
            self.context.stop_file.touch()

    def on_trial_result(
        self, iteration: int, trials: list[RayTrial], trial: RayTrial, result: dict[str, Any], **info: Any
    ) -> None:
        own = self.of_ray[trial.trial_id]
        if own.is_over:  # its process was killed after it had said so, and Ray Tune tries it again
            return
        if "node" in result:
            # a trial of a population goes on under another name: that is no further attempt
            if self._begun.get(own.number, trial.trial_id) == trial.trial_id:
                self.diary.start(own, result["node"], result["device"])
            self._begun[own.number] = trial.trial_id
        self.diary.tell(own, result["points"], result["seconds"])
        if (status := result.get("status")) in OVER:
            self.diary.end(own, status, result["error"])

    def on_trial_complete(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        own, result = self.of_ray[trial.trial_id], trial.last_result
        if own.is_over or result.get("status") == "interrupted":
            return
        if own.epochs >= self.context.spec.trainer.max_epochs:
            self.diary.end(own, "finished")
        elif not self.ends.is_over():  # else others ended, and a scheduler took this one for the worst of what is left
            self.diary.end(own, "stopped")

    def on_trial_error(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        own = self.of_ray[trial.trial_id]
        if own.is_over:
            return
        # Ray Tune tries a trial again whose process ends, but not one whose process ends while it starts
        if trial.should_recover() and self.diary.proposals.may_begin_again(own, self.context.spec.tune.max_failures):
            self._begun.pop(own.number, None)
            log.warning("The process of trial %d ended while it started; the trial gets another one", own.number)
            return
        error = trial.get_pickled_error() or trial.get_error()
        is_memory = isinstance(error, OutOfMemoryError)
        said = str(error or "").strip().splitlines() or ["its process ended without a word"]
        self.diary.end(own, "out_of_memory" if is_memory else "failed", said[-1][:500])
