"""What DeepSpeed shares out learns what one process does; where the package is not installed, nothing is tried."""

import importlib.util
import json

import pytest
import torch
from small_curves import BLOCKS, spec_on
from test_model_parallel import MLP, NETWORKS, TRANSFORMER
from trained_files import rows, weights

from snaketorch.config.optimizers import AdamW
from snaketorch.training.model_file import load_model

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("deepspeed"), reason="the extra deepspeed")

ADAMW = AdamW(kind="adamw", lr=0.01).model_dump(mode="json")
STAGES = {"stage 2": {"stage": 2}, "stage 3": {"stage": 3}, "offloaded": {"stage": 2, "offload_optimizer": True}}
CHANGES = {
    "checkpoint": {"save": "best", "monitor": "val/loss"},
    "trainer": {"gradient_clip_val": 0.5, "precision": "32-true"},
}
CASES = {
    **{name: (*network, {}) for name, network in NETWORKS.items()},
    "blocks that are computed again": (
        "images",
        {"kind": "image_classification"},
        BLOCKS,
        {"accumulate_grad_batches": 2, "gradient_checkpointing": True},
    ),
    "a language model that goes on from its state": (
        "text",
        NETWORKS["transformer on text"][1],
        {"kind": "lstm", "hidden": 8},
        {},
    ),
}


def specs(task: dict, model: dict, changes: dict, stage: dict) -> tuple[dict, dict]:
    """Of one process, and of two with the same global batch."""
    trainer = {**CHANGES["trainer"], **changes}
    whole = spec_on(1, task, model, {**CHANGES, "trainer": trainer})
    shared = {**trainer, "strategy": "deepspeed", "deepspeed": stage}
    return whole, spec_on(2, task, model, {**CHANGES, "trainer": shared})


def assert_learnt_alike(found, expected) -> None:
    for before, row in zip(rows(expected), rows(found), strict=True):
        assert row == pytest.approx(before, rel=1e-4, abs=1e-5)
    of_expected, of_found = weights(expected), weights(found)
    assert list(of_found) == list(of_expected)
    for name, value in of_expected.items():
        torch.testing.assert_close(of_found[name], value, rtol=1e-3, atol=1e-4)
    load_model(found / "model.ckpt")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("case", CASES)
def test_what_is_shared_out_learns_what_the_whole_does(case, stage, one, two, folder, manifests):
    data, task, model, changes = CASES[case]
    whole, shared = specs(task, model, changes, STAGES[stage])
    expected, found = folder / f"whole, {case}", folder / f"{stage}, {case}"
    if not expected.exists():
        assert one.train(whole, manifests[data], expected.name, fresh=True) == "done"

    assert two.train(shared, manifests[data], found.name, fresh=True) == "done"

    assert_learnt_alike(found, expected)


@pytest.mark.parametrize("stage", STAGES)
def test_what_was_killed_ends_with_the_same_bits(stage, two, folder, manifests):
    data, task, _ = NETWORKS["transformer on sequences"]
    _, spec = specs(task, {**TRANSFORMER, "dropout": 0.2}, {}, STAGES[stage])
    spec["optimizer"] = ADAMW
    whole, killed = f"never killed, {stage}", f"killed, {stage}"
    assert two.train(spec, manifests[data], whole, saves=True, fresh=True) == "done"
    assert two.train(spec, manifests[data], killed, saves=True, kill_at=6, fresh=True) == "killed"
    (checkpoints,) = (folder / "state/train" / killed).rglob("checkpoints.json")
    assert json.loads(checkpoints.read_text())[-1]["batches"] == 6

    assert two.train(spec, manifests[data], killed, saves=True, fresh=True) == "done"

    assert rows(folder / killed) == rows(folder / whole)
    expected, found = weights(folder / whole), weights(folder / killed)
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("stage", ["stage 2", "stage 3"])
def test_what_is_shared_out_learns_with_fewer_digits(stage, one, two, folder, manifests):
    whole, shared = specs({"kind": "image_classification"}, MLP, {"precision": "bf16-mixed"}, STAGES[stage])
    expected, found = folder / "whole, few digits", folder / f"{stage}, few digits"
    if not expected.exists():
        assert one.train(whole, manifests["images"], expected.name, fresh=True) == "done"

    assert two.train(shared, manifests["images"], found.name, fresh=True) == "done"

    assert rows(found)[-1]["val/loss"] == pytest.approx(rows(expected)[-1]["val/loss"], rel=0.02)
    record = json.loads((found / "record.json").read_text())
    assert record["precision"]["used"] == "bf16-mixed"
    assert all(value.dtype == torch.float32 for value in weights(found).values() if value.is_floating_point())


@pytest.mark.parametrize("stage", ["stage 2", "stage 3"])
def test_what_is_shared_out_adds_up_the_parts_of_a_batch(stage, one, two, folder, manifests):
    whole, shared = specs({"kind": "image_classification"}, MLP, {"accumulate_grad_batches": 2}, STAGES[stage])
    expected, found = folder / "whole, in parts", folder / f"{stage}, in parts"
    if not expected.exists():
        assert one.train(whole, manifests["images"], expected.name, fresh=True) == "done"
    answer = two.train(shared, manifests["images"], found.name, memory=4, fresh=True)
    assert "hold training on a batch" in answer

    assert two.train(shared, manifests["images"], found.name, memory=4, fresh=True) == "done"

    assert_learnt_alike(found, expected)
