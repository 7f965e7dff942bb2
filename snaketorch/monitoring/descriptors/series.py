"""A time series: its values, and how they change from step to step."""

from collections.abc import Sequence

import numpy as np

from snaketorch.monitoring.profile import Profile


def describe_series(values: np.ndarray, names: Sequence[str]) -> Profile:
    """Of (steps, channels) each channel's values and changes; the first step, which no change leads to, is left out."""
    values = np.asarray(values, np.float64)
    changes = np.diff(values, axis=0)
    numbers = {f"value of {name}": values[1:, place] for place, name in enumerate(names)}
    numbers |= {f"change of {name}": changes[:, place] for place, name in enumerate(names)}
    return Profile(numbers, follow_each_other=True)
