"""From an exception to its kind, and to words for who has to do something about it."""

import errno
import os
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from snaketorch.failures.blame import culprit
from snaketorch.failures.full_disk import full_disk_message
from snaketorch.failures.kinds import KINDS, Kind

MOST_CHARACTERS = 2000  # of a message: a library's may hold a whole allocation table

_OF_ERRNO = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "disk_full"),
    **dict.fromkeys((errno.ENOMEM,), "host_memory"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "bad_configuration"),
    **dict.fromkeys((errno.EINVAL, errno.EBADF, errno.ENOTTY, errno.ESPIPE, errno.ECHILD, errno.ESRCH), "bug"),
}
"""Every other error of the system is ``input_output``, and one of a connection ``lost_peer``."""

_OF_CLASS = {
    "torch.OutOfMemoryError": "cuda_out_of_memory",
    "torch.distributed.DistError": "lost_peer",
    "urllib.error.URLError": "input_output",
    # in the middle of an answer these come as they are, most of them without a number of an error, or with one of ssl
    "TimeoutError": "input_output",
    "http.client.HTTPException": "input_output",
    "ssl.SSLError": "input_output",
}

_OF_TEXT = {
    "cuda_out_of_memory": r"(CUDA|HIP) (error: )?out of memory|(CUDNN|CUBLAS)_STATUS_ALLOC_FAILED",
    "bug": r"device-side assert",
    "bad_configuration": r"no kernel image is available|driver version is insufficient|NVIDIA driver",
    "lost_peer": (
        r"NCCL error|nccl\w+Error|Watchdog caught collective|gloo/transport|Connection closed by peer|Connection reset|"
        r"Broken pipe|Socket Timeout"
    ),
    "device_error": (
        r"(CUDA|HIP) error|uncorrectable ECC|(CUDNN|CUBLAS)_STATUS_(EXECUTION_FAILED|INTERNAL_ERROR|NOT_INITIALIZED)"
    ),
    "host_memory": r"can't allocate memory|Cannot allocate memory|not enough memory|std::bad_alloc",
    "disk_full": r"No space left on device|Disk quota exceeded|disk is full",
    "input_output": r"PytorchStreamWriter failed|unexpected pos \d+ vs",
}
"""What libraries say in the text alone; the first that fits counts."""

_PASSING = {
    *(errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN),
    *(errno.ENETUNREACH, errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.EPIPE),
}
"""Errors of the system that may be over the next time."""

_SAID_IN_TEXT = {"RuntimeError", "OSError", "sqlite3.Error"}
"""Classes of errors whose text is looked at."""

_BRINGS_DOWN_MORE = {"cuda_out_of_memory", "host_memory", "disk_full", "device_error", "lost_peer"}
"""What may bring down the code that cleans up after it, so that the last error is another. A missing file is not
among them: to do something else then is common, and what goes wrong there has reasons of its own.
"""


@dataclass(frozen=True)
class Failure:
    """Why a job failed."""

    kind: str
    message: str
    """For the user: what happened, where."""
    details: dict[str, Any] = field(default_factory=dict)
    """For who mends it, as JSON: the exception, the line that it comes from, the traceback."""

    @property
    def about(self) -> Kind:
        return KINDS[self.kind]

    def in_short(self) -> dict[str, str]:
        """As it is noted with an attempt."""
        return {"kind": self.kind, "message": self.message}


def classify(error: BaseException) -> Failure:
    """What kind of failure an exception is; a ``bug`` when it is nothing else that is known."""
    chain = list(_chain(error))
    found = [(other, kind) for other, is_cause in chain if (kind := _kind(other)) and _counts(kind, is_cause)]
    # the code that cleans up after a full disk may fail in ways of its own
    full = [(other, kind) for other, kind in found if kind == "disk_full"]
    cause, kind = (full or found or [(error, "bug")])[0]
    if not KINDS[kind].retried and _says_its_kind(cause):
        # the words are for the user, and what they are about may pass: a server that was down, a share that was away
        reasons = (other for other, is_cause in chain if is_cause and other is not cause and _may_pass(other))
        kind = next((_kind(reason) for reason in reasons), kind)
    where = culprit(error)
    details = {
        "exception": f"{type(error).__module__}.{type(error).__qualname__}",
        "where": str(where) if where else None,
        "is_users": bool(where and where.is_users),
        "traceback": "".join(traceback.format_exception(error)),
    }
    message = _message(kind, cause)[:MOST_CHARACTERS]
    message = message.encode(errors="backslashreplace").decode()  # the name of a file may be no text
    if kind == "bug" and where:
        message += f" (in {'your own module ' if where.is_users else ''}{where})"
    return Failure(kind, message, details)


def _chain(error: BaseException) -> Iterator[tuple[BaseException, bool]]:
    """``error`` and what it comes from, each with whether it is the cause and not only what was at hand."""
    seen: set[int] = set()
    is_cause = True
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error, is_cause
        if error.__cause__ is not None:
            error = error.__cause__
        else:
            is_cause = False
            error = None if error.__suppress_context__ else error.__context__


def _counts(kind: str, is_cause: bool) -> bool:
    return kind in _BRINGS_DOWN_MORE or (is_cause and kind != "bug")


def _kind(error: BaseException) -> str | None:
    """The kind of this exception alone; None when it says nothing."""
    if _says_its_kind(error):
        return error.kind
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, MemoryError):
        return "host_memory"
    names = {_name(parent) for parent in type(error).__mro__}
    for name in names & _OF_CLASS.keys():
        return _OF_CLASS[name]
    if isinstance(error, ConnectionError):
        return "lost_peer"
    if isinstance(error, OSError) and error.errno is not None:
        return _OF_ERRNO.get(error.errno, "input_output")
    if names & _SAID_IN_TEXT:
        return next((kind for kind, pattern in _OF_TEXT.items() if re.search(pattern, str(error))), None)
    return None


def _may_pass(error: BaseException) -> bool:
    """Whether an error of a disk or of a connection may be over the next time."""
    names = {_name(parent) for parent in type(error).__mro__}
    if "urllib.error.HTTPError" in names:
        return error.code >= 500 or error.code == 429  # the server's own, and its "too many requests"
    if isinstance(reason := getattr(error, "reason", None), BaseException):  # of a URLError
        return _may_pass(reason)
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _PASSING
    return isinstance(error, TimeoutError) or "http.client.HTTPException" in names


def _says_its_kind(error: BaseException) -> bool:
    kind = getattr(error, "kind", None)
    return isinstance(kind, str) and kind in KINDS


def _name(of: type) -> str:
    return of.__name__ if of.__module__ == "builtins" else f"{of.__module__}.{of.__name__}"


def _message(kind: str, error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    if _says_its_kind(error):
        return text
    if kind == "disk_full":
        return full_disk_message(error)
    if isinstance(error, KeyboardInterrupt):
        return "told to end, by Ctrl-C or by its workflow"
    if isinstance(error, OSError) and error.errno is not None:
        files = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
        return ": ".join([" -> ".join(files), *([error.strerror] if error.strerror else [])] if files else [text])
    first = text.splitlines()[0]
    return first if first == type(error).__name__ else f"{type(error).__name__}: {first}"
