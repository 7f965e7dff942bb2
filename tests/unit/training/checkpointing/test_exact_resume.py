"""A training that is killed after each of its checkpoints ends with the same bits as one that never was."""

import logging
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from snaketorch.config.optimizers import Plateau
from snaketorch.config.specs import TrainSpec
from snaketorch.errors import CheckpointsLost
from snaketorch.training.checkpointing.store import CheckpointStore
from tests.unit import prepared_by_hand
from tests.unit.small_corpus import prepare_text, rhyme
from tests.unit.trainings import Killed, keep_states, made, rows, save_everywhere, train

IMAGES = {"task": {"kind": "image_classification"}, "model": {"kind": "cnn", "channels": [4], "hidden": 8}}
FORECAST = {"task": {"kind": "forecasting", "window": 8, "horizon": 2}, "model": {"kind": "gru", "hidden": 8}}
GAN = {"task": {"kind": "gan"}, "model": {"kind": "gan", "latent": 4, "hidden": [16]}}
LANGUAGE = {
    "task": {"kind": "language_modelling", "window": 8, "stride": 20, "sampling": {"length": 5, "count": 1}},
    "model": {"kind": "transformer", "hidden": 8, "heads": 2, "layers": 1, "feedforward": 8, "dropout": 0.1},
}
AUGMENTED = {**IMAGES, "augment": {"horizontal_flip": 0.5, "noise": 0.1, "mixup": 0.2}}
WASSERSTEIN = {"kind": "gan", "loss": "wasserstein_gp", "discriminator_steps": 2}
IN_THREES = {"max_epochs": 2, "accumulate_grad_batches": 3}
ONE_CYCLE = {"kind": "one_cycle", "pct_start": 0.3}
COSINE = {"kind": "cosine", "warmup_epochs": 1}


class Case(NamedTuple):
    """A training, and how many checkpoints it makes."""

    data: str
    sections: dict[str, Any]
    checkpoints: int


CASES = {
    "network with dropout": Case("images", {**IMAGES, "model": {**IMAGES["model"], "dropout": 0.5}}, 8),
    "accumulation": Case("images", {**IMAGES, "trainer": IN_THREES, "lr_scheduler": ONE_CYCLE}, 4),
    "average of steps": Case("images", {**IMAGES, "trainer": IN_THREES, "weight_averaging": {"kind": "ema"}}, 4),
    "average of steps that is published": Case(
        "images",
        {
            **IMAGES,
            "trainer": IN_THREES,
            "weight_averaging": {"kind": "ema", "decay": 0.9},
            "checkpoint": {"save": "last", "monitor": "val/accuracy"},
        },
        4,
    ),
    "average of epochs": Case("images", {**IMAGES, "weight_averaging": {"kind": "swa", "start": 0.0}}, 8),
    "double precision": Case(
        "images",
        {**IMAGES, "trainer": {**IN_THREES, "precision": "64-true"}, "weight_averaging": {"kind": "ema", "decay": 0.9}},
        4,
    ),
    "mixed precision": Case("images", {**IMAGES, "trainer": {**IN_THREES, "precision": "bf16-mixed"}}, 4),
    "gradual unfreezing": Case("images", {**IMAGES, "transfer": {"kind": "gradual_unfreezing"}}, 8),
    "placement on the device": Case("images", {**AUGMENTED, "data_loader": {"placement": "device"}}, 8),
    "placement on the host": Case("images", {**AUGMENTED, "data_loader": {"placement": "host"}}, 8),
    "memory map and its thread": Case("images", {**AUGMENTED, "data_loader": {"placement": "memory_map"}}, 8),
    "recurrent network": Case(
        "sequences",
        {
            "task": {"kind": "sequence_classification"},
            "model": {"kind": "lstm", "hidden": 8, "layers": 2, "dropout": 0.2},
            "lr_scheduler": COSINE,
        },
        8,
    ),
    "language model": Case("text", LANGUAGE, 6),
    "plateau": Case(
        "series",
        {
            **FORECAST,
            "optimizer": {"kind": "adam", "lr": 0.3},
            "lr_scheduler": {"kind": "plateau", "monitor": "val/mae", "patience": 0},
            "trainer": {"max_epochs": 4},
            "data_loader": {"batch_size": 30},
        },
        8,
    ),
    "plateau, rare validations, and early stopping": Case(
        "series",
        {
            **FORECAST,
            "optimizer": {"kind": "rmsprop", "lr": 0.5},
            "lr_scheduler": {"kind": "plateau", "monitor": "val/mae", "patience": 0},
            "early_stopping": {"monitor": "val/mae", "patience": 2},
            "trainer": {"max_epochs": 9, "check_val_every_n_epoch": 2},
            "data_loader": {"batch_size": 51},
        },
        6,
    ),
    "adversaries": Case("images", {**GAN, "weight_averaging": {"kind": "ema", "decay": 0.9}}, 8),
    "adversaries that step twice": Case("images", {**GAN, "task": WASSERSTEIN, "lr_scheduler": COSINE}, 8),
    "adversaries on a plateau": Case(
        "images",
        {
            **GAN,
            "optimizer": {"kind": "adam", "lr": 0.1},
            "lr_scheduler": {"kind": "plateau", "monitor": "val/frechet", "patience": 0},
            "trainer": {"max_epochs": 3},
            "data_loader": {"batch_size": 30},
        },
        6,
    ),
}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The manifests of small datasets, by name."""
    folder = tmp_path_factory.mktemp("prepared")
    return {
        "images": prepared_by_hand.write_images(folder / "images"),
        "sequences": prepared_by_hand.write_sequences(folder / "sequences"),
        "series": prepared_by_hand.write_series(folder / "series"),
        "text": prepare_text(folder / "text", rhyme(300)),
    }


def spec_of(sections: dict[str, Any]) -> TrainSpec:
    """Two epochs in batches of 16."""
    goals = {"image_classification": "accuracy", "sequence_classification": "accuracy", "gan": "frechet"}
    defaults = {
        "experiment": "some",
        "seed": 0,
        "data": "some",
        "augment": None,
        "transfer": None,
        "optimizer": {"kind": "adam", "lr": 0.01},
        "lr_scheduler": {"kind": "none"},
        "early_stopping": None,
        "weight_averaging": None,
        "checkpoint": {"monitor": f"val/{goals.get(sections['task']['kind'], 'loss')}"},
    }
    trainer = {"max_epochs": 2, "precision": "32-true", "accelerator": "cpu", **sections.get("trainer", {})}
    loading = {"batch_size": 16, **sections.get("data_loader", {})}
    return TrainSpec.model_validate({**defaults, **sections, "trainer": trainer, "data_loader": loading})


def last_state(name: str) -> dict[str, Any]:
    """All of the state that the training ``name`` ended with, but for what the clock says."""
    (folder,) = Path("state/train", name, "seed-0").glob("*/")
    state = torch.load(max(folder.glob("step-*.ckpt")), weights_only=True)
    assert state["snaketorch"].pop("time")
    # how often Lightning moved a schedule, which nothing reads
    del state["loops"]["fit_loop"]["epoch_loop.scheduler_progress"]
    assert state["callbacks"].pop("UsageWatch")  # what it took of the machine
    for own in state["callbacks"].values():
        own.pop("seconds", None)
        for row in own.get("rows", ()):
            del row["seconds"]
    return state


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two states differ, if only in a bit."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) and one.dtype == other.dtype else [place]
    if isinstance(one, dict) and one.keys() == other.keys():
        return [found for key in one for found in differences(one[key], other[key], f"{place}/{key}")]
    if isinstance(one, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [found for number, pair in pairs for found in differences(*pair, f"{place}/{number}")]
    return [] if one == other else [f"{place}: {one} is not {other}"]


def check_equal_ends(one: str, other: str) -> None:
    """Two trainings made the same, to the bit, and their state is the same."""
    assert Path(one, "model.ckpt").read_bytes() == Path(other, "model.ckpt").read_bytes()
    assert rows(one) == rows(other)
    assert made(one) == made(other)
    assert differences(last_state(one), last_state(other)) == []


def die_after(patch: pytest.MonkeyPatch, *checkpoints: int) -> list[int]:
    """Kills trainings right after these checkpoints, counted from 1; gives the batches after which one was made."""
    real, saved = CheckpointStore.add, []

    def add(self, facts):
        real(self, facts)
        saved.append(facts["batches"])
        if len(saved) in checkpoints:
            raise Killed

    patch.setattr(CheckpointStore, "add", add)
    return saved


@pytest.mark.parametrize("name", CASES)
def test_a_training_killed_after_each_of_its_checkpoints_ends_as_if_nothing_had_happened(name, prepared, monkeypatch):
    case = CASES[name]
    spec, manifest = spec_of(case.sections), prepared[case.data]
    keep_states(monkeypatch)
    train(spec, manifest, "straight")
    if isinstance(spec.lr_scheduler, Plateau):
        assert len({row["lr"] for row in rows("straight")}) > 1, "no plateau is met"
    save_everywhere(monkeypatch)
    saved = die_after(monkeypatch, *range(1, case.checkpoints + 1))
    for _ in range(case.checkpoints):
        with pytest.raises(Killed):
            train(spec, manifest, "killed")
    record = train(spec, manifest, "killed")

    assert spec.data_loader.placement in ("auto", record["data"]["placement"])
    assert (len(set(saved)), record["attempts"]) == (case.checkpoints, case.checkpoints + 1)
    check_equal_ends("killed", "straight")


@pytest.mark.parametrize("name", ["accumulation", "plateau"])
def test_a_training_killed_once_inside_an_epoch_ends_as_if_nothing_had_happened(name, prepared, monkeypatch):
    """Another thing than being killed again and again: it comes to the end of the epoch that it goes on inside of."""
    case = CASES[name]
    spec, manifest = spec_of(case.sections), prepared[case.data]
    keep_states(monkeypatch)
    train(spec, manifest, "straight")
    save_everywhere(monkeypatch)
    for at in range(1, case.checkpoints + 1, 2):  # each second one is at the end of an epoch
        with monkeypatch.context() as patch:
            die_after(patch, at)
            with pytest.raises(Killed):
                train(spec, manifest, f"killed-{at}")
            train(spec, manifest, f"killed-{at}")
        check_equal_ends(f"killed-{at}", "straight")


def test_a_training_whose_last_checkpoint_is_damaged_ends_as_if_nothing_had_happened(prepared, monkeypatch, caplog):
    spec = spec_of(CASES["average of steps"].sections)
    keep_states(monkeypatch)
    train(spec, prepared["images"], "straight")
    save_everywhere(monkeypatch)
    die_after(monkeypatch, 3)
    with pytest.raises(Killed):
        train(spec, prepared["images"], "killed")
    (folder,) = Path("state/train/killed/seed-0").glob("*/")
    before, last = sorted(folder.glob("step-*.ckpt"))
    content = bytearray(last.read_bytes())
    content[len(content) // 2] ^= 1
    last.write_bytes(content)
    (folder / ".step-000000008.tmp-1.ckpt").write_bytes(content)

    with caplog.at_level(logging.INFO):
        train(spec, prepared["images"], "killed")

    assert f"Checkpoint {last} is not used: its bytes are not those that were written" in caplog.messages
    assert f"Going on from {before}" in caplog.messages
    assert not list(folder.glob(".*.tmp-*"))
    check_equal_ends("killed", "straight")


def test_a_training_without_any_whole_checkpoint_says_how_to_begin_anew(prepared, monkeypatch):
    spec = spec_of(IMAGES)
    save_everywhere(monkeypatch)
    die_after(monkeypatch, 2)
    with pytest.raises(Killed):
        train(spec, prepared["images"], "killed")
    for path in Path("state/train").rglob("step-*.ckpt"):
        path.write_bytes(b"")
    with pytest.raises(CheckpointsLost, match="begin anew with `python -m snaketorch start-over some --seed 0`"):
        train(spec, prepared["images"], "killed")
