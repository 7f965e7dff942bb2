"""What is to be told of samples, a class or a number: in the store, in the manifest, in pictures."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from snaketorch.data.raw.labelled import Labelled
from snaketorch.data.statistics import channel_statistics
from snaketorch.data.store import Store
from snaketorch.errors import DataError

log = logging.getLogger(__name__)

BANDS = 5
"""Groups of samples with numbers in a picture, each of about as many training samples."""


def has_several(raw: Labelled) -> bool:
    """Whether samples have any number of labels in place of one class."""
    return raw.labels.ndim == 2


def write_answers(raw: Labelled, store: Store, split: str, labels: np.ndarray) -> dict[str, Any]:
    """Writes `label` (int64) or `target` (float32) of a split. What the manifest says of the split."""
    if not raw.classes:
        store.write(split, "target", labels.astype(np.float32))
        return {"count": len(labels)}
    store.write(split, "label", labels)
    return {"count": len(labels), "class_counts": count_classes(split, labels, raw.classes)}


def answer_fields(raw: Labelled, store: Store) -> dict[str, Any]:
    """The field that all splits were written to, for the manifest. DataError when no number differs from another."""
    if not raw.classes:
        return number_field(store, raw.target_name)
    return {"label": {"dtype": "int64", "shape": [len(raw.classes)] if has_several(raw) else []}}


def number_field(store: Store, name: str) -> dict[str, Any]:
    """The field `target` of numbers, with statistics of the training split. DataError when these are all alike."""
    train = store.read("train", "target")
    if (train == train[0]).all():
        raise DataError(
            f"'{name}' is to be told and is {train[0]:g} all through the training split; allowed: numbers that differ. "
            "Is it the right column?"
        )
    statistics = {key: values[0] for key, values in channel_statistics(train[:, None]).items()}
    return {"target": {"dtype": "float32", "shape": [], "name": name, "statistics": statistics}}


def read_answers(store: Store) -> dict[str, np.ndarray]:
    """Labels or numbers by split; of several labels, a number for each set of them that occurs."""
    field = "label" if "label" in store.arrays["train"] else "target"
    answers = {split: np.asarray(store.read(split, field)) for split in store.arrays}
    return _numbered(answers)[0] if answers["train"].ndim == 2 else answers


def classes_to_examine(raw: Labelled) -> tuple[str, ...]:
    """The classes that every sample has one of; none of numbers, and of several labels."""
    return () if has_several(raw) else raw.classes


def set_names(raw: Labelled, store: Store) -> tuple[str, ...]:
    """Of several labels, what the sets that ``read_answers`` numbers are called; else none."""
    if not has_several(raw):
        return ()
    _, sets = _numbered({split: np.asarray(store.read(split, "label")) for split in store.arrays})
    return tuple(name_of(labels, raw.classes) for labels in sets)


def name_of(label: Any, classes: Sequence[str]) -> str:
    """What a sample's label is called; several of them in one line."""
    if np.ndim(label) == 0:
        return classes[int(label)]
    return ", ".join(classes[index] for index in np.flatnonzero(np.asarray(label))) or "none"


def _numbered(answers: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A number for each sample's set of labels, by split, and the sets (sets, classes), the most frequent first."""
    every = np.concatenate([*answers.values()])
    sets, numbers, times = np.unique(every, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(-times, kind="stable")
    ends = np.cumsum([len(values) for values in answers.values()])[:-1]
    parts = np.split(np.argsort(order)[numbers.reshape(-1)], ends)
    return dict(zip(answers, parts, strict=True)), sets[order]


def count_classes(split: str, labels: np.ndarray, classes: Sequence[str]) -> list[int]:
    """Samples of each class in a split, or to which each label applies; one without any is said in the log."""
    counts = _counts(labels, classes).tolist()
    absent = [name for name, count in zip(classes, counts, strict=True) if not count]
    if absent:
        log.warning("%s has no sample of class %s; `split: {stratify: true}` gives it some", split, ", ".join(absent))
    return counts


def samples_of_classes(raw: Labelled, rows: np.ndarray) -> np.ndarray:
    """Samples of each class among ``rows``; empty where there are no classes."""
    return _counts(raw.labels[rows], raw.classes) if raw.classes else np.empty(0, np.int64)


def _counts(labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    return labels.sum(0) if labels.ndim == 2 else np.bincount(labels, minlength=len(classes))


@dataclass(frozen=True, eq=False)
class Groups:
    """Samples in groups, as a picture shows them: by class, by the set of their labels, or by ranges of a number."""

    labels: np.ndarray
    """int64, of the training samples, each an index into ``names``."""
    names: tuple[str, ...]
    counts: Mapping[str, Sequence[int]]
    """Samples of each group, by split."""
    line: str
    """What the groups are: `10 classes`."""


def groups(raw: Labelled, store: Store) -> Groups:
    """The groups of what ``store`` holds."""
    answers = read_answers(store)
    if has_several(raw):
        found, names = answers, set_names(raw, store)
        line = f"{len(raw.classes)} labels in {len(names)} sets"
    elif raw.classes:
        found, names, line = answers, raw.classes, f"{len(raw.classes)} classes"
    else:
        train = answers["train"]
        above = train[train > train.min()]  # some are: the statistics have seen to that
        edges = np.unique(np.quantile(train, np.arange(1, BANDS) / BANDS).clip(above.min()))
        found = {split: np.searchsorted(edges, values, side="right") for split, values in answers.items()}
        ends = [f"{edge:.4g}" for edge in edges]
        names = (f"below {ends[0]}", *map(" to ".join, pairwise(ends)), f"from {ends[-1]}")
        line = f"by {raw.target_name}"
    counts = {split: np.bincount(values, minlength=len(names)).tolist() for split, values in found.items()}
    return Groups(found["train"].astype(np.int64), names, counts, line)
