"""Labelled images made ready: split, decoded, converted, measured."""

import logging
from collections.abc import Sequence
from functools import partial

import numpy as np

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.copies import append_copies
from snaketorch.data.pixel_rows import PixelRows
from snaketorch.data.pixel_statistics import pixel_statistics
from snaketorch.data.prepared import Prepared
from snaketorch.data.preview.images import draw_images
from snaketorch.data.quality.images import examine_images
from snaketorch.data.quality.report import DataReport
from snaketorch.data.raw.images import RawImages
from snaketorch.data.split import split_samples
from snaketorch.data.store import Store

log = logging.getLogger(__name__)


def prepare_images(raw: RawImages, spec: PrepareSpec, store: Store) -> Prepared:
    """Fields `image` (uint8, channels first) and `label` (int64).

    DataError when a split cannot be made, an image is bad and may not be left out, or sizes differ and none is asked
    for.
    """
    rows = split_samples(raw.labels, raw.classes, raw.given, spec.split)
    pixels = PixelRows(raw, "images", spec.prepare)
    names: dict[str, list[str]] = {}
    good: dict[str, np.ndarray] = {}
    counts: dict[str, list[int]] = {}
    for split, members in rows.items():
        with store.rows(split, "image", np.uint8, pixels.shape) as out:
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
    images = store.read("train", "image")
    return Prepared(
        fields={
            "image": {"dtype": "uint8", "shape": list(pixels.shape), "statistics": pixel_statistics(images)},
            "label": {"dtype": "int64", "shape": []},
        },
        splits={split: {"count": sum(found), "class_counts": found} for split, found in counts.items()},
        classes=raw.classes,
        draw=partial(
            draw_images,
            title=spec.dataset,
            images=images,
            labels=store.read("train", "label"),
            classes=raw.classes,
            counts=counts,
        ),
        report=DataReport(
            findings=examine_images(store, names, raw.classes), facts=pixels.facts, skipped=pixels.bad.skipped
        ),
    )


def count_classes(split: str, labels: np.ndarray, classes: Sequence[str]) -> list[int]:
    """Samples of each class in a split; a class without any is said in the log."""
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    absent = [name for name, count in zip(classes, counts, strict=True) if not count]
    if absent:
        log.warning("%s has no sample of class %s; `split: {stratify: true}` gives it some", split, ", ".join(absent))
    return counts
