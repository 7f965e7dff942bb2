"""Some classes of a dataset in the place of all."""

import copy
import logging
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from snaketorch.data.raw.labelled import Labelled
from snaketorch.data.raw.rows import RawRows
from snaketorch.errors import DataError

log = logging.getLogger(__name__)

Raw = TypeVar("Raw")


def kept(labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """bool, (samples,): which samples a split may take; the others are of classes that ``only_classes`` left out."""
    return labels >= 0 if classes and labels.ndim == 1 else np.ones(len(labels), bool)


def only_classes(raw: Raw, classes: Sequence[str] | None) -> Raw:
    """``raw`` with ``classes`` in this order; samples of others get the label -1, and no split takes those.

    All of it when there are no ``classes``. DataError when it has no such class.
    """
    if classes is None:
        return raw
    labels_of = {Labelled: "labels", RawRows: "target"}
    attribute = next(name for kind, name in labels_of.items() if isinstance(raw, kind))
    if getattr(raw, attribute).ndim == 2:
        raise DataError("split.classes: samples have several labels; allowed: to leave it out")
    if unknown := [name for name in classes if name not in raw.classes]:
        known = ", ".join(raw.classes[:30]) + (", ..." if len(raw.classes) > 30 else "")
        raise DataError(f"split.classes: there is no class {', '.join(map(repr, unknown))}; allowed: {known}")
    places = np.full(len(raw.classes), -1, np.int64)
    places[[raw.classes.index(name) for name in classes]] = np.arange(len(classes))
    labels = places[getattr(raw, attribute)]
    log.info("%d of %d samples are of the classes that are kept", np.count_nonzero(labels >= 0), len(labels))
    chosen = copy.copy(raw)  # without the checks of its making: -1 is no class
    object.__setattr__(chosen, attribute, labels)
    object.__setattr__(chosen, "classes", tuple(classes))
    return chosen
