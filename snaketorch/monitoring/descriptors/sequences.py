"""Sequences: how long, and of each channel its level, its spread and its changes."""

from collections.abc import Iterable, Sequence

import numpy as np

from snaketorch.monitoring.profile import Profile


def describe_sequences(values: Iterable[np.ndarray], names: Sequence[str]) -> Profile:
    """A few numbers of each of n sequences (steps, channels); the length where they differ in it."""
    samples = [np.asarray(sample, np.float64) for sample in values]
    numbers = {"length": np.array([len(sample) for sample in samples], np.float64)}
    for channel, name in enumerate(names):
        columns = [sample[:, channel] for sample in samples]
        numbers[f"level of {name}"] = np.array([column.mean() for column in columns])
        numbers[f"spread of {name}"] = np.array([column.std() for column in columns])
        numbers[f"change of {name}"] = np.array([_mean_change(column) for column in columns])
    return Profile(numbers)


def _mean_change(column: np.ndarray) -> float:
    return float(np.abs(np.diff(column)).mean()) if len(column) > 1 else 0.0
