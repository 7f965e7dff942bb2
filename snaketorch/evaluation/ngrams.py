"""Language models that only count: how often a token occurs, and how often after another."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

STRENGTHS = np.geomspace(0.01, 10_000, 25)
"""Tried for the bigram on the validation split."""
CHUNK = 1 << 22
"""Tokens that are counted at once."""


@dataclass(frozen=True)
class Unigram:
    """The share of each token in a text, one occurrence more added to each that a text can hold."""

    probability: np.ndarray
    """(V,)"""

    @classmethod
    def fit(cls, training: np.ndarray, vocabulary: int, padding: int) -> "Unigram":
        counts = sum(np.bincount(part, minlength=vocabulary) for part in _chunks(training)).astype(np.float64) + 1
        counts[padding] = 0  # no text holds it
        return cls(counts / counts.sum())

    def losses(self, stream: np.ndarray) -> np.ndarray:
        """Minus the logarithm of the probability of each token of ``stream`` (T,) but the first: (T - 1,), in nats."""
        return -np.log(self.probability[stream[1:]])


@dataclass(frozen=True)
class Bigram:
    """The share of each token after each other one, interpolated with its share everywhere.

    p(b | a) = (count of a b + strength * p(b)) / (count of a + strength), the posterior mean under a Dirichlet
    prior (MacKay and Peto 1995, doi:10.1017/S1351324900000218): the more often a was seen, the more its own
    followers count.
    """

    unigram: Unigram
    strength: float
    pairs: np.ndarray
    """What occurs, sorted: first token times the size of the vocabulary plus second token."""
    counts: np.ndarray
    """How often each of ``pairs`` occurs."""

    @classmethod
    def fit(cls, training: np.ndarray, validation: np.ndarray, unigram: Unigram) -> "Bigram":
        """Counts ``training``; the strength is the one of ``STRENGTHS`` that is best on ``validation``."""
        size = len(unigram.probability)
        found = [np.unique(_keys(part, size), return_counts=True) for part in _chunks(training, overlap=1)]
        pairs, place = np.unique(np.concatenate([pairs for pairs, _ in found]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([count for _, count in found])).astype(np.int64)
        tried = [cls(unigram, float(strength), pairs, counts) for strength in STRENGTHS]
        return min(tried, key=lambda bigram: bigram.losses(validation).mean())

    def losses(self, stream: np.ndarray) -> np.ndarray:
        """As ``Unigram.losses``."""
        size = len(self.unigram.probability)
        firsts = np.bincount(self.pairs // size, self.counts, minlength=size)
        keys = _keys(stream, size)
        place = np.searchsorted(self.pairs, keys).clip(max=len(self.pairs) - 1)
        together = np.where(self.pairs[place] == keys, self.counts[place], 0)
        prior = self.strength * self.unigram.probability[stream[1:]]
        return -np.log((together + prior) / (firsts[stream[:-1]] + self.strength))


def _keys(stream: np.ndarray, size: int) -> np.ndarray:
    return stream[:-1].astype(np.int64) * size + stream[1:]


def _chunks(stream: np.ndarray, overlap: int = 0) -> Iterator[np.ndarray]:
    """Parts of a memory map; each begins with the last ``overlap`` tokens of the part before."""
    for start in range(0, max(1, len(stream) - overlap), CHUNK):
        yield np.asarray(stream[start : start + CHUNK + overlap])
