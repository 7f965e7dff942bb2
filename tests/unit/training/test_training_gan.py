"""Trainings of two networks that take turns: reproducible, resumable, and told as one training."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from snaketorch.data.manifest import Manifest
from snaketorch.tasks import build_task
from snaketorch.tasks.adversarial.comparison import Comparison
from snaketorch.tasks.gan import Gan
from snaketorch.training.model_file import load_model, save_model
from tests.unit.example_study import example_spec
from tests.unit.trainings import made, rows, train

STEPS_AN_EPOCH = 5
SMALL = {
    "task": {"features": None},
    "model": {"hidden": [16], "latent": 8},
    "trainer": {"max_epochs": 3, "check_val_every_n_epoch": 1},
    "data_loader": {"batch_size": 256},
}
ONE_EPOCH = {"max_epochs": 1, "check_val_every_n_epoch": 1}
SMALL_DCGAN = {
    "task": {"features": None},
    "model": {"channels": [8, 4], "latent": 8},
    "trainer": {"max_epochs": 3, "check_val_every_n_epoch": 1},
    "data_loader": {"batch_size": 256},
}
WASSERSTEIN = SMALL | {"task": {"features": None, "loss": "wasserstein_gp", "discriminator_steps": 2}}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_step_is_one_of_the_generator_however_often_the_discriminator_steps(digits):
    record = train(
        example_spec("digits_gan", 0, **(SMALL | {"task": {"features": None, "discriminator_steps": 3}})), digits
    )
    assert record["steps"] == 3 * STEPS_AN_EPOCH
    assert [int(row["step"]) for row in rows("out")] == [5, 10, 15]


def test_each_validation_leaves_a_picture(digits):
    train(example_spec("digits_gan", 0, **SMALL), digits)
    assert sorted(made("out")) == ["epoch-0001.png", "epoch-0002.png", "epoch-0003.png"]


def test_a_schedule_ends_with_the_training(digits):
    schedule = {"lr_scheduler": {"kind": "one_cycle", "pct_start": 0.3, "cycle_momentum": False}}
    train(example_spec("digits_gan", 0, **(SMALL | schedule)), digits)
    rates = [float(row["lr"]) for row in rows("out")]
    assert rates[0] > rates[1] > rates[2]
    assert rates[2] < rates[0] / 30


def test_gradients_are_clipped_when_that_is_asked_for(digits, monkeypatch):
    spec = example_spec("digits_gan", 0, **(SMALL | {"trainer": ONE_EPOCH | {"gradient_clip_val": 1e-3}}))
    norms, real = [], torch.optim.Adam.step

    def remember(self, *arguments, **options):
        gradients = [weight.grad for group in self.param_groups for weight in group["params"]]
        norms.append(float(torch.stack([gradient.norm() for gradient in gradients]).norm()))
        return real(self, *arguments, **options)

    monkeypatch.setattr(torch.optim.Adam, "step", remember)
    train(spec, digits)
    assert len(norms) == 2 * STEPS_AN_EPOCH  # of both networks
    assert max(norms) <= 1.001e-3


def test_the_discriminator_has_a_learning_rate_of_its_own(digits, monkeypatch):
    rates, real = [], torch.optim.Adam.step

    def remember(self, *arguments, **options):
        rates.append(self.param_groups[0]["lr"])
        return real(self, *arguments, **options)

    monkeypatch.setattr(torch.optim.Adam, "step", remember)
    factor = {"task": {"features": None, "discriminator_lr_factor": 4.0}, "optimizer": {"lr": 1e-4}}
    train(example_spec("digits_gan", 0, **(SMALL | factor | {"trainer": ONE_EPOCH})), digits)
    assert rates[:2] == pytest.approx([4e-4, 1e-4])


def test_only_the_generator_is_averaged(digits):
    last = {"checkpoint": {"save": "last"}}
    train(example_spec("digits_gan", 0, **(SMALL | last)), digits, "averaged")
    train(example_spec("digits_gan", 0, **(SMALL | last | {"weight_averaging": None})), digits, "plain")
    averaged, plain = (load_model(Path(name, "model.ckpt")).network.state_dict() for name in ("averaged", "plain"))
    equal = {name.partition(".")[0]: torch.equal(averaged[name], plain[name]) for name in plain}
    assert equal == {"generator": False, "discriminator": True}


@pytest.mark.parametrize("precision", ["bf16-mixed", "64-true", "auto"])
def test_every_precision_trains(precision, digits):
    losses = {}
    for asked in ("32-true", precision):
        train(
            example_spec("digits_gan", 0, **(WASSERSTEIN | {"trainer": ONE_EPOCH | {"precision": asked}})),
            digits,
            asked,
        )
        (row,) = rows(asked)
        losses[asked] = {name: float(value) for name, value in row.items() if name.endswith("_loss")}
    assert len(losses["32-true"]) == 4  # of both networks, on both splits
    assert losses[precision] == pytest.approx(losses["32-true"], rel=0.05, abs=0.02)


def test_augmented_images_are_learnt_from(digits, monkeypatch):
    seen, real = [], Gan._real

    def remember(self, batch):
        if "sample" in batch and batch["image"].is_floating_point():
            seen.append((batch["sample"], real(self, batch)))
        return real(self, batch)

    monkeypatch.setattr(Gan, "_real", remember)
    augment = {"translate": 1e-6}  # as good as none
    spec = example_spec("digits_gan", 0, **(SMALL | {"augment": augment, "trainer": ONE_EPOCH}))
    assert train(spec, digits)["steps"] == STEPS_AN_EPOCH
    assert len(seen) >= STEPS_AN_EPOCH
    images = torch.from_numpy(np.array(Manifest.load(digits).arrays("train")["image"]))
    task = build_task(spec.task, spec.model, Manifest.load(digits).facts())
    for sample, image in seen:
        torch.testing.assert_close(image, real(task, {"image": images[sample]}), atol=1e-4, rtol=0)


def test_a_classifier_gives_the_features(digits):
    manifest, spec = Manifest.load(digits), example_spec("digits_cnn", 0, model={"channels": [4], "hidden": 8})
    weights = build_task(spec.task, spec.model, manifest.facts()).network.state_dict()
    save_model(Path("classifier.ckpt"), spec.task, spec.model, manifest.facts(), weights)
    features = {"task": {"features": {"from_experiment": "digits_cnn"}}, "trainer": ONE_EPOCH}
    record = train(
        example_spec("digits_gan", 0, **(SMALL | features)), digits, uses={"features": Path("classifier.ckpt")}
    )
    train(example_spec("digits_gan", 0, **(SMALL | {"trainer": ONE_EPOCH})), digits, "pixels")
    assert record["inputs"]["features"]["path"] == "classifier.ckpt"
    assert float(rows("out")[0]["val/frechet"]) != float(rows("pixels")[0]["val/frechet"])


def test_a_generator_that_collapses_is_told_of_once_and_at_the_end(digits, monkeypatch, caplog):
    good = Comparison(frechet=2.0, precision=0.9, recall=0.9, coverage=0.9, spread=1.0)
    found = iter([good, replace(good, spread=0.1), replace(good, recall=0.01)])
    monkeypatch.setattr("snaketorch.tasks.gan.compare", lambda *_: next(found))
    with caplog.at_level(logging.WARNING):
        train(example_spec("digits_gan", 0, **SMALL), digits)
    assert [record.message for record in caplog.records if record.name == "snaketorch.tasks.gan"] == [
        "The generator has collapsed by epoch 2: generated images vary 10% as much as real ones",
        "At the end of the training the generator makes little of the variety of real images",
    ]


def test_a_generator_learns(digits):
    train(
        example_spec(
            "digits_dcgan", 0, **(SMALL_DCGAN | {"trainer": {"max_epochs": 16, "check_val_every_n_epoch": 8}})
        ),
        digits,
    )
    distances = [float(row["val/frechet"]) for row in rows("out") if row["val/frechet"]]
    assert distances[-1] < distances[0]
