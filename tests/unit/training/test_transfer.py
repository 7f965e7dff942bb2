"""Networks that start from trained weights: where these come from, how they are made to fit, what stays frozen."""

import json
import logging
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torchvision.models import get_model, get_model_weights, list_models

from snaketorch.config.models import Cnn, Mobilenet, Resnet, Vit
from snaketorch.config.specs import TrainSpec
from snaketorch.config.tasks import ImageClassification
from snaketorch.config.transfer import FeatureExtraction, FineTuning, GradualUnfreezing
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.tasks import build_task
from snaketorch.training.callbacks import History
from snaketorch.training.fitting_weights import for_channels
from snaketorch.training.hub import hub_weights
from snaketorch.training.model_file import load_model, save_model
from snaketorch.training.pretrained import start_from_trained
from snaketorch.training.transfer import Freezing, layers_of, learnable_weights
from tests.unit.example_study import example_spec
from tests.unit.prepared_by_hand import write_images
from tests.unit.trainings import Killed, train

TASK = ImageClassification(kind="image_classification")
SMALL = {"kind": "cnn", "channels": [4, 8], "hidden": 8, "dropout": 0.25}
QUICK = {"trainer": {"max_epochs": 3, "precision": "32-true"}, "data_loader": {"batch_size": 16}}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def images(tmp_path) -> Path:
    """The manifest of dark and bright images."""
    return write_images(tmp_path / "images")


def facts(manifest: Path, **changes) -> dict:
    return Manifest.load(manifest).facts() | changes


def task_of(model: dict, facts: dict, section=Cnn, seed: int = 1):
    torch.manual_seed(seed)
    return build_task(TASK, section(**model), facts)


@pytest.fixture
def trained(images) -> Path:
    """A model as a training publishes it."""
    task = task_of(SMALL, facts(images), seed=0)
    for buffer in task.network.buffers():
        buffer.add_(1)
    save_model(Path("trained.ckpt"), TASK, Cnn(**SMALL), task.facts, task.network.state_dict())
    return Path("trained.ckpt")


def start(path: Path, facts: dict, transfer=None, section=Cnn, base=SMALL, **model):
    """The task after it started from the weights in ``path``, and the record of that."""
    options = {**base, "pretrained": str(path)} | model
    task = task_of(options, facts, section)
    return task, start_from_trained(task, section(**options), transfer, path)


def spec(experiment: str, **changes) -> TrainSpec:
    data = example_spec(experiment, 0, **QUICK).model_dump(mode="json") | changes
    return TrainSpec.model_validate_json(json.dumps(data))


def transfer_spec(trained: Path, **transfer) -> TrainSpec:
    model = Cnn(**SMALL, pretrained=str(trained)).model_dump(mode="json")
    return spec("digits_cnn", model=model, transfer=transfer)


def state(path: Path) -> dict[str, torch.Tensor]:
    return load_model(path).network.state_dict()


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


MOBILENET = {"kind": "mobilenet", "variant": "mobilenet_v3_small", "pretrained": "DEFAULT", "stem": "standard"}
HUB_FILE = Path("hub/checkpoints/mobilenet_v3_small-047dcff4.pth")


@pytest.fixture
def hub(monkeypatch):
    """A folder for torchvision's weights, and no network."""

    def offline(*arguments, **options):
        raise OSError("no network here")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: "hub")
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)


def test_without_a_network_the_error_says_which_file_goes_where(hub):
    with pytest.raises(UserError) as error:
        hub_weights(Mobilenet(**MOBILENET))

    said = str(error.value)
    assert "no network here" in said
    assert "download https://download.pytorch.org/models/mobilenet_v3_small-047dcff4.pth elsewhere" in said
    assert "put it into hub/checkpoints as mobilenet_v3_small-047dcff4.pth (its SHA-256 begins with 047dcff4)" in said


def test_a_name_of_weights_that_torchvision_has_not_is_refused(hub):
    with pytest.raises(UserError, match=r"no weights 'IMAGENET21K' of mobilenet_v3_small; allowed: IMAGENET1K_V1"):
        hub_weights(Mobilenet(**MOBILENET | {"pretrained": "IMAGENET21K"}))


def test_a_damaged_download_is_refused(hub):
    HUB_FILE.parent.mkdir(parents=True)
    HUB_FILE.write_bytes(b"half a file")

    with pytest.raises(UserError, match=r"is damaged: its SHA-256 should begin with 047dcff4"):
        hub_weights(Mobilenet(**MOBILENET))


def test_weights_of_torchvision_are_taken_with_what_their_images_were_normalised_by(hub, tmp_path, monkeypatch):
    HUB_FILE.parent.mkdir(parents=True)
    torch.manual_seed(0)
    theirs = get_model("mobilenet_v3_small", weights=None)
    torch.save(theirs.state_dict(), HUB_FILE)
    monkeypatch.setattr("snaketorch.training.hub.file_sha256", lambda path: "047dcff4")
    grey = facts(write_images(tmp_path / "grey", (1, 32, 32)))
    colour = facts(write_images(tmp_path / "colour", (3, 32, 32)))

    task, record = start(HUB_FILE, colour, section=Mobilenet, base={}, **MOBILENET)
    _, adapted = start(HUB_FILE, grey, section=Mobilenet, base={}, **MOBILENET)

    assert (record["torchvision"], record["head"]) == ("DEFAULT", "fresh")
    assert (record["missing"], record["unexpected"]) == ([], [])
    assert list(adapted["adapted"].values()) == ["3 input channels made 1"]
    image = torch.rand(2, 3, 32, 32)
    mean, std = (torch.tensor(value)[:, None, None] for value in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    own = colour["fields"]["image"]["statistics"]
    own_mean, own_std = (torch.tensor(own[name], dtype=torch.float32)[:, None, None] for name in ("mean", "std"))
    with torch.no_grad():
        wanted = theirs.eval().features((image - mean) / std)
        network = task.eval().network
        found = {}
        network.body[len(theirs.features) - 1].register_forward_hook(lambda *_: found.update(value=_[2]))
        network((image - own_mean) / own_std)
    assert torch.allclose(found["value"], wanted, atol=1e-4)


@pytest.mark.parametrize("strategy", [None, FeatureExtraction(kind="feature_extraction")], ids=["all", "head"])
def test_weights_of_torchvision_from_before_batches_were_counted_are_taken(strategy, hub, tmp_path, monkeypatch):
    HUB_FILE.parent.mkdir(parents=True)
    theirs = get_model("mobilenet_v3_small", weights=None).state_dict()
    old = {name: weight for name, weight in theirs.items() if not name.endswith("num_batches_tracked")}
    assert len(old) < len(theirs)
    torch.save(old, HUB_FILE)
    monkeypatch.setattr("snaketorch.training.hub.file_sha256", lambda path: "047dcff4")

    colour = facts(write_images(tmp_path / "colour", (3, 32, 32)))
    task = task_of(MOBILENET, colour, Mobilenet)
    record = start_from_trained(task, Mobilenet(**MOBILENET), strategy, HUB_FILE)

    assert record["missing"] == []
    found = task.network.state_dict()
    assert found["body.0.1.running_mean"].equal(theirs["features.0.1.running_mean"])


def test_weights_that_cannot_fit_are_refused_before_they_are_downloaded(hub, tmp_path):
    small = {**MOBILENET, "kind": "resnet", "variant": "resnet18", "stem": "small"}

    with pytest.raises(UserError, match=r"\(64 x 3 x 7 x 7 instead of 64 x 3 x 3 x 3\); .*another model\.stem"):
        start(Path("none.pth"), facts(write_images(tmp_path / "images", (3, 32, 32))), section=Resnet, base={}, **small)


def test_all_of_torchvisions_files_say_how_their_digest_begins():
    for name in list_models(torchvision.models):
        for weights in get_model_weights(name):
            assert re.search(r"-([0-9a-f]{8,})\.", weights.url.rpartition("/")[2]), weights


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
