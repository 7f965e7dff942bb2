"""Errors that a user can mend: shown as one message, without a traceback.

The ``kind`` of an error names what happened in one word, see ``snaketorch.failures.kinds``: it decides
whether the job is tried again, and what the user is advised to do.
"""

# ruff: noqa: N818 - they are named for what happened, as in the summary that users read
from typing import Any, ClassVar


class UserError(Exception):
    """Something outside this package is wrong; the message says what, where, and what would be right."""

    kind: ClassVar[str] = "bad_configuration"


class DataError(UserError):
    """The data cannot be used."""

    kind: ClassVar[str] = "data_error"


class CheckpointsLost(UserError):
    """A training has checkpoints, and none of them can be trusted."""

    kind: ClassVar[str] = "data_error"


class NonFiniteLoss(UserError):
    """The loss is infinite or not a number."""

    kind: ClassVar[str] = "non_finite_loss"


class OutOfMemory(UserError):
    """The GPU's memory does not hold the computation, not even of one sample at a time."""

    kind: ClassVar[str] = "cuda_out_of_memory"


class OutOfTime(UserError):
    """The time that the job was given ends; what is done is saved."""

    kind: ClassVar[str] = "timeout"


class Interrupted(UserError):
    """The job was told to end; what is done is saved."""

    kind: ClassVar[str] = "interrupted"


class InUse(UserError):
    """Another process works in the same folder."""

    kind: ClassVar[str] = "in_use"


class DiskFull(UserError):
    """A disk has no room for what must be written."""

    kind: ClassVar[str] = "disk_full"


class PeerFailed(UserError):
    """Another process of the same training ended before its time; all that it says is of that one."""

    def __init__(self, message: str, kind: str, exit_code: int, details: dict[str, Any]):
        super().__init__(message)
        self.kind = kind
        self.exit_code = exit_code
        self.details = details
