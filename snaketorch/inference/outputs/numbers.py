"""Numbers: one for a sample, or the next ones of a series."""

import numpy as np

from snaketorch.inference.columns import Column
from snaketorch.inference.outputs.base import Cells, Predicted
from snaketorch.tasks.forecasting import chosen_channels


class Number(Predicted):
    """Column `value`, in the unit of the training data."""

    def __init__(self, task):
        super().__init__(task)
        self.columns = [Column("value", "double", description=task.facts["fields"]["target"]["name"])]

    def cells(self, values: dict[str, np.ndarray]) -> Cells:
        return {"value": values["predicted"].tolist()}


class Forecast(Predicted):
    """Column `forecast`: (horizon, channels) in the units of the series; and `quantiles` of each where there are some.

    The latter are (horizon, channels, quantiles).
    """

    def __init__(self, task):
        super().__init__(task)
        options, names = task.options, task.facts["fields"]["value"]["names"]
        chosen = [names[place] for place in chosen_channels(names, options.targets)]
        shape = (options.horizon, len(chosen))
        self.columns = [Column("forecast", "double", shape, description=", ".join(chosen))]
        if options.quantiles:
            levels = ", ".join(f"{level:g}" for level in options.quantiles)
            self.columns.append(Column("quantiles", "double", (*shape, len(options.quantiles)), description=levels))

    def cells(self, values: dict[str, np.ndarray]) -> Cells:
        return {column.name: values[column.name].tolist() for column in self.columns}
