"""Processes that each have a part of a network learn what one process with all of it does."""

import json

import pytest
import torch
from small_curves import BLOCKS, spec_on
from trained_files import rows, weights

from snaketorch.training.model_file import load_model

TRANSFORMER = {"kind": "transformer", "hidden": 8, "heads": 4, "layers": 2, "feedforward": 12, "dropout": 0.0}
MLP = {"kind": "mlp", "hidden": [12, 8, 4], "dropout": 0.0}
NETWORKS = {
    "transformer on sequences": ("sequences", {"kind": "sequence_classification"}, TRANSFORMER),
    "transformer on text": (
        "text",
        {"kind": "language_modelling", "window": 8, "stride": 20, "sampling": {"length": 5, "count": 1}},
        {**TRANSFORMER, "positions": "learned"},
    ),
    "mlp": ("images", {"kind": "image_classification"}, MLP),
}
CHANGES = {
    "optimizer": {"kind": "adamw", "lr": 0.01},
    "checkpoint": {"save": "best", "monitor": "val/loss"},
    "trainer": {"gradient_clip_val": 0.5},
}
STRATEGIES = {"fsdp": 2, "tensor_parallel": 2, "fsdp_tensor_parallel": 4}
"""With the processes of each."""
COPIES = {"fsdp": 1, "tensor_parallel": 2, "fsdp_tensor_parallel": 2}
"""Processes that work on the same samples."""


def spec_with(strategy: str, task: dict, model: dict, changes: dict) -> dict:
    """The global batch of one process."""
    processes, copies = STRATEGIES[strategy], COPIES[strategy]
    trainer = {**changes.get("trainer", {}), "strategy": strategy}
    if strategy == "fsdp_tensor_parallel":
        trainer["tensor_parallel_size"] = copies
    spec = spec_on(processes // copies, task, model, {**changes, "trainer": trainer})
    spec["trainer"]["devices"] = processes
    return spec


@pytest.fixture(scope="session")
def together(two, four):
    return {2: two, 4: four}


def assert_learnt_alike(found, expected) -> None:
    assert len(rows(expected)) == 2
    for before, row in zip(rows(expected), rows(found), strict=True):
        assert row == pytest.approx(before, rel=1e-6, abs=1e-8)
    of_expected, of_found = weights(expected), weights(found)
    assert of_found.keys() == of_expected.keys()
    for name, value in of_expected.items():
        torch.testing.assert_close(of_found[name], value, rtol=1e-6, atol=1e-8)
    load_model(found / "model.ckpt")


@pytest.mark.parametrize(
    ("strategy", "network"),
    [
        (strategy, network)
        for strategy in STRATEGIES
        for network in NETWORKS
        if (strategy, network) != ("fsdp_tensor_parallel", "transformer on sequences")  # killed below
    ],
)
def test_parts_learn_what_the_whole_does(strategy, network, one, together, folder, manifests):
    data, *sections = NETWORKS[network]
    whole, parts = folder / f"whole {network}", folder / f"{strategy} {network}"
    if not whole.exists():
        assert one.train(spec_on(1, *sections, CHANGES), manifests[data], whole.name) == "done"

    spec, processes = spec_with(strategy, *sections, CHANGES), STRATEGIES[strategy]
    assert together[processes].train(spec, manifests[data], parts.name) == "done"

    assert_learnt_alike(parts, whole)
    record = json.loads((parts / "record.json").read_text())
    assert record["processes"] == len(record["parameters_of_processes"]) == processes
    assert record["parameters"] <= sum(record["parameters_of_processes"])
    # what is too small to be split, each has: norms, embeddings
    most = 0.55 if strategy == "fsdp" else 0.8 if strategy == "tensor_parallel" else 0.45
    assert max(record["parameters_of_processes"]) < most * record["parameters"]
    if network == "transformer on text":
        written = [path.read_text() for path in sorted((parts / "samples").iterdir())]
        assert written == [path.read_text() for path in sorted((whole / "samples").iterdir())]


OTHERS = {
    "a language model that goes on from its state": (
        "fsdp",
        "text",
        NETWORKS["transformer on text"][1],
        {"kind": "lstm", "hidden": 8},
        {},
    ),
    "blocks that are computed again": (
        "fsdp",
        "images",
        {"kind": "image_classification"},
        BLOCKS,
        {"trainer": {"accumulate_grad_batches": 2, "gradient_checkpointing": True, "on_non_finite_loss": "skip"}},
    ),
    "a network that says how it is split": (
        "fsdp_tensor_parallel",
        "images",
        {"kind": "image_classification"},
        {"kind": "custom", "class_path": "split_networks.Split"},
        {"trainer": {"gradient_clip_val": 0.1}},
    ),
    "batch normalisation of split layers": (
        "tensor_parallel",
        "images",
        {"kind": "image_classification"},
        {**MLP, "batch_norm": True},
        {"trainer": {"gradient_clip_val": 0.01, "gradient_clip_algorithm": "value"}},
    ),
    "a last batch of an odd number": (
        "fsdp",
        "series",
        {"kind": "forecasting", "window": 8, "horizon": 2},
        TRANSFORMER,
        {"data_loader": {"batch_size": 14}},
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_networks_and_options_do_the_same(case, one, together, folder, manifests):
    strategy, data, *sections, changes = OTHERS[case]
    assert one.train(spec_on(1, *sections, changes), manifests[data], f"whole, {case}") == "done"
    spec = spec_with(strategy, *sections, changes)
    assert together[STRATEGIES[strategy]].train(spec, manifests[data], case) == "done"
    assert_learnt_alike(folder / case, folder / f"whole, {case}")


@pytest.mark.parametrize("strategy", ["fsdp", "tensor_parallel"])
def test_parts_learn_with_fewer_digits(strategy, one, two, folder, manifests):
    data, *sections = NETWORKS["transformer on sequences"]
    changes = {"trainer": {"precision": "bf16-mixed"}}
    whole, parts = folder / "whole, few digits", folder / f"{strategy}, few digits"
    if not whole.exists():
        assert one.train(spec_on(1, *sections, changes), manifests[data], whole.name) == "done"
    assert two.train(spec_with(strategy, *sections, changes), manifests[data], parts.name) == "done"

    assert rows(parts)[-1]["val/loss"] == pytest.approx(rows(whole)[-1]["val/loss"], rel=0.01)
    assert json.loads((parts / "record.json").read_text())["precision"]["used"] == "bf16-mixed"


def test_all_call_a_network_in_parts_as_often_where_no_memory_holds_a_batch(two, folder, manifests):
    case = "a last batch of an odd number"
    _, data, *sections, changes = OTHERS[case]
    spec = spec_with("fsdp", *sections, changes)
    assert "hold training on a batch" in two.train(spec, manifests[data], "in several parts", memory=4)

    assert two.train(spec, manifests[data], "in several parts", memory=4) == "done"
    assert_learnt_alike(folder / "in several parts", folder / f"whole, {case}")


@pytest.mark.parametrize("strategy", ["fsdp", "fsdp_tensor_parallel"])
def test_parts_that_were_killed_end_with_the_same_bits(strategy, together, folder, manifests):
    data, task, model = NETWORKS["transformer on sequences"]
    processes = together[STRATEGIES[strategy]]
    spec = spec_with(strategy, task, {**model, "dropout": 0.2}, CHANGES)
    whole, killed = f"never killed, {strategy}", f"killed, {strategy}"
    assert processes.train(spec, manifests[data], whole, saves=True) == "done"
    assert processes.train(spec, manifests[data], killed, saves=True, kill_at=6) == "killed"
    (checkpoints,) = (folder / "state/train" / killed).rglob("checkpoints.json")
    assert json.loads(checkpoints.read_text())[-1]["batches"] == 6

    assert processes.train(spec, manifests[data], killed, saves=True) == "done"

    assert rows(folder / killed) == rows(folder / whole)
    expected, found = weights(folder / whole), weights(folder / killed)
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_a_network_that_does_not_say_how_it_is_split_is_refused(two, manifests):
    unsplit = {"kind": "custom", "class_path": "small_networks.WithIdleWeights"}
    spec = spec_with("tensor_parallel", {"kind": "image_classification"}, unsplit, {})
    answer = two.train(spec, manifests["images"], "unsplit")
    assert "WithIdleWeights has no method `parallelize`; allowed: fsdp, ddp, or a network with one" in answer
