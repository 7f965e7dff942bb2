"""Images that a generator made."""

import numpy as np

from snaketorch.inference.columns import Column
from snaketorch.inference.outputs.base import Cells, Predicted


class Pictures(Predicted):
    """Column `image`: (channels, height, width), whole numbers from 0 to 255."""

    def __init__(self, task):
        super().__init__(task)
        self.columns = [Column("image", "long", tuple(task.facts["fields"]["image"]["shape"]))]

    def cells(self, values: dict[str, np.ndarray]) -> Cells:
        return {"image": values["generated"].astype(np.uint8).tolist()}
