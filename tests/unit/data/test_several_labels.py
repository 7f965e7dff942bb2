"""Samples with any number of labels, from an array to the prepared dataset."""

from pathlib import Path

import numpy as np
import pytest
import torch

from snaketorch.config.models import Cnn, Gru
from snaketorch.config.specs import AugmentationSpec, PrepareSpec
from snaketorch.config.tasks import ImageClassification, SequenceClassification
from snaketorch.data.augmentation_picture import draw_augmentation
from snaketorch.data.manifest import Manifest
from snaketorch.data.prepare import prepare
from snaketorch.errors import DataError
from snaketorch.tasks import build_task, samples_of

RANDOM = np.random.default_rng(0)
LABELS = (RANDOM.random((60, 3)) < [0.6, 0.4, 0.2]).astype(np.uint8)


def prepared(
    folder: Path, content: str = "images", labels: np.ndarray = LABELS, split=None, alike=(), **source
) -> Manifest:
    shape = {"images": (60, 8, 8), "sequences": (60, 12, 2), "rows": (60, 4)}[content]
    samples = RANDOM.random(shape).astype(np.float32)
    samples[list(alike)] = samples[:1]
    np.savez(folder / "some.npz", x=samples, y=labels)
    source = {"kind": "arrays", "path": str(folder / "some.npz"), "content": content, "samples": "x", **source}
    options = {"augment": {"rotate": 5}, "copies": 1} if source.pop("copies", False) else {}
    spec = {"dataset": "fruit", "source": {**source, "labels": "y"}, "split": split or {}, "prepare": options}
    prepare(
        PrepareSpec.model_validate(spec),
        folder / "manifest.json",
        folder / "preview.png",
        folder / "arrays",
        "",
        "none",
    )
    return Manifest.load(folder / "manifest.json")


@pytest.mark.parametrize("content", ["images", "sequences"])
def test_labels_that_apply_or_not_stay_beside_their_samples(tmp_path, content):
    manifest = prepared(tmp_path, content, classes=["red", "round", "ripe"])
    found = np.concatenate([manifest.arrays(split)["label"] for split in ("train", "val", "test")])
    assert sorted(map(tuple, found)) == sorted(map(tuple, LABELS))
    assert manifest.fields["label"] == {"dtype": "int64", "shape": [3]}
    assert manifest.classes == ("red", "round", "ripe")
    counts = [split.class_counts for split in manifest.splits.values()]
    assert np.sum(counts, axis=0).tolist() == LABELS.sum(0).tolist()
    assert manifest.facts()["training_samples"] == 42
    assert (tmp_path / "preview.png").stat().st_size > 0


@pytest.mark.parametrize("content", ["images", "sequences"])
def test_copies_with_other_labels_are_reported_with_the_names_of_theirs(tmp_path, content):
    labels = LABELS.copy()
    labels[[0, 1]] = [[1, 0, 1], [0, 0, 0]]
    manifest = prepared(tmp_path, content, labels, alike=[0, 1], classes=["red", "round", "ripe"])
    (found,) = (finding for finding in manifest.report["findings"] if finding["check"].startswith("different"))
    assert found["check"] == "different labels"
    assert "have other labels than exact copies" in found["summary"]
    assert "(red, ripe)" in found["examples"][0] and "(none)" in found["examples"][0]


def test_copies_of_an_image_have_its_labels(tmp_path):
    labels = prepared(tmp_path, copies=True).arrays("train")["label"]
    assert len(labels) == 84
    np.testing.assert_array_equal(labels[:42], labels[42:])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"labels": LABELS * 2}, "is 2 .*allowed: 1 where it applies, else 0"),
        ({"labels": np.where(LABELS > 0, 1.0, np.nan)}, "is nan"),
        ({"labels": LABELS * [1, 1, 0]}, "label '2' applies to none of the samples"),
        ({"labels": LABELS | [1, 0, 0]}, "label '0' applies to every one"),
        ({"classes": ["red", "round"]}, "there are 3 labels; allowed: as many names"),
        ({"content": "rows"}, r"the labels have the shape \(60, 3\)"),
        ({"split": {"samples_per_class": 3}}, "samples_per_class: samples have several labels"),
        ({"split": {"classes": ["0", "1"]}}, "split.classes: samples have several labels"),
    ],
)
def test_what_labels_cannot_be_is_said(tmp_path, changes, match):
    with pytest.raises(DataError, match=match):
        prepared(tmp_path, **changes)


def test_both_tasks_read_them_and_none_without_the_option(tmp_path):
    (tmp_path / "images").mkdir()
    images, sequences = prepared(tmp_path / "images"), prepared(tmp_path, "sequences")
    options = {"kind": "image_classification", "multi_label": True}
    task = build_task(ImageClassification(**options), Cnn(kind="cnn", channels=[4]), images.facts())
    batch = samples_of(task, images, "train").batch(torch.arange(8))
    assert task.measure(batch)["loss"].isfinite()
    options = SequenceClassification(kind="sequence_classification", multi_label=True, class_weights="balanced")
    task = build_task(options, Gru(kind="gru", hidden=4), sequences.facts())
    assert task.predict(samples_of(task, sequences, "test").batch(torch.arange(8)))["label"].shape[1] == 3
    with pytest.raises(DataError, match=r"allowed: task\.multi_label: true"):
        build_task(ImageClassification(kind="image_classification"), Cnn(kind="cnn", channels=[4]), images.facts())


def test_augmented_samples_are_drawn_with_all_their_labels(tmp_path):
    prepared(tmp_path)
    spec = {"experiment": "fruit", "seed": 0, "data": "fruit", "augment": {"rotate": 10, "mixup": 0.4}}
    spec = AugmentationSpec.model_validate({**spec, "windows": None})
    draw_augmentation(spec, tmp_path / "manifest.json", tmp_path / "augmented.png", "")
    assert (tmp_path / "augmented.png").stat().st_size > 0
