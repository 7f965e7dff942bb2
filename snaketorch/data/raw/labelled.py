"""What all labelled samples have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from snaketorch.data.quality.report import Finding
from snaketorch.data.shown_names import writable
from snaketorch.errors import DataError

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelled:
    """Samples that each have a class, or a number; how a sample is read is said by who inherits.

    DataError when the labels cannot be what they claim: outside the classes, a class without samples,
    a class twice, parts that overlap; numbers that are not finite.
    """

    can_have_several: ClassVar[bool] = False
    """Whether a sample can have any number of labels in place of one class."""

    labels: np.ndarray
    """(samples,): int64, an index into ``classes``; or float64, a number, when there are none. Of several labels
    (samples, classes), int64: 1 where one applies, else 0."""
    classes: tuple[str, ...] = ()
    target_name: str = "target"
    """What the numbers are called."""
    names: Sequence[str]
    """What each sample is called in messages: `cat/17.jpg`, `row 17`."""
    given: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Rows of the splits that the source itself sets apart: of `train`, `val`, `test` none, some or all."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the data report should say of the source, by a name for people, as JSON."""
    findings: Sequence[Finding] = ()
    """What is to be known of the source: files left aside, and so on."""

    def __post_init__(self) -> None:
        labels = self.labels
        if not self.classes and labels.dtype == np.float64:
            self._check_numbers()
            return
        if self.can_have_several and labels.ndim == 2:
            self._check_several()
            return
        if labels.dtype != np.int64 or labels.shape != (len(self.names),):
            raise DataError(
                f"the labels are {labels.dtype} of shape {labels.shape}; allowed: int64 of shape ({len(self.names)},), "
                f"for the samples have {len(self.names)} names"
            )
        if not len(labels):
            raise DataError("there are no samples; at least one of each class is needed")
        if odd := [name for name in self.classes if writable(name) != name]:
            raise DataError(f"class {odd[0]!r} holds half a surrogate pair; allowed: names as Unicode text")
        if len(set(self.classes)) != len(self.classes):
            twice = sorted({name for name in self.classes if self.classes.count(name) > 1})
            raise DataError(f"class {', '.join(map(repr, twice))} is there twice; allowed: each class name once")
        outside = np.flatnonzero((labels < 0) | (labels >= len(self.classes)))
        if outside.size:
            raise DataError(
                f"{outside.size} labels are outside the classes, the first is {labels[outside[0]]} "
                f"of {self.names[outside[0]]}; allowed: 0 to {len(self.classes) - 1}"
            )
        empty = np.flatnonzero(np.bincount(labels, minlength=len(self.classes)) == 0)
        if empty.size:
            names = ", ".join(repr(self.classes[index]) for index in empty)
            raise DataError(f"no sample is of class {names}; every class needs samples")

    def _check_several(self) -> None:
        labels, shape = self.labels, (len(self.names), len(self.classes))
        if labels.dtype != np.int64 or labels.shape != shape or not len(labels):
            raise DataError(
                f"the labels are {labels.dtype} of shape {labels.shape}; allowed: int64 of shape {shape}, a 0 or 1 for "
                "each sample and label, and at least one sample"
            )
        odd = np.argwhere((labels != 0) & (labels != 1))
        if len(odd):
            row, label = odd[0]
            raise DataError(
                f"{self.names[row]}: label '{self.classes[label]}' is {labels[row, label]} ({len(odd)} such values); "
                "allowed: 1 where it applies, else 0"
            )
        for which, told in ((~labels.any(0), "none"), (labels.all(0), "every one")):
            if which.any():
                names = ", ".join(repr(self.classes[index]) for index in np.flatnonzero(which))
                raise DataError(f"label {names} applies to {told} of the samples; allowed: labels that apply to some")

    def _check_numbers(self) -> None:
        if self.labels.shape != (len(self.names),) or not len(self.labels):
            raise DataError(
                f"the numbers have the shape {self.labels.shape}; allowed: ({len(self.names)},), and at least one, for "
                f"the samples have {len(self.names)} names"
            )
        odd = np.flatnonzero(~(np.abs(self.labels) <= LARGEST))
        if odd.size:
            raise DataError(
                f"{self.names[odd[0]]}: '{self.target_name}' is {self.labels[odd[0]]:g}; allowed: finite numbers, up "
                f"to {LARGEST:g} (float32)"
            )
