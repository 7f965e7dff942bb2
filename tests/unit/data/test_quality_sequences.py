import numpy as np
import pytest
from quality_stores import CLASSES, checks, make_store

from snaketorch.data.quality.sequences import examine_sequences
from snaketorch.data.quality.series import examine_series
from snaketorch.data.quality.texts import examine_corpus, examine_texts

COUNTS = {"train": 60, "val": 10, "test": 14}


def labels():
    return {split: np.arange(count) % 2 for split, count in COUNTS.items()}


@pytest.fixture
def values():
    random = np.random.default_rng(0)
    return {split: random.normal(size=(count, 20, 2)).astype(np.float32) for split, count in COUNTS.items()}


def sequences(tmp_path, values, **more):
    store, names = make_store(tmp_path / "store", value=values, label=labels(), **more)
    return checks(examine_sequences(store, names, CLASSES, ("x", "y")))


def test_good_sequences_give_no_finding(tmp_path, values):
    assert sequences(tmp_path, values) == {}


def test_a_sequence_in_two_splits_a_constant_channel_and_an_outlier_are_found(tmp_path, values):
    values["test"][2] = values["train"][4]
    values["val"][:, :, 1] = 3
    values["train"][9, 13, 0] = 500
    found = sequences(tmp_path, values)
    assert set(found) == {"leakage", "constant channel", "outliers"}
    assert found["leakage"].examples == ("test: t2 = train: t4",)
    assert found["constant channel"].examples == ("val: y is 3",)
    assert found["outliers"].examples == ("train: t9, x is 500 at step 13",)


def test_heavy_tails_are_no_outliers(tmp_path, values):
    assert sequences(tmp_path, {split: array**7 for split, array in values.items()}) == {}


def ragged(lengths):
    random = np.random.default_rng(0)
    starts = {split: np.cumsum([0, *lengths[split]]) for split in COUNTS}
    return {split: random.normal(size=(start[-1], 2)).astype(np.float32) for split, start in starts.items()}, starts


def test_sequences_of_unequal_lengths_are_compared_one_by_one(tmp_path):
    lengths = {split: [10 + row % 5 for row in range(count)] for split, count in COUNTS.items()}
    values, starts = ragged(lengths)
    values["val"][starts["val"][1] : starts["val"][2]] = values["train"][starts["train"][11] : starts["train"][12]]
    found = sequences(tmp_path, values, value_start=starts)
    assert set(found) == {"leakage"}
    assert found["leakage"].examples == ("val: v1 = train: t11",)


def test_a_sequence_much_longer_than_the_others_is_told_of(tmp_path):
    lengths = {split: [10] * count for split, count in COUNTS.items()}
    lengths["test"][3] = 200
    values, starts = ragged(lengths)
    assert sequences(tmp_path, values, value_start=starts)["lengths"].examples == ("test: t3, 200 steps",)


@pytest.fixture
def series():
    random = np.random.default_rng(0)
    steps = random.normal(size=(400, 2)).astype(np.float32)
    return {"train": steps[:300], "val": steps[300:340], "test": steps[340:]}


def examine(tmp_path, series):
    store, _ = make_store(tmp_path / "store", value=series)
    return checks(examine_series(store, ("x", "y")))


def test_a_good_series_gives_no_finding(tmp_path, series):
    assert examine(tmp_path, series) == {}


@pytest.mark.parametrize(("length", "fires"), [(12, True), (6, False)])
def test_a_long_stretch_of_one_value_looks_stuck(tmp_path, series, length, fires):
    series["train"][50 : 50 + length, 1] = 0.25
    found = examine(tmp_path, series)
    assert set(found) == ({"stuck"} if fires else set())
    assert not fires or found["stuck"].examples == (f"train: y is 0.25 for {length} steps from step 50",)


def test_a_state_that_comes_back_is_not_stuck(tmp_path, series):
    for start in range(0, 300, 50):
        series["train"][start : start + 12, 1] = 0
    assert examine(tmp_path, series) == {}


def test_an_outlier_of_a_series_is_named_with_its_step(tmp_path, series):
    series["test"][7, 0] = -90
    assert examine(tmp_path, series)["outliers"].examples == ("test: x is -90 at step 7",)


def test_a_test_split_far_from_training_has_drifted(tmp_path, series):
    series["test"] = series["test"] + np.float32([0, 5])
    found = examine(tmp_path, series)
    assert set(found) == {"drift"}
    assert "above train" in found["drift"].examples[0] and found["drift"].examples[0].startswith("test: y")


def test_a_channel_that_stands_still_in_the_test_is_told_of(tmp_path, series):
    series["test"] = np.stack([series["test"][:, 0], np.full(60, 0.5, np.float32)], axis=1)
    assert examine(tmp_path, series)["constant channel"].examples == ("test: y is 0.5",)


def test_a_series_larger_than_what_is_read_at_once_gives_the_same_findings(tmp_path, series, monkeypatch):
    series["train"][50:62, 1] = 0.25
    series["val"][5:, 0] = 0.5
    series["test"] = series["test"] + np.float32([0, 5])
    series["test"][7, 0] = -90
    whole = examine(tmp_path, series)
    assert set(whole) == {"stuck", "outliers", "drift"}
    monkeypatch.setattr("snaketorch.data.quality.digests.CHUNK_BYTES", 28)
    assert examine(tmp_path, series) == whole


def test_sequences_larger_than_what_is_read_at_once_give_the_same_findings(tmp_path, values, monkeypatch):
    values["val"][:, :, 1] = 3
    values["test"][9, 13, 0] = values["train"][2, 1, 1] = 500
    whole = sequences(tmp_path, values)
    assert whole["outliers"].count == 2
    monkeypatch.setattr("snaketorch.data.quality.digests.CHUNK_BYTES", 28)
    assert sequences(tmp_path, values) == whole


def texts(tmp_path, change=lambda texts: None):
    random = np.random.default_rng(0)
    every = {split: [random.integers(2, 90, 8) for _ in range(count)] for split, count in COUNTS.items()}
    change(every)
    store, names = make_store(
        tmp_path / "store",
        token={split: np.concatenate(found).astype(np.int32) for split, found in every.items()},
        token_start={split: np.cumsum([0, *map(len, found)]) for split, found in every.items()},
        label=labels(),
    )
    return checks(examine_texts(store, names, CLASSES))


def test_good_texts_give_no_finding(tmp_path):
    assert texts(tmp_path) == {}


def test_a_text_in_two_splits_with_another_label_is_a_problem_twice(tmp_path):
    def change(every):
        every["test"][3] = every["train"][4]

    found = texts(tmp_path, change)
    assert set(found) == {"leakage", "different labels"}
    assert found["different labels"].examples == ("test: t3 (dog) = train: t4 (cat)",)


def test_short_and_unknown_texts_are_equal_by_chance(tmp_path):
    def change(every):
        every["test"][3] = every["train"][4] = np.array([5, 6])
        every["test"][5] = every["train"][6] = np.ones(8, int)

    assert texts(tmp_path, change) == {}


def test_an_empty_text_is_named(tmp_path):
    def change(every):
        every["val"][3] = np.empty(0, int)
        every["val"][4] = np.array([7])

    found = texts(tmp_path, change)
    assert set(found) == {"short texts"}
    assert found["short texts"].examples == ("val: v3", "val: v4") and "1 have none" in found["short texts"].summary


@pytest.mark.parametrize(("unknown", "fires"), [(20, True), (5, False)])
def test_many_unknown_tokens_of_a_corpus_are_told_of(tmp_path, unknown, fires):
    tokens = {split: np.arange(100, dtype=np.int32) + 2 for split in COUNTS}
    tokens["test"][:unknown] = 1
    store, _ = make_store(tmp_path / "store", token=tokens)
    found = checks(examine_corpus(store))
    assert set(found) == ({"unknown tokens"} if fires else set())
    assert not fires or "20% in test" in found["unknown tokens"].summary
