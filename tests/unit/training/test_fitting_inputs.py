"""Trained weights on other data: refused where these mean something else, mapped where they are the same quantities."""

import copy

import pytest
import torch

from snaketorch.config.models import Gru, Mlp
from snaketorch.config.tasks import Regression, SequenceClassification, TabularClassification
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.tasks import build_task
from snaketorch.training.fitting_inputs import check_meaning, map_to_training
from snaketorch.training.model_file import save_model
from snaketorch.training.pretrained import start_from_trained
from tests.unit.prepared_by_hand import write_images, write_rows, write_sequences, write_series, write_texts

MLP = {"kind": "mlp", "hidden": [8]}


def changed(facts: dict, field: str, **keys) -> dict:
    return facts | {"fields": facts["fields"] | {field: facts["fields"][field] | keys}}


def built(options, section, model, facts, seed):
    torch.manual_seed(seed)
    return build_task(options, section(**model), facts).eval()


def transferred(tmp_path, options, section, model, theirs, ours):
    """A task with fresh weights on ``theirs``, another that starts from them on ``ours``, and the record of that."""
    before = built(options, section, model, theirs, 0)
    path = tmp_path / "trained.ckpt"
    save_model(path, options, section(**model), theirs, before.network.state_dict())
    model = model | {"pretrained": str(path)}
    after = built(options, section, model, ours, 1)
    return before, after, start_from_trained(after, section(**model), None, path)


def test_another_vocabulary_of_the_same_size_is_refused(tmp_path):
    facts = Manifest.load(write_texts(tmp_path / "texts")).facts()
    ours, theirs = (facts | {"tokenizer": {"tokenizer": {"vocab": vocabulary}}} for vocabulary in (["ab"], ["ba"]))
    check_meaning(ours, copy.deepcopy(ours), "file 'x'")
    check_meaning(ours, {}, "file 'x'")
    with pytest.raises(UserError, match="file 'x' was trained with another vocabulary than that of dataset 'texts'"):
        check_meaning(ours, theirs, "file 'x'")


@pytest.mark.parametrize(
    ("field", "keys", "message"),
    [
        ("number", {"names": ["noise", "size"]}, "other columns: number 1 is 'size' here and was 'noise' there"),
        ("category", {"names": ["a", "c"]}, "other columns: number 2 is 'b' here and was 'c' there"),
        ("category", {"values": [["x", "z"], ["1", "2", "3"]]}, "other values of 'a', in which 'y' is new"),
    ],
)
def test_other_columns_and_categories_are_refused(field, keys, message, tmp_path):
    facts = Manifest.load(write_rows(tmp_path / "rows")).facts()
    task = TabularClassification(kind="tabular_classification")
    with pytest.raises(UserError, match=message):
        transferred(tmp_path, task, Mlp, MLP, changed(facts, field, **keys), facts)


def test_channels_in_another_order_are_refused(tmp_path):
    facts = Manifest.load(write_series(tmp_path / "series")).facts()
    with pytest.raises(UserError, match="other channels: number 1 is 'fast' here and was 'slow' there"):
        check_meaning(facts, changed(facts, "value", names=["slow", "fast"]), "file 'x'")


def test_numbers_of_rows_are_mapped_to_what_the_weights_were_trained_on(tmp_path):
    theirs = Manifest.load(write_rows(tmp_path / "rows")).facts()
    ours = changed(theirs, "number", statistics={"mean": [3.0, -1.0], "std": [2.0, 0.5]})
    task = TabularClassification(kind="tabular_classification")
    before, after, record = transferred(tmp_path, task, Mlp, MLP, theirs, ours)

    row = torch.randn(4, 2), torch.ones(4, 2, dtype=torch.int32)
    assert torch.allclose(before(*row), after(*row), atol=1e-5)
    assert (record["head"], record["input"]["statistics"]) == ("kept", "mapped")


def test_channels_of_sequences_are_mapped_and_padding_stays_zero(tmp_path):
    theirs = Manifest.load(write_sequences(tmp_path / "sequences")).facts()
    ours = changed(theirs, "value", statistics={"mean": [3.0, -1.0], "std": [2.0, 0.5]})
    task, gru = SequenceClassification(kind="sequence_classification"), {"kind": "gru", "hidden": 4}
    before, after, record = transferred(tmp_path, task, Gru, gru | {"bidirectional": True}, theirs, ours)

    sequence = torch.randn(3, 6, 2), torch.tensor([6, 2, 4])
    assert torch.allclose(before(*sequence), after(*sequence), atol=1e-5)
    assert record["input"]["statistics"] == "mapped"
    read = []
    after.network.embedding.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    after(*sequence)
    assert not read[0][1, 2:].any()


def test_images_that_are_read_as_sequences_are_mapped_channel_by_channel(tmp_path):
    theirs = Manifest.load(write_images(tmp_path / "images", (2, 3, 4))).facts()
    ours = changed(theirs, "image", statistics={"mean": [0.1, 0.6], "std": [0.5, 0.2]})
    task, gru = SequenceClassification(kind="sequence_classification", read="columns"), {"kind": "gru", "hidden": 4}
    before, after, _ = transferred(tmp_path, task, Gru, gru, theirs, ours)

    image = torch.randint(256, (3, 2, 3, 4), dtype=torch.uint8)
    assert torch.allclose(before(image), after(image), atol=1e-5)


@pytest.mark.parametrize("provides", ["a time series", "labelled sequences"])
def test_a_series_and_channels_of_other_names_keep_their_own_statistics(provides, tmp_path):
    theirs = Manifest.load(write_series(tmp_path / "series")).facts() | {"provides": provides}
    names = theirs["fields"]["value"]["names"] if provides == "a time series" else ["heat", "rain"]
    ours = changed(theirs, "value", names=names, statistics={"mean": [3.0, -1.0], "std": [2.0, 0.5]})
    network = torch.nn.Identity()
    network.register_buffer("input_scale", torch.ones(2))
    network.register_buffer("input_shift", torch.zeros(2))

    own_map = {"input_scale": torch.tensor([2.0, 3.0]), "input_shift": torch.tensor([0.0, 1.0])}
    found = map_to_training(network, ours, theirs, own_map)

    assert found.startswith("own: ")
    assert network.input_scale.tolist() == [2, 3], "what the trained network mapped itself stays"
    assert network.input_shift.tolist() == [0, 1]


@pytest.mark.parametrize(("std", "head"), [(0.5, "kept"), (7.0, "fresh")])
def test_the_head_of_a_regression_is_fresh_where_the_targets_unit_is_another(std, head, tmp_path):
    theirs = Manifest.load(write_rows(tmp_path / "rows", numbers=True)).facts()
    ours = changed(theirs, "target", statistics={"mean": 0.5, "std": std})
    _, _, record = transferred(tmp_path, Regression(kind="regression"), Mlp, MLP, theirs, ours)

    assert record["head"] == head
