"""Exceptions as they come, each made for real where that can be, and what is said of them."""

import errno
import http.client
import os
import socket
import sqlite3
import ssl
import subprocess
import sys
import urllib.error
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed

from snaketorch import errors
from snaketorch.failures.classify import MOST_CHARACTERS, Failure, classify
from snaketorch.failures.kinds import KINDS
from snaketorch.publish import whole_file
from snaketorch.signals import Ended

FULL = Path("/dev/full")


def raised(by) -> Failure:
    """The failure that calling ``by`` ends in."""
    try:
        by()
    except BaseException as error:
        return classify(error)
    raise AssertionError("nothing was raised")


def fail(error: BaseException):
    def by():
        raise error

    return raised(by)


@pytest.mark.parametrize("error", [error for error in vars(errors).values() if isinstance(error, type)])
def test_every_error_of_the_package_is_of_a_known_kind_and_keeps_its_words(error):
    if issubclass(error, errors.UserError) and error is not errors.PeerFailed:  # which has the kind of the peer's
        failure = classify(error("the words\nof several lines"))
        assert failure.kind == error.kind in KINDS
        assert failure.message == "the words\nof several lines"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "cuda_out_of_memory"),
        (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might ..."), "cuda_out_of_memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), "cuda_out_of_memory"),
        (torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), "device_error"),
        (torch.AcceleratorError("CUDA error: uncorrectable ECC error encountered"), "device_error"),
        (RuntimeError("CUDA error: unspecified launch failure"), "device_error"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "device_error"),
        (torch.AcceleratorError("CUDA error: device-side assert triggered"), "bug"),
        (torch.AcceleratorError("CUDA error: no kernel image is available for execution"), "bad_configuration"),
        (distributed.DistBackendError("NCCL error in: ProcessGroupNCCL.cpp, remote process exited"), "lost_peer"),
        (distributed.DistNetworkError("The client socket has timed out"), "lost_peer"),
        (distributed.DistStoreError("wait timeout after 300000ms"), "lost_peer"),
        (RuntimeError("[gloo/transport/tcp/pair.cc:553] Connection closed by peer [10.0.0.2]:41021"), "lost_peer"),
        (RuntimeError("Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7)"), "lost_peer"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "lost_peer"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "lost_peer"),
        (MemoryError(), "host_memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "host_memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk_full"),
        (sqlite3.OperationalError("database or disk is full"), "disk_full"),
        (OSError("Unable to write (errno = 28, error message = 'No space left on device')"), "disk_full"),
        (OSError(errno.EIO, "Input/output error"), "input_output"),
        (OSError(errno.ESTALE, "Stale file handle", "results/x"), "input_output"),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "input_output"),
        (TimeoutError("The read operation timed out"), "input_output"),
        (http.client.IncompleteRead(b"half"), "input_output"),
        (ssl.SSLError(1, "[SSL] record layer failure"), "input_output"),
        (PermissionError(errno.EACCES, "Permission denied", "results/x"), "bad_configuration"),
        (OSError(errno.EROFS, "Read-only file system", "state"), "bad_configuration"),
        (OSError(errno.EINVAL, "Invalid argument"), "bug"),
        (KeyboardInterrupt(), "interrupted"),
        (Ended("told to end by SIGTERM"), "interrupted"),
        (KeyError("x"), "bug"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"), "bug"),
        (ValueError("CUDA out of memory, said by a value"), "bug"),
        (SystemExit(3), "bug"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{type(value).__name__}-{value}"[:40],
)
def test_kinds(error, kind):
    failure = fail(error)

    assert failure.kind == kind
    assert failure.message


def told(words: errors.UserError, reason: Exception) -> errors.UserError:
    """As a source of data raises it."""
    words.__cause__ = reason
    return words


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (urllib.error.HTTPError("http://x", 503, "Service Unavailable", {}, None), "input_output"),
        (urllib.error.HTTPError("http://x", 404, "Not Found", {}, None), "data_error"),
        (urllib.error.URLError(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")), "input_output"),
        (urllib.error.URLError(socket.gaierror(socket.EAI_NONAME, "Name or service not known")), "data_error"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "lost_peer"),
        (OSError(errno.ESTALE, "Stale file handle", "data/x"), "input_output"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "data/x"), "data_error"),
        (TimeoutError("The read operation timed out"), "input_output"),
        (ValueError("not a number"), "data_error"),
    ],
    ids=repr,
)
def test_what_a_user_is_told_may_be_worth_another_attempt(reason, kind):
    failure = classify(told(errors.DataError("the files cannot be had"), reason))

    assert failure.kind == kind
    assert failure.message == "the files cannot be had"


def test_memory_that_torch_cannot_have_is_the_hosts():
    assert raised(lambda: torch.empty(2**52)).kind == "host_memory"


def test_memory_that_numpy_cannot_have_is_the_hosts():
    assert raised(lambda: np.ones(2**52)).kind == "host_memory"


@pytest.mark.skipif(not FULL.exists(), reason="a device of Linux")
def test_a_full_disk_is_told_with_path_and_free_space(tmp_path):
    def write():
        with whole_file(tmp_path / "model.ckpt"), FULL.open("wb", buffering=0) as file:
            file.write(b"weights")

    failure = raised(write)

    assert failure.kind == "disk_full"
    assert failure.message.startswith(f"Disk full: {tmp_path / 'model.ckpt'} could not be written; ")
    assert failure.message.endswith(f"are free on the disk of {tmp_path}")
    assert "Errno" not in failure.message


@pytest.mark.skipif(not FULL.exists(), reason="a device of Linux")
def test_what_torch_makes_of_a_full_disk_is_still_a_full_disk(tmp_path):
    def save():
        with whole_file(tmp_path / "model.ckpt"), FULL.open("wb", buffering=0) as file:
            torch.save({"weight": torch.zeros(1000)}, file)

    assert raised(save).kind == "disk_full"


def test_how_much_was_needed_is_told_by_who_knows(tmp_path):
    error = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "not/there/x"))
    error.needed_bytes = 3 * 2**30

    assert "3.0 GiB are needed, " in fail(error).message


def test_a_quota_is_not_taken_for_free_space(tmp_path):
    message = fail(OSError(errno.EDQUOT, "Disk quota exceeded", str(tmp_path / "x"))).message

    assert message.startswith(f"Disk quota used up: {tmp_path / 'x'} could not be written; ")
    assert "but not for you: see `quota -s`" in message


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    missing = tmp_path / "array.npy"

    failure = raised(lambda: np.load(missing))

    assert (failure.kind, failure.message) == ("input_output", f"{missing}: No such file or directory")


def test_what_fails_while_it_cleans_up_after_a_full_disk_hides_nothing():
    def by():
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError:
            raise RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 576 vs 470")  # noqa: B904

    assert raised(by).kind == "disk_full"


def test_a_bug_in_what_handles_a_users_mistake_stays_a_bug():
    def by():
        try:
            raise errors.DataError("no rows")
        except errors.DataError:
            raise TypeError("of the handler")  # noqa: B904

    assert raised(by).kind == "bug"


def test_a_bug_in_what_is_done_without_a_file_stays_a_bug(tmp_path):
    def by():
        try:
            (tmp_path / "cache").read_text()
        except FileNotFoundError:
            raise KeyError("x")  # noqa: B904

    assert raised(by).kind == "bug"


def test_an_error_that_was_made_of_another_is_what_the_other_one_is():
    def by():
        try:
            raise torch.OutOfMemoryError("CUDA out of memory")
        except RuntimeError as error:
            raise ValueError("the network cannot be measured") from error

    assert raised(by).kind == "cuda_out_of_memory"


def test_a_bug_of_the_package_is_placed_there():
    from snaketorch.provenance import canonical_json

    failure = raised(lambda: canonical_json({1j: 0}))

    assert failure.kind == "bug"
    assert "(in snaketorch/provenance.py, line " in failure.message
    assert failure.message.endswith(" (canonical_json))")
    assert not failure.details["is_users"]
    assert "Traceback" in failure.details["traceback"]


def test_a_bug_in_a_users_module_is_placed_there(tmp_path, monkeypatch):
    (tmp_path / "my_nets.py").write_text("import torch\n\ndef forward():\n    return torch.zeros(2) @ torch.zeros(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    import my_nets

    failure = raised(my_nets.forward)
    sys.modules.pop("my_nets")

    assert failure.message.endswith("(in your own module my_nets.py, line 4 (forward))")
    assert failure.details["where"] == "my_nets.py, line 4 (forward)"
    assert failure.details["is_users"]


def test_a_message_has_an_end():
    assert len(fail(errors.UserError("x" * 10**5)).message) == MOST_CHARACTERS


def test_nothing_heavy_is_needed_to_tell_a_failure(repo):
    program = (
        "import sys\n"
        "from snaketorch.failures import attempt, classify, summary\n"
        "assert classify.classify(MemoryError()).kind == 'host_memory'\n"
        "heavy = {'torch', 'numpy', 'pydantic'} & sys.modules.keys()\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=repo, env=dict(os.environ), timeout=300)
    assert done.returncode == 0
