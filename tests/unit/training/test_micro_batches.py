"""Trainings on devices whose memory ends: batches are computed in parts, and nothing else changes."""

import gc
import json
import logging
import weakref
from functools import partial
from pathlib import Path

import pytest
import torch

from snaketorch.errors import OutOfMemory
from snaketorch.hardware.out_of_memory import is_out_of_memory
from snaketorch.tasks import base
from snaketorch.tasks.parts import in_parts, shares_of
from snaketorch.training.callbacks import History
from snaketorch.training.fit import subject_of
from tests.unit import prepared_by_hand
from tests.unit.little_memory import little_memory
from tests.unit.small_corpus import prepare_text, rhyme
from tests.unit.training_specs import spec_of, weights_of
from tests.unit.trainings import Killed, rows, train

MLP, GRU = {"kind": "mlp", "hidden": [8]}, {"kind": "gru", "hidden": 6}
IMAGES = "image_classification"
CASES = {
    "classes": (prepared_by_hand.write_images, {"kind": IMAGES}, MLP, {}),
    "weighted classes, mixed": (
        prepared_by_hand.write_images,
        {"kind": IMAGES, "class_weights": [0.2, 3.0], "label_smoothing": 0.1},
        MLP,
        {"augment": {"mixup": 0.4}},
    ),
    "several batches a step": (
        prepared_by_hand.write_images,
        {"kind": IMAGES},
        MLP,
        {"trainer": {"accumulate_grad_batches": 2, "gradient_clip_val": 0.1}},
    ),
    "several labels": (
        prepared_by_hand.write_scenes,
        {"kind": IMAGES, "multi_label": True, "class_weights": [0.5, 2.0]},
        MLP,
        {},
    ),
    "ragged sequences": (prepared_by_hand.write_sequences, {"kind": "sequence_classification"}, GRU, {}),
    "numbers": (partial(prepared_by_hand.write_rows, numbers=True), {"kind": "regression"}, MLP, {}),
    "series": (prepared_by_hand.write_series, {"kind": "forecasting", "window": 8, "horizon": 2}, GRU, {}),
    "text": (
        partial(prepare_text, text=rhyme(400)),
        {"kind": "language_modelling", "window": 8, "stride": 10, "sampling": {"length": 5, "count": 1}},
        {"kind": "gru", "embedding": 4, "hidden": 6},
        {},
    ),
    "two networks": (prepared_by_hand.write_images, {"kind": "gan"}, {"kind": "gan", "latent": 4, "hidden": [8]}, {}),
    "two networks, conditional, averaged": (
        prepared_by_hand.write_images,
        {"kind": "gan", "loss": "hinge", "discriminator_steps": 2},
        {"kind": "gan", "latent": 4, "hidden": [8], "conditional": True},
        {"weight_averaging": {"kind": "ema", "decay": 0.9}, "trainer": {"gradient_clip_val": 0.1}},
    ),
}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def assert_equal_up_to_rounding(one: str, other: str) -> None:
    torch.testing.assert_close(weights_of(one), weights_of(other), rtol=1e-6, atol=1e-9)
    for row, expected in zip(rows(one), rows(other), strict=True):
        assert {name: float(value) for name, value in row.items()} == pytest.approx(
            {name: float(value) for name, value in expected.items()}, rel=1e-4, nan_ok=True
        )


@pytest.mark.parametrize("case", CASES)
def test_a_batch_in_parts_trains_like_the_whole_batch(case, monkeypatch, caplog):
    write, task, model, changes = CASES[case]
    manifest, spec = write(Path("data/small").absolute()), spec_of(task, model, **changes)
    assert train(spec, manifest, "whole")["micro_batches"] is None
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        refused = little_memory(patch, training=8)
        record = train(spec, manifest, "parts")
    assert record["micro_batches"] == {
        "factor": 2,
        "validation_factor": 1,
        "why": "training on 16 samples at once: CUDA out of memory. Tried to allocate 20.00 MiB.",
    }
    assert refused == [16]
    assert record["attempts"] == 1
    assert "batches stay as they are, and are computed in parts of at most 8 samples" in caplog.text
    assert record["steps"] == json.loads(Path("whole/record.json").read_text())["steps"]
    assert_equal_up_to_rounding("parts", "whole")


@pytest.mark.parametrize("case", ["weighted classes, mixed", "text", "two networks"])
def test_a_validation_in_parts_measures_what_the_whole_batches_do(case, monkeypatch):
    write, task, model, changes = CASES[case]
    manifest, spec = write(Path("data/small").absolute()), spec_of(task, model, **changes)
    train(spec, manifest, "whole")
    with monkeypatch.context() as patch:
        refused = little_memory(patch, validation=7)
        record = train(spec, manifest, "parts")
    assert (record["micro_batches"]["factor"], record["micro_batches"]["validation_factor"]) in {(1, 4), (1, 8)}
    assert max(refused) > 7
    assert_equal_up_to_rounding("parts", "whole")


def test_it_goes_on_from_the_last_checkpoint_and_a_retry_remembers_the_parts(monkeypatch):
    write, task, model, _ = CASES["classes"]
    manifest, spec = write(Path("data/small").absolute()), spec_of(task, model, trainer={"max_epochs": 4})
    train(spec, manifest, "whole")
    real, epochs, refused = History.on_train_epoch_start, [], []

    def memory_ends_in_the_second_epoch(self, trainer, module):
        epochs.append(trainer.current_epoch)
        if trainer.current_epoch == 1 and not refused:
            refused.append(True)
            raise torch.OutOfMemoryError("CUDA out of memory.")
        if trainer.current_epoch == 2 and epochs.count(2) == 1:
            raise Killed
        real(self, trainer, module)

    monkeypatch.setattr(History, "on_train_epoch_start", memory_ends_in_the_second_epoch)
    with pytest.raises(Killed):
        train(spec, manifest, "parts")
    sizes, real_split = [], base.in_parts
    monkeypatch.setattr(base, "in_parts", lambda batch, *most: sizes.append(most[0]) or real_split(batch, *most))
    record = train(spec, manifest, "parts")
    assert epochs == [0, 1, 1, 2, 2, 3]
    assert 8 in sizes
    assert 16 not in sizes
    assert (record["attempts"], record["micro_batches"]["factor"]) == (2, 2)
    assert_equal_up_to_rounding("parts", "whole")


def test_memory_without_room_for_one_sample_ends_the_training_with_advice(monkeypatch):
    write, task, model, _ = CASES["classes"]
    refused = little_memory(monkeypatch, training=0)
    with pytest.raises(OutOfMemory, match=r"hold training on 1 sample at a time \(CUDA .*gradient_checkpointing: true"):
        train(spec_of(task, model), write(Path("data/small").absolute()))
    assert refused == [16, 8, 4, 2, 1]


def test_batch_normalisation_keeps_two_samples_in_each_part(monkeypatch):
    write, task, _, _ = CASES["classes"]
    refused = little_memory(monkeypatch, training=1)
    spec = spec_of(task, {"kind": "cnn", "channels": [4], "hidden": 4, "dropout": 0.0})
    with pytest.raises(OutOfMemory, match="hold training on 2 samples at a time"):
        train(spec, write(Path("data/small").absolute()))
    assert refused == [16, 8, 4, 2]


def test_memory_that_ends_before_the_first_step_is_not_mended_by_parts(monkeypatch):
    write, task, model, _ = CASES["classes"]

    def no_memory(*_):
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(History, "on_fit_start", no_memory)
    with pytest.raises(OutOfMemory, match="before the first step"):
        train(spec_of(task, model), write(Path("data/small").absolute()))


def test_what_a_failed_attempt_held_is_let_go(monkeypatch):
    write, task, model, _ = CASES["classes"]
    networks, alive = [], []

    def remember(*arguments):
        gc.collect()
        alive.append(sum(network() is not None for network in networks))
        subject = subject_of(*arguments)
        networks.append(weakref.ref(subject.task.network))
        return subject

    monkeypatch.setattr("snaketorch.training.fit.subject_of", remember)
    little_memory(monkeypatch, training=5)
    train(spec_of(task, model), write(Path("data/small").absolute()))
    assert alive == [0, 0, 0]


def test_parts_are_even_and_none_is_larger_or_smaller_than_allowed():
    batch = {"sample": torch.arange(17), "image": torch.zeros(17, 2)}
    assert in_parts(batch, None) == [batch]
    assert in_parts(batch, 17) == [batch]
    assert [len(part["sample"]) for part in in_parts(batch, 8)] == [6, 6, 5]
    assert [len(part["image"]) for part in in_parts(batch, 1, least=2)] == [3, 2, 2, 2, 2, 2, 2, 2]
    assert torch.cat([part["sample"] for part in in_parts(batch, 5)]).equal(batch["sample"])
    assert sum(shares_of(in_parts(batch, 5))) == pytest.approx(1)


def test_a_full_host_is_not_a_full_device():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(RuntimeError("CUDNN_STATUS_ALLOC_FAILED"))
    assert not is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    assert not is_out_of_memory(MemoryError())
