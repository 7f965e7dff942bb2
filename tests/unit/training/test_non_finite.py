"""Losses that are infinite or not a number: where they are found, and what the training does about it."""

import json
import logging
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from snaketorch.data.loading.order import epoch_order
from snaketorch.data.manifest import Manifest
from snaketorch.errors import NonFiniteLoss
from snaketorch.models.mlp import Mlp
from snaketorch.tasks.classification import Classification
from snaketorch.tasks.gan import Gan
from snaketorch.tasks.parts import Room
from snaketorch.tasks.regression import Regression
from snaketorch.training.callbacks import History
from snaketorch.training.non_finite import NonFinite
from snaketorch.training.non_finite_report import gradient_norms
from tests.unit import prepared_by_hand
from tests.unit.training_specs import spec_of, weights_of
from tests.unit.trainings import Killed, rows, save_everywhere, train

CLASSES, GAN = {"kind": "image_classification"}, {"kind": "gan"}
CNN = {"kind": "cnn", "channels": [2], "hidden": 4, "dropout": 0.2}
MLP, DENSE_GAN = {"kind": "mlp", "hidden": [8]}, {"kind": "gan", "latent": 4, "hidden": [8]}
STEPS = 4
"""In an epoch of 60 samples in batches of 16."""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def images() -> Path:
    return prepared_by_hand.write_images(Path("data/small").absolute())


def classes(reaction: str, model=MLP, epochs=3, **changes):
    trainer = {"max_epochs": epochs, "on_non_finite_loss": reaction, **changes.pop("trainer", {})}
    return spec_of(CLASSES, model, trainer=trainer, optimizer={"kind": "adam", "lr": 0.01}, **changes)


def broken_at(patch, *batches: int, task=Classification, factor=math.nan) -> None:
    """The losses of these training batches, numbered from 0 over all epochs, are not finite."""
    real = task.measure

    def measure(self, batch):
        values = real(self, batch)
        if self.training and self.trainer.fit_loop.epoch_loop.total_batch_idx in batches:
            values["loss"] = values["loss"] * factor
        return values

    patch.setattr(task, "measure", measure)


def weights_after_steps(patch) -> list[dict[str, torch.Tensor]]:
    """Of the network, running statistics too, after each batch of the training that comes."""
    real, seen = History.on_train_batch_end, []

    def remember(self, trainer, module, *rest):
        seen.append({name: value.clone() for name, value in module.network.state_dict().items()})
        real(self, trainer, module, *rest)

    patch.setattr(History, "on_train_batch_end", remember)
    return seen


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(value.equal(other[name]) for name, value in one.items())


def test_the_error_says_where_it_came_from(images, monkeypatch):
    broken_at(monkeypatch, STEPS + 1, factor=math.inf)
    seen = weights_after_steps(monkeypatch)
    with pytest.raises(NonFiniteLoss) as caught:
        train(classes("stop"), images)
    summary, *lines = str(caught.value).split("\n  ")
    assert summary == (
        "loss became inf at step 6 (epoch 2, batch 2 of 4); "
        "try a smaller optimizer.lr (now 0.00962), or trainer.gradient_clip_val"
    )
    details = caught.value.details
    assert details["samples"] == epoch_order(60, 16, 0, 1)[16:32].tolist()
    assert [loss["step"] for loss in details["losses_before"]] == [1, 2, 3, 4, 5]
    assert lines[0].startswith("losses before it: ")
    assert lines[0].endswith("(step 5)")
    assert lines[1] == f"training samples of the step: {', '.join(map(str, details['samples']))}"
    assert lines[2] == "values of these samples that are not finite: none"
    assert lines[3:] == ["gradient norms: layers.0 nan, head nan"]
    json.dumps(details, allow_nan=False)
    assert len(seen) == STEPS + 1  # the step was not made


def test_values_of_the_data_that_are_not_finite_are_named(monkeypatch):
    manifest = prepared_by_hand.write_rows(Path("data/small").absolute(), numbers=True)
    number = np.load(manifest.parent / "arrays/train_number.npy")
    number[7, 1] = math.nan
    np.save(manifest.parent / "arrays/train_number.npy", number)
    monkeypatch.setattr(Manifest, "verify", lambda *_: None)
    with pytest.raises(NonFiniteLoss, match="the data hold values of number that are not numbers") as caught:
        train(spec_of({"kind": "regression"}, MLP), manifest)
    assert caught.value.details["inputs_not_finite"] == {"number": [7]}
    assert 7 in caught.value.details["samples"]
    assert "not finite: number of 7\n" in str(caught.value)


def test_a_gradient_that_was_not_finite_is_told_from_a_loss(images, monkeypatch):
    real = Mlp.forward

    def forward(self, *inputs):
        result = real(self, *inputs)
        return result + (result.detach() * 0).abs().sqrt() + (0 * result).sqrt()  # its gradient is not a number

    monkeypatch.setattr(Mlp, "forward", forward)
    with pytest.raises(NonFiniteLoss, match=r"at step 2 .*\n.*\n.*\n.*\n.*\n  weights that were not finite before: "):
        train(classes("stop"), images)
    with pytest.raises(NonFiniteLoss, match="skip was given up: 4 of the 4 steps of epoch 1"):
        train(classes("skip"), images, "skip")


@pytest.mark.parametrize("saves", [False, True])
def test_losses_left_on_a_device_are_looked_at_before_anything_is_kept(images, monkeypatch, saves):
    monkeypatch.setattr(NonFinite, "_waits", lambda *_: True)
    broken_at(monkeypatch, STEPS + 1)
    seen = weights_after_steps(monkeypatch)
    if saves:
        save_everywhere(monkeypatch)
    with pytest.raises(NonFiniteLoss, match=r"^loss became nan at step 6 \(epoch 2, batch 2 of 4\)") as caught:
        train(classes("stop"), images)
    assert len(seen) == (STEPS + 2 if saves else 2 * STEPS)
    assert [loss["step"] for loss in caught.value.details["losses_before"]] == [1, 2, 3, 4, 5]
    for path in Path("state/train").rglob("step-*.ckpt"):
        weights = torch.load(path, weights_only=True)["state_dict"]
        assert all(value.isfinite().all() for value in weights.values())


def test_losses_left_on_a_device_are_looked_at_now_and_then(images, monkeypatch):
    monkeypatch.setattr(NonFinite, "_waits", lambda *_: True)
    broken_at(monkeypatch, 2)
    seen = weights_after_steps(monkeypatch)
    with pytest.raises(NonFiniteLoss, match="at step 3 ") as caught:
        train(classes("stop", trainer={"log_every_n_steps": 2}), images)
    assert len(seen) == 3
    assert caught.value.details["gradient_norms"]["step"] == 4


def test_a_validation_loss_that_is_not_finite_ends_the_training(images, monkeypatch):
    real = Classification.measure
    monkeypatch.setattr(
        Classification,
        "measure",
        lambda self, batch: {
            name: value * (1 if self.training else math.nan) for name, value in real(self, batch).items()
        },
    )
    with pytest.raises(NonFiniteLoss, match="val/loss became nan in the validation of epoch 1"):
        train(classes("skip"), images)


def test_a_skipped_step_changes_nothing_and_counts(images, monkeypatch, caplog):
    seen = weights_after_steps(monkeypatch)
    broken_at(monkeypatch, 5)
    with caplog.at_level(logging.WARNING):
        record = train(classes("skip", CNN, weight_averaging={"kind": "ema", "decay": 0.9}), images)
    assert same(seen[4], seen[5])
    assert not same(seen[5], seen[6])
    assert record["non_finite"] == {"skipped": 1, "restored": 0, "steps": [6]}
    assert record["steps"] == 3 * STEPS
    assert "Step 6, epoch 2: loss is nan; the step is left out" in caplog.text
    assert "1 steps were left out in all" in caplog.text
    assert all(math.isfinite(float(row["train/loss"])) for row in rows("out"))
    assert all(value.isfinite().all() for value in weights_of("out").values())


def test_all_batches_of_a_skipped_step_are_left_out(images, monkeypatch):
    seen = weights_after_steps(monkeypatch)
    broken_at(monkeypatch, 2)
    record = train(classes("skip", CNN, trainer={"accumulate_grad_batches": 2, "gradient_clip_val": 0.5}), images)
    first_step, second_step = seen[1], seen[3]
    assert same(first_step, second_step)
    assert record["non_finite"]["steps"] == [2]


def test_skipping_has_its_limits(images, monkeypatch):
    broken_at(monkeypatch, *range(5, 40))
    with pytest.raises(NonFiniteLoss, match=r"step 12 .*\n  skip was given up: 4 of the 4 steps of epoch 3\n  losses"):
        train(classes("skip"), images)
    with pytest.raises(NonFiniteLoss, match=r"step 16 .*\n  skip was given up: 11 steps in a row"):
        train(classes("skip", data_loader={"batch_size": 4}), images, "more")
    broken_at(monkeypatch, *range(0, 100, 2))
    with pytest.raises(NonFiniteLoss, match="skip was given up: 11 of the 30 steps of epoch 1"):
        train(classes("skip", data_loader={"batch_size": 2}), images, "most")


def test_after_a_restore_the_weights_are_those_of_the_last_epoch_and_the_data_go_on(images, monkeypatch):
    seen = weights_after_steps(monkeypatch)
    broken_at(monkeypatch, STEPS + 2)
    record = train(classes("restore", CNN), images)
    assert same(seen[STEPS + 2], seen[STEPS - 1])
    assert not same(seen[STEPS + 1], seen[STEPS - 1])
    assert record["non_finite"] == {"skipped": 1, "restored": 1, "steps": [STEPS + 3]}
    assert record["steps"] == 3 * STEPS
    first, _, last = rows("out")
    assert float(last["lr"]) < float(first["lr"])  # the schedule did not go back


def test_a_restore_before_the_first_epoch_ends_goes_back_to_the_start(images, monkeypatch):
    seen = weights_after_steps(monkeypatch)
    broken_at(monkeypatch, 0, 2)
    assert train(classes("restore", CNN), images)["non_finite"]["restored"] == 2
    assert same(seen[0], seen[2])
    assert not same(seen[0], seen[1])


def test_restoring_has_its_limits(images, monkeypatch):
    broken_at(monkeypatch, 0, 2, 4, 6)
    spec = classes("restore", data_loader={"batch_size": 5})
    with pytest.raises(
        NonFiniteLoss, match="given up: it happened again after 3 returns to the end of the epoch before"
    ):
        train(spec, images)


@pytest.mark.parametrize("reaction", ["skip", "restore"])
@pytest.mark.parametrize("network", ["cnn", "gan"])
def test_a_killed_training_reacts_as_if_it_had_not_been_killed(reaction, network, images, monkeypatch):
    averages = {"weight_averaging": {"kind": "ema", "decay": 0.9}}
    if network == "cnn":
        spec = classes(reaction, CNN, **averages)
        broken_at(monkeypatch, 2, STEPS + 1, STEPS + 2)
    else:
        spec = spec_of(GAN, DENSE_GAN, trainer={"max_epochs": 3, "on_non_finite_loss": reaction}, **averages)
        break_discriminator(monkeypatch, 2, STEPS + 1, STEPS + 2)
    straight = train(spec, images, "straight")
    assert straight["non_finite"] == {
        "skipped": 3,
        "restored": 3 if reaction == "restore" else 0,
        "steps": [3, STEPS + 2, STEPS + 3],
    }
    save_everywhere(monkeypatch)
    real, killed_at = History.on_train_batch_end, []

    def die(self, trainer, *rest):
        real(self, trainer, *rest)
        if trainer.global_step in {4, STEPS + 2, STEPS + 3, STEPS + 4} - set(killed_at):
            killed_at.append(trainer.global_step)
            raise Killed

    monkeypatch.setattr(History, "on_train_batch_end", die)
    for _ in range(4):
        with pytest.raises(Killed):
            train(spec, images, "killed")
    record = train(spec, images, "killed")
    assert record["non_finite"] == straight["non_finite"]
    assert Path("killed/model.ckpt").read_bytes() == Path("straight/model.ckpt").read_bytes()
    assert rows("killed") == rows("straight")


def break_discriminator(patch, *batches: int) -> None:
    real = Gan._of_discriminator

    def measure(self, *images):
        values = real(self, *images)
        if self.training and self.trainer.fit_loop.epoch_loop.total_batch_idx in batches:
            values["discriminator_loss"] = values["discriminator_loss"] * math.nan
        return values

    patch.setattr(Gan, "_of_discriminator", measure)


def test_of_two_networks_only_the_one_whose_loss_is_broken_is_left_as_it_is(images, monkeypatch):
    seen = weights_after_steps(monkeypatch)
    break_discriminator(monkeypatch, 5)
    train(spec_of(GAN, DENSE_GAN, trainer={"on_non_finite_loss": "skip"}), images)
    for name, value in seen[5].items():
        assert value.equal(seen[4][name]) == name.startswith("discriminator"), name


def test_the_error_names_the_loss_of_the_network(images, monkeypatch):
    break_discriminator(monkeypatch, 5)
    with pytest.raises(NonFiniteLoss, match=r"^discriminator_loss became nan at step 6") as caught:
        train(spec_of(GAN, DENSE_GAN), images)
    assert {loss["loss"] for loss in caught.value.details["losses_before"]} == {"generator_loss", "discriminator_loss"}
    assert "discriminator." in str(caught.value)


def test_a_loss_of_one_part_is_one_of_the_whole_step(monkeypatch):
    manifest = prepared_by_hand.write_rows(Path("data/small").absolute(), numbers=True)
    seen = weights_after_steps(monkeypatch)
    real = Regression.measure

    def measure(self, batch):
        values, batch_number = real(self, batch), self.trainer.fit_loop.epoch_loop.total_batch_idx
        if self.training and batch_number == 2:
            values["loss"] = values["loss"] * (math.nan if epoch_order(60, 16, 0, 0)[32] in batch["sample"] else 1)
        return values

    monkeypatch.setattr(Regression, "measure", measure)
    monkeypatch.setattr(Regression, "room", property(lambda _: Room(training=6), lambda *_: None), raising=False)
    record = train(spec_of({"kind": "regression"}, MLP, trainer={"on_non_finite_loss": "skip"}), manifest)
    assert record["non_finite"]["steps"] == [3]
    assert same(seen[1], seen[2])


@pytest.mark.parametrize(("together", "most"), [(1, None), (1, 6), (3, None), (3, 6)])
def test_the_losses_before_are_those_of_the_steps(together, most, monkeypatch):
    """A batch in parts tells the loss of each part first; batches whose gradients make one step are added up."""
    manifest = prepared_by_hand.write_rows(Path("data/small").absolute(), numbers=True)
    watched, seen, real = [], [], NonFinite._look

    def look(self):
        watched.extend(float(step.loss) for step in self.unseen)
        return real(self)

    def training_step(self, batch, number, real=Regression.training_step):
        loss = real(self, batch, number)
        seen.append(float(loss) / together)
        return loss

    monkeypatch.setattr(NonFinite, "_look", look)
    monkeypatch.setattr(Regression, "training_step", training_step)
    monkeypatch.setattr(Regression, "room", property(lambda _: Room(training=most), lambda *_: None), raising=False)
    train(spec_of({"kind": "regression"}, MLP, trainer={"accumulate_grad_batches": together}), manifest)
    epochs = [seen[:4], seen[4:]]
    steps = [epoch[start : start + together] for epoch in epochs for start in range(0, 4, together)]
    assert watched == pytest.approx([sum(step) for step in steps])


def test_gradient_norms_are_sorted_by_what_is_wrong():
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    for factor, layer in zip((1.0, math.inf, 3.0), network, strict=True):
        layer.weight.grad = torch.full_like(layer.weight, factor)
    assert gradient_norms(network) == {"1": math.inf, "2": 6.0, "0": 2.0}
    assert list(gradient_norms(network)) == ["1", "2", "0"]
