import json
import shutil
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from snaketorch.data.manifest import SPLITS, Manifest
from snaketorch.errors import DataError

AGAIN = "prepare the dataset again: `snakemake -c1 --forcerun prepare_dataset -- "


@pytest.fixture
def manifest(prepared_sunspots, tmp_path):
    """A copy to spoil; a prepared dataset can be moved as a whole."""
    folder = shutil.copytree(prepared_sunspots.path.parent, tmp_path / "copy")
    return Manifest.load(folder / "manifest.json")


def edit(manifest, change):
    """The manifest after ``change`` was made to its JSON."""
    content = json.loads(manifest.path.read_text())
    change(content)
    manifest.path.write_text(json.dumps(content))
    return Manifest.load(manifest.path)


def test_a_manifest_reads_as_it_was_written(prepared_digits):
    assert prepared_digits.dataset == "digits"
    assert prepared_digits.classes == tuple("0123456789")
    assert set(prepared_digits.splits) == set(SPLITS)
    assert sum(prepared_digits.splits["train"].class_counts) == prepared_digits.splits["train"].count
    assert prepared_digits.splits["train"].start is None
    with pytest.raises(FrozenInstanceError):
        prepared_digits.dataset = "other"


def test_arrays_are_mapped_and_cannot_be_changed(prepared_digits):
    arrays = prepared_digits.arrays("val")
    assert isinstance(arrays["image"], np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        arrays["label"][0] = 3


def test_whole_data_passes_the_check(prepared_digits, prepared_sunspots):
    prepared_digits.verify()
    prepared_sunspots.verify()


def test_facts_are_json_that_a_model_can_carry(prepared_digits, prepared_sunspots):
    facts = prepared_digits.facts()
    assert json.loads(json.dumps(facts)) == facts
    known = {"dataset", "provides", "digest", "fields", "classes", "class_counts", "training_samples"}
    assert facts.keys() == known
    assert sum(facts["class_counts"]) == facts["training_samples"] == prepared_digits.splits["train"].count
    assert facts["classes"] == list("0123456789")
    assert prepared_sunspots.facts()["classes"] == []
    assert len(prepared_sunspots.facts()["fields"]["value"]["statistics"]["mean"]) == 1


def test_a_missing_manifest_is_an_error_that_says_what_to_run(tmp_path):
    with pytest.raises(DataError, match=r"there is no such file; prepare the dataset: `snakemake -c1 .*manifest.json`"):
        Manifest.load(tmp_path / "manifest.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": 1', "no usable manifest"),
        ("[]", "no usable manifest"),
        ('{"format": 2}', "its format is 2; this version reads 1"),
        ('{"format": 1}', "dataset: field required"),
    ],
)
def test_a_broken_manifest_is_an_error_that_says_what_to_run(tmp_path, text, message):
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        Manifest.load(path)
    assert AGAIN + str(path) in str(caught.value)


def test_a_manifest_without_a_split_is_refused(manifest):
    with pytest.raises(DataError, match="needed: train, val, test"):
        edit(manifest, lambda content: content["splits"].pop("val"))


def test_a_missing_array_is_found(manifest):
    path = manifest.path.parent / "arrays/test_value.npy"
    path.unlink()
    with pytest.raises(DataError) as caught:
        manifest.arrays("test")
    assert str(caught.value).startswith(f"{path}: there is no such file; {AGAIN}{manifest.path}")
    assert manifest.arrays("train")  # the rest is there


@pytest.mark.parametrize("size", [0, 10, 200])
def test_a_cut_off_array_is_found(manifest, size):
    path = manifest.path.parent / "arrays/train_value.npy"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match=f"it has {size} bytes, the manifest says 992"):
        manifest.arrays("train")


def test_a_spoilt_header_is_found(manifest):
    path = manifest.path.parent / "arrays/train_value.npy"
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(DataError, match="it cannot be read"):
        manifest.arrays("train")


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((216, 1), np.int32), "int32 of shape (216, 1)"),
        (np.zeros((108, 2), np.float32), "float32 of shape (108, 2)"),
    ],
)
def test_an_array_of_another_kind_is_found(manifest, array, found):
    path = manifest.path.parent / "arrays/train_value.npy"
    np.save(path, array)
    assert path.stat().st_size == manifest.splits["train"].arrays["value"].bytes
    with pytest.raises(DataError) as caught:
        manifest.arrays("train")
    assert f"it holds {found}, the manifest says float32 of shape (216, 1)" in str(caught.value)


@pytest.mark.parametrize("split", SPLITS)
def test_one_changed_byte_is_found(manifest, split):
    path = manifest.path.parent / f"arrays/{split}_time.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    manifest.arrays(split)  # looks right from outside
    with pytest.raises(DataError, match=f"{split}_time.npy: the content is not what was prepared"):
        manifest.verify()


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["fields"]["value"]["statistics"]["mean"].__setitem__(0, 0.0),
        lambda content: content.update(digest="0" * 16),
    ],
)
def test_an_edited_manifest_is_found(manifest, change):
    edited = edit(manifest, change)
    with pytest.raises(DataError, match="the manifest was changed after it was written"):
        edited.verify()
