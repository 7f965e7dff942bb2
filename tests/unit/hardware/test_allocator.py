"""Freed memory is kept, so that the next batch finds it."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
from snaketorch.hardware.allocator import keep_freed_memory

def page_faults():
    for _ in range(10):  # until the blocks of the heap are found again
        bytearray(b"1") * 40 * 2**20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        bytearray(b"1") * 40 * 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = page_faults()
keep_freed_memory()
print(before, page_faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the setting")
def test_memory_that_was_freed_is_used_again_without_page_faults():
    output = subprocess.run([sys.executable, "-c", FAULTS], check=True, capture_output=True, text=True).stdout
    before, after = map(int, output.split())
    assert after < before / 10


def test_another_c_library_is_left_alone(monkeypatch):
    from snaketorch.hardware import allocator

    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: pytest.fail("asked the C library"))
    allocator.keep_freed_memory()
