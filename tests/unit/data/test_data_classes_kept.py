"""Some classes, and few samples of each."""

import numpy as np
import pyarrow as pa
import pytest

from snaketorch.config.datasets import Split
from snaketorch.data.chosen_classes import only_classes
from snaketorch.data.raw.labelled import Labelled
from snaketorch.data.raw.rows import RawRows
from snaketorch.data.split import split_samples
from snaketorch.errors import DataError

CLASSES = ("ant", "bee", "cat")
LABELS = np.arange(90) % 3


def labelled(**given) -> Labelled:
    return Labelled(labels=LABELS, classes=CLASSES, names=[str(row) for row in range(90)], given=given)


def split(raw: Labelled, **options) -> dict[str, np.ndarray]:
    return split_samples(raw.labels, raw.classes, raw.given, Split(**options))


def test_samples_of_other_classes_are_in_no_split():
    raw = only_classes(labelled(), ["cat", "ant"])
    parts = split(raw)

    rows = np.concatenate([*parts.values()])
    assert raw.classes == ("cat", "ant")
    assert sorted(rows) == [row for row in range(90) if LABELS[row] != 1]
    assert {(int(LABELS[row]), int(raw.labels[row])) for row in rows} == {(2, 0), (0, 1)}


def test_parts_that_the_source_sets_apart_lose_the_other_classes_too():
    raw = only_classes(labelled(test=np.arange(30), train=np.arange(30, 90)), ["ant", "bee"])
    parts = split(raw)

    assert parts["test"].tolist() == [row for row in range(30) if LABELS[row] != 2]
    assert all((raw.labels[rows] >= 0).all() for rows in parts.values())
    with pytest.raises(DataError, match=r"the part test that the source sets apart has no sample of split.classes"):
        split(only_classes(labelled(test=np.array([2, 5])), ["ant", "bee"]))


def test_a_class_that_is_not_there_is_refused():
    with pytest.raises(DataError, match=r"split.classes: there is no class 'dog'; allowed: ant, bee, cat"):
        only_classes(labelled(), ["ant", "dog"])


def test_all_classes_stay_when_none_are_named():
    raw = labelled()

    assert only_classes(raw, None) is raw


def test_rows_of_a_table_are_chosen_by_their_target():
    table = pa.table({"size": np.arange(90.0)})
    raw = RawRows(
        table=table, target=LABELS, target_name="kind", classes=CLASSES, names=[str(row) for row in range(90)]
    )

    assert only_classes(raw, ["bee", "cat"]).target[:4].tolist() == [-1, 0, 1, -1]


@pytest.mark.parametrize("stratify", [True, False])
def test_few_training_samples_of_each_class_are_kept_and_all_of_the_others(stratify):
    raw = labelled()
    whole, few = split(raw, stratify=stratify), split(raw, stratify=stratify, samples_per_class=4)

    assert np.bincount(LABELS[few["train"]]).tolist() == [4, 4, 4]
    assert set(few["train"]) < set(whole["train"])
    assert all(np.array_equal(few[name], whole[name]) for name in ("val", "test"))
    assert not np.array_equal(few["train"], split(raw, stratify=stratify, samples_per_class=4, seed=1)["train"])


def test_more_than_there_are_of_a_class_is_all_of_it():
    assert np.array_equal(split(labelled(), samples_per_class=1000)["train"], split(labelled())["train"])
