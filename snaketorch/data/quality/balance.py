"""How many samples the classes have."""

from collections.abc import Mapping, Sequence

import numpy as np

from snaketorch.data.quality.report import MOST_EXAMPLES, Finding

MOST_RATIO = 10
"""Samples of the largest class over those of the smallest, above which accuracy says little."""


def examine_balance(labels: Mapping[str, np.ndarray], classes: Sequence[str]) -> list[Finding]:
    """Findings `missing class` and `class balance`; labels: by split, int64 indices into ``classes``."""
    counts = {split: np.bincount(values, minlength=len(classes)) for split, values in labels.items()}
    absent = [(split, int(index)) for split, found in counts.items() for index in np.flatnonzero(found == 0)]
    findings = []
    if absent:
        told = ", ".join(f"{sum(where == split for where, _ in absent)} in {split}" for split in counts)
        findings.append(
            Finding(
                "missing class",
                "problem",
                f"Classes without a sample: {told}; a model cannot learn or be tested on what is not there.",
                len(absent),
                tuple(f"{split}: {classes[index]}" for split, index in absent[:MOST_EXAMPLES]),
            )
        )
    train = counts["train"]
    smallest = train[train > 0].min() if train.any() else 0
    if smallest and train.max() > MOST_RATIO * smallest:
        rare = np.flatnonzero((train > 0) & (train * MOST_RATIO < train.max()))
        rare = rare[np.argsort(train[rare], kind="stable")]
        least, most = classes[rare[0]], classes[int(train.argmax())]
        findings.append(
            Finding(
                "class balance",
                "hint",
                f"The largest class has {train.max() / smallest:.0f} times the training samples of the smallest "
                f"('{most}' {train.max():,}, '{least}' {smallest:,}); look at metrics averaged over classes.",
                len(rare),
                tuple(f"{classes[index]}: {train[index]:,}" for index in rare[:MOST_EXAMPLES]),
            )
        )
    return findings
