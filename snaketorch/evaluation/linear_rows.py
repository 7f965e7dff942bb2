"""A linear regression on the columns of a table, for comparison."""

from collections.abc import Iterator, Mapping

import numpy as np

from snaketorch.data.manifest import Manifest
from snaketorch.evaluation.ridge import fit_ridge

MOST_VALUES = 50
"""Of a category with more values only the most frequent ones are told apart."""
BLOCK = 8192


def linear_rows(manifest: Manifest) -> np.ndarray:
    """What a ridge regression, fitted to the training split, says of the test split, (N,) in the target's unit.

    Numbers are normalised, each value of a category is a feature of its own; validation chooses how strongly weights
    are penalised.
    """
    fields, train = manifest.fields, manifest.arrays("train")
    columns = _Columns(fields, train)
    found = fields["target"]["statistics"]

    def pairs(split: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        arrays = manifest.arrays(split)
        for rows in _blocks(len(arrays["target"])):
            target = (arrays["target"][rows].astype(np.float64) - found["mean"]) / found["std"]
            yield columns.features(arrays, rows), target[:, None]

    ridge = fit_ridge(lambda: pairs("train"), lambda: pairs("val"))
    test = manifest.arrays("test")
    normal = np.concatenate([ridge(columns.features(test, rows))[:, 0] for rows in _blocks(len(test["target"]))])
    return normal * found["std"] + found["mean"]


class _Columns:
    """Columns of a table as features: normalised numbers, and a 0 or 1 for each frequent value of a category."""

    def __init__(self, fields: Mapping, train: Mapping[str, np.ndarray]):
        self.statistics = fields["number"]["statistics"] if "number" in fields else None
        codes = train["category"].T if "category" in fields else []
        self.values = [np.argsort(-np.bincount(column), kind="stable")[:MOST_VALUES] for column in codes]

    def features(self, arrays: Mapping[str, np.ndarray], rows: slice) -> np.ndarray:
        """Features (n, F) of some rows of a split, float64."""
        parts = []
        if self.statistics:
            mean, std = (np.array(self.statistics[name]) for name in ("mean", "std"))
            parts.append((arrays["number"][rows].astype(np.float64) - mean) / std)
        for place, values in enumerate(self.values):
            parts.append((arrays["category"][rows, place, None] == values).astype(np.float64))
        return np.concatenate(parts, axis=1)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, count, BLOCK))
