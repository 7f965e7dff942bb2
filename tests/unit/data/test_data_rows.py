import numpy as np
import pyarrow as pa
import pytest

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.raw.rows import RawRows
from snaketorch.data.rows import prepare_rows
from snaketorch.data.store import Store
from snaketorch.errors import DataError

SPLIT = {"val": 0.2, "test": 0.2}


@pytest.fixture
def prepared(tmp_path):
    """Prepares columns and a target: ``prepared(columns, target, split, options)``; gives it and its store."""

    def make(columns, target=None, classes=("x", "y"), given=None, split=SPLIT, **options):
        rows = len(next(iter(columns.values())))
        target = np.arange(rows, dtype=np.int64) % max(1, len(classes)) if target is None else np.array(target)
        raw = RawRows(
            table=pa.table({name: _column(values) for name, values in columns.items()}),
            target=target if classes else target.astype(np.float64),
            target_name="t",
            classes=classes,
            names=[f"line {row + 2}" for row in range(rows)],
            given=given or {},
        )
        source = {"kind": "table", "path": "a.csv", "target": "t", "predict": "class" if classes else "number"}
        spec = {"dataset": "some", "source": source, "split": split, "prepare": options}
        store = Store(tmp_path, "arrays")
        return prepare_rows(raw, PrepareSpec.model_validate(spec), store), store

    def _column(values):
        texts = any(isinstance(value, str) for value in values)
        return pa.array(values).dictionary_encode() if texts else pa.array(values, pa.float64())

    return make


def test_numbers_and_categories_become_arrays_with_what_they_mean(prepared):
    found, store = prepared({"n": range(20), "s": ["a", "b"] * 10, "m": [5.0, 7.0] * 10})
    assert found.fields["number"]["names"] == ["n", "m"]
    assert found.fields["category"]["names"] == ["s"]
    assert found.fields["category"]["values"] == [["a", "b"]]
    assert found.fields["label"]["dtype"] == "int64"
    assert {split: facts["count"] for split, facts in found.splits.items()} == {"train": 12, "val": 4, "test": 4}
    assert found.splits["train"]["class_counts"] == [6, 6]
    for split in ("train", "val", "test"):
        number, category, label = (store.read(split, field) for field in ("number", "category", "label"))
        assert (number.dtype, category.dtype, label.dtype) == (np.float32, np.int32, np.int64)
        assert (number[:, 0] % 2 == label).all()
        assert (number[:, 1] == 5 + 2 * label).all()
        assert (category[:, 0] == 1 + label).all()


def test_statistics_are_of_the_training_split_alone(prepared):
    found, store = prepared({"n": np.arange(30.0) ** 2, "one": [4.0] * 30})
    train = store.read("train", "number").astype(np.float64)
    assert found.fields["number"]["statistics"]["mean"] == pytest.approx(train.mean(0), rel=1e-12)
    assert found.fields["number"]["statistics"]["std"] == pytest.approx([train[:, 0].std(), 1], rel=1e-12)


def test_values_that_are_not_in_the_training_split_are_unknown_and_counted(prepared):
    given = {"test": np.arange(8, 12)}
    values = ["a", "b", "c", "a"] * 2 + ["new", "a", "new", "b"]
    found, store = prepared({"s": values}, given=given, split={"val": 0.25})
    assert "new" not in found.fields["category"]["values"][0]
    assert store.read("test", "category")[[0, 2], 0].tolist() == [0, 0]
    assert found.report.facts["values that are not in the training split"]["s"]["test"] >= 2


def test_missing_values_are_refused_with_their_rows(prepared):
    columns = {"n": [1.0, None, *range(18)], "s": ["a"] * 18 + [None, "b"]}
    with pytest.raises(DataError) as error:
        prepared(columns)
    assert "values are missing: 'n': 1 of 20, the first at line 3; 's': 1 of 20, the first at line 20" in str(
        error.value
    )


def test_numbers_that_are_no_number_are_missing_too(prepared):
    with pytest.raises(DataError, match="values are missing: 'n': 2 of 20, the first at line 3"):
        prepared({"n": [1.0, np.nan, None, *range(17)]})
    found, _ = prepared({"n": [1.0, np.nan, None, *range(17)]}, missing="median")
    assert found.report.facts["missing numbers"]["n"]["values"] == 2


def test_missing_numbers_become_the_median_of_the_training_split(prepared):
    numbers = [float(row * row) for row in range(20)]
    numbers[5] = numbers[7] = None
    found, store = prepared({"n": numbers, "row": range(20), "s": ["a", None] * 10}, missing="median")
    arrays = {split: store.read(split, "number") for split in ("train", "val", "test")}
    known = [numbers[int(row)] for row in arrays["train"][:, 1] if int(row) not in (5, 7)]
    filled = {int(row): value for array in arrays.values() for value, row in array}
    assert filled[5] == filled[7] == np.float32(np.median(known))
    assert found.report.facts["missing numbers"] == {"n": {"values": 2, "filled with": np.median(known)}}
    assert found.report.facts["missing categories"] == {"s": 10}
    assert found.fields["category"]["values"] == [["a"]]
    assert set(store.read("train", "category")[:, 0].tolist()) == {0, 1}


def test_a_column_without_a_value_in_the_training_split_cannot_be_filled(prepared):
    with pytest.raises(DataError, match="'n' has no value in the training split"):
        prepared({"n": [None] * 8 + [1.0, 2.0], "m": range(10)}, given={"test": np.arange(8, 10)}, missing="median")


def test_a_number_to_tell_has_statistics(prepared):
    found, store = prepared({"n": range(20)}, target=np.arange(20) * 3, classes=())
    target = store.read("train", "target")
    assert target.dtype == np.float32
    assert found.fields["target"]["name"] == "t"
    assert found.fields["target"]["statistics"] == pytest.approx({"mean": target.mean(), "std": target.std()})
    assert "class_counts" not in found.splits["train"]
    assert found.classes == ()


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"n": [1.0] * 20, "s": ["a"] * 20}, {}, "no column changes in the training split: n, s"),
        ({"n": [1e39, *range(19)]}, {}, r"line 2: 'n' is 1e\+39; allowed: up to"),
        ({"n": [float("inf"), *range(19)]}, {}, "line 2: 'n' is inf; allowed"),
        ({"n": range(20)}, {"target": [5.0] * 20, "classes": ()}, "'t' is to be told and is 5 all through"),
        ({"n": range(3)}, {}, "class 'x' has 2 samples"),
    ],
)
def test_rows_that_nothing_can_be_learnt_from_are_refused(prepared, columns, options, said):
    with pytest.raises(DataError, match=said):
        prepared(columns, **options)


def test_the_preview_is_drawn(prepared, tmp_path):
    found, _ = prepared({"n": range(20), "s": ["a", None] * 10}, missing="median")
    found.draw(tmp_path / "preview.png")
    assert (tmp_path / "preview.png").read_bytes().startswith(b"\x89PNG")


def test_a_column_of_free_text_is_refused_as_a_category(prepared):
    rows = 3000
    town = [f"town {row % 90}" for row in range(rows)]
    found, _ = prepared({"town": town})
    assert len(found.fields["category"]["values"][0]) == 90
    with pytest.raises(DataError, match=r"'review' has 1,800 different values in 1,800 training rows: free text"):
        prepared({"town": town, "review": [f"text {row}" for row in range(rows)]})
