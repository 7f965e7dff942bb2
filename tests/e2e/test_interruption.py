"""A job that is told to end, or whose time is over, saves what it has done: processes and signals as they are."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import study_process as study

from tests.unit.example_study import example_spec
from tests.unit.prepared_by_hand import write_images

pytestmark = pytest.mark.e2e

CHANGES = {
    "model": {"channels": [4, 8], "hidden": 16},
    "trainer": {"precision": "32-true"},
    "data_loader": {"batch_size": 8},
}
TAG = "SNAKETORCH_TEST_TAG"
PATIENCE_SECONDS = 600.0


class Step:
    """The training step as a process, in a folder of its own."""

    def __init__(self, folder: Path, manifest: Path):
        self.folder, self.manifest, self.log = folder, manifest, folder / "train.log"
        folder.mkdir()

    @property
    def model(self) -> bytes:
        return (self.folder / "out/model.ckpt").read_bytes()

    @property
    def said(self) -> str:
        return self.log.read_text()

    def start(self, *arguments: str, epochs: int = 40, **environment: str) -> subprocess.Popen:
        paths = {"state": "state", "model": "out/model.ckpt", "history": "out/history.csv", "samples": "out/samples"}
        words = [word for name, path in paths.items() for word in (f"--{name}", path)]
        changes = CHANGES | {"trainer": {**CHANGES["trainer"], "max_epochs": epochs}}
        spec = example_spec("digits_cnn", 0, **changes).model_dump_json()
        command = [sys.executable, "-m", "snaketorch", "train", "--spec", spec, "--manifest", str(self.manifest)]
        with self.log.open("w") as log:
            return subprocess.Popen(
                [*command, *words, "--record", "out/record.json", *arguments],
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**study.environment(), "SNAKETORCH_TRACKING": "off", "OMP_NUM_THREADS": "1", **environment},
            )

    def run(self, *arguments: str, **environment: str) -> int:
        return self.start(*arguments, **environment).wait(1200)


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    return write_images(tmp_path_factory.mktemp("images") / "digits")


@pytest.fixture(scope="module")
def straight(images, tmp_path_factory) -> tuple[bytes, float]:
    """The model of a training that nothing disturbed, and the seconds that it took."""
    step, began = Step(tmp_path_factory.mktemp("straight") / "out", images), time.monotonic()
    assert step.run() == 0, step.said
    return step.model, time.monotonic() - began


@pytest.fixture
def step(images, tmp_path) -> Step:
    return Step(tmp_path / "step", images)


def wait(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS:g} s for {what}"
        time.sleep(0.02)


def tagged(tag: str) -> list[str]:
    """Command lines of the processes whose environment has the tag."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"{TAG}={tag}".encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def test_a_training_ends_itself_before_its_time_is_over_and_the_next_attempt_goes_on(step, straight):
    assert step.run("--runtime", "0.05", SNAKETORCH_ENFORCE_RUNTIME="1") == 75
    assert "0 s of 3 s are left" in step.said
    assert "the time of this job is over (3 s" in step.said
    assert "saved after batch 1 of 8 in epoch 1 of 40, in state/" in step.said
    assert not (step.folder / "out").exists()

    assert step.run("--runtime", "60", SNAKETORCH_ENFORCE_RUNTIME="1") == 0
    assert "Going on from" in step.said
    assert step.model == straight[0]


def test_a_training_told_to_end_at_random_moments_ends_with_the_same_bits(step, straight):
    moments = random.Random(int(os.environ.get("SNAKETORCH_TEST_SEED", "0")))
    for _ in range(3):
        process = step.start()
        time.sleep(moments.uniform(0, straight[1]))
        process.send_signal(moments.choice([signal.SIGTERM, signal.SIGHUP]))
        code = process.wait(600)
        # before Python runs a line of ours a signal has its own way
        assert code in (75, 0, -signal.SIGTERM, -signal.SIGHUP), step.said
        assert "Traceback" not in step.said
        if code == 0:
            break
    assert code == 0 or step.run() == 0
    assert step.model == straight[0]


def test_nothing_outlives_a_killed_step(step, tmp_path):
    process = step.start(
        SNAKETORCH_TRACKING="on",
        SNAKETORCH_STUDY="killed",
        SNAKETORCH_SYNC_WAIT="5",
        epochs=100_000,
        **{TAG: str(tmp_path)},
    )
    wait(lambda: re.search("epoch +2/", step.said), "two epochs")
    assert any("sync --follow" in line for line in tagged(str(tmp_path)))
    process.kill()
    process.wait()
    wait(lambda: not tagged(str(tmp_path)), f"the end of {tagged(str(tmp_path))}")


EXPERIMENT = """\
task: image_classification
data: digits
model: {kind: cnn, channels: [8, 16], hidden: 32, dropout: 0.2}
optimizer: {kind: adamw, lr: 1.0e-3}
lr_scheduler: {kind: one_cycle}
trainer: {max_epochs: 40, precision: 32-true}
"""
LOG = "logs/train_model/tiny/seed-0.log"
RECORD = "results/experiments/tiny/seed-0/record.json"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A study with its dataset prepared."""
    folder = tmp_path_factory.mktemp("interrupted")
    for part in ("datasets", "experiments"):
        (folder / "config" / part).mkdir(parents=True)
    (folder / "config/config.yaml").write_text("study: interrupted\ntracking: {enabled: false}\n")
    (folder / "config/datasets/digits.yaml").write_text((study.REPO / "config/datasets/digits.yaml").read_text())
    (folder / "config/experiments/tiny.yaml").write_text(EXPERIMENT)
    result = study.run(folder, "prepare", "results/tracking.json")
    assert result.returncode == 0, result.stdout
    return folder


def model_digest(folder: Path) -> str:
    return json.loads((folder / RECORD).read_text())["outputs"]["model"]


@pytest.fixture(scope="module")
def straight_digest(prepared, tmp_path_factory) -> str:
    """Of the model of a workflow that nothing disturbed."""
    folder = tmp_path_factory.mktemp("straight") / "study"
    shutil.copytree(prepared, folder)
    result = study.run(folder, "train")
    assert result.returncode == 0, result.stdout
    return model_digest(folder)


@pytest.fixture
def folder(prepared, tmp_path) -> Path:
    shutil.copytree(prepared, tmp_path / "study")
    yield tmp_path / "study"
    for pid in (*study.processes(tmp_path / "study", "snakemake"), *study.processes(tmp_path / "study", "snaketorch")):
        os.kill(pid, signal.SIGKILL)


def start_in_a_group(folder: Path) -> subprocess.Popen:
    """Snakemake as a terminal starts it: in a process group of its own, which Ctrl-C reaches as a whole."""
    return subprocess.Popen(
        study.command("train", "--retries", "2"),
        cwd=folder,
        env=study.environment(),
        stdout=(folder / "snakemake.log").open("w"),
        stderr=subprocess.STDOUT,
        process_group=0,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a background shell ignores it
    )


@pytest.mark.parametrize("how", ["ctrl-c", "scancel", "kill -9"])
def test_an_interrupted_workflow_loses_no_step(how, folder, straight_digest):
    log = folder / LOG
    snakemake = start_in_a_group(folder)
    wait(lambda: log.exists() and "epoch 10/40" in log.read_text(), "ten epochs")
    (pid,) = study.processes(folder, "snaketorch train")
    if how != "kill -9":  # a signal to the whole group
        os.killpg(snakemake.pid, signal.SIGINT if how == "ctrl-c" else signal.SIGTERM)
        assert snakemake.wait(PATIENCE_SECONDS) != 0
        assert not Path(f"/proc/{pid}").exists(), "Snakemake waits for the training to save"
    else:
        snakemake.kill()
        snakemake.wait()
        wait(lambda: not Path(f"/proc/{pid}").exists(), "the orphaned training to end")
    said = log.read_text()
    assert f"told to end by {'SIGINT' if how == 'ctrl-c' else 'SIGTERM'}; saved after" in said
    assert "Traceback" not in said
    assert not study.processes(folder, "snaketorch")
    assert not (folder / RECORD).exists()

    result = study.run(folder, "train")

    assert result.returncode == 0, result.stdout
    assert "Going on from" in log.read_text()
    assert model_digest(folder) == straight_digest


def test_a_killed_training_goes_on_by_the_retry(folder, straight_digest):
    log = folder / LOG
    snakemake = study.start(folder, "train", "--retries", "1")
    # the first checkpoints are told of nowhere else
    wait(lambda: log.exists() and "epoch 10/40" in log.read_text() and list(folder.rglob("step-*.ckpt")), "a save")
    (pid,) = study.processes(folder, "snaketorch train")
    os.kill(pid, signal.SIGKILL)
    assert snakemake.wait(PATIENCE_SECONDS) == 0, (folder / "snakemake.log").read_text()
    first, _, second = log.read_text().partition("===== Attempt 2, ")
    assert "epoch  1/40" in first, "the log keeps what the killed attempt said"
    assert "Going on from" in second
    assert "epoch  1/40" not in second
    assert model_digest(folder) == straight_digest
