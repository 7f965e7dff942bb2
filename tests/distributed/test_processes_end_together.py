"""Processes that train together end together, whichever is told to or dies, and leave nobody behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_curves import IMAGES, spec_on

ENOUGH = {"trainer": {"max_epochs": 100_000}}
STARTING_SECONDS, SECONDS = 600.0, 300.0
"""Within which they train, and within which all are gone: some, where the machine is busy."""

BROKEN = """
import os
from torch import nn

class Network(nn.Module):
    def __init__(self, input_shape, num_outputs):
        super().__init__()
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(64, num_outputs))

    def forward(self, image):
        if os.environ.get("SNAKETORCH_LOCAL_RANK") == "1" and self.training:
            raise KeyError("only here")
        return self.head(image)
"""


class Started:
    """``python -m snaketorch train`` on two processes."""

    def __init__(self, folder: Path, spec: dict, manifest: Path):
        self.folder, self.log = folder, folder / "log"
        out = {name: f"{name}.out" for name in ("model", "history", "record", "samples")}
        paths = {"spec": json.dumps(spec), "manifest": manifest, "state": "state/train/small/seed-0", **out}
        options = [word for name, value in paths.items() for word in (f"--{name}", str(value))]
        command = [sys.executable, "-m", "snaketorch", "train", *options, "--threads", "2", "--attempt", "1"]
        environment = {**os.environ, "SNAKETORCH_PARENT": str(os.getpid())}
        with self.log.open("w") as log:
            self.first = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + STARTING_SECONDS
        while text not in self.log.read_text():
            assert time.monotonic() < until and self.first.poll() is None, self.log.read_text()
            time.sleep(0.05)

    @property
    def second(self) -> int:
        return next(int(pid) for pid in self._children() if b"snaketorch\0train" in command_of(int(pid)))

    def _children(self) -> list[str]:
        return Path(f"/proc/{self.first.pid}/task/{self.first.pid}/children").read_text().split()


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def is_gone(pid: int) -> bool:
    until = time.monotonic() + SECONDS
    while command_of(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def start(tmp_path, manifests):
    started = []

    def begin(*sections) -> Started:
        started.append(Started(tmp_path, spec_on(2, *sections), manifests["images"]))
        return started[-1]

    yield begin
    for one in started:
        one.first.kill()
        one.first.wait()


def note(folder: Path) -> dict:
    return json.loads((folder / "state/failures/train/small/seed-0.json").read_text())


def test_a_training_that_is_told_to_end_is_saved_by_all_and_one_that_dies_ends_with_the_dead(start, tmp_path):
    training = start(*IMAGES, ENOUGH)
    training.wait_for("train/accuracy")
    second = training.second
    training.first.send_signal(signal.SIGTERM)

    assert training.first.wait(SECONDS) == 75, training.log.read_text()
    assert is_gone(second)
    assert note(tmp_path)["kind"] == "interrupted"
    assert list(tmp_path.rglob("step-*.ckpt"))

    training = start(*IMAGES, ENOUGH)
    training.wait_for("Going on from")
    training.wait_for("train/accuracy")
    second = training.second
    os.kill(second, signal.SIGKILL)

    assert training.first.wait(SECONDS) == 128 + signal.SIGKILL
    assert f"process {second}, rank 1, was killed by SIGKILL" in training.log.read_text()
    assert note(tmp_path)["kind"] == "killed"


def test_nobody_outlives_the_first_process(start):
    training = start(*IMAGES, ENOUGH)
    training.wait_for("train/accuracy")
    second = training.second
    training.first.kill()

    assert is_gone(second)


def test_an_error_in_one_process_is_that_of_the_training(start, tmp_path):
    (tmp_path / "broken.py").write_text(BROKEN)
    training = start(IMAGES[0], {"kind": "custom", "class_path": "broken.Network"}, ENOUGH)

    assert training.first.wait(STARTING_SECONDS) == 1
    assert 'raise KeyError("only here")' in training.log.read_text()
    assert note(tmp_path)["kind"] == "bug"
    assert "only here" in note(tmp_path)["message"]
