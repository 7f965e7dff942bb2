"""One number for each sample, whatever the sample is."""

import torch
from torch import Tensor

from snaketorch.data.loading.samples import ArraySamples, Batch, RaggedSamples, samples_from
from snaketorch.data.manifest import Manifest
from snaketorch.models.shapes import Shape
from snaketorch.tasks.base import TaskModule
from snaketorch.tasks.inputs import inputs_of
from snaketorch.tasks.losses import LOSSES


class Regression(TaskModule):
    """The network gives the number normalised by the training split, so that it begins near its mean.

    A batch holds what ``inputs`` reads, and ``target`` (B,) in the data's unit.
    """

    def __init__(self, options, model, facts):
        super().__init__(options, model, facts)
        self.inputs = inputs_of(facts)
        for name, value in facts["fields"]["target"]["statistics"].items():
            self.register_buffer(f"target_{name}", torch.tensor(value, dtype=torch.float32), persistent=False)

    def input_shape(self) -> Shape:
        return inputs_of(self.facts).shape

    def num_outputs(self) -> int:
        return 1

    def samples(self, manifest: Manifest, split: str) -> ArraySamples | RaggedSamples:
        return samples_from(manifest.arrays(split))

    def forward(self, *fields: Tensor | None) -> Tensor:
        """Normalised numbers (B,) of what a batch holds: the ``fields`` that ``inputs`` reads."""
        return self.network(*self.inputs(*fields))[:, 0]

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        predicted = self._normal(batch)
        target = (batch["target"] - self.target_mean) / self.target_std
        return {
            "loss": LOSSES[self.options.loss](predicted, target),
            "mae": (predicted - target).abs().mean() * self.target_std,
        }

    def predict(self, batch: Batch) -> Batch:
        """``predicted`` and ``target`` (B,), in the data's unit."""
        return {"predicted": self._normal(batch) * self.target_std + self.target_mean, "target": batch["target"]}

    def _normal(self, batch: Batch) -> Tensor:
        # half precision would round what is compared with the target
        return self.network(*self.inputs.of(batch))[:, 0].float()
