"""Quality of a time series."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from snaketorch.data.quality.digests import chunks, column_chunks
from snaketorch.data.quality.outliers import examine_outliers
from snaketorch.data.quality.report import MOST_EXAMPLES, Finding
from snaketorch.data.quality.sequences import constant_channels
from snaketorch.data.store import Store

LONGEST_RUN = 10
"""Steps of one value that are nothing unusual; neither are ten times the mean run."""
MOST_RETURNS = 3
"""Stretches of one value; a value that comes back more often is a state, such as no rain."""
MOST_DRIFT = 3.0
"""Standard deviations of the training split between its mean and another split's."""


def examine_series(store: Store, channels: Sequence[str]) -> list[Finding]:
    """All checks of the series that ``store`` has as field `value`; channels: names."""
    values = {split: store.read(split, "value") for split in store.arrays}
    return [
        *constant_channels(values, channels),
        *_stuck(values, channels),
        *examine_outliers(values, channels, _say, drifts=True),
        *_drift(values, channels),
    ]


def _say(split: str, step: int, value: str) -> str:
    return f"{split}: {value} at step {step:,}"


def _stuck(values: Mapping[str, np.ndarray], channels: Sequence[str]) -> Iterator[Finding]:
    found = [
        f"{split}: {name} is {level:g} for {length:,} steps from step {begin:,}"
        for split, steps in values.items()
        for index, name in enumerate(channels)
        for begin, length, level in _long_runs(steps, index)
    ]
    if found:
        yield Finding(
            "stuck",
            "hint",
            f"{len(found)} stretches of one and the same value, as if a sensor had stuck or gaps were filled.",
            len(found),
            tuple(found[:MOST_EXAMPLES]),
        )


def _long_runs(steps: np.ndarray, channel: int) -> list[tuple[int, int, float]]:
    """First step, length and value of stretches far longer than the others, of values that hardly ever come back."""
    count = sum(len(begins) for begins, _ in _runs(steps, channel))
    if count == 1:  # constant all through, which has a finding of its own
        return []
    least = max(LONGEST_RUN, 10 * len(steps) / count)
    long, begin, level = [], [], []
    for begins, levels in chain(_runs(steps, channel), [(np.array([len(steps)]), np.zeros(1))]):
        # the last one of the part before ends where the first of this begins
        begins, levels = np.append(begin, begins).astype(np.int64), np.append(level, levels)
        lengths = np.diff(begins)
        where = np.flatnonzero(lengths >= least)
        long += zip(begins[where].tolist(), lengths[where].tolist(), levels[where].tolist(), strict=True)
        begin, level = begins[-1:], levels[-1:]
    wanted = np.unique([level for _, _, level in long])
    returns: Counter[float] = Counter()
    for _, levels in _runs(steps, channel):
        returns.update(levels[np.isin(levels, wanted)].tolist())
    return [run for run in long if returns[run[2]] <= MOST_RETURNS]


def _runs(steps: np.ndarray, channel: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """First steps of all stretches of one value, and these values, in parts."""
    last = np.nan
    for start, part in column_chunks(steps, channel):
        before = np.empty_like(part)
        before[0], before[1:] = last, part[:-1]
        begins = np.flatnonzero(part != before)
        yield start + begins, part[begins]
        last = part[-1]


def _drift(values: Mapping[str, np.ndarray], channels: Sequence[str]) -> Iterator[Finding]:
    train = values["train"]
    mean = _mean(train)
    std = np.sqrt(sum(np.square(part - mean).sum(0) for _, part in chunks(train)) / len(train))
    found = []
    for split in (split for split in values if split != "train"):
        shift = (_mean(values[split]) - mean) / np.where(std > 0, std, np.inf)
        found += [
            f"{split}: {channels[index]} is {abs(shift[index]):.1f} standard deviations "
            f"{'above' if shift[index] > 0 else 'below'} train"
            for index in np.flatnonzero(np.abs(shift) > MOST_DRIFT)
        ]
    if found:
        yield Finding(
            "drift",
            "hint",
            f"{len(found)} times the mean of a channel is far from that of the training split (beyond {MOST_DRIFT:g} "
            "standard deviations): what is learned there may not hold later.",
            len(found),
            tuple(found[:MOST_EXAMPLES]),
        )


def _mean(steps: np.ndarray) -> np.ndarray:
    """Of each channel."""
    return sum(part.sum(0, dtype=np.float64) for _, part in chunks(steps)) / len(steps)
