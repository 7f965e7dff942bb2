"""Reading files as a user who is not root: without the capabilities by which root reads what nobody may read."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
VERSION_3 = 0x20080522
"""Of the kernel's structures, see capget(2): two sets of (effective, permitted, inheritable), 32 bits each."""


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Give root's right to read everything up inside, in this thread; nothing changes for other users."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()

    def call(function) -> None:
        if function(header, sets) != 0:
            raise OSError(ctypes.get_errno(), "capabilities cannot be changed")

    call(libc.capget)
    effective = sets[0]
    sets[0] = effective & ~(1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH)
    call(libc.capset)
    try:
        yield
    finally:
        sets[0] = effective
        call(libc.capset)
