"""Quality of a time series."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from snaketorch.data.quality.outliers import far_values, robust_scale
from snaketorch.data.quality.report import MOST_EXAMPLES, Finding
from snaketorch.data.quality.sequences import constant_channels
from snaketorch.data.store import Store

FAR = 10.0
"""Robust standard deviations."""
MOST_OUTLIERS = 0.01
"""Share of values; more of them are heavy tails, not outliers."""
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
        *constant_channels({split: steps for split, steps in values.items() if split != "train"}, channels),
        *_stuck(values, channels),
        *_outliers(values, channels),
        *_drift(values, channels),
    ]


def _stuck(values: Mapping[str, np.ndarray], channels: Sequence[str]) -> Iterator[Finding]:
    found = []
    for split, steps in values.items():
        for index, name in enumerate(channels):
            channel = np.asarray(steps[:, index])
            begins = np.flatnonzero(np.r_[True, channel[1:] != channel[:-1]])
            if len(begins) == 1:  # constant all through, which has a finding of its own
                continue
            lengths = np.diff(np.r_[begins, len(channel)])
            long = lengths >= max(LONGEST_RUN, 10 * lengths.mean())
            for begin, length in zip(begins[long], lengths[long], strict=True):
                if (channel[begins] == channel[begin]).sum() <= MOST_RETURNS:
                    found.append(f"{split}: {name} is {channel[begin]:g} for {length:,} steps from step {begin:,}")
    if found:
        yield Finding(
            "stuck",
            "hint",
            f"{len(found)} stretches of one and the same value, as if a sensor had stuck or gaps were filled.",
            len(found),
            tuple(found[:MOST_EXAMPLES]),
        )


def _outliers(values: Mapping[str, np.ndarray], channels: Sequence[str]) -> Iterator[Finding]:
    found, total = [], 0
    for index, name in enumerate(channels):
        median, scale = robust_scale(values["train"][:, index])
        if not scale:
            continue
        # drift is another finding: later splits are measured from their own median
        for split, steps in values.items():
            centre = median if split == "train" else robust_scale(steps[:, index])[0]
            far = np.flatnonzero(np.abs(steps[:, index] - centre) > FAR * scale)
            if len(far) > max(1, MOST_OUTLIERS * len(steps)):
                continue
            total += len(far)
            found += [f"{split}: {name} is {steps[row, index]:.6g} at step {row:,}" for row in far[:MOST_EXAMPLES]]
    yield from far_values(found, total, FAR)


def _drift(values: Mapping[str, np.ndarray], channels: Sequence[str]) -> Iterator[Finding]:
    train = np.asarray(values["train"], np.float64)
    mean, std = train.mean(0), train.std(0)
    found = []
    for split in (split for split in values if split != "train"):
        shift = (np.asarray(values[split], np.float64).mean(0) - mean) / np.where(std > 0, std, np.inf)
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
