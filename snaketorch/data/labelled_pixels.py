"""What images and clips have in common when they are made ready: split, decoded, converted, measured."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.copies import append_copies
from snaketorch.data.pixel_rows import PixelRows
from snaketorch.data.pixel_statistics import pixel_statistics
from snaketorch.data.prepared import Prepared
from snaketorch.data.quality.report import DataReport, Finding
from snaketorch.data.raw.images import RawClips, RawImages
from snaketorch.data.split import split_samples
from snaketorch.data.store import Store

log = logging.getLogger(__name__)

Draw = Callable[[Path, str, np.ndarray, np.ndarray, Sequence[str], Mapping[str, Sequence[int]]], None]
"""Draws a preview: PNG file, title, training samples, their labels, classes, counts by split."""

Examine = Callable[[Store, Mapping[str, Sequence[str]], Sequence[str]], list[Finding]]
"""Findings on a store, with the names of its samples by split and of its classes."""


def prepare_pixels(
    raw: RawImages | RawClips,
    spec: PrepareSpec,
    store: Store,
    field: str,
    pixels: PixelRows,
    draw: Draw,
    examine: Examine,
) -> Prepared:
    """Fields ``field`` (uint8) and `label` (int64).

    DataError when a split cannot be made, a sample is bad and may not be left out, or sizes differ and none is asked
    for.
    """
    rows = split_samples(raw.labels, raw.classes, raw.given, spec.split)
    names: dict[str, list[str]] = {}
    good: dict[str, np.ndarray] = {}
    counts: dict[str, list[int]] = {}
    for split, members in rows.items():
        with store.rows(split, field, np.uint8, pixels.shape) as out:
            good[split] = pixels.append(members, out)
            labels = raw.labels[good[split]]
            names[split] = [raw.names[row] for row in good[split]]
            if split == "train" and spec.prepare.augment is not None:
                copies = spec.prepare.copies
                labels = append_copies(out, labels, copies, spec.prepare.augment, spec.split.seed)
                pixels.facts["training images before copies"] = len(good[split])
                names[split] += [f"{name}, copy {copy}" for copy in range(1, copies + 1) for name in names[split]]
        store.write(split, "label", labels)
        counts[split] = count_classes(split, labels, raw.classes)
    pixels.finish(good)
    samples, labels = store.read("train", field), store.read("train", "label")
    return Prepared(
        fields={
            field: {"dtype": "uint8", "shape": list(pixels.shape), "statistics": pixel_statistics(samples)},
            "label": {"dtype": "int64", "shape": []},
        },
        splits={split: {"count": sum(found), "class_counts": found} for split, found in counts.items()},
        classes=raw.classes,
        draw=lambda path: draw(path, spec.dataset, samples, labels, raw.classes, counts),
        report=DataReport(
            findings=[*raw.findings, *examine(store, names, raw.classes)],
            facts=pixels.facts,
            skipped=pixels.bad.skipped,
        ),
        record={"decoders": pixels.decoders} if pixels.decoders else {},
    )


def count_classes(split: str, labels: np.ndarray, classes: Sequence[str]) -> list[int]:
    """Samples of each class in a split; a class without any is said in the log."""
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    absent = [name for name, count in zip(classes, counts, strict=True) if not count]
    if absent:
        log.warning("%s has no sample of class %s; `split: {stratify: true}` gives it some", split, ", ".join(absent))
    return counts
