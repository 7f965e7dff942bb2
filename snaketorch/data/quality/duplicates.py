"""Copies: within a split, across splits (leakage), and with different labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from snaketorch.data.quality.report import MOST_EXAMPLES, Finding


def examine_copies(
    digests: Mapping[str, np.ndarray],
    names: Mapping[str, Sequence[str]],
    samples: str,
    labels: Mapping[str, np.ndarray] | None = None,
    classes: Sequence[str] = (),
    severity: Literal["problem", "hint"] = "problem",
    keep: Mapping[str, np.ndarray] | None = None,
) -> list[Finding]:
    """Findings `leakage`, `duplicates` and `different labels`.

    Args:
        digests: By split, uint64, (samples, 2), of the content.
        names: By split.
        samples: What they are called: `images`.
        labels: By split, to compare those of copies; int64 indices into ``classes``, or numbers.
        classes: Names.
        severity: Of leakage and different labels; a hint where copies come about by chance.
        keep: By split, bool, (samples,): which samples to compare; all when absent.
    """
    splits = list(digests)
    keys = np.concatenate([digests[split] for split in splits])
    split_of = np.repeat(np.arange(len(splits)), [len(digests[split]) for split in splits])
    row_of = np.concatenate([np.arange(len(digests[split])) for split in splits])
    taken = np.arange(len(keys))
    if keep is not None:
        taken = np.flatnonzero(np.concatenate([keep[split] for split in splits]))
    # in the order of contents; copies of one in the order of splits and rows, as the sort is stable
    order = taken[np.lexsort(keys[taken].T)]
    is_new = np.r_[True, (keys[order][1:] != keys[order][:-1]).any(1)] if len(order) else np.empty(0, bool)
    group = np.cumsum(is_new) - 1
    in_group = np.bincount(group)[group] > 1
    order, is_new = order[in_group], is_new[in_group]
    if not len(order):
        return []
    first = order[np.flatnonzero(is_new)][np.cumsum(is_new) - 1]

    def say(sample: int) -> str:
        split = splits[split_of[sample]]
        return f"{split}: {names[split][row_of[sample]]}"

    def pairs(which: np.ndarray, originals: np.ndarray) -> tuple[str, ...]:
        found = sorted(zip(which.tolist(), originals.tolist(), strict=True))[:MOST_EXAMPLES]
        return tuple(f"{say(copy)} = {say(original)}" for copy, original in found)

    findings = []
    leaks = split_of[order] != split_of[first]
    if leaks.any():
        where = Counter(zip(split_of[order[leaks]].tolist(), split_of[first[leaks]].tolist(), strict=True))
        told = ", ".join(f"{n:,} of {splits[into]} in {splits[source]}" for (into, source), n in sorted(where.items()))
        findings.append(
            Finding(
                "leakage",
                severity,
                f"{int(leaks.sum()):,} {samples} are also in another split: {told}; results on them look better than "
                "they are.",
                int(leaks.sum()),
                pairs(order[leaks], first[leaks]),
            )
        )
    before = np.r_[-1, order[:-1]]
    within = ~is_new & (split_of[order] == split_of[before])
    if within.any():
        where = Counter(split_of[order[within]].tolist())
        told = ", ".join(f"{n:,} in {splits[split]}" for split, n in sorted(where.items()))
        findings.append(
            Finding(
                "duplicates",
                "hint",
                f"{int(within.sum()):,} {samples} are exact copies of others in the same split: {told}.",
                int(within.sum()),
                pairs(order[within], before[within]),
            )
        )
    if labels is not None:
        of_sample = np.concatenate([labels[split] for split in splits])
        differ = of_sample[order] != of_sample[first]
        if differ.any():
            contents = len(np.unique(first[differ]))
            examples = tuple(
                f"{say(copy)} ({_label(of_sample[copy], classes)}) = "
                f"{say(original)} ({_label(of_sample[original], classes)})"
                for copy, original in sorted(zip(order[differ].tolist(), first[differ].tolist(), strict=True))[
                    :MOST_EXAMPLES
                ]
            )
            what = "labels" if classes else "targets"
            findings.append(
                Finding(
                    f"different {what}",
                    severity,
                    f"{int(differ.sum()):,} {samples} have other {what} than exact copies of them "
                    f"({contents:,} different contents); at most one of them is right.",
                    int(differ.sum()),
                    examples,
                )
            )
    return findings


def _label(value: np.generic, classes: Sequence[str]) -> str:
    return classes[int(value)] if classes else f"{value:.6g}"
