"""Samples of the test split as they are shown beside what was said about them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from snaketorch.data.tokenizers import load_tokenizer
from snaketorch.evaluation.outcome import Case

Sample = np.ndarray | str


def sample_reader(case: Case) -> Callable[[int], Sample]:
    """Gives a sample of the test split by its number: an image, a sequence, or text that says what is in it."""
    arrays, fields = case.manifest.arrays("test"), case.manifest.fields
    if "image" in arrays:
        return lambda index: np.asarray(arrays["image"][index])
    if "value" in arrays:
        return lambda index: np.asarray(_part(arrays, "value", index))
    if "token" in arrays:
        encoding = load_tokenizer(case.task.facts["tokenizer"])
        return lambda index: encoding.decode(_part(arrays, "token", index).tolist())
    return lambda index: ", ".join(_cells({name: array[index] for name, array in arrays.items()}, fields))


def _part(arrays: Mapping[str, np.ndarray], name: str, index: int) -> np.ndarray:
    if f"{name}_start" not in arrays:
        return arrays[name][index]
    start = arrays[f"{name}_start"]
    return arrays[name][start[index] : start[index + 1]]


def _cells(row: Mapping[str, np.ndarray], fields: Mapping[str, dict[str, Any]]) -> list[str]:
    cells = []
    if "category" in row:
        field = fields["category"]
        for name, values, code in zip(field["names"], field["values"], row["category"], strict=True):
            cells.append(f"{name} {values[code - 1] if code else 'unknown'}")
    if "number" in row:
        cells += [f"{name} {value:.4g}" for name, value in zip(fields["number"]["names"], row["number"], strict=True)]
    return cells
