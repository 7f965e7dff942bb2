"""What to do when the memory of a device is full: notice it, and let go of what the failed computation holds."""

import gc
import re
import traceback

import torch

SAID_IN_TEXT = re.compile(r"(CUDA|HIP) error: out of memory|(CUDNN|CUBLAS)_STATUS_ALLOC_FAILED")
WORDS = 200
"""Characters of what torch says that are kept: it goes on about how to set its allocator."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it says that the memory of a device, not of the host, is full."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and SAID_IN_TEXT.search(str(error)) is not None
    )


def in_short(error: BaseException) -> str:
    """The beginning of what it says."""
    return " ".join(str(error).split())[:WORDS] or "out of memory"


def let_go(error: BaseException | None) -> None:
    """Clears the variables of the frames that an error came through: they hold the network and its activations.

    ``free_memory`` is to be called when nobody holds the error itself any more.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def free_memory() -> None:
    """Gives back to the device what is no longer used."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
