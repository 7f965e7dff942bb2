import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snaketorch.config.datasets import Split
from snaketorch.data.manifest import SPLITS
from snaketorch.data.split import allocate, split_by_time, split_random, split_stratified
from snaketorch.errors import DataError


@st.composite
def options(draw, least=5):
    """Shares in whole percent, each at least ``least``: 20 samples then give every split some."""
    val = draw(st.integers(least, 60))
    test = draw(st.integers(least, 100 - least - val))
    return Split(val=val / 100, test=test / 100, seed=draw(st.integers(0, 2**32 - 1)))


def shares(split):
    return {"train": 1 - split.val - split.test, "val": split.val, "test": split.test}


def assert_every_row_once_in_ascending_order(rows, count):
    assert list(rows) == list(SPLITS)
    assert sorted(np.concatenate(list(rows.values()))) == list(range(count))
    for part in rows.values():
        assert (np.diff(part) > 0).all()
        assert len(part)


@given(st.integers(0, 100_000), options(least=1))
def test_no_split_is_a_whole_sample_away_from_its_share(count, split):
    counts = allocate(count, split)
    assert sum(counts.values()) == count
    for name, share in shares(split).items():
        assert abs(counts[name] - count * share) < 1 + 1e-6


def test_of_equal_remainders_the_smaller_share_gets_the_sample():
    # 3.5, 0.5 and 1: without that rule nothing would be left for val
    assert allocate(5, Split(val=0.1, test=0.2)) == {"train": 3, "val": 1, "test": 1}


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
