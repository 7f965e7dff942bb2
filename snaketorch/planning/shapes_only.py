"""A dataset of which only the shapes are known: samples of zeros, which take no memory."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from snaketorch.data.loading.samples import Samples
from snaketorch.tasks.base import TaskModule


class ShapesOnly:
    """Stands for the training split of a manifest where a task asks it for samples."""

    def __init__(self, facts: Mapping[str, Any], count: int | None = None):
        """``facts``: ``Manifest.facts``; ``count``: samples, or steps; those of the training split when None."""
        self.dataset, self.fields = facts["dataset"], facts["fields"]
        self.count = facts["training_samples"] if count is None else count

    def arrays(self, split: str) -> dict[str, np.ndarray]:
        """Of any split the same: zeros that share one element."""
        found = {}
        for name, field in self.fields.items():
            shape, count = field["shape"], self.count
            if shape and shape[0] is None:  # each as long as the longest
                shape, longest = shape[1:], field["longest"]
                found[f"{name}_start"] = np.arange(count + 1, dtype=np.int64) * longest
                count *= longest
            found[name] = np.broadcast_to(np.zeros((), field["dtype"]), (count, *shape))
        return found


def samples_of_shapes(task: TaskModule, facts: Mapping[str, Any], count: int | None = None) -> Samples:
    """The training samples of ``task``, without their content."""
    return task.samples(ShapesOnly(facts, count), "train")
