"""Classes from labels that are text."""

import re
from collections.abc import Iterator

import numpy as np

from snaketorch.config.datasets import Split
from snaketorch.errors import DataError

SAMPLES_OF_A_CLASS = 3
"""On average, at least: one for each split."""
MOST_NUMBERS = 100
"""Classes that are numbers with decimals, or whole ones that have few samples each."""
SAMPLES_OF_A_NUMBER = 10
"""On average, where so many classes are numbers."""


class ClassNames:
    """Gives each label the number of its class, in the order in which classes come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, label: str) -> int:
        return self._numbers.setdefault(label, len(self._numbers))

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def sort(self, labels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
        """Labels (int64, from ``number``) as indices into the sorted names of those that are there, and these names.

        They are sorted as numbers if all are whole numbers.
        """
        names = list(self._numbers)
        there = [names[index] for index in np.unique(labels)]
        whole = all(re.fullmatch(r"[+-]?\d{1,18}", name) for name in there)
        there.sort(key=(lambda name: (int(name), name)) if whole else None)
        order = np.full(len(names), -1, np.int64)
        order[[self._numbers[name] for name in there]] = np.arange(len(there))
        return order[labels], tuple(there)


def check_classes(
    where: str, column: str, labels: np.ndarray, classes: tuple[str, ...], split: Split, has_test: bool, if_numbers: str
) -> None:
    """DataError when there is nothing to tell apart, or a column's values are no classes.

    Args:
        where: The file.
        column: Its column of labels.
        labels: Of all rows, indices into ``classes``.
        classes: Their names.
        split: Whether each split gets some of each class.
        has_test: Whether the test is in a file of its own.
        if_numbers: What would be right for a column of numbers.
    """
    if len(classes) < 2:
        raise DataError(f"{where}: all values of '{column}' are '{classes[0]}'; at least two classes are needed")
    numbers = all(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", name) for name in classes)
    each = len(labels) / len(classes)
    decimals = any("." in name for name in classes)
    if numbers and len(classes) > MOST_NUMBERS and (decimals or each < SAMPLES_OF_A_NUMBER):
        raise DataError(
            f"{where}: '{column}' has {len(classes)} different values in {len(labels)} rows, all of them numbers; "
            f"{if_numbers}"
        )
    is_cut = split.stratify and not (has_test and split.given)
    if is_cut and each < SAMPLES_OF_A_CLASS and len(classes) > 2:
        raise DataError(
            f"{where}: '{column}' has {len(classes)} different values in {len(labels)} rows; a class needs at least "
            f"{SAMPLES_OF_A_CLASS} rows, one for each split. Is it the right column? If so, set "
            "`split: {stratify: false}`"
        )
