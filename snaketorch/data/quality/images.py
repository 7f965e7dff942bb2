"""Quality of labelled images and clips."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from snaketorch.data.answers import read_answers
from snaketorch.data.quality.balance import examine_balance
from snaketorch.data.quality.duplicates import examine_copies
from snaketorch.data.quality.neighbours import examine_neighbours, sampled_rows
from snaketorch.data.quality.outliers import robust_deviation
from snaketorch.data.quality.pixels import Measured, measure, thumbnails
from snaketorch.data.quality.report import MOST_EXAMPLES, Finding
from snaketorch.data.store import Store

BLANK = 1.0
"""Contrast (standard deviation of 0 to 255) below which nothing can be seen."""
FAR = 6.0
"""Robust standard deviations of brightness and contrast."""
LEAST_PIXELS = 24
"""Of the shorter side; smaller images look alike from afar without being so."""
MOST_PAIRS = 2000
"""Look-alikes that are compared pixel by pixel."""
ALIKE = 0.45
"""Root mean square difference of near duplicates, as a share of their contrast; the twelve pairs below it
between test and train of CIFAR-10 are ones to the eye."""

Names = Mapping[str, Sequence[str]]


def examine_images(store: Store, names: Names, classes: Sequence[str], sets: Sequence[str] = ()) -> list[Finding]:
    """All checks of images that ``store`` has as fields `image`, and `label` or `target`; names: by split.

    ``sets``: names of the sets of labels, where samples have several.
    """
    return _examine(store, "image", "images", names, classes, sets)


def examine_clips(store: Store, names: Names, classes: Sequence[str], sets: Sequence[str] = ()) -> list[Finding]:
    """All checks of clips that ``store`` has as fields `clip`, and `label` or `target`; names: by split."""
    return [*_examine(store, "clip", "clips", names, classes, sets), *_still(store, names)]


def _examine(
    store: Store, field: str, samples: str, names: Names, classes: Sequence[str], sets: Sequence[str]
) -> list[Finding]:
    arrays = {split: store.read(split, field) for split in store.arrays}
    labels = read_answers(store)
    measured = {split: measure(array) for split, array in arrays.items()}
    rows = sampled_rows(len(labels["train"]))
    train_names = [names["train"][row] for row in rows]
    return [
        *examine_copies(
            {split: found.digests for split, found in measured.items()}, names, samples, labels, classes or sets
        ),
        *_near_copies(arrays, measured, names, samples),
        *(examine_balance(labels, classes) if classes else ()),
        *_channels(measured, samples),
        *_blank(measured, names, samples),
        *_unusual(measured, names, samples),
        *(
            examine_neighbours(thumbnails(arrays["train"], rows), labels["train"][rows], train_names, classes, samples)
            if classes
            else ()
        ),
    ]


def _blank(measured: Mapping[str, Measured], names: Names, samples: str) -> Iterator[Finding]:
    blank = [(split, row) for split, found in measured.items() for row in np.flatnonzero(found.std < BLANK)]
    if blank:
        yield Finding(
            "blank",
            "hint",
            f"{len(blank):,} {samples} have one colour all over, or nearly so.",
            len(blank),
            tuple(f"{split}: {names[split][row]}" for split, row in blank[:MOST_EXAMPLES]),
        )


def _unusual(measured: Mapping[str, Measured], names: Names, samples: str) -> Iterator[Finding]:
    splits = list(measured)
    where = [(split, row) for split in splits for row in range(len(measured[split].mean))]
    contrast = np.concatenate([measured[split].std for split in splits])
    for check, values, words in (
        ("brightness", np.concatenate([measured[split].mean for split in splits]), "much darker or brighter"),
        ("contrast", contrast, "of much more or less contrast"),
    ):
        # a floor of two grey levels: where all are as good as equal, a hair's breadth is no outlier
        deviation = np.where(contrast < BLANK, 0, robust_deviation(values, floor=2.0))
        far = np.flatnonzero(deviation > FAR)
        if len(far):
            worst = far[np.argsort(-deviation[far], kind="stable")][:MOST_EXAMPLES]
            yield Finding(
                check,
                "hint",
                f"{len(far):,} {samples} are {words} than the rest (beyond {FAR:g} robust standard deviations).",
                len(far),
                tuple(f"{where[i][0]}: {names[where[i][0]][where[i][1]]} ({values[i]:.0f} of 255)" for i in worst),
            )


def _channels(measured: Mapping[str, Measured], samples: str) -> Iterator[Finding]:
    if all(found.is_grey for found in measured.values()):
        yield Finding(
            "grey",
            "hint",
            f"All {samples} have three channels that are alike; `prepare: {{channels: 1}}` makes them smaller.",
            3,
        )
    flat = [f"{split}: channel {channel}" for split, found in measured.items() for channel in found.flat_channels]
    if flat:
        yield Finding(
            "constant channel",
            "hint",
            f"{len(flat)} channels have a single value in all {samples} of a split.",
            len(flat),
            tuple(flat[:MOST_EXAMPLES]),
        )


def _near_copies(
    arrays: Mapping[str, np.ndarray], measured: Mapping[str, Measured], names: Names, samples: str
) -> Iterator[Finding]:
    """Samples that look like one of the training split from afar, and differ little from it pixel by pixel."""
    train = measured["train"]
    if min(arrays["train"].shape[-2:]) < LEAST_PIXELS:
        return
    order = np.argsort(train.looks, kind="stable")
    looks = train.looks[order]
    found, compared = [], 0
    for split in (split for split in arrays if split != "train"):
        begin, end = (np.searchsorted(looks, measured[split].looks, side) for side in ("left", "right"))
        for row in np.flatnonzero(end > begin):
            for other in order[begin[row] : end[row]][:5]:
                if compared == MOST_PAIRS:
                    break
                if (measured[split].digests[row] == train.digests[other]).all() or train.std[other] < BLANK:
                    continue
                compared += 1
                difference = arrays[split][row].astype(np.float32) - arrays["train"][other]
                if np.sqrt(np.square(difference).mean()) < ALIKE * train.std[other]:
                    found.append(f"{split}: {names[split][row]} ~ train: {names['train'][other]}")
                    break
    if found:
        at_least = "at least " if compared == MOST_PAIRS else ""
        yield Finding(
            "near duplicates",
            "hint",
            f"{at_least}{len(found):,} {samples} of val and test are nearly the same as one of train.".capitalize(),
            len(found),
            tuple(found[:MOST_EXAMPLES]),
        )


def _still(store: Store, names: Names) -> Iterator[Finding]:
    still = []
    for split in store.arrays:
        clips = store.read(split, "clip")
        if clips.shape[1] > 1:
            still += [f"{split}: {names[split][row]}" for row, clip in enumerate(clips) if (clip == clip[:1]).all()]
    if still:
        yield Finding(
            "still",
            "hint",
            f"{len(still):,} clips do not move: all frames are the same.",
            len(still),
            tuple(still[:MOST_EXAMPLES]),
        )
