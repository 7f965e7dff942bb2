"""The C library's allocator, told to keep the memory that training uses again and again."""

import ctypes
import platform

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h
KEPT_BLOCK = 256 * 2**20
NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Lets freed blocks of up to 256 MiB be used again, not returned to the system; for glibc, else nothing.

    glibc gives the system back what is free at the end of its heap, and each block of more than 32 MiB. The
    next step asks for the same again, and its batch and activations on the CPU cost one page fault for each
    4 KiB.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK)
    mallopt(M_TRIM_THRESHOLD, NEVER)
    mallopt(M_TOP_PAD, 64 * 2**20)
