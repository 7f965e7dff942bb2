"""GPUs for jobs that run side by side on one machine, each with its own.

Snakemake counts GPUs and does not say which. A job takes the locks of as many as it asks for and lets
its libraries see only these. The locks are files that the kernel frees when their process ends, however
that ends; they lie outside of the study, so that all studies and users of a machine share them.
"""

import fcntl
import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from snaketorch.errors import UserError
from snaketorch.hardware.gpus import Gpu, Gpus, visible_gpus
from snaketorch.parent import is_running
from snaketorch.state.batch_job import batch_job

log = logging.getLogger(__name__)

SLOTS = "SNAKETORCH_GPU_SLOTS"
"""Environment variable: how many jobs may share a GPU (1)."""
FOLDER = "SNAKETORCH_GPU_LOCKS"
"""Environment variable: another folder for the locks, on a disk of this machine."""
LEASED = "SNAKETORCH_GPUS_LEASED"
"""Says to the processes that a job starts that the GPUs they see are theirs."""
POLL_SECONDS = 1.0

_DEFAULT_FOLDER = Path("/tmp/snaketorch-gpus")  # not of one user, nor in TMPDIR: all share the GPUs
_held: list[ExitStack] = []
"""Open until the process ends: torch lets go of a GPU no sooner."""


def gpu_places() -> int:
    """How many jobs with one GPU this machine can run at once."""
    return len(visible_gpus().found) * _slots()


def lease_gpus(count: int, poll_seconds: float = POLL_SECONDS) -> None:
    """Waits until ``count`` GPUs are free, and makes them the only ones that this process sees, until it ends.

    To be called before torch is imported. Nothing is done for 0 GPUs, where there is no GPU, for the ranks of
    a job that has its GPUs, and in a batch job that sees no more of them than it asks for: there the batch
    system has chosen.

    Raises:
        UserError: when there are not so many GPUs.
    """
    if count == 0 or LEASED in os.environ:
        return
    gpus = visible_gpus()
    if not gpus.found:
        log.info("%s asked for, and none found here: going on without", _gpus(count))
        return
    if batch_job() and len(gpus.found) <= count:
        return
    if count > len(gpus.found):
        raise UserError(
            f"the job asks for {_gpus(count)} (`resources.gpus`), and there are {len(gpus.found)} on this machine "
            f"that it may use ({', '.join(gpu.word for gpu in gpus.found)}); allowed: as many, or fewer"
        )
    leased = _wait(gpus, count, poll_seconds)
    os.environ |= {gpus.variable: ",".join(gpu.word for gpu in leased), LEASED: str(os.getpid())}
    log.info("Using GPU %s", " and ".join(gpu.word for gpu in leased))


def _wait(gpus: Gpus, count: int, poll_seconds: float) -> Sequence[Gpu]:
    folder, slots = _folder(), _slots()
    is_said = False
    while True:
        with ExitStack() as stack:
            with _alone(folder):
                places = [place for gpu in gpus.found if (place := _Place.take(folder, gpu, slots))]
                # the emptiest first: jobs that share a GPU while another idles would be slow for nothing
                places.sort(key=lambda place: place.neighbours)
                for place in places[count:]:
                    place.give_back()
                for place in places[:count]:
                    stack.callback(place.give_back)
            if len(places) >= count:
                _held.append(stack.pop_all())
                return sorted((place.gpu for place in places[:count]), key=gpus.found.index)
        if not is_said:
            holders = ", ".join(sorted(set(_holders(folder, gpus.found)))) or "unknown"
            log.info(
                "Waiting for %s: of %d here too few are free (taken by processes: %s)",
                *(_gpus(count), len(gpus.found), holders),
            )
            is_said = True
        time.sleep(poll_seconds)


class _Place:
    """A place on a GPU: the GPU alone, or one of the slots of those who share it."""

    def __init__(self, gpu: Gpu, files: Sequence[int], neighbours: int):
        self.gpu, self.neighbours = gpu, neighbours
        self._files = files

    @classmethod
    def take(cls, folder: Path, gpu: Gpu, slots: int) -> "_Place | None":
        """A free place; None when there is none. Who wants a GPU alone keeps out those who would share it."""
        name = re.sub(r"[^\w-]", "_", gpu.identity)
        board = _lock(folder / name, fcntl.LOCK_EX if slots == 1 else fcntl.LOCK_SH)
        if board is None:
            return None
        if slots == 1:
            _write_pid(board)
            return cls(gpu, [board], 0)
        found = [_lock(folder / f"{name}.{slot}", fcntl.LOCK_EX) for slot in range(slots)]
        free = [file for file in found if file is not None]
        for file in free[1:] if free else [board]:
            os.close(file)
        if not free:
            return None
        _write_pid(free[0])
        return cls(gpu, [board, free[0]], slots - len(free))

    def give_back(self) -> None:
        for file in self._files:
            with suppress(OSError):
                os.ftruncate(file, 0)
            os.close(file)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time looks for places: two that each held a part of what both need would wait for ever."""
    while (file := _lock(folder / "looking", fcntl.LOCK_EX, wait=True)) is None:
        pass
    try:
        yield
    finally:
        os.close(file)


def _lock(path: Path, how: int, wait: bool = False) -> int | None:
    """An open file that is locked; None when another process has it."""
    file = _open(path)
    try:
        fcntl.flock(file, how if wait else how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    except OSError as error:
        os.close(file)
        raise _unusable(path.parent, error) from error
    except BaseException:  # a signal that ends the wait
        os.close(file)
        raise
    if not _is_at(file, path):  # who cleans /tmp up was faster
        os.close(file)
        return None
    return file


def _open(path: Path) -> int:
    while True:
        # O_CREAT on another user's file in a shared folder is forbidden (fs.protected_regular)
        with suppress(FileNotFoundError):
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        with suppress(FileExistsError), _for_all_users():
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CREAT | os.O_EXCL, 0o666)


@contextmanager
def _for_all_users() -> Iterator[None]:
    """What is made here has its permissions from its first moment on, when another user may come upon it already."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _write_pid(file: int) -> None:
    """For those who wait, and wonder."""
    with suppress(OSError):
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)


def _holders(folder: Path, gpus: Sequence[Gpu]) -> Iterator[str]:
    for gpu in gpus:
        name = re.sub(r"[^\w-]", "_", gpu.identity)
        for path in (folder / name, *sorted(folder.glob(f"{name}.*"))):
            with suppress(OSError):
                text = path.read_text("utf-8").strip()
                if text.isdigit() and is_running(int(text)):  # one that was killed left its number
                    yield text


def _folder() -> Path:
    folder = Path(os.environ.get(FOLDER) or _DEFAULT_FOLDER)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError), _for_all_users():
            folder.mkdir(0o1777)
        if not folder.is_dir() or folder.is_symlink() or not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError("it is no folder that this user may write to")
    except OSError as error:
        raise _unusable(folder, error) from error
    return folder


def _unusable(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"{folder}, where jobs lock the GPUs that they use, cannot be used: {error.strerror or error}; "
        f"name another folder on a disk of this machine by the environment variable {FOLDER}"
    )


def _slots() -> int:
    text = os.environ.get(SLOTS, "1")
    if not text.isdigit() or int(text) == 0:
        raise UserError(f"{SLOTS}={text}: how many jobs share a GPU; allowed: a whole number from 1")
    return int(text)


def _gpus(count: int) -> str:
    return f"{count} GPU{'s' if count > 1 else ''}"
