"""Rows of a table: each column by itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from snaketorch.monitoring.profile import Profile


def describe_rows(fields: Mapping[str, np.ndarray], told: Mapping[str, Mapping[str, Any]]) -> Profile:
    """The columns of numbers and of categories; of the latter also which rows hold a value that is not known.

    Args:
        fields: Prepared: `number` (n, columns) float32, `category` (n, columns) int32, 0 for what is missing or not
            in the training split.
        told: What the manifest says of the fields.
    """
    numbers = _columns(fields.get("number"), told.get("number", {}))
    categories = _columns(fields.get("category"), told.get("category", {}))
    values = told.get("category", {}).get("values", [])
    return Profile(
        {name: column.astype(np.float64) for name, column in numbers.items()},
        {name: column.astype(np.int64) for name, column in categories.items()},
        {name: ("unknown", *known) for name, known in zip(categories, values, strict=True)},
        {f"unknown {name}": column == 0 for name, column in categories.items()},
    )


def _columns(block: np.ndarray | None, told: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {} if block is None else {name: block[:, place] for place, name in enumerate(told["names"])}
