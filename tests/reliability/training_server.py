"""Trains again and again in forks of one process that has imported everything and started no thread.

Importing takes longer than a small training. Reads one request a line, in JSON, see ``training_process.Attempt``,
and answers with what became of it. ``training_server.py FOLDER BYTES`` mounts a small file system there, which only
this process and its forks see.
"""

import ctypes
import gc
import importlib
import json
import mmap
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from snaketorch.commands import MODULES as COMMANDS

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
POLL_SECONDS = 0.0002

MODULES = (
    "snaketorch.__main__",
    *(f"snaketorch.commands.{name}" for name in COMMANDS),
    "snaketorch.config.specs",
    "snaketorch.data.augment",
    "snaketorch.models.cnn",
    "snaketorch.models.gan",
    "snaketorch.models.mlp",
    "snaketorch.models.recurrent",
    "snaketorch.tasks.classification",
    "snaketorch.tasks.forecasting",
    "snaketorch.tasks.gan",
    "snaketorch.tasks.language_modelling",
    "snaketorch.tracking.sidecar",
    "snaketorch.training.train",
    "watched_training",
)


_as_long_as_the_process_lives: list[Any] = []


def mount_small(folder: Path, size: int) -> None:
    """A file system of ``size`` bytes at ``folder``, gone with this process. OSError where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(function, *arguments) -> None:
        if function(*arguments) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    call(libc.unshare, CLONE_NEWNS)
    call(libc.mount, b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    call(libc.mount, b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={size}".encode())


def give_up_roots_rights() -> None:
    """Files that cannot be written stay so, also for root."""
    sys.path.append(str(Path(__file__).parents[1] / "bad_config"))
    from ordinary_user import ordinary_user

    user = ordinary_user()
    user.__enter__()
    _as_long_as_the_process_lives.append(user)


def train(request: dict[str, Any], seen: Any) -> None:
    """The child: the command line of the step itself, watched."""
    import torch
    import watched_training

    from snaketorch.__main__ import main

    code = 1
    try:
        os.chdir(request["folder"])
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1), os.dup2(log, 2)
        os.environ.update(request["environment"])
        if request["ordinary_user"]:
            give_up_roots_rights()
        torch.set_num_threads(1)
        watched_training.watch(seen, request)
        code = main(request["arguments"])
    except SystemExit as error:
        code = error.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code or 0)


def run(request: dict[str, Any]) -> dict[str, Any]:
    """One attempt, killed when and where the request says."""
    import watched_training

    seen = watched_training.Seen(mmap.mmap(-1, mmap.PAGESIZE))
    seen.began_at = -1
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        train(request, seen)
    kill_at = start + request["kill_seconds"] if request["kill_seconds"] is not None else None
    give_up_at = start + request["timeout"]
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        now = time.monotonic()
        if kill_at is None and request["kill_in_save"] and seen.saves_begun >= request["kill_in_save"][0]:
            kill_at = now + request["kill_in_save"][1]
        if now > give_up_at or (kill_at is not None and now >= kill_at):
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            break
        time.sleep(POLL_SECONDS)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "timed_out": time.monotonic() > give_up_at,
        "seconds": time.monotonic() - start,
        **seen.all(),
    }


def main() -> None:
    refusal = None
    try:
        mount_small(Path(sys.argv[1]), int(sys.argv[2]))
    except OSError as error:
        refusal = error.strerror
    for name in MODULES:
        importlib.import_module(name)
    threads = len(list(Path("/proc/self/task").iterdir()))
    assert threads == 1, f"{threads} threads after the imports; a fork would have the locks that they hold"
    gc.freeze()  # what is imported is shared by all forks
    print(json.dumps({"refusal": refusal}), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
