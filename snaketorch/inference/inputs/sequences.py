"""Sequences of one length or of many."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from snaketorch.data.manifest import Manifest
from snaketorch.data.raw.sequences import RawSequences
from snaketorch.data.sequences import filled, what_is_wrong
from snaketorch.errors import DataError
from snaketorch.inference.columns import Column
from snaketorch.inference.inputs.base import SOURCE, TRUTH, CellInput, Fields, as_numbers, truth_of

VALUES = 1 << 20
"""Of a raw dataset that are read at once."""


class Sequences(CellInput):
    """Column `value`: (steps, channels), or (steps,) of one channel; missing values as None or NaN."""

    def __init__(self, task, options, most_pixels):
        super().__init__(task, options, most_pixels)
        field = self.facts["fields"]["value"]
        self.steps, self.longest = field["shape"][0], field.get("longest")
        channels = field["shape"][1]
        self.names = field.get("names", [f"channel {number}" for number in range(channels)])
        self.columns = [Column("value", "double", (self.steps, channels), description=", ".join(self.names))]

    def sample(self, cell: Any) -> np.ndarray:
        values = in_channels(as_numbers(cell), len(self.names))
        if why := what_is_wrong(values, self.names, may_miss=self.options.missing == "forward_fill"):
            raise DataError(why)
        if self.steps is not None and len(values) != self.steps:
            raise DataError(f"it has {len(values)} steps; allowed: {self.steps}, as all training sequences have")
        if self.longest is not None and len(values) > self.longest:
            raise DataError(f"it has {len(values)} steps; allowed: up to {self.longest}, the longest of the dataset")
        return filled(values).astype(np.float32)

    def joined(self, samples: list[np.ndarray]) -> Fields:
        if self.steps is None:
            return {"value": samples}
        return {"value": np.array(samples, np.float32).reshape(-1, self.steps, len(self.names))}

    def example(self, manifest: Manifest, number: int) -> dict[str, Any]:
        arrays = manifest.arrays("train")
        start = arrays.get("value_start")
        part = arrays["value"][number] if start is None else arrays["value"][start[number] : start[number + 1]]
        return {"value": part.tolist()}

    def rows_of(self, raw: RawSequences) -> Iterator[pd.DataFrame]:
        rows, size = [], 0
        for row in range(len(raw.labels)):
            rows.append(row)
            size += raw.values[row].size
            if size >= VALUES or row + 1 == len(raw.labels):
                values = pd.Series([raw.values[number] for number in rows], dtype=object)
                names = [raw.names[number] for number in rows]
                yield pd.DataFrame({"value": values, SOURCE: names, TRUTH: truth_of(raw, rows)})
                rows, size = [], 0


def in_channels(values: np.ndarray, channels: int) -> np.ndarray:
    """Floats (steps, channels) of a cell's array. DataError when it has another shape."""
    if values.ndim == 1 and channels == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] != channels:
        also = ", or (steps,)" if channels == 1 else ""
        raise DataError(f"its shape is {values.shape}; allowed: (steps, {channels}){also}")
    return values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
