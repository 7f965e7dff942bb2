"""Ray for one sweep: started inside the job, open to nobody else, and gone with it."""

import fcntl
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from snaketorch.launch.allocation import Allocation
from snaketorch.tuning.ray_nodes import address_of_this_node, other_nodes
from snaketorch.tuning.room import Room

log = logging.getLogger(__name__)

# Ray reads these when it is imported, and so do the processes that it starts.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_DEDUP_LOGS": "0",
    "RAY_worker_niceness": "0",  # else trials run behind everything else on the machine, other trainings too
    "RAY_health_check_timeout_ms": "60000",  # a busy machine is not a dead one
    "RAY_TRAIN_V2_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",  # what lasts of a sweep is its ledger
    "TUNE_RESULT_BUFFER_LENGTH": "1",
    "TUNE_FUNCTION_THREAD_TIMEOUT_S": "30",
    "DO_NOT_TRACK": "1",
}
OF_ONE_MACHINE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Ray takes 127.0.0.1 for its address only where it takes the machine for one that has no clusters; with any other, its
processes listen on all of the machine's addresses."""
STARTS = 3
PREFIX, HELD = "snaketorch-ray-", "held"
OBJECT_STORE_BYTES = 80 * 2**20
"""For what trials are told; their data is in files that they map."""


@contextmanager
def ray_in_job(room: Room, allocation: Allocation | None) -> Iterator[Path]:
    """Ray with the job's CPUs and GPUs, on all of its nodes; gives its folder, which is short-lived.

    On one machine nothing of it listens to the network; between nodes a token, new for each job, keeps others out.

    Args:
        room: What each node of the job has.
        allocation: The job, where it has several nodes.

    Raises:
        UserError: the other nodes did not come.
    """
    os.environ.update(ENVIRONMENT if allocation else ENVIRONMENT | OF_ONE_MACHINE)
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    import ray

    with _short_lived_folder() as folder:
        try:
            _start(
                address="local",
                num_cpus=room.cpus,
                num_gpus=room.gpus,
                object_store_memory=OBJECT_STORE_BYTES,
                include_dashboard=False,
                log_to_driver=False,
                configure_logging=False,
                _temp_dir=str(folder),
                _node_ip_address=address_of_this_node() if allocation else "127.0.0.1",
            )
            with other_nodes(allocation, room, folder):
                yield folder
        finally:
            ray.shutdown()


def _start(**options: Any) -> None:
    """``ray.init``, which gives its own processes half a minute: on a machine that has more to do, that is little."""
    import ray

    for starts_left in reversed(range(STARTS)):
        try:
            ray.init(**options)
        except Exception as error:  # Ray has no class of its own for it
            ray.shutdown()
            if not starts_left or "timed out" not in str(error):
                raise
            log.warning("Ray did not start in time, and is started again: %s", str(error).partition(".")[0])
        else:
            return


@contextmanager
def _short_lived_folder(root: Path = Path("/tmp")) -> Iterator[Path]:  # sockets must have short names
    """A new folder, until the block ends; those of processes that were killed go first."""
    for path in root.glob(f"{PREFIX}*/{HELD}"):
        with suppress(OSError), path.open() as file:  # another user's, or one that is held
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.parent, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
    try:
        with (folder / "taken").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (folder / "taken").rename(folder / HELD)  # with its lock: nobody sees it without
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
