"""Quality of labelled texts and of running text, as tokens."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from snaketorch.data.quality.balance import examine_balance
from snaketorch.data.quality.digests import chunks, ragged_digests
from snaketorch.data.quality.duplicates import examine_copies
from snaketorch.data.quality.report import MOST_EXAMPLES, Finding
from snaketorch.data.store import Store
from snaketorch.data.tokenizers import UNKNOWN

MANY_UNKNOWN = 0.1
"""Share of unknown tokens to tell of."""
PART_TOKENS = 1 << 20
"""Tokens that are looked at at once."""
FEWEST_TOKENS = 4
"""Texts with fewer are the same by chance."""


def examine_texts(store: Store, names: Mapping[str, Sequence[str]], classes: Sequence[str]) -> list[Finding]:
    """All checks of texts that ``store`` has as fields `token`, `token_start` and `label`; names: by split."""
    labels = {split: np.asarray(store.read(split, "label")) for split in store.arrays}
    tokens = {split: store.read(split, "token") for split in store.arrays}
    starts = {split: np.asarray(store.read(split, "token_start")) for split in store.arrays}
    digests = {split: ragged_digests(tokens[split], starts[split]) for split in store.arrays}
    telling = {split: _telling(tokens[split], starts[split]) for split in store.arrays}
    return [
        *examine_copies(digests, names, "texts", labels, classes, keep=telling),
        *examine_balance(labels, classes),
        *_short({split: np.diff(start) for split, start in starts.items()}, names),
        *_unknown(tokens),
    ]


def examine_corpus(store: Store) -> list[Finding]:
    """All checks of running text that ``store`` has as field `token`."""
    return list(_unknown({split: store.read(split, "token") for split in store.arrays}))


def _telling(tokens: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Which texts have enough known tokens that equal tokens mean equal texts."""
    known, length = np.empty(len(starts) - 1, np.int64), np.diff(starts)
    begin = 0
    while begin < len(known):
        # as many whole texts as fit into a part, at least one
        end = max(begin + 1, int(np.searchsorted(starts, starts[begin] + PART_TOKENS, "right")) - 1)
        counts = np.concatenate([[0], np.cumsum(tokens[starts[begin] : starts[end]] != UNKNOWN)])
        edges = counts[starts[begin : end + 1] - starts[begin]]
        known[begin:end] = np.diff(edges)
        begin = end
    return (known >= FEWEST_TOKENS) & (10 * known >= 9 * length)


def _short(lengths: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    short = [(split, row) for split, found in lengths.items() for row in np.flatnonzero(found <= 1)]
    if short:
        empty = sum(int((found == 0).sum()) for found in lengths.values())
        yield Finding(
            "short texts",
            "hint",
            f"{len(short):,} texts have a single token or none ({empty:,} have none).",
            len(short),
            tuple(f"{split}: {names[split][row]}" for split, row in short[:MOST_EXAMPLES]),
        )


def _unknown(tokens: Mapping[str, np.ndarray]) -> Iterator[Finding]:
    shares = {
        split: sum(int((part == UNKNOWN).sum()) for _, part in chunks(array)) / max(1, len(array))
        for split, array in tokens.items()
    }
    many = {split: share for split, share in shares.items() if share > MANY_UNKNOWN}
    if many:
        told = ", ".join(f"{share:.0%} in {split}" for split, share in shares.items())
        yield Finding(
            "unknown tokens",
            "hint",
            f"Many tokens are not in the vocabulary: {told}; a larger vocabulary_size, a lower min_count or "
            "`kind: bpe` knows more.",
            len(many),
            tuple(many),
        )
