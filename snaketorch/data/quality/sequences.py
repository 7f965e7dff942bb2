"""Quality of labelled sequences."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from snaketorch.data.answers import read_answers
from snaketorch.data.quality.balance import examine_balance
from snaketorch.data.quality.digests import column_chunks, ragged_digests, row_digests
from snaketorch.data.quality.duplicates import examine_copies
from snaketorch.data.quality.outliers import examine_outliers
from snaketorch.data.quality.report import MOST_EXAMPLES, Finding
from snaketorch.data.store import Store

MOST_RATIO = 10
"""Length of the longest sequence over the median length."""


def examine_sequences(
    store: Store,
    names: Mapping[str, Sequence[str]],
    classes: Sequence[str],
    channels: Sequence[str] = (),
    sets: Sequence[str] = (),
) -> list[Finding]:
    """All checks of sequences that ``store`` has as fields `value` (and `value_start`), and `label` or `target`.

    Args:
        store: Their arrays.
        names: Of the sequences, by split.
        classes: Names; numbers when there are none.
        channels: Names; numbers when absent.
        sets: Names of the sets of labels, where samples have several.
    """
    values = {split: store.read(split, "value") for split in store.arrays}
    labels = read_answers(store)
    starts = {split: _starts(store, split, values[split]) for split in store.arrays}
    is_ragged = "value_start" in store.arrays["train"]
    digests = {
        split: ragged_digests(values[split], starts[split]) if is_ragged else row_digests(values[split])
        for split in values
    }
    steps = {split: array.reshape(-1, array.shape[-1]) for split, array in values.items()}
    shown = channels or [f"channel {number}" for number in range(1, steps["train"].shape[1] + 1)]
    return [
        *examine_copies(digests, names, "sequences", labels, classes or sets),
        *(examine_balance(labels, classes) if classes else ()),
        *constant_channels(steps, shown),
        *examine_outliers(steps, shown, partial(_say, starts, names)),
        *_lengths({split: np.diff(start) for split, start in starts.items()}, names),
    ]


def constant_channels(steps: Mapping[str, np.ndarray], channels: Sequence[str]) -> Iterator[Finding]:
    """Finding `constant channel`; steps: by split, (steps, channels)."""
    found = [
        f"{split}: {name} is {values[0, index]:g}"
        for split, values in steps.items()
        for index, name in enumerate(channels)
        if all((part == values[0, index]).all() for _, part in column_chunks(values, index))
    ]
    if found:
        yield Finding(
            "constant channel",
            "hint",
            f"{len(found)} channels do not change within a split.",
            len(found),
            tuple(found[:MOST_EXAMPLES]),
        )


def _starts(store: Store, split: str, values: np.ndarray) -> np.ndarray:
    """First step of each sequence, when they lie one after the other, and the end of the last."""
    if "value_start" in store.arrays[split]:
        return np.asarray(store.read(split, "value_start"))
    return np.arange(len(values) + 1) * values.shape[1]


def _say(
    starts: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]], split: str, step: int, value: str
) -> str:
    sample = int(np.searchsorted(starts[split], step, "right")) - 1
    return f"{split}: {names[split][sample]}, {value} at step {step - starts[split][sample]}"


def _lengths(lengths: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    every = np.concatenate(list(lengths.values()))
    median = float(np.median(every))
    limit = MOST_RATIO * median
    long = [(split, row) for split, found in lengths.items() for row in np.flatnonzero(found > limit)]
    short = [(split, row) for split, found in lengths.items() for row in np.flatnonzero(found < median / MOST_RATIO)]
    if long or short:
        far = long + short
        yield Finding(
            "lengths",
            "hint",
            f"{len(far):,} sequences are more than {MOST_RATIO} times longer or shorter than the median length of "
            f"{median:g} steps ({every.min():,} to {every.max():,}).",
            len(far),
            tuple(f"{split}: {names[split][row]}, {lengths[split][row]:,} steps" for split, row in far[:MOST_EXAMPLES]),
        )
