"""Trained weights that a network starts from: what files hold them, and how they are made to fit."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from snaketorch.config.models import Cnn, Vit
from snaketorch.config.transfer import FeatureExtraction, FineTuning
from snaketorch.errors import UserError
from snaketorch.training.fitting_weights import for_channels
from snaketorch.training.model_file import load_model, save_model
from tests.unit.prepared_by_hand import write_images
from tests.unit.training.pretrained.small_weights import SMALL, TASK, facts, start, state, task_of


def test_weights_of_an_experiment_with_the_same_classes_are_all_taken(images, trained):
    task, record = start(trained, facts(images), pretrained={"from_experiment": "base"})

    wanted, found = state(trained), task.network.state_dict()
    assert all(torch.equal(found[name], weight) for name, weight in wanted.items())
    assert (record["experiment"], record["head"], record["missing"], record["unexpected"]) == ("base", "kept", [], [])
    assert len(record["sha256"]) == 64


@pytest.mark.parametrize("classes", [("cat", "dog"), ("dark", "bright", "grey")])
def test_the_head_is_fresh_where_the_classes_are_others(classes, images, trained):
    fresh = task_of(SMALL | {"pretrained": "x"}, facts(images, classes=classes)).network.state_dict()
    task, record = start(trained, facts(images, classes=classes))

    found, wanted = task.network.state_dict(), state(trained)
    assert record["head"] == "fresh"
    assert all(torch.equal(found[name], fresh[name]) for name in found if name.startswith("head."))
    assert all(torch.equal(found[name], wanted[name]) for name in wanted if not name.startswith("head."))


def test_a_new_head_can_be_asked_for(images, trained):
    _, record = start(trained, facts(images), FineTuning(kind="fine_tuning", new_head=True))

    assert record["head"] == "fresh"


@pytest.mark.parametrize("nested", [None, "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "network.", "module.backbone."])
def test_weights_of_other_programs_are_found_under_their_prefix(nested, prefix, images):
    weights = task_of(SMALL, facts(images), seed=0).network.state_dict()
    content = {prefix + name: weight for name, weight in weights.items()} | {"other.sums": torch.zeros(3)}
    torch.save({nested: content, "epoch": 3} if nested else content, "weights.pt")

    task, record = start(Path("weights.pt"), facts(images))

    found = task.network.state_dict()
    assert all(torch.equal(found[name], weight) for name, weight in weights.items())
    assert (record["file"], record["missing"]) == ("weights.pt", [])


@pytest.mark.parametrize("beside", [{"epoch": torch.tensor(3)}, {"description": "a network of the lab"}], ids=str)
def test_what_other_programs_keep_beside_weights_does_not_hide_them(beside, images):
    weights = task_of(SMALL, facts(images), seed=0).network.state_dict()
    torch.save({**beside, "weights": weights}, "weights.pt")

    task, _ = start(Path("weights.pt"), facts(images))

    found = task.network.state_dict()
    assert all(torch.equal(found[name], weight) for name, weight in weights.items())


def test_what_is_missing_and_what_has_no_place_is_shown(images, caplog):
    caplog.set_level(logging.INFO)
    weights = task_of(SMALL, facts(images), seed=0).network.state_dict()
    weights["hidden.9.weight"] = weights.pop("hidden.1.bias")
    torch.save(weights, "weights.pt")

    _, record = start(Path("weights.pt"), facts(images))

    assert (record["missing"], record["unexpected"]) == (["hidden.1.bias"], ["hidden.9.weight"])
    assert "1 weights are not among them and start afresh: hidden.1.bias" in caplog.text
    assert "1 weights have no place here: hidden.9.weight" in caplog.text


def test_a_frozen_part_cannot_lack_weights(images):
    weights = task_of(SMALL, facts(images), seed=0).network.state_dict()
    del weights["hidden.1.bias"]
    torch.save(weights, "weights.pt")

    with pytest.raises(UserError, match=r"lacks 1 of the weights of this 'cnn': hidden.1.bias"):
        start(Path("weights.pt"), facts(images), FeatureExtraction(kind="feature_extraction"))


def test_weights_of_another_network_are_refused_by_their_first_shapes(images, trained):
    with pytest.raises(UserError, match=r"another network than this 'cnn': features.0.0.weight \(4 x 1 x 3 x 3 inst"):
        start(trained, facts(images), channels=[6, 8])


def test_weights_with_other_names_are_refused(images):
    torch.save(nn.Linear(2, 2).state_dict(), "weights.pt")

    with pytest.raises(UserError, match=r"lacks \d+ of the weights of this 'cnn': features.0.0.weight"):
        start(Path("weights.pt"), facts(images))


class Evil:
    def __reduce__(self):
        return (Path("evil").touch, ())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no weights at all", "cannot be read as weights: torch.save did not write it; allowed"),
        (b"accuracy,loss\n0.9,0.1\n", "cannot be read as weights: torch.save did not write it; allowed"),
        (b"", "cannot be read as weights: it is empty; allowed"),
        (b"PK\x03\x04 cut off", "cannot be read as weights: PytorchStreamReader failed"),
        ({"epoch": 3}, "holds no weights"),
        ([1, 2], "holds no weights"),
        (Evil(), r"it holds an object of \S+, which could run code, not weights alone; allowed"),
    ],
    ids=["bytes", "text", "empty", "cut off", "numbers", "list", "code"],
)
def test_a_file_without_weights_is_refused_and_runs_no_code(content, why, images):
    torch.save(content, "weights.pt") if not isinstance(content, bytes) else Path("weights.pt").write_bytes(content)

    with pytest.raises(UserError, match=f"model.pretrained: weights.pt .*{why}") as refused:
        start(Path("weights.pt"), facts(images))
    assert "weights_only" not in str(refused.value)
    assert not Path("evil").exists()


def test_a_first_convolution_is_adapted_to_the_channels(tmp_path, images, trained):
    colour = facts(write_images(tmp_path / "colour", (3, 8, 8)))

    task, record = start(trained, colour)

    found, wanted = task.network.state_dict()["features.0.0.weight"], state(trained)["features.0.0.weight"]
    assert torch.allclose(found.sum(1, keepdim=True), wanted, atol=1e-6)
    assert torch.equal(found[:, 0], found[:, 2])
    assert record["adapted"] == {"features.0.0.weight": "1 input channels made 3"}
    assert torch.equal(for_channels(torch.ones(2, 3, 1, 1), 1), torch.full((2, 1, 1, 1), 3.0))


def test_images_are_mapped_to_what_the_weights_were_trained_on(images, trained):
    """The same pixels give the same outputs, whatever statistics each dataset has."""
    fields = facts(images)["fields"]
    image = fields["image"] | {"statistics": {"mean": [0.2], "std": [0.5]}}
    other = facts(images, fields=fields | {"image": image})
    task, record = start(trained, other)
    before, after = load_model(trained), task.eval()
    pixels = torch.from_numpy(np.random.default_rng(0).random((5, 1, 8, 8), np.float32))

    def outputs(found):
        statistics = found.facts["fields"]["image"]["statistics"]
        mean, std = (torch.tensor(statistics[name], dtype=torch.float32)[:, None, None] for name in ("mean", "std"))
        with torch.no_grad():
            return found.network((pixels - mean) / std)

    assert torch.allclose(outputs(before), outputs(after), atol=1e-5)
    assert record["input"]["input_scale"] != [1.0]

    save_model(Path("second.ckpt"), TASK, Cnn(**SMALL, pretrained="x"), other, task.network.state_dict())
    third, _ = start(Path("second.ckpt"), facts(images))
    assert torch.allclose(outputs(before), outputs(third.eval()), atol=1e-5), "a map of a map"
    assert torch.allclose(outputs(load_model(Path("second.ckpt"))), outputs(after)), "it is saved with the weights"


def test_positions_of_a_vision_transformer_follow_the_size_of_the_images(tmp_path):
    vit = {"kind": "vit", "variant": "vit_b_32", "stem": "standard", "num_layers": 1, "num_heads": 1}
    vit |= {"hidden_dim": 8, "mlp_dim": 8}
    small, large = (facts(write_images(tmp_path / str(side), (3, side, side))) for side in (64, 128))
    torch.save(task_of(vit, small, Vit).network.state_dict(), "weights.pt")

    task, record = start(Path("weights.pt"), large, section=Vit, base=vit)

    (positions,) = (value for name, value in task.network.state_dict().items() if name.endswith("pos_embedding"))
    assert positions.shape == (1, 17, 8)
    assert list(record["adapted"].values()) == ["4 positions made 16"]
