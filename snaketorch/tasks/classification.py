"""One class for each image or sequence."""

import torch
from torch import Tensor
from torch.nn import functional as F

from snaketorch.data.loading.samples import ArraySamples, Batch, RaggedSamples, samples_from
from snaketorch.data.manifest import Manifest
from snaketorch.tasks.base import TaskModule

IMAGE_SCALE = 255.0  # images are stored as bytes; their statistics are of values in [0, 1]
LEARNT_FROM = ("image", "value")


class Classification(TaskModule):
    """Cross-entropy over classes.

    A batch holds ``image`` (B, C, H, W), bytes, or floating point where augmentation has normalised them; or
    ``value`` (B, L, C) in the data's units, with ``length`` (B,) where samples have lengths of their own. Beside
    it ``label`` (B,), and where two samples are mixed ``mixed_label`` (B,), the other one's class, and
    ``mixed_share`` (B,), what is left of the sample itself.
    """

    def __init__(self, options, model, facts):
        super().__init__(options, model, facts)
        statistics = facts["fields"][self.field]["statistics"]
        shape = (-1, 1, 1) if self.field == "image" else (-1,)
        for name in ("mean", "std"):
            value = torch.tensor(statistics[name], dtype=torch.float32).view(shape)
            self.register_buffer(name, value, persistent=False)

    @property
    def field(self) -> str:
        """What is classified."""
        return next(name for name in LEARNT_FROM if name in self.facts["fields"])

    def input_shape(self) -> tuple[int, ...]:
        field = self.facts["fields"][self.field]
        if self.field == "value":
            length, channels = field["shape"]
            return length or field["longest"], channels
        channels, height, width = field["shape"]
        match getattr(self.options, "read", None):
            case "rows":
                return height, channels * width
            case "columns":
                return width, channels * height
            case _:
                return channels, height, width

    def num_outputs(self) -> int:
        return len(self.facts["classes"])

    def samples(self, manifest: Manifest, split: str) -> ArraySamples | RaggedSamples:
        return samples_from(manifest.arrays(split))

    def forward(self, sample: Tensor, length: Tensor | None = None) -> Tensor:
        """Logits (B, K) of what a batch holds."""
        if self.field == "value":
            return self._of_sequences(sample, length)
        scaled = sample if sample.is_floating_point() else (sample.float() / IMAGE_SCALE - self.mean) / self.std
        match getattr(self.options, "read", None):
            case "rows":  # (B, C, H, W) -> (B, H, C * W)
                scaled = scaled.transpose(1, 2).flatten(2)
            case "columns":  # (B, C, H, W) -> (B, W, C * H)
                scaled = scaled.permute(0, 3, 1, 2).flatten(2)
        return self.network(scaled)

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Loss and accuracy; that of mixed samples counts either class by its share."""
        logits, label = self._logits(batch), batch["label"]
        loss, right = self._against(logits, label)
        if "mixed_label" in batch:
            share = batch["mixed_share"]
            other_loss, other_right = self._against(logits, batch["mixed_label"])
            loss, right = share * loss + (1 - share) * other_loss, share * right + (1 - share) * other_right
        return {"loss": loss.mean(), "accuracy": right.mean()}

    def predict(self, batch: Batch) -> Batch:
        """``logits`` (B, K) float32 and ``label`` (B,) int64."""
        return {"logits": self._logits(batch).float(), "label": batch["label"]}

    def _logits(self, batch: Batch) -> Tensor:
        return self(batch[self.field], batch.get("length"))

    def _against(self, logits: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        loss = F.cross_entropy(logits, label, label_smoothing=self.options.label_smoothing, reduction="none")
        return loss, (logits.argmax(1) == label).float()

    def _of_sequences(self, value: Tensor, length: Tensor | None) -> Tensor:
        scaled = (value - self.mean) / self.std
        if length is None:
            return self.network(scaled)
        padding = torch.arange(scaled.shape[1], device=scaled.device) >= length[:, None]
        return self.network(scaled.masked_fill(padding[:, :, None], 0), length)
