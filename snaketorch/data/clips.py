"""Labelled clips made ready: split, decoded, converted, measured."""

from functools import partial

import numpy as np

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.images import count_classes
from snaketorch.data.pixel_rows import PixelRows
from snaketorch.data.pixel_statistics import pixel_statistics
from snaketorch.data.prepared import Prepared
from snaketorch.data.preview.clips import draw_clips
from snaketorch.data.quality.images import examine_clips
from snaketorch.data.quality.report import DataReport
from snaketorch.data.raw.images import RawClips
from snaketorch.data.split import split_samples
from snaketorch.data.store import Store


def prepare_clips(raw: RawClips, spec: PrepareSpec, store: Store) -> Prepared:
    """Fields `clip` (uint8, frames and channels first) and `label` (int64).

    DataError when a split cannot be made, a clip is bad and may not be left out, or sizes differ and none is asked
    for.
    """
    rows = split_samples(raw.labels, raw.classes, raw.given, spec.split)
    pixels = PixelRows(raw, "clips", spec.prepare, frames=(spec.prepare.frames,))
    names: dict[str, list[str]] = {}
    good: dict[str, np.ndarray] = {}
    counts: dict[str, list[int]] = {}
    for split, members in rows.items():
        with store.rows(split, "clip", np.uint8, pixels.shape) as out:
            good[split] = pixels.append(members, out)
        store.write(split, "label", raw.labels[good[split]])
        names[split] = [raw.names[row] for row in good[split]]
        counts[split] = count_classes(split, raw.labels[good[split]], raw.classes)
    pixels.finish(good)
    clips = store.read("train", "clip")
    return Prepared(
        fields={
            "clip": {"dtype": "uint8", "shape": list(pixels.shape), "statistics": pixel_statistics(clips)},
            "label": {"dtype": "int64", "shape": []},
        },
        splits={split: {"count": sum(found), "class_counts": found} for split, found in counts.items()},
        classes=raw.classes,
        draw=partial(
            draw_clips,
            title=spec.dataset,
            clips=clips,
            labels=store.read("train", "label"),
            classes=raw.classes,
            counts=counts,
        ),
        report=DataReport(
            findings=examine_clips(store, names, raw.classes), facts=pixels.facts, skipped=pixels.bad.skipped
        ),
    )
