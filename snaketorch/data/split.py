"""Which samples train, which choose (validation), which are kept for the test.

Shares are met by the method of the largest remainder: each split gets the whole part of its share,
and what is left over goes to the splits that lost most by that. So no split is more than one sample
away from its share.
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from snaketorch.config.datasets import Split
from snaketorch.data.manifest import SPLITS
from snaketorch.errors import DataError


def split_stratified(labels: np.ndarray, classes: Sequence[str], options: Split) -> dict[str, np.ndarray]:
    """Rows of each split, drawn at random class by class, so that each split has the same balance of classes.

    Args:
        labels: int64, (samples,), indices into ``classes``.
        classes: Names, for the message.
        options: Shares and seed.

    Raises:
        DataError: A class has too few samples to be in every split.
    """
    rank = _random_ranks(len(labels), options.seed)
    rows: dict[str, list[np.ndarray]] = {name: [] for name in SPLITS}
    for index, name in enumerate(classes):
        members = np.flatnonzero(labels == index)
        counts = allocate(len(members), options)
        if 0 in counts.values():
            raise DataError(
                f"class '{name}' has {len(members)} samples, which gives {_say(counts)}; every split needs at least "
                "one of each class: add samples of it, raise split.val or split.test, or set `split: {stratify: false}`"
            )
        members = members[np.argsort(rank[members])]
        for split, part in _cut(members, counts).items():
            rows[split].append(part)
    return {split: np.sort(np.concatenate(parts)) for split, parts in rows.items()}


def split_random(count: int, options: Split) -> dict[str, np.ndarray]:
    """Rows of each split, drawn at random from all ``count`` samples alike. DataError when a split would be empty."""
    order = np.argsort(_random_ranks(count, options.seed))
    return {split: np.sort(part) for split, part in _cut(order, _allocate_some_to_each(count, options)).items()}


def split_by_time(count: int, options: Split) -> dict[str, np.ndarray]:
    """Rows of each split, cut in the order of time: train, then val, then test. DataError when one would be empty."""
    return _cut(np.arange(count), _allocate_some_to_each(count, options))


def allocate(count: int, options: Split) -> dict[str, int]:
    """How many of ``count`` samples each split gets, by the largest remainder."""
    # as the decimals that the user wrote: 0.1 of 5 and 0.7 of 5 leave equal remainders, which floats would decide
    val, test = Fraction(str(options.val)), Fraction(str(options.test))
    shares = {"train": 1 - val - test, "val": val, "test": test}
    counts = {split: math.floor(count * share) for split, share in shares.items()}
    # of equal remainders the smaller share goes first: it is the one that might stay empty
    by_remainder = sorted(shares, key=lambda split: (counts[split] - count * shares[split], shares[split]))
    for split in by_remainder[: count - sum(counts.values())]:
        counts[split] += 1
    return counts


def _allocate_some_to_each(count: int, options: Split) -> dict[str, int]:
    counts = allocate(count, options)
    if 0 in counts.values():
        raise DataError(
            f"{count} samples give {_say(counts)}; every split needs at least one: "
            "add samples, or change split.val and split.test"
        )
    return counts


def _say(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} for {split}" for split, count in counts.items())


def _cut(rows: np.ndarray, counts: Mapping[str, int]) -> dict[str, np.ndarray]:
    ends = np.cumsum([counts[split] for split in SPLITS])
    return dict(zip(SPLITS, np.split(rows, ends[:-1]), strict=True))


def _random_ranks(count: int, seed: int) -> np.ndarray:
    """One number for each sample to sort by; equal ones are as good as impossible (64 bits).

    Raw bits, because numpy promises that they stay the same in every release; it does not promise
    that of `Generator.permutation`, and a split must outlive an update.
    """
    return np.random.Generator(np.random.PCG64(seed)).bit_generator.random_raw(count)
