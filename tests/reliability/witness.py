"""Stands for ``python`` in the jobs of a workflow: the steps run as they are, and each training says that it is there.

Each line of the file that ``RELIABILITY_WITNESS`` names is about one training that has begun to write in its state
folder: its process, the folder, and the processes that were in that folder then and had not left it.
"""

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snaketorch import parent
from snaketorch.state import lock


def tell(file: Path) -> None:
    """Makes whoever takes the lock of a state folder write so to ``file``, and who leaves it too."""
    real = lock.sole_writer

    @contextmanager
    def sole_writer(folder: Path, *arguments, **options) -> Iterator[None]:
        with real(folder, *arguments, **options):
            _write(file, "enters", folder)
            try:
                yield
            finally:
                _write(file, "leaves", folder)

    lock.sole_writer = sole_writer


def _write(path: Path, event: str, folder: Path) -> None:
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        inside: dict[int, str] = {}
        for line in map(json.loads, file):
            if line["folder"] == str(folder):
                inside.pop(line["pid"], None)
                if line["event"] == "enters":
                    inside[line["pid"]] = line["start"]
        # a killed process does not say that it leaves
        there = [pid for pid, start in inside.items() if pid != os.getpid() and parent.is_running(pid, start)]
        start = parent.start_time(os.getpid())
        line = {"event": event, "folder": str(folder), "pid": os.getpid(), "start": start, "others": there}
        file.write(json.dumps(line) + "\n")


def main() -> None:
    module, *arguments = sys.argv[2:]
    assert (sys.argv[1], module) == ("-m", "snaketorch"), sys.argv
    if arguments[0] == "train":
        tell(Path(os.environ["RELIABILITY_WITNESS"]))
    from snaketorch.__main__ import main as step

    sys.argv = ["snaketorch", *arguments]
    sys.exit(step())


if __name__ == "__main__":
    main()
