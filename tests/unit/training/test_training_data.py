"""What a training sees of its data: where samples lie, in which order, and augmented how."""

import logging
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest
import torch

from snaketorch.config.specs import TrainSpec
from snaketorch.errors import UserError
from snaketorch.training.callbacks import History
from snaketorch.training.data import Data
from tests.unit.prepared_by_hand import write_images, write_sequences
from tests.unit.trainings import Killed, save_everywhere, train

CNN = {
    "task": {"kind": "image_classification"},
    "model": {"kind": "cnn", "channels": [4], "hidden": 8, "dropout": 0.3},
    "augment": {"horizontal_flip": 0.5, "noise": 0.1, "mixup": 0.2},
}
GRU = {"task": {"kind": "sequence_classification"}, "model": {"kind": "gru", "hidden": 8}}


class Fake:
    """Noise that depends on (seed, epoch, sample), and a mix of neighbours."""

    def __init__(self, options, content, fields, seed):
        self.seed, (self.mean, self.std) = seed, (fields["image"]["statistics"][name][0] for name in ("mean", "std"))

    def fetch(self, indices, epoch, count):
        return torch.cat([indices, (indices + 1 + epoch) % count])

    def __call__(self, batch, epoch):
        size = len(batch["label"]) // 2
        image = ((batch["image"] / 255 - self.mean) / self.std).to(memory_format=torch.channels_last)
        noise = torch.sin((batch["sample"][:size] + 1.0) * (epoch + 2) * (self.seed + 3)).view(-1, 1, 1, 1)
        return {
            "image": 0.8 * image[:size] + 0.2 * image[size:] + noise,
            "label": batch["label"][:size],
            "mixed_label": batch["label"][size:],
            "mixed_share": torch.full((size,), 0.8),
        }


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def augmenting(monkeypatch):
    module = ModuleType("snaketorch.data.augment")
    module.build_augmentation = Fake
    monkeypatch.setitem(sys.modules, "snaketorch.data.augment", module)


def spec_of(sections: dict, **changes) -> TrainSpec:
    defaults = {
        "experiment": "some",
        "seed": 0,
        "data": "some",
        "augment": None,
        "transfer": None,
        "optimizer": {"kind": "adam", "lr": 0.01},
        "lr_scheduler": {"kind": "none"},
        "trainer": {"max_epochs": 3, "precision": "32-true"},
        "early_stopping": None,
        "weight_averaging": None,
        "checkpoint": {"monitor": "val/accuracy"},
        "data_loader": {"batch_size": 8},
    }
    return TrainSpec.model_validate({**defaults, **sections, **changes})


@pytest.fixture
def killed_in_an_epoch(monkeypatch):
    """Kills a training once at its 11th step, of 8 an epoch; checkpoints are made after every batch."""

    def arm():
        save_everywhere(monkeypatch)
        real, deaths = History.on_train_batch_end, []

        def die(self, trainer, *arguments):
            real(self, trainer, *arguments)
            if trainer.global_step == 11 and not deaths:
                deaths.append(11)
                raise Killed

        monkeypatch.setattr(History, "on_train_batch_end", die)

    return arm


def test_augmentation_changes_what_is_learnt(tmp_path, augmenting):
    manifest = write_images(tmp_path / "images")
    with_it, without = (
        train(spec_of(CNN, **changes), manifest, name)
        for name, changes in (("with", {}), ("without", {"augment": None}))
    )
    assert with_it["outputs"]["model"] != without["outputs"]["model"]


def test_where_samples_lie_does_not_change_what_is_learnt(tmp_path):
    manifest = write_sequences(tmp_path / "sequences")
    weights = {}
    for placement in ("device", "host"):
        train(spec_of(GRU, data_loader={"batch_size": 8, "placement": placement}), manifest, placement)
        weights[placement] = torch.load(Path(placement, "model.ckpt"), weights_only=True)["weights"]
    assert all(torch.equal(value, weights["host"][name]) for name, value in weights["device"].items())


def test_a_training_that_goes_on_elsewhere_keeps_its_order(tmp_path, monkeypatch, killed_in_an_epoch):
    from snaketorch.data.loading import placement

    manifest, spec = write_images(tmp_path / "images"), spec_of(CNN, augment=None)
    killed_in_an_epoch()
    monkeypatch.setattr(placement, "free_host_memory", lambda: 1000)
    with pytest.raises(Killed):
        train(spec, manifest)
    monkeypatch.setattr(placement, "free_host_memory", lambda: 10**9)
    record = train(spec, manifest)
    assert (record["data"]["placement"], record["data"]["shuffle"]) == ("device", "blocks")
    assert record["data"]["bytes"] == 80 * (64 + 8)


@pytest.mark.parametrize("ragged", [True, False], ids=["ragged", "equal"])
def test_sequences_are_learnt(tmp_path, ragged):
    manifest = write_sequences(tmp_path / "sequences", ragged)
    record = train(spec_of(GRU, trainer={"max_epochs": 15, "precision": "32-true"}), manifest)
    assert record["best"]["value"] > 0.85


def test_batch_normalisation_trains_where_an_epoch_would_end_with_a_lone_sample(tmp_path):
    model = {"model": {"kind": "mlp", "hidden": [4], "batch_norm": True}, "augment": None}
    manifest = write_images(tmp_path / "images")  # 60 samples
    assert train(spec_of(CNN | model, data_loader={"batch_size": 59}), manifest)["steps"] == 3

    with pytest.raises(UserError, match=r"data_loader.batch_size: 1, but the network normalises by batch"):
        train(spec_of(CNN | model, data_loader={"batch_size": 1}), manifest, "refused")


def test_no_library_warns_about_the_loaders(tmp_path, augmenting, caplog):
    manifest = write_images(tmp_path / "images")
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.WARNING):
        warnings.simplefilter("always")
        train(spec_of(CNN), manifest)
    assert [str(one.message) for one in caught if "load" in str(one.message).lower()] == []
    assert caplog.messages == []


def test_the_probe_sees_an_augmented_batch_on_the_device(tmp_path, augmenting):
    from snaketorch.config.trainer import DataLoader
    from snaketorch.data.manifest import Manifest
    from snaketorch.tasks import build_task

    spec, manifest = spec_of(CNN), Manifest.load(write_images(tmp_path / "images"))
    task = build_task(spec.task, spec.model, manifest.facts())
    data = Data(DataLoader(batch_size=8), spec.augment, 0, task, manifest, torch.device("cpu"), tmp_path)
    batch = data.first_batch()
    assert batch["image"].is_floating_point()
    assert len(batch["image"]) == len(batch["mixed_share"]) == 8
