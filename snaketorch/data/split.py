"""Which samples train, which choose (validation), which are kept for the test.

Shares are met by the method of the largest remainder: each split gets the whole part of its share,
and what is left over goes to the splits that lost most by that. So no split is more than one sample
away from its share.
"""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np

from snaketorch.config.datasets import Split
from snaketorch.data.chosen_classes import kept
from snaketorch.data.manifest import SPLITS
from snaketorch.errors import DataError

log = logging.getLogger(__name__)


def split_samples(
    labels: np.ndarray, classes: Sequence[str], given: Mapping[str, np.ndarray], options: Split
) -> dict[str, np.ndarray]:
    """Rows of each split: those that the source sets apart as they are, the rest drawn at random.

    A share is one of the samples that are drawn from: those outside a `val` or `test` that the source
    sets apart. Where it sets `train` apart, the splits that it lacks are drawn from that.

    Args:
        labels: int64, (samples,), indices into ``classes``, or -1 for samples that no split takes; numbers when there
            are no classes; (samples, classes) of several labels.
        classes: Names; empty where there are none.
        given: Rows that the source sets apart, by split; left aside when ``options.given`` is false.
        options: Shares, seed, whether every split keeps the balance of the classes, and how many samples of each the
            training keeps.

    Raises:
        DataError: A split, or a class in a split, would be empty; parts overlap, leave samples out, or are none of the
            splits.
    """
    if labels.ndim == 2:  # with several labels a sample, there is no balance to keep
        if options.samples_per_class is not None:
            raise DataError("split.samples_per_class: samples have several labels; allowed: to leave it out")
        classes = ()
    if given and not options.given:
        log.info("split.given is false: all samples are split anew, those of %s too", _and(given))
        given = {}
    _check_parts(len(labels), given)
    is_kept = kept(labels, classes)
    held_out = {name: np.sort(rows[is_kept[rows]]) for name, rows in given.items() if name != "train"}
    pool = _rows_to_draw_from(len(labels), given)
    pool = pool[is_kept[pool]]
    if empty := [name for name, rows in held_out.items() if not len(rows)]:
        raise DataError(f"the part {_and(empty)} that the source sets apart has no sample of split.classes")
    for name, rows in held_out.items():
        log.info("split.%s is not used: the source sets %d samples apart for %s", name, len(rows), name)

    shares = _shares(options, without=held_out)
    rank = _random_ranks(len(labels), options.seed)
    if options.stratify and classes:
        parts = _draw_by_class(pool, rank, labels, classes, shares)
    else:
        drawn = pool[np.argsort(rank[pool])]
        parts = _cut(drawn, _allocate_some_to_each(len(drawn), shares))
    parts["train"] = _some_of_each_class(parts["train"], rank, labels, options.samples_per_class)
    return {name: held_out[name] if name in held_out else np.sort(parts[name]) for name in SPLITS}


def split_by_time(count: int, options: Split) -> dict[str, np.ndarray]:
    """Rows of each split, cut in the order of time: train, then val, then test. DataError when one would be empty."""
    return _cut(np.arange(count), _allocate_some_to_each(count, _shares(options)))


def allocate(count: int, shares: Mapping[str, Fraction]) -> dict[str, int]:
    """How many of ``count`` samples each split gets, by the largest remainder."""
    counts = {split: math.floor(count * share) for split, share in shares.items()}
    # of equal remainders the smaller share goes first: it is the one that might stay empty
    by_remainder = sorted(shares, key=lambda split: (counts[split] - count * shares[split], shares[split]))
    for split in by_remainder[: count - sum(counts.values())]:
        counts[split] += 1
    return counts


def _shares(options: Split, without: Iterable[str] = ()) -> dict[str, Fraction]:
    # as the decimals that the user wrote: 0.1 of 5 and 0.7 of 5 leave equal remainders, which floats would decide
    held_out = {name: Fraction(str(getattr(options, name))) for name in ("val", "test") if name not in without}
    return {"train": 1 - sum(held_out.values()), **held_out}


def _check_parts(count: int, given: Mapping[str, np.ndarray]) -> None:
    for name, rows in given.items():
        if name not in SPLITS:
            raise DataError(f"the source sets a part '{name}' apart; allowed: {', '.join(SPLITS)}")
        if not isinstance(rows, np.ndarray) or rows.dtype.kind not in "iu" or rows.ndim != 1:
            raise DataError(
                f"the part '{name}' that the source sets apart is no array of row numbers; allowed: such as "
                "np.arange(900, 1000)"
            )
        if len(rows) and not 0 <= rows.min() <= rows.max() < count:
            raise DataError(
                f"the part '{name}' that the source sets apart has the rows {rows.min()} to {rows.max()}; allowed: 0 "
                f"to {count - 1}"
            )


def _rows_to_draw_from(count: int, given: Mapping[str, np.ndarray]) -> np.ndarray:
    taken = np.zeros(count, np.int64)
    for name, rows in given.items():
        if not len(rows):
            raise DataError(f"the part '{name}' that the source sets apart is empty; every split needs samples")
        np.add.at(taken, rows, 1)
    if (taken > 1).any():
        raise DataError(
            f"the parts {_and(given)} that the source sets apart share {np.count_nonzero(taken > 1)} samples, "
            f"the first is sample {np.argmax(taken > 1)}; allowed: each sample in one part"
        )
    rest = np.flatnonzero(taken == 0)
    if "train" not in given:
        return rest
    if rest.size:
        raise DataError(
            f"{rest.size} samples are in none of the parts {_and(given)} that the source sets apart, the first is "
            f"sample {rest[0]}; allowed: each sample in one part"
        )
    return np.sort(given["train"])


def _draw_by_class(
    pool: np.ndarray, rank: np.ndarray, labels: np.ndarray, classes: Sequence[str], shares: Mapping[str, Fraction]
) -> dict[str, np.ndarray]:
    """Drawn class by class, so that each split has the same balance of classes."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in shares}
    # by class, and in a class by rank; of equal ranks the earlier row comes first
    order = pool[np.lexsort((rank[pool], labels[pool]))]
    ends = np.cumsum(np.bincount(labels[pool], minlength=len(classes)))
    for name, members in zip(classes, np.split(order, ends[:-1]), strict=True):
        counts = allocate(len(members), shares)
        if 0 in counts.values():
            outside = "" if len(shares) == len(SPLITS) else f" outside {_and(set(SPLITS) - set(shares))}"
            raise DataError(
                f"class '{name}' has {len(members)} samples{outside}, which gives {_say(counts)}; every split needs "
                "at least one of each class: add samples of it, raise split.val or split.test, or set "
                "`split: {stratify: false}`"
            )
        for split, part in _cut(members, counts).items():
            parts[split].append(part)
    return {split: np.concatenate(pieces) for split, pieces in parts.items()}


def _some_of_each_class(rows: np.ndarray, rank: np.ndarray, labels: np.ndarray, most: int | None) -> np.ndarray:
    """The first ``most`` of each class, by their rank; all when None."""
    if most is None:
        return rows
    by_rank = rows[np.argsort(rank[rows])]
    chosen = [by_rank[labels[by_rank] == label][:most] for label in np.unique(labels[rows])]
    return np.concatenate(chosen)


def _allocate_some_to_each(count: int, shares: Mapping[str, Fraction]) -> dict[str, int]:
    counts = allocate(count, shares)
    if 0 in counts.values():
        raise DataError(
            f"{count} samples give {_say(counts)}; every split needs at least one: "
            "add samples, or change split.val and split.test"
        )
    return counts


def _and(names: Iterable[str]) -> str:
    return " and ".join(name for name in SPLITS if name in names)


def _say(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} for {split}" for split, count in counts.items())


def _cut(rows: np.ndarray, counts: Mapping[str, int]) -> dict[str, np.ndarray]:
    ends = np.cumsum(list(counts.values()))
    return dict(zip(counts, np.split(rows, ends[:-1]), strict=True))


def _random_ranks(count: int, seed: int) -> np.ndarray:
    """One number for each sample to sort by; equal ones are as good as impossible (64 bits).

    Raw bits, because numpy promises that they stay the same in every release; it does not promise
    that of `Generator.permutation`, and a split must outlive an update.
    """
    return np.random.Generator(np.random.PCG64(seed)).bit_generator.random_raw(count)
