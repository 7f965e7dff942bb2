"""A second process that uploads a job's journal while the job runs.

Only the standard library is used here: a training must run where mlflow is not installed, and must
not wait for its import.
"""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from snaketorch.launch.variables import of_no_rank
from snaketorch.threads import of_process
from snaketorch.tracking.locks import job_at_work

log = logging.getLogger(__name__)

FINISH = b"finish\n"
"""What the job writes to the uploader when there is nothing more to come."""
FOR_TRAININGS = (signal.SIGUSR1, signal.SIGUSR2)
"""Ask to save, or to end. ``srun`` sends them to all processes, and they would kill one that does not know them."""
_DEFAULT_WAIT = 20.0
_LONGEST_WAIT = 7 * 86400.0


@contextmanager
def uploading(folder: Path) -> Iterator[None]:
    """Uploads the journal in ``folder`` while the block runs, and at its end what is still missing.

    The job is never disturbed: what goes wrong is a line in the log, and at the end it waits for the
    uploader no longer than ``SNAKETORCH_SYNC_WAIT`` seconds (20). The journal has everything, and
    ``python -m snaketorch sync`` sends the rest.
    """
    with job_at_work(folder):
        process = _start(folder)
        try:
            yield
        finally:
            if process is not None:
                _finish(process, folder)


def command(folder: Path) -> list[str]:
    """The command line of the uploader for this process."""
    return [sys.executable, "-m", "snaketorch", "sync", "--follow", str(os.getpid()), str(folder)]


def sync_wait() -> float:
    """How many seconds a job waits at its end for the uploader."""
    try:
        return min(max(0.0, float(os.environ["SNAKETORCH_SYNC_WAIT"])), _LONGEST_WAIT)
    except (KeyError, ValueError):
        return _DEFAULT_WAIT


def _start(folder: Path) -> subprocess.Popen | None:
    if os.environ.get("SNAKETORCH_TRACKING") == "off":
        log.info("tracking is switched off; %s keeps what there is to tell", folder)
        return None
    if find_spec("mlflow") is None:
        log.info("mlflow is not installed here; `python -m snaketorch sync` can send %s from elsewhere", folder)
        return None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, FOR_TRAININGS)  # the uploader has it from its first moment on
    try:
        with (folder / "sync.log").open("ab") as output:
            return subprocess.Popen(
                command(folder),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**of_no_rank(os.environ), **of_process(1)},  # the job's threads are for the job
                start_new_session=True,  # Ctrl-C is for the job; the uploader ends after it
            )
    except OSError as error:
        _warn(folder, f"could not be started ({error})")
        return None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _finish(process: subprocess.Popen, folder: Path) -> None:
    """Lets the uploader send the rest, for a while."""
    wait = sync_wait()
    try:
        # a word, not just the end of the pipe: forked data loader workers may hold its other end
        process.communicate(FINISH, timeout=wait)
        if process.returncode != 0:
            _warn(folder, "could not send everything")
    except subprocess.TimeoutExpired:
        _warn(folder, f"was not done {wait:g} s after the job")
    except (OSError, ValueError) as error:
        _warn(folder, f"cannot be reached ({error})")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _warn(folder: Path, what: str) -> None:
    log.warning(
        "the MLflow uploader %s (see %s); nothing is lost: `python -m snaketorch sync` sends the rest",
        what,
        folder / "sync.log",
    )
