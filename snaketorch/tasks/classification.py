"""One class for each image or sequence."""

import torch
from torch import Tensor
from torch.nn import functional as F

from snaketorch.data.batches import ArraySamples, Batch, as_tensor
from snaketorch.data.manifest import Manifest
from snaketorch.tasks.base import TaskModule

IMAGE_SCALE = 255.0  # images are stored as bytes; their statistics are of values in [0, 1]


class Classification(TaskModule):
    """Cross-entropy over classes."""

    def __init__(self, options, model, facts):
        super().__init__(options, model, facts)
        statistics = facts["fields"]["image"]["statistics"]
        for name in ("mean", "std"):
            value = torch.tensor(statistics[name], dtype=torch.float32).view(-1, 1, 1)
            self.register_buffer(name, value, persistent=False)

    def input_shape(self) -> tuple[int, ...]:
        channels, height, width = self.facts["fields"]["image"]["shape"]
        match getattr(self.options, "read", None):
            case "rows":
                return height, channels * width
            case "columns":
                return width, channels * height
            case _:
                return channels, height, width

    def num_outputs(self) -> int:
        return len(self.facts["classes"])

    def samples(self, manifest: Manifest, split: str) -> ArraySamples:
        return ArraySamples({name: as_tensor(array) for name, array in manifest.arrays(split).items()})

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, K) of bytes (B, C, H, W)."""
        scaled = (image.float() / IMAGE_SCALE - self.mean) / self.std
        match getattr(self.options, "read", None):
            case "rows":  # (B, C, H, W) -> (B, H, C * W)
                scaled = scaled.transpose(1, 2).flatten(2)
            case "columns":  # (B, C, H, W) -> (B, W, C * H)
                scaled = scaled.permute(0, 3, 1, 2).flatten(2)
        return self.network(scaled)

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        logits, label = self(batch["image"]), batch["label"]
        return {
            "loss": F.cross_entropy(logits, label, label_smoothing=self.options.label_smoothing),
            "accuracy": (logits.argmax(1) == label).float().mean(),
        }

    def predict(self, batch: Batch) -> Batch:
        """``logits`` (B, K) float32 and ``label`` (B,) int64."""
        return {"logits": self(batch["image"]).float(), "label": batch["label"]}
