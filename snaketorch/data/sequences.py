"""Labelled sequences made ready: checked, filled, split, measured."""

import logging
from collections.abc import Sequence
from functools import partial

import numpy as np

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.answers import (
    answer_fields,
    classes_to_examine,
    groups,
    samples_of_classes,
    set_names,
    write_answers,
)
from snaketorch.data.bad_samples import BadSamples
from snaketorch.data.chosen_classes import kept
from snaketorch.data.missing import forward_fill
from snaketorch.data.prepared import Prepared
from snaketorch.data.preview.sequences import draw_sequences
from snaketorch.data.progress import Progress
from snaketorch.data.quality.report import DataReport
from snaketorch.data.quality.sequences import examine_sequences
from snaketorch.data.raw.sequences import RawSequences
from snaketorch.data.row_names import ChosenNames
from snaketorch.data.split import split_samples
from snaketorch.data.statistics import channel_statistics, check_that_some_change
from snaketorch.data.store import Store
from snaketorch.errors import DataError

log = logging.getLogger(__name__)

_LARGEST = float(np.finfo(np.float32).max)


def prepare_sequences(raw: RawSequences, spec: PrepareSpec, store: Store) -> Prepared:
    """Fields `value` (float32, one number a channel and step), and `label` (int64) or `target` (float32).

    Sequences of one length are rows (steps, channels). Sequences of several lengths lie one after the
    other, and `value_start` says where each begins, and last where all end.

    DataError when a split cannot be made, no channel changes, or a sequence is bad and may not be left out.
    """
    rows = split_samples(raw.labels, raw.classes, raw.given, spec.split)
    lengths, bad = _look(raw, spec)
    known = lengths[lengths > 0]
    is_ragged = known.min() != known.max()
    channels = len(raw.channels)
    good = {split: members[lengths[members] > 0] for split, members in rows.items()}
    splits = {}
    for split, members in good.items():
        if not len(members):
            raise DataError(f"all samples of {split} are bad; every split needs at least one")
        shape = (channels,) if is_ragged else (int(known[0]), channels)
        with store.rows(split, "value", np.float32, shape) as out:
            for row in members:
                values = filled(raw.values[row]).astype(np.float32)
                out.append(values if is_ragged else values[None])
        if is_ragged:
            store.write(split, "value_start", np.concatenate([[0], np.cumsum(lengths[members])]).astype(np.int64))
        splits[split] = write_answers(raw, store, split, raw.labels[members])
    train = store.read("train", "value")
    steps = train.reshape(-1, channels)
    check_that_some_change(steps, raw.channels)
    field = {
        "dtype": "float32",
        "shape": [None if is_ragged else int(known[0]), channels],
        "names": list(raw.channels),
        "statistics": channel_statistics(steps),
    }
    names = {split: ChosenNames(raw.names, members) for split, members in good.items()}
    answers = answer_fields(raw, store)
    shown = groups(raw, store)
    return Prepared(
        fields={
            "value": field | ({"longest": int(known.max())} if is_ragged else {}),
            **answers,
        },
        splits=splits,
        classes=raw.classes,
        draw=partial(
            draw_sequences,
            title=spec.dataset,
            sequences=_Samples(train, store.read("train", "value_start") if is_ragged else None),
            labels=shown.labels,
            classes=shown.names,
            counts=shown.counts,
            line=shown.line,
            channels=raw.channels,
        ),
        report=DataReport(
            findings=[
                *raw.findings,
                *examine_sequences(store, names, classes_to_examine(raw), raw.channels, set_names(raw, store)),
            ],
            facts={
                **raw.facts,
                "shortest sequence": int(known.min()),
                "longest sequence": int(known.max()),
                "channels": channels,
            },
            skipped=bad.skipped,
        ),
    )


class _Samples(Sequence):
    """Sequences of a split by their number, read as they are asked for."""

    def __init__(self, values: np.ndarray, start: np.ndarray | None):
        self._values, self._start = values, start

    def __len__(self) -> int:
        return len(self._values) if self._start is None else len(self._start) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        if self._start is None:
            return self._values[index]
        return self._values[self._start[index] : self._start[index + 1]]


def _look(raw: RawSequences, spec: PrepareSpec) -> tuple[np.ndarray, BadSamples]:
    """Steps of each sequence, 0 for a bad one and for one of a class that is left out."""
    rows = np.flatnonzero(kept(raw.labels, raw.classes)).tolist()
    lengths = np.zeros(len(raw.labels), np.int64)
    bad = BadSamples(spec.prepare, len(rows))
    progress = Progress(log, "checked", "sequences", len(rows))
    for row in rows:
        values = raw.values[row]
        why = what_is_wrong(values, raw.channels, may_miss=spec.prepare.missing == "forward_fill")
        if why:
            bad.add(raw.names[row], why)
        else:
            lengths[row] = len(values)
        progress.add(1)
    bad.finish(samples_of_classes(raw, np.flatnonzero(lengths > 0)), raw.classes)
    log.info("%d sequences of %d to %d steps", (lengths > 0).sum(), lengths[lengths > 0].min(), lengths.max())
    return lengths, bad


def what_is_wrong(values: np.ndarray, channels: Sequence[str], may_miss: bool) -> str:
    """Of a sequence or a piece of a series (steps, channels); nothing for a good one.

    ``may_miss``: whether values may be missing (NaN) but for those of the first step.
    """
    if values.dtype not in (np.float32, np.float64) or values.ndim != 2 or values.shape[1] != len(channels):
        return f"it is {values.dtype} of shape {values.shape}; allowed: floats of shape (steps, {len(channels)})"
    if not len(values):
        return "it has no steps; allowed: at least one"
    if np.isfinite(values).all() and np.abs(values).max() <= _LARGEST:
        return ""
    missing = np.isnan(values)
    large = np.argwhere(np.abs(np.where(missing, 0, values)) > _LARGEST)
    if len(large):
        step, channel = large[0]
        return f"'{channels[channel]}' is {values[step, channel]:g} at step {step}; allowed: finite, up to {_LARGEST:g}"
    step, channel = np.argwhere(missing)[0]
    if not may_miss:
        return (
            f"'{channels[channel]}' is missing at step {step} ({missing.sum()} of {values.size} values are); "
            "`prepare: {missing: forward_fill}` repeats the last known value"
        )
    if missing[0].any():
        channel = missing[0].argmax()
        return f"'{channels[channel]}' is missing at the first step; forward_fill knows no value before it"
    return ""


def filled(values: np.ndarray) -> np.ndarray:
    """A good sequence with the last known value in the place of each that is missing."""
    return forward_fill(values) if np.isnan(values).any() else values
