import numpy as np
import pytest
from quality_stores import CLASSES, checks, make_store

from snaketorch.data.quality.rows import examine_rows

COUNTS = {"train": 60, "val": 10, "test": 14}
FIELDS = {"number": {"names": ["age", "height"]}, "category": {"names": ["town"]}, "label": {}}


@pytest.fixture
def rows():
    random = np.random.default_rng(0)
    numbers = {split: random.normal(size=(count, 2)).astype(np.float32) for split, count in COUNTS.items()}
    towns = {split: random.integers(1, 4, (count, 1)).astype(np.int32) for split, count in COUNTS.items()}
    return {"number": numbers, "category": towns, "label": {s: np.arange(count) % 2 for s, count in COUNTS.items()}}


def examine(tmp_path, rows, fields=FIELDS):
    store, names = make_store(tmp_path / "store", **rows)
    return checks(examine_rows(store, names, fields, CLASSES))


def copy(rows, of, to):
    for field in ("number", "category"):
        rows[field][to[0]][to[1]] = rows[field][of[0]][of[1]]


def test_good_rows_give_no_finding(tmp_path, rows):
    assert examine(tmp_path, rows) == {}


def test_a_row_in_two_splits_is_a_problem(tmp_path, rows):
    copy(rows, ("train", 4), ("test", 6))
    found = examine(tmp_path, rows)
    assert set(found) == {"leakage"}
    assert found["leakage"].severity == "problem" and found["leakage"].examples == ("test: t6 = train: t4",)


def test_equal_rows_of_few_values_are_only_a_hint(tmp_path, rows):
    rows = {"category": rows["category"], "label": rows["label"]}
    found = examine(tmp_path, rows, {"category": {"names": ["town"]}, "label": {}})
    assert {found["leakage"].severity, found["different labels"].severity} == {"hint"}


def test_the_same_features_with_another_class_are_told_of(tmp_path, rows):
    copy(rows, ("train", 4), ("train", 7))
    found = examine(tmp_path, rows)["different labels"]
    assert found.examples == ("train: t7 (dog) = train: t4 (cat)",)


def test_a_constant_column_and_an_outlier_are_named(tmp_path, rows):
    rows["category"]["train"][:] = 2
    rows["number"]["val"][3, 1] = 1000
    found = examine(tmp_path, rows)
    assert set(found) == {"constant column", "outliers"}
    assert found["constant column"].examples == ("town",)
    assert found["outliers"].examples == ("val: v3, height is 1000",)


def test_a_running_number_looks_like_an_id(tmp_path, rows):
    rows["number"]["train"][:, 0] = np.arange(60) * 3
    assert examine(tmp_path, rows)["id column"].examples == ("age",)


@pytest.mark.parametrize(("field", "name"), [("number", "age"), ("category", "town")])
def test_a_column_that_tells_the_class_alone_is_suspected(tmp_path, rows, field, name):
    rows[field]["train"][:, 0] += 10 * rows["label"]["train"].astype(rows[field]["train"].dtype)
    assert examine(tmp_path, rows)["target leakage"].examples == (name,)


@pytest.mark.parametrize(("noise", "fires"), [(0, True), (1, False)])
def test_a_column_that_is_the_number_to_tell_is_suspected(tmp_path, rows, noise, fires):
    random = np.random.default_rng(1)
    target = {s: 3 * a[:, 1] + noise * random.normal(size=len(a)) for s, a in rows["number"].items()}
    found = examine(tmp_path, {"number": rows["number"], "target": target}, {"number": FIELDS["number"], "target": {}})
    assert set(found) == ({"target leakage"} if fires else set())
