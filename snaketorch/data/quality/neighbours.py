"""Labels that look wrong: samples whose nearest neighbours are all of one other class."""

from collections.abc import Sequence

import numpy as np

from snaketorch.data.quality.report import MOST_EXAMPLES, Finding

MOST_SAMPLES = 5000
NEIGHBOURS = 5
TRUSTED = 0.9
"""Share of samples whose neighbours have their label, from which neighbours are worth believing."""
FARTHER = 1.3
"""How much farther than those neighbours the nearest sample of the own class must be."""


def sampled_rows(count: int) -> np.ndarray:
    """Rows to look at: all, or evenly spread ones."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_SAMPLES)).round().astype(np.int64))


def examine_neighbours(
    features: np.ndarray, labels: np.ndarray, names: Sequence[str], classes: Sequence[str], samples: str
) -> list[Finding]:
    """Finding `label noise`, of samples that are as good as certainly mislabelled; the most suspicious first.

    Says nothing where neighbours mostly disagree: the features then tell little of the class.

    Args:
        features: float32, (samples, features), such that near ones are alike.
        labels: int64, (samples,).
        names: Of the samples.
        classes: Names.
        samples: What they are called: `images`.
    """
    if len(features) <= 4 * NEIGHBOURS:
        return []
    squares = np.einsum("ij,ij->i", features, features)
    doubtful, agree = [], 0
    for start in range(0, len(features), 512):
        part = slice(start, start + 512)
        distances = squares[part, None] + squares - 2 * features[part] @ features.T
        own = np.arange(start, start + len(distances))
        distances[np.arange(len(distances)), own] = np.inf
        nearest = np.argpartition(distances, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        around = labels[nearest]
        agree += int((2 * (around == labels[part, None]).sum(1) > NEIGHBOURS).sum())
        unanimous = (around == around[:, :1]).all(1) & (around[:, 0] != labels[part])
        for row in np.flatnonzero(unanimous):
            to_own = distances[row][labels == labels[start + row]].min()
            to_others = distances[row][nearest[row]].max()
            ratio = float(np.sqrt(max(to_own, 0) / max(to_others, 1e-12)))
            if ratio > FARTHER:
                doubtful.append((ratio, start + int(row), int(around[row, 0])))
    if not doubtful or agree < TRUSTED * len(features):
        return []
    doubtful.sort(key=lambda found: (-found[0], found[1]))
    return [
        Finding(
            "label noise",
            "hint",
            f"{len(doubtful):,} of {len(features):,} training {samples} look like another class: their {NEIGHBOURS} "
            "nearest neighbours all have one other label.",
            len(doubtful),
            tuple(
                f"{names[row]}: labelled {classes[labels[row]]}, looks like {classes[other]}"
                for _, row, other in doubtful[:MOST_EXAMPLES]
            ),
        )
    ]
