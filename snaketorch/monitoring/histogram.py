"""Two samples side by side as bars, drawn by the page itself."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from snaketorch.monitoring.compare import counts_of
from snaketorch.monitoring.profile import Profile

BARS = 16
MOST_CATEGORIES = 16
WIDTH, HEIGHT = 320, 96


class Bar(NamedTuple):
    """A bin or a category: where it stands and how high it is on both sides, in pixels."""

    label: str
    x: float
    width: float
    before: float
    now: float
    share_before: float
    share_now: float


class Histogram(NamedTuple):
    """A picture of one descriptor."""

    subject: str
    bars: list[Bar]
    first: str
    last: str
    """What stands below the ends of the axis."""


def of_numbers(subject: str, before: np.ndarray, now: np.ndarray) -> Histogram | None:
    """Shares of bins of one width; what is far outside is in the outer ones. None where there is nothing to draw."""
    both = [sample[np.isfinite(sample)] for sample in (before, now)]
    if not all(len(sample) for sample in both):
        return None
    low = min(np.quantile(sample, 0.005) for sample in both)
    high = max(np.quantile(sample, 0.995) for sample in both)
    if not low < high:
        return None
    shares = [np.histogram(sample.clip(low, high), BARS, (low, high))[0] / len(sample) for sample in both]
    edges = np.linspace(low, high, BARS + 1)
    labels = [f"{edges[i]:.3g} to {edges[i + 1]:.3g}" for i in range(BARS)]
    return Histogram(subject, _bars(labels, *shares), f"{low:.3g}", f"{high:.3g}")


def of_categories(subject: str, before: np.ndarray, now: np.ndarray, names: Sequence[str]) -> Histogram | None:
    """Shares of the most frequent categories."""
    counts = [counts_of(values, len(names) + 1)[: len(names) + 1] for values in (before, now)]
    counts = [np.pad(part, (0, len(names) + 1 - len(part))) for part in counts]
    if not all(part.sum() for part in counts):
        return None
    shares = [part / part.sum() for part in counts]
    labels = [*names, "unknown to the model"]
    chosen = np.sort(np.argsort(-(shares[0] + shares[1]), kind="stable")[:MOST_CATEGORIES])
    chosen = chosen[(shares[0] + shares[1])[chosen] > 0]
    bars = _bars([labels[i] for i in chosen], shares[0][chosen], shares[1][chosen])
    return Histogram(subject, bars, labels[chosen[0]][:24], labels[chosen[-1]][:24] if len(chosen) > 1 else "")


def all_of(before: Profile, now: Profile) -> dict[str, Histogram]:
    """A picture of each descriptor that both sides have, by its name."""
    found = {
        name: of_numbers(name, before.numbers[name], now.numbers[name])
        for name in before.numbers
        if name in now.numbers
    }
    for name in before.categories:
        if name in now.categories:
            found[name] = of_categories(name, before.categories[name], now.categories[name], before.names[name])
    return {name: picture for name, picture in found.items() if picture is not None}


def _bars(labels: Sequence[str], before: np.ndarray, now: np.ndarray) -> list[Bar]:
    highest, step = max(before.max(), now.max()), WIDTH / len(labels)
    return [
        Bar(
            label,
            round(place * step, 2),
            round(step * 0.42, 2),
            round(float(old / highest * HEIGHT), 2),
            round(float(new / highest * HEIGHT), 2),
            float(old),
            float(new),
        )
        for place, (label, old, new) in enumerate(zip(labels, before, now, strict=True))
    ]
