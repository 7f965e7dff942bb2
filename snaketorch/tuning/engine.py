"""How the trials of a sweep are trained: each by itself through Ray Tune, or many small ones side by side."""

import logging
from dataclasses import replace
from typing import Any

from snaketorch.errors import UserError
from snaketorch.tuning.context import SweepContext
from snaketorch.tuning.diary import Diary
from snaketorch.tuning.ends import Ends
from snaketorch.tuning.vectorised.sweep import can_vectorise, train_side_by_side

log = logging.getLogger(__name__)


def train_trials(context: SweepContext, diary: Diary, ends: Ends) -> dict[str, Any]:
    """Trains until there are no more trials or the sweep ends; gives what the record says of how.

    Raises:
        UserError: trials are to be trained side by side, and cannot be.
    """
    asked = context.spec.tune.vectorise
    reason = "tune.vectorise: false" if asked is False else can_vectorise(context)
    if reason is None:
        return train_side_by_side(context, diary, ends)
    if asked is True:
        raise UserError(f"tune.vectorise: true, but trials cannot be trained side by side: {reason}; allowed: auto")
    log.info("Each trial is trained by itself: %s", reason)
    return {**_through_ray(context, diary, ends), "not_vectorised": reason}


def _through_ray(context: SweepContext, diary: Diary, ends: Ends) -> dict[str, Any]:
    from snaketorch.tuning.ray_cluster import ray_in_job
    from snaketorch.tuning.ray_nodes import room_of_job

    room, allocation = room_of_job(context.room)
    context = replace(context, room=room)
    at_once = room.at_once  # where not one trial fits, this says so before Ray starts
    with ray_in_job(room, allocation) as folder:
        ends.signals.install()  # again: Ray has put its own in their place
        from snaketorch.tuning.sweep import sweep  # not before: Ray reads the environment when it is imported

        sweep(context, diary, ends, folder)
    return {"engine": "ray", "at_once": at_once, "nodes": room.num_nodes, "cpu": room.cpu, "gpu": room.gpu}
