"""What all labelled samples have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from snaketorch.data.quality.report import Finding
from snaketorch.data.shown_names import writable
from snaketorch.errors import DataError


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelled:
    """Samples that each have a class; how a sample is read is said by who inherits.

    DataError when the labels cannot be what they claim: outside the classes, a class without samples,
    a class twice, parts that overlap.
    """

    labels: np.ndarray
    """int64, (samples,), each an index into ``classes``."""
    classes: tuple[str, ...]
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
