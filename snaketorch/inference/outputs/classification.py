"""The class of a sample, or its labels."""

import numpy as np
import torch

from snaketorch.inference.columns import Column
from snaketorch.inference.outputs.base import Cells, Predicted


class Classes(Predicted):
    """Columns `class`, `probability` of that class, and `probabilities` of all in the order of the classes."""

    def __init__(self, task):
        super().__init__(task)
        self.classes = task.facts["classes"]
        self.columns = [
            Column("class", "string"),
            Column("probability", "double"),
            Column("probabilities", "double", (len(self.classes),), description=", ".join(self.classes)),
        ]

    def cells(self, values: dict[str, np.ndarray]) -> Cells:
        probability = torch.from_numpy(values["logits"]).double().softmax(1).float().numpy()
        chosen = values["logits"].argmax(1)
        return {
            "class": [self.classes[number] for number in chosen],
            "probability": probability[np.arange(len(chosen)), chosen].tolist(),
            "probabilities": probability.tolist(),
        }


class Labels(Predicted):
    """Columns `labels` that apply, from a probability of one half, and `probabilities` of all in their order."""

    def __init__(self, task):
        super().__init__(task)
        self.classes = task.facts["classes"]
        self.columns = [
            Column("labels", "string", (None,)),
            Column("probabilities", "double", (len(self.classes),), description=", ".join(self.classes)),
        ]

    def cells(self, values: dict[str, np.ndarray]) -> Cells:
        probability = torch.from_numpy(values["logits"]).double().sigmoid().float().numpy()
        applies = [np.flatnonzero(row > 0) for row in values["logits"]]
        return {
            "labels": [[self.classes[number] for number in row] for row in applies],
            "probabilities": probability.tolist(),
        }
