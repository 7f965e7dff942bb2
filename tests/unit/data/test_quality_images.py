import numpy as np
import pytest
from quality_stores import CLASSES, checks, make_store

from snaketorch.data.quality.images import examine_clips, examine_images
from snaketorch.data.quality.neighbours import examine_neighbours

COUNTS = {"train": 60, "val": 10, "test": 14}


@pytest.fixture
def data():
    """Images that have nothing wrong with them, and their labels, by split."""
    random = np.random.default_rng(0)
    images = {split: random.integers(0, 256, (count, 3, 24, 24), np.uint8) for split, count in COUNTS.items()}
    return images, {split: np.arange(count) % 2 for split, count in COUNTS.items()}


def examine(tmp_path, images, labels):
    store, names = make_store(tmp_path / "store", image=images, label=labels)
    return checks(examine_images(store, names, CLASSES))


def test_good_images_give_no_finding(tmp_path, data):
    assert examine(tmp_path, *data) == {}


def test_an_image_in_two_splits_is_a_problem_that_names_both(tmp_path, data):
    images, labels = data
    images["test"][4] = images["train"][6]
    images["val"][2] = images["train"][8]
    found = examine(tmp_path, images, labels)
    assert set(found) == {"leakage"}
    assert found["leakage"].severity == "problem" and found["leakage"].count == 2
    assert found["leakage"].examples == ("val: v2 = train: t8", "test: t4 = train: t6")
    assert "1 of val in train, 1 of test in train" in found["leakage"].summary


def test_a_copy_in_the_same_split_is_a_hint(tmp_path, data):
    images, labels = data
    images["train"][4] = images["train"][6] = images["train"][2]
    found = examine(tmp_path, images, labels)
    assert set(found) == {"duplicates"}
    assert found["duplicates"].severity == "hint" and found["duplicates"].count == 2
    assert found["duplicates"].examples == ("train: t4 = train: t2", "train: t6 = train: t4")


def test_copies_with_other_labels_are_a_problem(tmp_path, data):
    images, labels = data
    images["train"][3] = images["train"][2]
    found = examine(tmp_path, images, labels)
    assert set(found) == {"duplicates", "different labels"}
    assert found["different labels"].severity == "problem"
    assert found["different labels"].examples == ("train: t3 (dog) = train: t2 (cat)",)


def test_a_finding_names_ten_and_counts_all(tmp_path, data):
    images, labels = data
    images["train"][:] = images["train"][0]
    found = examine(tmp_path, images, labels)["duplicates"]
    assert found.count == 59 and len(found.examples) == 10


def test_nearly_equal_images_of_two_splits_are_a_hint(tmp_path, data):
    images, labels = data
    images["test"][4] = np.clip(images["train"][6].astype(int) + 3, 0, 255)
    found = examine(tmp_path, images, labels)
    assert set(found) == {"near duplicates"}
    assert found["near duplicates"].examples == ("test: t4 ~ train: t6",)


def test_small_images_that_look_alike_are_no_near_duplicates(tmp_path, data):
    images = {split: values[:, :, :16, :16].copy() for split, values in data[0].items()}
    images["test"][4] = np.clip(images["train"][6].astype(int) + 3, 0, 255)
    assert examine(tmp_path, images, data[1]) == {}


def test_an_image_of_one_colour_is_told_of(tmp_path, data):
    images, labels = data
    images["val"][5] = 130
    assert examine(tmp_path, images, labels)["blank"].examples == ("val: v5",)


def test_a_dark_image_among_bright_ones_is_told_of(tmp_path, data):
    images, labels = data
    images["train"][7] //= 16
    found = examine(tmp_path, images, labels)
    assert set(found) == {"brightness", "contrast"}
    assert found["brightness"].examples[0].startswith("train: t7 (")


def test_grey_images_in_three_channels_are_told_of(tmp_path, data):
    images = {split: np.repeat(values[:, :1], 3, axis=1) for split, values in data[0].items()}
    assert set(examine(tmp_path, images, data[1])) == {"grey"}


def test_a_channel_of_one_value_is_told_of(tmp_path, data):
    images, labels = data
    images["test"][:, 1] = 7
    assert examine(tmp_path, images, labels)["constant channel"].examples == ("test: channel 1",)


def test_a_class_that_a_split_lacks_is_a_problem(tmp_path, data):
    images, labels = data
    labels["test"][:] = 0
    found = examine(tmp_path, images, labels)["missing class"]
    assert found.severity == "problem" and found.examples == ("test: dog",)


@pytest.mark.parametrize(("rare", "fires"), [(5, True), (6, False)])
def test_a_class_is_rare_below_a_tenth_of_the_largest(tmp_path, data, rare, fires):
    images, labels = data
    labels["train"] = np.r_[np.zeros(60 - rare, int), np.ones(rare, int)]
    assert ("class balance" in examine(tmp_path, images, labels)) == fires


def clusters(flipped=()):
    random = np.random.default_rng(1)
    labels = np.arange(200) % 2
    features = (random.normal(size=(200, 4)) + 8 * labels[:, None]).astype(np.float32)
    labels[list(flipped)] = 1 - labels[list(flipped)]
    return features, labels, [f"a{row}" for row in range(200)]


def test_a_sample_amid_another_class_looks_mislabelled():
    (found,) = examine_neighbours(*clusters(flipped=[17, 40]), CLASSES, "images")
    assert sorted(found.examples) == ["a17: labelled cat, looks like dog", "a40: labelled dog, looks like cat"]


def test_well_separated_classes_look_rightly_labelled():
    assert examine_neighbours(*clusters(), CLASSES, "images") == []


def test_neighbours_that_tell_nothing_are_not_believed():
    features, labels, names = clusters()
    random_labels = np.random.default_rng(2).integers(0, 2, len(labels))
    assert examine_neighbours(features, random_labels, names, CLASSES, "images") == []


def test_clips_are_compared_as_a_whole_and_still_ones_are_named(tmp_path):
    random = np.random.default_rng(0)
    clips = {split: random.integers(0, 256, (count, 4, 1, 8, 8), np.uint8) for split, count in COUNTS.items()}
    labels = {split: np.arange(count) % 2 for split, count in COUNTS.items()}
    store, names = make_store(tmp_path / "good", clip=clips, label=labels)
    assert examine_clips(store, names, CLASSES) == []

    clips["test"][2] = clips["train"][4]
    clips["test"][4, 0] = clips["train"][6, 0]  # a single frame in common is no copy
    clips["val"][3] = clips["val"][3, :1]
    store, names = make_store(tmp_path / "bad", clip=clips, label=labels)
    found = checks(examine_clips(store, names, CLASSES))
    assert set(found) == {"leakage", "still"}
    assert found["leakage"].examples == ("test: t2 = train: t4",)
    assert found["still"].examples == ("val: v3",)
