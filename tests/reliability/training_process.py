"""Attempts at a training, each in a process of its own that can be killed at any moment."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from reliability_trainings import Training

SERVER = Path(__file__).parent / "training_server.py"
STATE = "state/train/trial/seed-0"
OUT = "out"
LOG = "log.txt"
TIMEOUT = 600.0
DISK_BYTES = 4 * 2**20


class Attempt(NamedTuple):
    """What became of an attempt."""

    code: int
    """The exit status; -9 when it was killed."""
    seconds: float
    phase: str
    """Where it was when it ended, see ``watched_training.PHASES``."""
    began_at: int
    """Batches of the whole training that were done when it began."""
    saves_begun: int
    saves: int
    """Finished in this attempt."""
    batches: int
    """Of the whole training, done at the last save of this attempt."""
    save_microseconds: int
    """That its last save took."""
    operations: int
    """Changes of names in the working directory."""

    @property
    def killed(self) -> bool:
        return self.code == -9


class TrainingServer:
    """Starts attempts; a folder of theirs, ``disk``, is a small file system of its own, which nobody else sees."""

    def __init__(self, disk: Path):
        self.disk = disk
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SNAKE", "MLFLOW"))}
        # libraries that start their threads when they are imported start none
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, SERVER, str(disk), str(DISK_BYTES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=kept | threads | {"SNAKETORCH_TRACKING": "off"},
        )
        self.no_disk: str | None = json.loads(self._process.stdout.readline())["refusal"]
        """Why nothing could be mounted, if nothing could."""

    def ask(self, request: Mapping[str, Any]) -> Attempt:
        """TimeoutError when the attempt did not end by itself, nor was to be killed, for too long."""
        print(json.dumps(request), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        if answer.pop("timed_out"):
            raise TimeoutError(f"an attempt in {request['folder']} did not end: {answer}")
        return Attempt(**answer)

    def inside(self, path: Path) -> Path:
        """``path`` as the server sees it, with what is mounted there."""
        path = path.resolve()
        return Path(f"/proc/{self._process.pid}/root{path}") if path.is_relative_to(self.disk) else path

    def unmount(self, folder: Path) -> None:
        """Takes away what an attempt mounted over ``folder``."""
        subprocess.run(["nsenter", f"--mount=/proc/{self._process.pid}/ns/mnt", "umount", str(folder)], check=True)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(TIMEOUT)
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Trial:
    """A training in a folder of its own, attempted until it is done."""

    server: TrainingServer
    training: Training
    folder: Path
    manifest: Path
    save_every: int = 2
    environment: dict[str, str] = field(default_factory=dict)

    def attempt(
        self,
        *,
        kill_seconds: float | None = None,
        kill_in_save: tuple[int, float] | None = None,
        kill_after_batches: int | None = None,
        kill_at_operation: int | None = None,
        after_save: tuple[int, str] | None = None,
        ordinary_user: bool = False,
        spec: str | None = None,
    ) -> Attempt:
        """Begins the training, or goes on with it.

        Args:
            kill_seconds: Kill it so long after its start.
            kill_in_save: Kill it in that save of this attempt, so many seconds after the save began.
            kill_after_batches: Kill it as the save ends that is made after that batch of the whole training.
            kill_at_operation: Kill it just before that change of a name in its folder.
            after_save: After that save of this attempt, run this shell command.
            ordinary_user: Without root's right to write everything.
            spec: Another spec than the training's own.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        request = {
            "folder": str(self.folder),
            "log": LOG,
            "state": STATE,
            "arguments": self.arguments(spec or self.training.spec),
            "environment": self.environment,
            "save_every": self.save_every,
            "kill_seconds": kill_seconds,
            "kill_in_save": kill_in_save,
            "kill_after_batches": kill_after_batches,
            "kill_at_operation": kill_at_operation,
            "after_save": after_save,
            "ordinary_user": ordinary_user,
            "timeout": TIMEOUT,
        }
        return self.server.ask(request)

    def arguments(self, spec: str) -> list[str]:
        paths = {"model": "model.ckpt", "history": "history.csv", "record": "record.json", "samples": "samples"}
        outputs = [word for name, file in paths.items() for word in (f"--{name}", f"{OUT}/{file}")]
        inputs = ["--spec", spec, "--code", "code", "--manifest", str(self.manifest), "--state", STATE]
        return ["train", *inputs, "--threads", "1", *outputs]

    def finish(self) -> Attempt:
        """Trains to the end. AssertionError, with the log, when it does not get there."""
        attempt = self.attempt()
        assert attempt.code == 0, self.log
        return attempt

    @property
    def log(self) -> str:
        path = self.folder / LOG
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    @property
    def live(self) -> Path:
        """The folder ``state``, as the server sees it."""
        return self.server.inside(self.folder / "state")

    @property
    def state(self) -> Path:
        """The folder of the training's live state, as the server sees it."""
        (found,) = [path for path in (self.live / "train/trial/seed-0").iterdir() if path.is_dir()]
        return found
