"""Processes of trials that start are not ended because another one has become free."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.tune.execution.tune_controller import TuneController

log = logging.getLogger(__name__)


@contextmanager
def starts_end() -> Iterator[None]:
    """In the block a process that has become free goes to a trial that has none.

    Ray Tune gives it to a trial whose own process is starting, and ends that one; then it starts another for the next
    trial. Where trials are shorter than a start, that goes on to the end of the sweep: one trial trains at a time, and
    the other cores start processes. There is no public way to say so; where Ray has changed, it does as it likes.
    """
    reuse = getattr(TuneController, "_maybe_reuse_cached_actor", None)
    if reuse is None:
        log.info("This version of Ray Tune may train short trials one at a time")
        yield
        return

    def reuse_for_those_without(controller: Any, trial: Any) -> bool:
        starts = trial in controller._trial_to_actor and trial not in controller._resetting_trials
        if (
            starts
            and controller._trial_to_actor[trial] in controller._actor_manager._live_actors_to_ray_actors_resources
        ):
            return False
        return reuse(controller, trial)  # also where its process waits for the cores of the free one

    TuneController._maybe_reuse_cached_actor = reuse_for_those_without
    try:
        yield
    finally:
        TuneController._maybe_reuse_cached_actor = reuse
