"""Trainings of a few epochs: reproducible, resumable, and refused when they make no sense."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from snaketorch.config.specs import TrainSpec
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.tasks.classification import Classification
from snaketorch.tasks.forecasting import Forecasting
from snaketorch.training import train as step
from snaketorch.training.callbacks import History
from snaketorch.training.model_file import load_model
from tests.unit.example_study import example_spec
from tests.unit.trainings import Killed, rows, save_everywhere, train

SMALL = {"model": {"channels": [4, 8], "hidden": 16}, "trainer": {"max_epochs": 3, "precision": "32-true"}}
SMALL_LSTM = {"model": {"hidden": 8, "layers": 2, "dropout": 0.2}, "trainer": {"max_epochs": 3, "precision": "32-true"}}
SMALL_GRU = {
    "model": {"hidden": 8},
    "trainer": {"max_epochs": 4, "accumulate_grad_batches": 2},
    "lr_scheduler": {"kind": "plateau", "monitor": "val/mae", "patience": 0},
    "early_stopping": {"monitor": "val/mae", "patience": 3},
}
CASES = {
    "cnn": ("digits_cnn", SMALL, "digits"),
    "lstm": ("digits_lstm", SMALL_LSTM, "digits"),
    "gru": ("sunspots_gru", SMALL_GRU, "sunspots"),
    "average of steps": ("digits_cnn", {**SMALL, "weight_averaging": {"kind": "ema", "decay": 0.9}}, "digits"),
    "average of epochs": ("digits_cnn", {**SMALL, "weight_averaging": {"kind": "swa", "start": 0.3}}, "digits"),
}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def _small_training(digits, tmp_path_factory):
    spec, folder = example_spec("digits_cnn", 0, **SMALL), tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return spec, train(spec, digits), folder


@pytest.fixture
def trained(_small_training, _in_a_folder_of_its_own, monkeypatch):
    """Spec and record of a small training, in its folder: trained once, not to be changed by a test."""
    spec, record, folder = _small_training
    monkeypatch.chdir(folder)
    return spec, record


@pytest.mark.parametrize("case", CASES)
def test_a_training_learns_and_one_seed_gives_equal_bits_and_another_does_not(case, request):
    experiment, changes, data = CASES[case]
    manifest = request.getfixturevalue(data)
    for name in ("one", "two"):
        train(example_spec(experiment, 0, **changes), manifest, name)
    train(example_spec(experiment, 1, **changes), manifest, "other")
    losses = [float(row["train/loss"]) for row in rows("one")]
    assert losses[-1] < losses[0]
    assert Path("one/model.ckpt").read_bytes() == Path("two/model.ckpt").read_bytes()
    assert rows("one") == rows("two") != rows("other")


def test_a_training_that_stopped_early_does_not_go_on_when_it_was_killed_before_publication(sunspots, monkeypatch):
    stops_soon = {**SMALL_GRU, "early_stopping": {"monitor": "val/mae", "patience": 1}, "optimizer": {"lr": 1.0}}
    spec = example_spec("sunspots_gru", 0, **{**stops_soon, "trainer": {"max_epochs": 30}})
    train(spec, sunspots, "straight")
    assert len(rows("straight")) < 30

    def die(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(step, "save_model", die)
        for _ in range(2):
            with pytest.raises(Killed):
                train(spec, sunspots, "killed")
    record = train(spec, sunspots, "killed")
    assert record["attempts"] == 3
    assert record["samples_per_second"] > 0
    assert Path("killed/model.ckpt").read_bytes() == Path("straight/model.ckpt").read_bytes()
    assert rows("killed") == rows("straight")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_format_that_needs_a_gpu_is_refused_on_a_cpu(digits):
    spec = example_spec("digits_cnn", 0, trainer={"precision": "16-mixed"})
    with pytest.raises(UserError, match="16-mixed needs a GPU"):
        train(spec, digits)


def test_a_kill_inside_an_epoch_repeats_nothing(trained, digits, tmp_path, monkeypatch):
    spec, _ = trained
    shutil.copytree("out", tmp_path / "straight")
    monkeypatch.chdir(tmp_path)
    save_everywhere(monkeypatch)
    real, starts = History.on_train_batch_end, []

    def die_at_step_27(self, trainer, *arguments):
        starts.append(trainer.global_step)
        real(self, trainer, *arguments)
        if trainer.global_step == 27 and starts.count(27) == 1:
            raise Killed

    monkeypatch.setattr(History, "on_train_batch_end", die_at_step_27)
    with pytest.raises(Killed):
        train(spec, digits, "killed")
    train(spec, digits, "killed")
    assert starts == [*range(1, 28), *range(27, 61)]  # step 27 had no checkpoint yet
    assert Path("killed/model.ckpt").read_bytes() == Path("straight/model.ckpt").read_bytes()
    assert rows("killed") == rows("straight")


def test_the_record_says_where_a_model_comes_from(trained, digits):
    spec, record = trained
    assert TrainSpec.model_validate(record["spec"]) == spec
    assert record["code_digest"] == "code"
    assert record["inputs"]["manifest"]["digest"] == Manifest.load(digits).digest
    assert record["precision"]["used"] == "32-true"
    assert (record["epochs"], record["steps"], record["attempts"]) == (3, 60, 1)
    assert record["parameters"] == sum(
        weight.numel() for weight in load_model(Path("out/model.ckpt")).network.parameters()
    )
    best = max(rows("out"), key=lambda row: float(row["val/accuracy"]))
    assert record["best"] == {
        "metric": "val/accuracy",
        "value": pytest.approx(float(best["val/accuracy"])),
        "epoch": int(best["epoch"]),
        "kept": True,
    }
    assert not list(Path("state/train").rglob("*.ckpt"))


def test_the_published_weights_are_those_of_the_best_epoch(trained, digits):
    _, record = trained
    task = load_model(Path("out/model.ckpt"))
    samples = task.samples(Manifest.load(digits), "val")
    with torch.no_grad():
        accuracy = task.measure(samples.batch(torch.arange(len(samples))))["accuracy"]
    assert float(accuracy) == pytest.approx(record["best"]["value"])


def test_the_journal_holds_every_epoch_and_the_end(trained):
    _, record = trained
    lines = [json.loads(line) for line in Path(record["journal"], "metrics.jsonl").read_text().splitlines()]
    logged = {(line["name"], line["step"]): line["value"] for line in lines}
    assert len(logged) == len(lines)
    assert [logged["val/accuracy", step] for step in (20, 40, 60)] == [float(r["val/accuracy"]) for r in rows("out")]
    run = json.loads(Path(record["journal"], "run.json").read_text())
    assert run["status"] == "FINISHED"
    assert run["params"]["model.kind"] == "cnn"
    assert run["tags"]["snaketorch.spec_digest"] == record["spec_digest"]


def test_with_accumulation_the_journal_holds_losses_of_batches(digits, monkeypatch):
    def measure(self, batch):
        values = real(self, batch)
        return values | {"loss": 0 * values["loss"] + 3}

    real = Classification.measure
    monkeypatch.setattr(Classification, "measure", measure)
    in_threes = {**SMALL["trainer"], "accumulate_grad_batches": 3, "log_every_n_steps": 1}
    record = train(example_spec("digits_cnn", 0, **{**SMALL, "trainer": in_threes}), digits)
    lines = [json.loads(line) for line in Path(record["journal"], "metrics.jsonl").read_text().splitlines()]
    logged = {line["value"] for line in lines if line["name"] in ("train/loss_step", "train/loss")}
    assert logged == {3.0}
    # 20 batches are 6 steps of three, and one of the rest
    assert [line["step"] for line in lines if line["name"] == "train/loss_step"] == [*range(1, 22)]


def test_a_failed_training_says_so_in_its_journal_and_publishes_nothing(digits, monkeypatch):
    monkeypatch.setattr(History, "on_train_epoch_start", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(example_spec("digits_cnn", 0, **SMALL), digits)
    (run,) = Path("state/tracking").rglob("run.json")
    assert json.loads(run.read_text())["status"] == "FAILED"
    assert not Path("out").exists()


def test_a_diverging_loss_ends_the_training_with_advice(sunspots, monkeypatch):
    class Broken(Forecasting):
        def measure(self, batch):
            return {name: value * float("inf") for name, value in super().measure(batch).items()}

    monkeypatch.setattr("snaketorch.tasks.forecasting.Forecasting", Broken)
    with pytest.raises(UserError, match=r"^loss became inf at step 1 .*; try a smaller optimizer.lr"):
        train(example_spec("sunspots_gru", 0, **SMALL_GRU), sunspots)


def test_a_gpu_that_is_asked_for_must_be_there(digits):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    spec = example_spec("digits_cnn", 0, trainer={"accelerator": "gpu"}, resources={"gpus": 1})
    with pytest.raises(UserError, match="no GPU"):
        train(spec, digits)


def test_a_window_longer_than_the_split_is_refused(sunspots):
    spec = example_spec("sunspots_gru", 0, task={"window": 400})
    with pytest.raises(UserError, match="train split of dataset 'sunspots' has 201 steps"):
        train(spec, sunspots)
