"""Histories of a time series."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from snaketorch.data.loading.samples import ArraySamples, as_tensor
from snaketorch.data.manifest import Manifest
from snaketorch.data.raw.series import RawSeries
from snaketorch.data.sequences import filled, what_is_wrong
from snaketorch.data.series import filled_series
from snaketorch.errors import DataError
from snaketorch.inference.columns import Column
from snaketorch.inference.inputs.base import ROWS, SOURCE, TRUTH, CellInput, Fields, as_numbers
from snaketorch.inference.inputs.sequences import in_channels
from snaketorch.tasks.forecasting import chosen_channels

TIME = "time"


class Histories(CellInput):
    """Column `value`: at least as many steps as the model's window, (steps, channels), the last one the newest."""

    beside: ClassVar[tuple[str, ...]] = (TIME,)

    def __init__(self, task, options, most_pixels):
        super().__init__(task, options, most_pixels)
        self.names, self.window = self.facts["fields"]["value"]["names"], task.options.window
        told = f"at least {self.window} steps of {', '.join(self.names)}"
        self.columns = [Column("value", "double", (None, len(self.names)), description=told)]

    def sample(self, cell: Any) -> np.ndarray:
        values = in_channels(as_numbers(cell), len(self.names))
        if len(values) < self.window:
            raise DataError(f"it has {len(values)} steps; allowed: at least {self.window}, the model's window")
        if why := what_is_wrong(values, self.names, may_miss=self.options.missing == "forward_fill"):
            raise DataError(why)
        return filled(values)[-self.window :].astype(np.float32)

    def joined(self, samples: list[np.ndarray]) -> Fields:
        return {"value": np.array(samples, np.float32).reshape(-1, self.window, len(self.names))}

    def samples(self, fields: Fields) -> ArraySamples:
        window = as_tensor(fields["value"])
        nothing = window.new_zeros(1, 1, 1).expand(len(window), self.task.options.horizon, len(self.names))
        index = as_tensor(np.arange(len(window)))
        return ArraySamples({"window": window, "target": nothing, "index": index})

    def example(self, manifest: Manifest, number: int) -> dict[str, Any]:
        values = manifest.arrays("train")["value"]
        first = min(number, max(0, len(values) - self.window))
        return {"value": values[first : first + self.window].tolist()}

    def rows_of(self, raw: RawSeries) -> Iterator[pd.DataFrame]:
        """Every history of the series, each as long as the window; `truth` where all of the horizon is known.

        `time` is that of the last known step.
        """
        series, values = filled_series(raw, self.options.missing)
        if list(raw.names) != list(self.names):
            raise DataError(f"the series has the channels {', '.join(raw.names)}; allowed: {', '.join(self.names)}")
        horizon, chosen = self.task.options.horizon, chosen_channels(self.names, self.task.options.targets)
        for start in range(self.window, len(values) + 1, ROWS):
            ends = range(start, min(start + ROWS, len(values) + 1))
            truth = [values[end : end + horizon, chosen] for end in ends]
            yield pd.DataFrame(
                {
                    "value": pd.Series([values[end - self.window : end] for end in ends], dtype=object),
                    TIME: series.time[start - 1 : ends.stop - 1],
                    SOURCE: [f"step {end}" for end in ends],
                    TRUTH: pd.Series([part.tolist() if len(part) == horizon else None for part in truth], dtype=object),
                }
            )
