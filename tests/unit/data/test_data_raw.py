import numpy as np
import pyarrow as pa
import pytest

from snaketorch.data.raw.images import RawClips, RawImages
from snaketorch.data.raw.labelled import Labelled
from snaketorch.data.raw.rows import RawRows
from snaketorch.data.raw.sequences import RawSequences
from snaketorch.data.raw.series import RawSeries
from snaketorch.data.readers import MemoryReader
from snaketorch.errors import DataError

LABELS = np.array([0, 1, 0, 1])
CLASSES = ("cat", "dog")


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        (LABELS[:0], CLASSES, "there are no samples"),
        (LABELS[:3], CLASSES, r"labels are int64 of shape \(3,\)"),
        (LABELS.astype(np.int32), CLASSES, "labels are int32"),
        (np.array([0, 1, 2, 1]), CLASSES, "1 labels are outside .* is 2 of sample 2; allowed: 0 to 1"),
        (np.array([0, 1, 0, -1]), CLASSES, "the first is -1 of sample 3"),
        (LABELS, ("cat", "dog", "cow"), "no sample is of class 'cow'"),
        (LABELS, ("cat", "cat"), "class 'cat' is there twice"),
    ],
)
def test_labels_that_cannot_be_what_they_claim_are_refused(labels, classes, message):
    names = [f"sample {row}" for row in range(4 if len(labels) else 0)]
    with pytest.raises(DataError, match=message):
        Labelled(labels=labels, classes=classes, names=names)


@pytest.mark.parametrize(
    ("columns", "target", "classes", "message"),
    [
        ({"a": [1, 2, 3, 4]}, LABELS, CLASSES, r"column 'a' holds int64; allowed: numbers as float64 \(`.cast"),
        ({"a": list("xyxy")}, LABELS, CLASSES, r"column 'a' holds string; .*\(`.dictionary_encode"),
        ({"a": [True] * 4}, LABELS, CLASSES, "column 'a' holds bool"),
        ({"a": [1.0] * 4}, LABELS[:3], CLASSES, r"the target 't' is int64 of shape \(3,\), for 4 names and 4 rows"),
        ({"a": [1.0] * 5}, LABELS, CLASSES, "for 4 names and 5 rows; allowed: int64, and a target and a name for each"),
        ({"a": [1.0] * 4}, LABELS * 1.0, CLASSES, "is float64 of shape .* allowed: int64"),
        ({"a": [1.0] * 4}, LABELS, (), "is int64 of shape .* allowed: float64"),
        ({"a": [1.0] * 4}, LABELS + 1, CLASSES, "sample 1: the target is 2, outside the classes; allowed: 0 to 1"),
    ],
)
def test_rows_that_cannot_be_what_they_claim_are_refused(columns, target, classes, message):
    names = [f"sample {row}" for row in range(4)]
    with pytest.raises(DataError, match=message):
        RawRows(table=pa.table(columns), target=target, target_name="t", classes=classes, names=names)


def test_samples_without_a_label_are_refused():
    names = [f"sample {row}" for row in range(4)]
    pixels = MemoryReader(np.zeros((5, 1, 2, 2), np.uint8))
    for kind in (RawImages, RawClips):
        with pytest.raises(DataError, match="there are 5 samples and 4 labels; allowed: one label a sample"):
            kind(reader=pixels, labels=LABELS, classes=CLASSES, names=names)
    for count in (3, 5):
        with pytest.raises(DataError, match=f"there are {count} sequences and 4 labels"):
            RawSequences(values=[VALUES] * count, channels=("a", "b"), labels=LABELS, classes=CLASSES, names=names)


VALUES = np.arange(8.0).reshape(4, 2)
TIME = np.arange(4.0)


@pytest.mark.parametrize(
    ("values", "names", "time", "message"),
    [
        (VALUES.astype(int), "ab", TIME, "the values are int64"),
        (VALUES[:, 0], "a", TIME, r"shape \(4,\)"),
        (VALUES[:0], "ab", TIME[:0], "the series is empty"),
        (VALUES[:, :0], "", TIME, "the series is empty"),
        (VALUES, "abc", TIME, "2 channels have 3 names"),
        (VALUES, "ab", TIME[:3], r"time is float64 of shape \(3,\)"),
        (VALUES, "ab", np.array([0, 1, np.nan, 3]), "time is missing at row 2"),
        (VALUES, "ab", np.array([0.0, 2, 1, 3]), "row 2 is at 1 .* the row before it at 2"),
        (VALUES, "ab", np.array([0.0, 1, 1, 3]), "time does not go forwards: row 2"),
        (np.where(VALUES == 5, -np.inf, VALUES), "ab", TIME, "'b' is infinite at row 2"),
    ],
)
def test_a_series_that_cannot_be_what_it_claims_is_refused(values, names, time, message):
    with pytest.raises(DataError, match=message):
        RawSeries(values, tuple(names), ("",) * len(names), time, "year")


def test_missing_values_are_no_error_in_what_a_source_gives():
    raw = RawSeries(np.array([[np.nan], [1.0]]), ("a",), ("",), TIME[:2], "year")
    assert np.isnan(raw.values[0, 0])
