"""Sweeps in processes of their own, as a job of the workflow runs them, in a folder with one small dataset."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import yaml

from snaketorch.config.specs import TuneSpec
from tests.unit.training_specs import spec_of

MARK = "SNAKETORCH_SWEEP_OF"
"""In the environment of a sweep's process, and of all that it starts."""
SPACE = {"optimizer.lr": {"loguniform": [0.01, 0.5]}, "model.hidden": {"choice": [[4], [8]]}}
TUNE = {
    "metric": "val/loss",
    "mode": "min",
    "num_samples": 6,
    "search_alg": {"kind": "random", "seed": 1},
    "scheduler": {"kind": "fifo"},
    "space": SPACE,
    "vectorise": False,
}
EPOCHS = 120
"""Of each trial: about two seconds."""
RAY_ENDS_SECONDS = 300.0
"""For the last of Ray's processes, after the one that started them."""


def sweep_spec(model: Mapping[str, Any] | None = None, epochs: int = EPOCHS, **tune: Any) -> TuneSpec:
    """Of an MLP on the two classes of images of ``prepared_by_hand``."""
    model = model or {"kind": "mlp", "hidden": [8]}
    training = spec_of({"kind": "image_classification"}, dict(model), trainer={"max_epochs": epochs})
    document = {**training.model_dump(mode="json"), "experiment": "small", "tune": {**TUNE, **tune}}
    return TuneSpec.model_validate(document)


class SweepProcess:
    """Attempts at sweeps in one folder."""

    def __init__(self, folder: Path, manifest: Path, name: str = "small"):
        self.folder, self.manifest = folder, manifest
        self.out = folder / "results/experiments" / name / "tune"
        self.state = folder / "state/tune" / name
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, spec: TuneSpec, *arguments: str) -> None:
        """Begins an attempt, one trial after the other unless ``arguments`` say otherwise."""
        names = ("best.yaml", "trials.csv", "curves.csv", "sweep.json", "figures")
        files = [f"--{Path(name).stem}={self.out / name}" for name in names]
        command = [sys.executable, "-m", "snaketorch", "tune", "--spec", spec.model_dump_json(), *files]
        command += [f"--manifest={self.manifest}", f"--state={self.state}", "--threads=1", "--cpu-per-trial=1"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *arguments],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env={**os.environ, MARK: str(self.folder), "OMP_NUM_THREADS": "1", "SNAKETORCH_TRACKING": "off"},
            )

    def end(self, seconds: float = 900) -> int:
        """The exit code of the attempt, when it has ended."""
        return self.process.wait(seconds)

    def run(self, spec: TuneSpec, *arguments: str) -> "SweepProcess":
        """A whole attempt, which must succeed."""
        self.start(spec, *arguments)
        assert self.end() == 0, self.said()
        return self

    def when(self, condition: Callable[[], bool], seconds: float = 600) -> None:
        """Waits for something in a running attempt."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.05)

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)

    def said(self) -> str:
        return (self.folder / "log").read_text()

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the ledgers say so far."""
        lines = [line for path in self.state.glob("*/trials.jsonl") for line in path.read_text().splitlines(True)]
        found = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in found if event["event"] == kind]

    @property
    def best(self) -> dict[str, Any]:
        return yaml.safe_load((self.out / "best.yaml").read_text())

    @property
    def record(self) -> dict[str, Any]:
        return json.loads((self.out / "sweep.json").read_text())

    @property
    def trials(self) -> list[dict[str, str]]:
        return _rows(self.out / "trials.csv")

    @property
    def curves(self) -> list[dict[str, str]]:
        return _rows(self.out / "curves.csv")

    @property
    def results(self) -> list[dict[str, str]]:
        """The trials without what may differ from one machine or attempt to the next."""
        varies = ("seconds", "attempts", "started", "device", "node")
        return [{name: value for name, value in row.items() if name not in varies} for row in self.trials]

    def processes(self) -> list[str]:
        """The commands of all processes that the attempts started and that live."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                environment = (path / "environ").read_bytes().split(b"\0")
                command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if f"{MARK}={self.folder}".encode() in environment and command:
                found.append(f"{path.name} {command}")
        return found

    def listens_on(self) -> set[str]:
        """The addresses on which the living processes take connections."""
        sockets = {
            str(path.readlink())
            for line in self.processes()
            for path in _files(Path("/proc", line.split()[0], "fd"))
            if path.is_socket()
        }
        tables = [Path("/proc/net/tcp").read_text(), Path("/proc/net/tcp6").read_text()]
        rows = [line.split() for table in tables for line in table.splitlines()[1:]]
        own = [row for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]  # 0A: it listens
        return {_address(row[1].partition(":")[0]) for row in own}

    def trial_processes(self) -> list[int]:
        """The process ids of those that train trials."""
        return [int(line.split()[0]) for line in self.processes() if "ray::ImplicitFunc" in line]


def _files(folder: Path) -> list[Path]:
    with suppress(OSError):  # the process ended
        return list(folder.iterdir())
    return []


def _address(words: str) -> str:
    """As people write it; in the kernel's tables it is four bytes a word, the last one first."""
    found = b"".join(bytes.fromhex(words[start : start + 8])[::-1] for start in range(0, len(words), 8))
    address = ip_address(found)
    return str(getattr(address, "ipv4_mapped", None) or address)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
