import csv
import time
from typing import get_args

import numpy as np
import pytest
from PIL import Image
from training_specs import spec_of

from snaketorch.config.sources import TorchvisionSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.manifest import SPLITS, Manifest
from snaketorch.data.prepare import prepare
from snaketorch.errors import DataError, UserError
from snaketorch.planning.facts import facts_of
from snaketorch.planning.known_sets import KNOWN_SETS
from snaketorch.planning.sketch import Sketch
from snaketorch.tasks import build_task, samples_of

HALVES = {"val": 0.2, "test": 0.3}


def dataset(source, split=HALVES, **options) -> PrepareSpec:
    return PrepareSpec.model_validate({"dataset": "small", "source": source, "split": split, "prepare": options})


def prepared(spec, folder) -> Manifest:
    place = folder / "results/datasets/small"
    place.mkdir(parents=True)
    files = {"manifest": place / "manifest.json", "preview": place / "preview.png", "arrays": place / "arrays"}
    prepare(spec, **files, code="", source="none")
    return Manifest.load(files["manifest"])


def write_pets(root, count=10, size=(6, 5)):
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for index in range(count):
            pixels = np.full((*size, 3), 20 * index, np.uint8)
            pixels[0, 0] = 255, 0, 9
            Image.fromarray(pixels).save(root / name / f"{index}.png")


def pets(folder):
    write_pets(folder / "pets")
    return {"kind": "image_folder", "path": "pets"}


def parted_pets(folder):
    for part, count in (("train", 8), ("test", 3)):
        write_pets(folder / "pets" / part, count)
    return {"kind": "image_folder", "path": "pets"}


def several_labels(folder):
    labels = np.random.default_rng(0).integers(0, 2, (40, 3))
    np.savez(folder / "all.npz", x=np.arange(40 * 48, dtype=np.uint64).reshape(40, 4, 4, 3).astype(np.uint8), y=labels)
    return {"kind": "arrays", "path": "all.npz", "content": "images", "samples": "x", "labels": "y"}


def image_numbers(folder):
    np.savez(folder / "all.npz", x=np.random.default_rng(0).random((40, 4, 6)), y=np.arange(40.0))
    return {"kind": "arrays", "path": "all.npz", "content": "number_images", "samples": "x", "labels": "y"}


def ragged_sequences(folder):
    lines = ["@problemName small", "@timeStamps false", "@univariate true", "@classLabel true a b", "@data"]
    lines += [",".join(str(step + row) for step in range(3 + row % 5)) + f":{'ab'[row % 2]}" for row in range(40)]
    (folder / "all.ts").write_text("\n".join(lines))
    return {"kind": "timeseries", "path": "all.ts"}


def series(folder):
    rows = [(f"2020-01-{day:02d}", day * day, -day) for day in range(1, 31)]
    with (folder / "all.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("day", "a", "b"), *rows])
    return {"kind": "timeseries", "path": "all.csv", "time": "day"}


def table(folder):
    rows = [(number, "xyz"[number % 3], number % 2) for number in range(40)]
    with (folder / "all.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("size", "colour", "kind"), *rows])
    return {"kind": "table", "path": "all.csv", "target": "kind"}


def texts(folder):
    rows = [(" ".join(["word", f"other{number % 7}"] * (1 + number % 4)), "ab"[number % 2]) for number in range(40)]
    with (folder / "all.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("text", "label"), *rows])
    return {"kind": "text", "path": "all.csv", "label": "label"}


def corpus(folder):
    (folder / "all.txt").write_text("The quick brown fox jumps over the lazy dog. " * 40)
    return {"kind": "text", "path": "all.txt"}


def without_values(facts: dict) -> dict:
    """Without what only reading every sample can tell."""
    fields = {
        name: {key: value for key, value in field.items() if key != "statistics"}
        for name, field in facts["fields"].items()
    }
    return facts | {"digest": "", "fields": fields}


MAKERS = [pets, parted_pets, several_labels, image_numbers, ragged_sequences, series, table, texts, corpus]


@pytest.mark.parametrize("make", MAKERS)
def test_configuration_and_files_tell_what_the_preparation_will(make, tmp_path, monkeypatch):
    source = make(tmp_path)
    spec = dataset(source)
    facts, counts = facts_of(spec, tmp_path)  # from elsewhere: paths start at the root
    assert counts.origin == "files"
    assert not (tmp_path / "results").exists()
    monkeypatch.chdir(tmp_path)
    manifest = prepared(spec, tmp_path)
    assert without_values(facts) == without_values(manifest.facts())
    assert counts.rows == {split: manifest.splits[split].count for split in SPLITS}
    assert counts.bytes == {
        split: sum(array.bytes for array in manifest.splits[split].arrays.values()) for split in SPLITS
    }
    for split in SPLITS:
        arrays = manifest.arrays(split)
        sketched = counts.manifest.arrays(split)
        assert {name: (array.shape, array.dtype) for name, array in sketched.items()} == {
            name: (array.shape, array.dtype) for name, array in arrays.items()
        }


def test_the_manifest_counts_where_the_dataset_is_prepared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = dataset(pets(tmp_path))
    manifest = prepared(spec, tmp_path)
    (tmp_path / "pets/cat/new.png").write_bytes(b"not looked at")
    facts, counts = facts_of(spec, tmp_path)
    assert (counts.origin, facts) == ("manifest", manifest.facts())
    assert facts["digest"] == manifest.digest


def test_a_manifest_of_an_earlier_configuration_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = pets(tmp_path)
    prepared(dataset(source), tmp_path)
    facts, counts = facts_of(dataset(source, size=[9, 7], channels=1), tmp_path)
    assert counts.origin == "files"
    assert facts["fields"]["image"]["shape"] == [1, 9, 7]


def test_copies_are_counted_in_the_training_split_alone(tmp_path):
    spec = dataset(pets(tmp_path), copies=2, augment={"horizontal_flip": 0.5})
    _, counts = facts_of(spec, tmp_path)
    assert counts.rows == {"train": 30, "val": 4, "test": 6}
    assert counts.manifest.splits["train"].class_counts == (15, 15)


@pytest.mark.parametrize(
    ("name", "split", "options", "shape", "rows"),
    [
        ("CIFAR10", {"val": 0.1, "test": 0.2}, {}, [3, 32, 32], (45_000, 5_000, 10_000)),
        ("MNIST", {"val": 0.1, "test": 0.2}, {"channels": 3}, [3, 28, 28], (54_000, 6_000, 10_000)),
        ("MNIST", {"val": 0.1, "test": 0.2, "given": False}, {"size": [32, 32]}, [1, 32, 32], (49_000, 7_000, 14_000)),
        ("DTD", {"val": 0.1, "test": 0.2}, {"size": [64, 48]}, [3, 64, 48], (1_880, 1_880, 1_880)),
        ("EuroSAT", {"val": 0.1, "test": 0.2}, {}, [3, 64, 64], (18_900, 2_700, 5_400)),
        ("CIFAR100", {"samples_per_class": 5}, {}, [3, 32, 32], (500, 5_000, 10_000)),
        ("CIFAR10", {"classes": ["cat", "dog"]}, {}, [3, 32, 32], (9_000, 1_000, 2_000)),
    ],
)
def test_published_sets_are_known_without_a_file(tmp_path, name, split, options, shape, rows):
    spec = dataset({"kind": "torchvision", "name": name}, split, **options)
    facts, counts = facts_of(spec, tmp_path)
    assert facts["fields"]["image"]["shape"] == shape
    assert tuple(counts.rows.values()) == rows
    assert counts.origin == "publication"
    assert len(facts["classes"]) == (2 if "classes" in split else KNOWN_SETS[name].classes)
    assert sum(facts["class_counts"]) == facts["training_samples"] == rows[0]


def test_every_set_of_the_configuration_is_known():
    assert set(KNOWN_SETS) == set(get_args(TorchvisionSource.model_fields["name"].annotation))


def test_a_large_set_is_known_in_a_few_seconds_and_takes_no_memory(tmp_path):
    spec = dataset({"kind": "torchvision", "name": "ImageNet"}, size=[224, 224])
    began = time.process_time()
    _, counts = facts_of(spec, tmp_path)
    assert time.process_time() - began < 60
    assert counts.bytes["train"] > 150e9
    assert isinstance(counts.manifest, Sketch)
    assert counts.manifest.arrays("train")["image"].strides == (0, 0, 0, 0)


def test_a_published_set_of_several_sizes_needs_one(tmp_path):
    with pytest.raises(UserError, match=r"images of Food101 differ in size, so that it needs prepare\.size"):
        facts_of(dataset({"kind": "torchvision", "name": "Food101"}), tmp_path)


def test_images_of_several_sizes_need_one(tmp_path):
    source = pets(tmp_path)
    Image.new("RGB", (9, 9)).save(tmp_path / "pets/dog/large.png")
    with pytest.raises(DataError, match=r"dataset 'small': its samples differ in size; set `prepare: \{size: \[H, W\]"):
        facts_of(dataset(source), tmp_path)


def test_what_only_a_preparation_can_tell_is_said_with_its_command(tmp_path):
    source = {"kind": "custom", "class_path": "my_lab.Leaves", "content": "images"}
    with pytest.raises(UserError) as told:
        facts_of(dataset(source), tmp_path)
    assert str(told.value) == (
        "dataset 'small' is not prepared, and only your own class knows what it holds; allowed: to prepare it first: "
        "`snakemake -c1 results/datasets/small/manifest.json`"
    )


def test_a_large_file_is_left_to_the_preparation(tmp_path, monkeypatch):
    monkeypatch.setattr("snaketorch.planning.facts.READ_BYTES", 100)
    with pytest.raises(UserError, match=r"not prepared, and 'all\.csv' would take long to read"):
        facts_of(dataset(table(tmp_path)), tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"dataset 'small': .*leaves.* is no folder"):
        facts_of(dataset({"kind": "image_folder", "path": "leaves"}), tmp_path)


def test_windows_are_counted_as_the_training_cuts_them(tmp_path):
    facts, counts = facts_of(dataset(series(tmp_path), {"val": 0.2, "test": 0.2}), tmp_path)
    options = {"kind": "forecasting", "window": 5, "horizon": 3, "stride": 2}
    spec = spec_of(options, {"kind": "gru", "hidden": 4})
    task = build_task(spec.task, spec.model, facts)
    # 18 steps to train on: the windows begin at 0, 2, ..., 10; the six of validation look back on those before
    assert counts.samples(task) == 6
    assert counts.samples(task, "val") == 4


def test_batches_of_a_sketch_have_the_right_form(tmp_path):
    import torch

    facts, counts = facts_of(dataset(ragged_sequences(tmp_path)), tmp_path)
    spec = spec_of({"kind": "sequence_classification"}, {"kind": "lstm", "hidden": 4})
    task = build_task(spec.task, spec.model, facts)
    batch = samples_of(task, counts.manifest, "train").batch(torch.arange(4))
    assert batch["value"].shape == (4, 8, 1)
    assert task.measure(batch)["loss"].isfinite()
