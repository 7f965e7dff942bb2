"""Samples as a few numbers each: what can be compared, whatever the samples are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

MOST_SAMPLES = 20_000
"""Of one side of a comparison; more of them, which are then drawn at random, would tell nothing more."""


@dataclass(frozen=True, eq=False)
class Profile:
    """Descriptors of n samples, by their names for people."""

    numbers: Mapping[str, np.ndarray] = field(default_factory=dict)
    """(n,) float each."""
    categories: Mapping[str, np.ndarray] = field(default_factory=dict)
    """(n,) int each, an index into ``names``; or (n, K) bool where a sample can be of several."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What each category's values are called."""
    flags: Mapping[str, np.ndarray] = field(default_factory=dict)
    """(n,) bool each: what should be rare."""
    follow_each_other: bool = False
    """Whether samples are steps of a series, which tell less than independent ones."""

    def __len__(self) -> int:
        parts = (self.numbers, self.categories, self.flags)
        return next((len(values) for part in parts for values in part.values()), 0)

    @classmethod
    def joined(cls, profiles: Iterable["Profile"]) -> "Profile":
        """Profiles of samples one after the other, as one."""
        parts = list(profiles)
        if len(parts) == 1:
            return parts[0]

        def all_of(kind: str) -> dict[str, np.ndarray]:
            return {
                name: np.concatenate([getattr(part, kind)[name] for part in parts]) for name in getattr(parts[0], kind)
            }

        return cls(all_of("numbers"), all_of("categories"), parts[0].names, all_of("flags"), parts[0].follow_each_other)

    def with_others(self, other: "Profile") -> "Profile":
        """More descriptors of the same samples."""
        return Profile(
            {**self.numbers, **other.numbers},
            {**self.categories, **other.categories},
            {**self.names, **other.names},
            {**self.flags, **other.flags},
            self.follow_each_other,
        )


def some_of(count: int) -> np.ndarray:
    """Which of ``count`` samples are looked at: all, or as many as ``MOST_SAMPLES``; the same ones every time."""
    if count <= MOST_SAMPLES:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, MOST_SAMPLES, replace=False))
