"""Torchvision's weights: where they are found, what is refused of them, and what their images were."""

import re
from pathlib import Path

import pytest
import torch
import torchvision
from torchvision.models import get_model, get_model_weights, list_models

from snaketorch.config.models import Mobilenet, Resnet
from snaketorch.config.transfer import FeatureExtraction
from snaketorch.errors import UserError
from snaketorch.training.hub import hub_weights
from snaketorch.training.pretrained import start_from_trained
from tests.unit.prepared_by_hand import write_images
from tests.unit.training.pretrained.small_weights import facts, start, task_of

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
