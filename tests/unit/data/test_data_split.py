from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snaketorch.config.datasets import Split
from snaketorch.data.manifest import SPLITS
from snaketorch.data.split import allocate, split_by_time, split_samples
from snaketorch.errors import DataError


@st.composite
def options(draw, least=5):
    """Shares in whole percent, each at least ``least``: 20 samples then give every split some."""
    val = draw(st.integers(least, 60))
    test = draw(st.integers(least, 100 - least - val))
    return Split(val=val / 100, test=test / 100, seed=draw(st.integers(0, 2**32 - 1)))


def shares(split):
    val, test = Fraction(str(split.val)), Fraction(str(split.test))
    return {"train": 1 - val - test, "val": val, "test": test}


def split_stratified(labels, classes, split, given=None):
    return split_samples(np.asarray(labels), classes, given or {}, split)


def split_random(count, split, given=None):
    labels = np.zeros(count, np.int64)
    return split_samples(labels, ["all"], given or {}, split.model_copy(update={"stratify": False}))


def assert_every_row_once_in_ascending_order(rows, count):
    assert list(rows) == list(SPLITS)
    assert sorted(np.concatenate(list(rows.values()))) == list(range(count))
    for part in rows.values():
        assert (np.diff(part) > 0).all()
        assert len(part)


@given(st.integers(0, 100_000), options(least=1))
def test_no_split_is_a_whole_sample_away_from_its_share(count, split):
    counts = allocate(count, shares(split))
    assert sum(counts.values()) == count
    for name, share in shares(split).items():
        assert abs(counts[name] - count * share) < 1 + 1e-6


def test_of_equal_remainders_the_smaller_share_gets_the_sample():
    # 3.5, 0.5 and 1: without that rule nothing would be left for val
    assert allocate(5, shares(Split(val=0.1, test=0.2))) == {"train": 3, "val": 1, "test": 1}


@given(st.lists(st.integers(20, 60), min_size=1, max_size=6), options(), st.randoms(use_true_random=False))
def test_a_stratified_split_keeps_the_balance_of_classes(sizes, split, random):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    random.shuffle(labels)
    rows = split_stratified(labels, [str(index) for index in range(len(sizes))], split)
    assert_every_row_once_in_ascending_order(rows, len(labels))
    for name, share in shares(split).items():
        found = np.bincount(labels[rows[name]], minlength=len(sizes))
        assert (found > 0).all()
        assert (abs(found - np.array(sizes) * share) < 1 + 1e-6).all()


@given(st.integers(20, 300), options())
def test_a_random_split_takes_every_sample_once(count, split):
    assert_every_row_once_in_ascending_order(split_random(count, split), count)


@given(st.integers(20, 300), options())
def test_a_split_by_time_lets_nothing_of_the_future_into_the_past(count, split):
    rows = split_by_time(count, split)
    assert_every_row_once_in_ascending_order(rows, count)
    assert rows["train"][-1] < rows["val"][0]
    assert rows["val"][-1] < rows["test"][0]
    # contiguous: nothing is left out between the splits
    assert np.array_equal(np.concatenate(list(rows.values())), np.arange(count))


def test_the_seed_decides_the_split():
    labels = np.arange(200) % 4

    def test_rows(seed):
        return split_stratified(labels, "abcd", Split(seed=seed))["test"].tolist()

    assert test_rows(3) == test_rows(3)
    assert test_rows(3) != test_rows(4)


def test_a_split_stays_the_same_in_every_release():
    # written down once: another result means that datasets prepared earlier are split differently
    assert split_random(20, Split(val=0.1, test=0.2, seed=0))["test"].tolist() == [5, 9, 12, 16]


def test_every_sample_can_be_drawn():
    drawn = set()
    for seed in range(60):
        drawn.update(split_random(20, Split(val=0.1, test=0.2, seed=seed))["test"].tolist())
    assert drawn == set(range(20))


def test_a_class_with_too_few_samples_is_named():
    labels = np.array([0] * 20 + [1] * 3)
    with pytest.raises(DataError, match="class 'rare' has 3 samples, which gives 2 for train, 0 for val, 1 for test"):
        split_stratified(labels, ["common", "rare"], Split(val=0.1, test=0.2))


@pytest.mark.parametrize("split", [split_random, split_by_time])
def test_a_split_that_would_be_empty_is_refused(split):
    with pytest.raises(DataError, match="4 samples give 3 for train, 0 for val, 1 for test"):
        split(4, Split(val=0.1, test=0.2))


TEST = np.arange(10, 60)


@given(options(), st.booleans(), st.sampled_from([{"test"}, {"val"}, {"val", "test"}, {"train"}, {"train", "test"}]))
def test_parts_that_the_source_sets_apart_stay_as_they_are(split, stratify, named):
    labels = np.arange(200) % 2
    whole = {"val": np.arange(60, 100), "test": TEST}
    given = {name: whole[name] for name in named & whole.keys()}
    if "train" in named:
        given["train"] = np.setdiff1d(np.arange(200), np.concatenate([[], *given.values()]))
    rows = split_samples(labels, ["even", "odd"], given, split.model_copy(update={"stratify": stratify}))
    assert_every_row_once_in_ascending_order(rows, 200)
    for name in given.keys() - {"train"}:
        assert np.array_equal(rows[name], given[name])
    pool = 200 - sum(len(given[name]) for name in given.keys() - {"train"})
    for name in {"val", "test"} - given.keys():
        assert abs(len(rows[name]) - pool * getattr(split, name)) < 2 + 1e-6


def test_all_parts_given_are_the_split():
    given = {"val": np.array([4, 3]), "train": np.array([5, 0]), "test": np.array([1, 2])}
    rows = split_random(6, Split(), given)
    assert {name: part.tolist() for name, part in rows.items()} == {"train": [0, 5], "val": [3, 4], "test": [1, 2]}


def test_parts_are_split_anew_when_that_is_asked_for(caplog):
    caplog.set_level("INFO")
    anew = Split(given=False)
    assert {name: part.tolist() for name, part in split_random(100, anew, {"test": TEST}).items()} == {
        name: part.tolist() for name, part in split_random(100, Split()).items()
    }
    assert "split.given is false: all samples are split anew, those of test too" in caplog.text


def test_a_share_that_is_not_used_is_said(caplog):
    caplog.set_level("INFO")
    split_random(100, Split(), {"test": TEST})
    assert caplog.messages == ["split.test is not used: the source sets 50 samples apart for test"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"val": [1, 2], "test": [2, 3]}, "parts val and test .* share 1 samples, the first is sample 2"),
        ({"test": []}, "the part 'test' .* is empty"),
        ({"train": [0, 1], "test": [2, 3]}, "46 samples are in none of the parts train and test .* is sample 4"),
        ({"val": [0], "test": range(1, 50)}, "0 samples give 0 for train"),
    ],
)
def test_parts_that_are_no_split_are_refused(parts, message):
    given = {name: np.array(rows, np.int64) for name, rows in parts.items()}
    with pytest.raises(DataError, match=message):
        split_random(50, Split(), given)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"validation": np.arange(5)}, "sets a part 'validation' apart; allowed: train, val, test"),
        ({"test": [1, 2, 3]}, "the part 'test' .* is no array of row numbers"),
        ({"test": np.arange(50) < 9}, "the part 'test' .* is no array of row numbers"),
        ({"test": np.arange(45, 51)}, "the part 'test' .* has the rows 45 to 50; allowed: 0 to 49"),
        ({"val": np.array([-1, 3])}, "the part 'val' .* has the rows -1 to 3; allowed: 0 to 49"),
    ],
)
def test_parts_that_no_source_can_mean_are_refused(parts, message):
    with pytest.raises(DataError, match=message):
        split_random(50, Split(), parts)


def test_a_class_that_only_the_test_knows_is_named():
    labels = np.array([0] * 30 + [1] * 5)
    with pytest.raises(DataError, match="class 'new' has 0 samples outside test, which gives 0 for train, 0 for val"):
        split_stratified(labels, ["old", "new"], Split(), {"test": np.arange(20, 35)})


def test_numbers_are_split_at_random():
    rows = split_samples(np.linspace(0, 1, 40), (), {}, Split())
    assert_every_row_once_in_ascending_order(rows, 40)
