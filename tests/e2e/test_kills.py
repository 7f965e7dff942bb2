"""A training that is killed goes on by Snakemake's retry; what happens when Snakemake itself is killed is proved in
tests/reliability."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import study_process as study

pytestmark = pytest.mark.e2e

EXPERIMENT = """\
task: image_classification
data: digits
model: {kind: cnn, channels: [8, 16], hidden: 32, dropout: 0.2}
optimizer: {kind: adamw, lr: 1.0e-3}
lr_scheduler: {kind: one_cycle}
trainer: {max_epochs: 60, precision: 32-true}
"""

MODEL = "results/experiments/tiny/seed-0/model.ckpt"
LOG = "logs/train_model/tiny/seed-0.log"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A study with its dataset prepared."""
    folder = tmp_path_factory.mktemp("kills")
    for part in ("datasets", "experiments"):
        (folder / "config" / part).mkdir(parents=True)
    (folder / "config/config.yaml").write_text("study: kills\ntracking: {enabled: false}\n")
    shutil.copy(study.REPO / "config/datasets/digits.yaml", folder / "config/datasets")
    (folder / "config/experiments/tiny.yaml").write_text(EXPERIMENT)
    result = study.run(folder, "prepare", "results/tracking.json")
    assert result.returncode == 0, result.stdout
    return folder


@pytest.fixture(scope="module")
def straight(prepared, tmp_path_factory) -> bytes:
    """The model of a training that nothing disturbed."""
    folder = tmp_path_factory.mktemp("straight") / "study"
    shutil.copytree(prepared, folder)
    result = study.run(folder, "train")
    assert result.returncode == 0, result.stdout
    return (folder / MODEL).read_bytes()


@pytest.fixture
def folder(prepared, tmp_path) -> Path:
    shutil.copytree(prepared, tmp_path / "study")
    yield tmp_path / "study"
    for pid in study.processes(tmp_path / "study", "snaketorch"):
        os.kill(pid, signal.SIGKILL)


def wait(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.05)


def training_is_under_way(folder: Path) -> bool:
    log = folder / LOG
    return (
        log.exists() and "epoch 10/60" in log.read_text() and bool(list(folder.glob("state/train/*/*/*/step-*.ckpt")))
    )


def test_a_killed_training_goes_on_by_the_retry_and_ends_with_the_same_bits(folder, straight):
    snakemake = study.start(folder, "train", "--retries", "1")
    wait(lambda: training_is_under_way(folder), 90, "ten epochs")
    (pid,) = study.processes(folder, "snaketorch train")
    os.kill(pid, signal.SIGKILL)
    assert snakemake.wait(120) == 0, (folder / "snakemake.log").read_text()
    first, _, second = (folder / LOG).read_text().partition("===== Attempt 2, ")
    assert "epoch  1/60" in first, "the log keeps what the killed attempt said"
    assert "Going on from" in second
    assert "epoch  1/60" not in second
    assert (folder / MODEL).read_bytes() == straight
