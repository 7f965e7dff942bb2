"""What learns, and how fast, of a network that starts from trained weights."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from snaketorch.config.models import Cnn
from snaketorch.config.transfer import FeatureExtraction, FineTuning, GradualUnfreezing
from snaketorch.errors import UserError
from snaketorch.training.callbacks import History
from snaketorch.training.transfer import Freezing, layers_of, learnable_weights
from tests.unit.training.pretrained.small_weights import SMALL, facts, spec, state, task_of, transfer_spec
from tests.unit.trainings import Killed, train


def learns(network: nn.Module) -> list[bool]:
    """Of each block, whether it learns: all of its weights and statistics, or none."""
    found = []
    for block in network.blocks():
        modes = {module.training for module in block.modules()} | {w.requires_grad for w in block.parameters()}
        assert len(modes) == 1
        found.append(modes.pop())
    return found


@pytest.mark.parametrize("kind", ["feature_extraction", "gradual_unfreezing", "fine_tuning"])
def test_weights_that_learn_later_count_as_learnable(kind, images):
    network = task_of(SMALL, facts(images)).network
    options = {"feature_extraction": FeatureExtraction, "gradual_unfreezing": GradualUnfreezing}.get(kind, FineTuning)
    found = learnable_weights(network, layers_of(network, options(kind=kind)))

    part = network.head if kind == "feature_extraction" else network
    assert {id(weight) for weight in found} == {id(weight) for weight in part.parameters()}


@pytest.mark.parametrize("options", [FineTuning(kind="fine_tuning"), GradualUnfreezing(kind="gradual_unfreezing")])
def test_a_weight_that_the_head_shares_with_another_block_is_the_heads(options):
    network = nn.Module()
    network.embedding, network.layer, network.head = nn.Embedding(5, 4), nn.Linear(4, 4), nn.Linear(4, 5)
    network.head.weight = network.embedding.weight

    found = [[id(weight) for weight in layer.parameters] for layer in layers_of(network, options)]

    assert found == [[id(weight) for weight in part.parameters()] for part in (network.head, network.layer)] + [[]]


def test_blocks_thaw_from_the_head_down(images):
    network = task_of(SMALL, facts(images)).network
    freezing = Freezing(GradualUnfreezing(kind="gradual_unfreezing", epochs_per_block=2), network)
    assert learns(network) == [False, False, False, True]

    seen = []
    for epoch in (1, 2, 5, 6, 100):
        freezing.on_train_epoch_start(SimpleNamespace(current_epoch=epoch), None)
        seen.append(sum(learns(network)))

    assert seen == [1, 2, 3, 4, 4]
    assert network.training


def test_a_network_without_a_head_cannot_be_frozen():
    with pytest.raises(UserError, match="needs a network with a head, and Linear has no attribute `head`"):
        Freezing(FeatureExtraction(kind="feature_extraction"), nn.Linear(2, 2))


def test_every_weight_has_a_rate_that_falls_towards_the_input(images):
    network = task_of(SMALL, facts(images)).network
    layers = layers_of(network, FineTuning(kind="fine_tuning", layer_decay=0.5))

    assert [layer.factor for layer in layers] == [1.0, 0.5, 0.25, 0.125]
    assert layers[0].parameters == [*network.head.parameters()]
    assert sorted(map(id, network.parameters())) == sorted(id(w) for layer in layers for w in layer.parameters)


def test_what_is_frozen_stays_bit_for_bit_and_the_head_learns(images, trained):
    record = train(
        transfer_spec(trained, kind="feature_extraction", new_head=True), images, uses={"pretrained": trained}
    )

    before, after = state(trained), state(Path("out/model.ckpt"))
    same = {name: torch.equal(after[name], value) for name, value in before.items()}
    assert [name for name, equal in same.items() if not equal] == ["head.weight", "head.bias"]
    assert record["network"]["trainable_parameters"] == before["head.weight"].numel() + before["head.bias"].numel()
    assert record["inputs"]["pretrained"] == {"path": str(trained), "sha256": record["pretrained"]["sha256"]}


def test_without_a_strategy_all_weights_and_statistics_learn(images, trained):
    train(
        spec("digits_cnn", model=Cnn(**SMALL, pretrained="x").model_dump(mode="json")),
        images,
        uses={"pretrained": trained},
    )

    before, after = state(trained), state(Path("out/model.ckpt"))
    assert not any(torch.equal(after[name], value) for name, value in before.items() if not name.startswith("input"))


def test_other_weights_to_start_from_are_another_training(images, trained):
    what = transfer_spec(trained, kind="feature_extraction")
    first = train(what, images, "one", uses={"pretrained": trained})
    weights = state(trained)
    weights["head.bias"] += 1
    torch.save(weights, "weights.pt")
    second = train(what, images, "two", uses={"pretrained": Path("weights.pt")})

    assert first["run_key"] != second["run_key"]
    assert first["group_key"] != second["group_key"]


def test_seeds_that_start_from_a_model_of_their_own_are_one_group(images, trained):
    """A model of another seed has other weights, and stands in one group with its sisters."""
    groups = []
    for seed, upstream_seed in [(0, 0), (1, 1), (1, 2)]:
        folder = Path(f"upstream-{seed}-{upstream_seed}")
        upstream = spec("digits_cnn", seed=min(upstream_seed, 1), model=Cnn(**SMALL).model_dump(mode="json"))
        if upstream_seed == 2:  # of another training altogether
            upstream = upstream.model_copy(update={"experiment": "other"})
        train(upstream, images, folder.name)
        what = transfer_spec(trained, kind="feature_extraction").model_copy(update={"seed": seed})
        groups.append(
            train(what, images, f"out-{folder.name}", uses={"pretrained": folder / "model.ckpt"})["group_key"]
        )

    assert groups[0] == groups[1] != groups[2]


@pytest.mark.parametrize(
    "transfer",
    [
        {"kind": "gradual_unfreezing", "epochs_per_block": 1, "layer_decay": 0.5},
        {"kind": "fine_tuning", "layer_decay": 0.5},
        {"kind": "feature_extraction", "new_head": True},
    ],
    ids=lambda transfer: transfer["kind"],
)
def test_a_killed_training_goes_on_and_ends_as_if_nothing_had_happened(transfer, images, trained, monkeypatch):
    what = transfer_spec(trained, **transfer)
    train(what, images, "whole", uses={"pretrained": trained})

    def kill(self, trainer, *_):
        if trainer.current_epoch == 1:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(History, "on_train_epoch_start", kill)
        with pytest.raises(Killed):
            train(what, images, "cut", uses={"pretrained": trained})
    train(what, images, "cut", uses={"pretrained": trained})

    assert Path("cut/model.ckpt").read_bytes() == Path("whole/model.ckpt").read_bytes()
