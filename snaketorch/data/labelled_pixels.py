"""What images and clips have in common when they are made ready: split, decoded, converted, measured."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.answers import answer_fields, classes_to_examine, groups, set_names, write_answers
from snaketorch.data.copies import append_copies
from snaketorch.data.pixel_rows import PixelRows
from snaketorch.data.pixel_statistics import pixel_statistics
from snaketorch.data.prepared import Prepared
from snaketorch.data.quality.report import DataReport, Finding
from snaketorch.data.raw.images import RawClips, RawImages
from snaketorch.data.row_names import ChosenNames, NamesWithCopies
from snaketorch.data.split import split_samples
from snaketorch.data.store import Store

log = logging.getLogger(__name__)

Draw = Callable[[Path, str, np.ndarray, np.ndarray, Sequence[str], Mapping[str, Sequence[int]], str], None]
"""Draws a preview: PNG file, title, training samples, and the parts of ``Groups``."""

Examine = Callable[[Store, Mapping[str, Sequence[str]], Sequence[str], Sequence[str]], list[Finding]]
"""Findings on a store, with the names of its samples by split, of its classes, and of its sets of labels."""


def prepare_pixels(
    raw: RawImages | RawClips,
    spec: PrepareSpec,
    store: Store,
    field: str,
    pixels: PixelRows,
    draw: Draw,
    examine: Examine,
) -> Prepared:
    """Fields ``field`` (uint8), and `label` (int64) or `target` (float32).

    DataError when a split cannot be made, a sample is bad and may not be left out, or sizes differ and none is asked
    for.
    """
    rows = split_samples(raw.labels, raw.classes, raw.given, spec.split)
    names: dict[str, Sequence[str]] = {}
    good: dict[str, np.ndarray] = {}
    splits: dict[str, dict[str, Any]] = {}
    for split, members in rows.items():
        with store.rows(split, field, np.uint8, pixels.shape) as out:
            good[split] = pixels.append(members, out)
            labels = raw.labels[good[split]]
            names[split] = ChosenNames(raw.names, good[split])
            if split == "train" and spec.prepare.augment is not None:
                copies = spec.prepare.copies
                labels = append_copies(out, labels, copies, spec.prepare.augment, spec.split.seed)
                pixels.facts["training images before copies"] = len(good[split])
                names[split] = NamesWithCopies(names[split], copies)
        splits[split] = write_answers(raw, store, split, labels)
    pixels.finish(good)
    samples, answers = store.read("train", field), answer_fields(raw, store)
    shown = groups(raw, store)
    return Prepared(
        fields={
            field: {"dtype": "uint8", "shape": list(pixels.shape), "statistics": pixel_statistics(samples)},
            **answers,
        },
        splits=splits,
        classes=raw.classes,
        draw=lambda path: draw(path, spec.dataset, samples, shown.labels, shown.names, shown.counts, shown.line),
        report=DataReport(
            findings=[*raw.findings, *examine(store, names, classes_to_examine(raw), set_names(raw, store))],
            facts=pixels.facts,
            skipped=pixels.bad.skipped,
        ),
        record={"decoders": pixels.decoders} if pixels.decoders else {},
    )
