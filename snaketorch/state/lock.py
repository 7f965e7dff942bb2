"""One writer at a time in a state folder.

The kernel's lock is the main way: it is free as soon as its process ends, however that ends. Where a
file system has none, or one that other machines do not see, a lease takes its place (see ``lease``).
"""

import errno
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from snaketorch.errors import InUse
from snaketorch.state.holder import Holder
from snaketorch.state.lease import Claim, lease_holder
from snaketorch.state.mounts import locks_are_local

log = logging.getLogger(__name__)

LOCK_WAIT_SECONDS = 30.0
POLL_SECONDS = 0.2

_NAME = "lock"
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
"""How file systems say that they have no locks: Lustre without ``-o flock``, some NFS and FUSE."""


@contextmanager
def sole_writer(folder: Path, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[None]:
    """Holds a state folder, which is created, while the block runs.

    A job whose workflow was killed ends within seconds, so a successor waits a little.

    Raises:
        InUse: when another process keeps the folder; names it, and how it is ended.
    """
    # a short second look at least: someone who only asks who holds the folder shares the lock for a moment
    deadline = time.monotonic() + max(wait_seconds, 2 * POLL_SECONDS)
    claim = Claim(folder)
    while True:
        with ExitStack() as held:
            if _take(folder, claim, held):
                yield
                return
        if time.monotonic() > deadline:
            raise InUse(_refusal(folder, holder(folder) or Holder()))
        time.sleep(POLL_SECONDS)


def holder(folder: Path) -> Holder | None:
    """Who holds a state folder; None when nobody does. Takes and creates nothing."""
    try:
        with (folder / _NAME).open(encoding="utf-8") as file:
            if _locked(file, fcntl.LOCK_SH) is False:
                return Holder.from_json(file.read())
    except FileNotFoundError:
        return None
    return lease_holder(folder)


def _take(folder: Path, claim: Claim, held: ExitStack) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    file = held.enter_context((folder / _NAME).open("a+", encoding="utf-8"))
    locked = _locked(file, fcntl.LOCK_EX)
    if locked is False or not _is_at(file, folder / _NAME):
        return False
    if locked is None or locks_are_local(folder) or lease_holder(folder):  # the last: of one who found no locks here
        try:
            lease = claim.take()
        except FileNotFoundError:  # the folder was cleared a moment ago
            return False
        if lease is None:
            return False
        held.callback(lease.give_back)
    held.callback(file.truncate, 0)
    file.truncate(0)
    file.write(Holder.of_this_process().to_json())
    file.flush()
    os.fsync(file.fileno())  # other machines see it then
    return True


def _locked(file: IO[str], how: int) -> bool | None:
    """Whether the lock could be had; None where the file system knows no locks."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


def _is_at(file: IO[str], path: Path) -> bool:
    """Whether ``file`` still lies at ``path``: a folder that was cleared meanwhile is another one."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _refusal(folder: Path, who: Holder) -> str:
    if who.is_gone:
        return (
            f"{folder} is still held by a process that {who} started before it ended itself. "
            f"`fuser -v {folder / _NAME}` names it; end it with `kill` and start again"
        )
    found = f"{folder} is in use by {who}: a training of this experiment and seed is running already. "
    if who.is_orphan:
        return (
            f"{found}It is an orphan: the workflow that started it, process {who.workflow}, is gone. "
            f"End it with {who.advice} (`kill -9` if it does not listen; nothing is lost) and start again"
        )
    return f"{found}Wait for it, or end it with {who.advice}, which saves what it has done; then start again"
