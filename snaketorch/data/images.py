"""Labelled images made ready: converted, split, measured."""

import logging
from functools import partial

import numpy as np

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.convert import convert_images, describe_shape
from snaketorch.data.prepared import Prepared, PreparedSplit
from snaketorch.data.preview import draw_images
from snaketorch.data.raw import RawImages
from snaketorch.data.split import split_random, split_stratified
from snaketorch.errors import DataError

log = logging.getLogger(__name__)


def prepare_images(raw: RawImages, spec: PrepareSpec) -> Prepared:
    """Fields `image` (uint8, channels first) and `label` (int64). DataError when a split cannot be made."""
    log.info("%d images of %s, %d classes", len(raw.images), describe_shape(raw.images), len(raw.classes))
    if spec.split.stratify:
        rows = split_stratified(raw.labels, raw.classes, spec.split)
    else:
        rows = split_random(len(raw.labels), spec.split)
    images = convert_images(raw.images, spec.prepare.size, spec.prepare.channels)
    splits = {name: _take(name, images, raw, members) for name, members in rows.items()}
    train = splits["train"].arrays["image"]
    return Prepared(
        fields={
            "image": {"dtype": "uint8", "shape": list(images.shape[1:]), "statistics": pixel_statistics(train)},
            "label": {"dtype": "int64", "shape": []},
        },
        splits=splits,
        classes=raw.classes,
        draw=partial(
            draw_images,
            title=spec.dataset,
            images=train,
            labels=splits["train"].arrays["label"],
            classes=raw.classes,
            counts={name: split.facts["class_counts"] for name, split in splits.items()},
        ),
    )


def _take(split: str, images: np.ndarray, raw: RawImages, rows: np.ndarray) -> PreparedSplit:
    labels = raw.labels[rows]
    counts = np.bincount(labels, minlength=len(raw.classes)).tolist()
    absent = [name for name, count in zip(raw.classes, counts, strict=True) if not count]
    if absent:
        log.warning("%s has no sample of class %s; `split: {stratify: true}` gives it some", split, ", ".join(absent))
    return PreparedSplit({"image": images[rows], "label": labels}, {"class_counts": counts})


def pixel_statistics(images: np.ndarray) -> dict[str, list[float]]:
    """Mean and standard deviation of value/255 in each channel; images: uint8, (samples, channels, height, width).

    From counts of the 256 levels, so exact up to the last division and the same on every machine.
    DataError when all pixels are alike: there is nothing to learn, and nothing to divide by.
    """
    levels = np.arange(256)
    mean, std = [], []
    for channel in range(images.shape[1]):
        counts = np.bincount(images[:, channel].ravel(), minlength=256)
        total, first, second = int(counts.sum()), int(counts @ levels), int(counts @ levels**2)
        # Python's integers: their products are beyond 64 bits for a few million images
        variance = (total * second - first * first) / (total * total)
        if variance == 0:
            raise DataError(
                f"all pixels of channel {channel} of the training images are {first // total}; "
                "allowed: images that differ"
            )
        mean.append(first / total / 255)
        std.append(variance**0.5 / 255)
    return {"mean": mean, "std": std}
