"""What a network is given of a batch: one class for each kind of sample, and the choice between them.

Images are stored as bytes, sequences and the numbers of rows in the data's own units: here they are normalised by
the statistics of the training split.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from snaketorch.data.loading.samples import Batch
from snaketorch.models.shapes import ImageShape, RowShape, SequenceShape, Shape, TokensShape

IMAGE_SCALE = 255.0  # the statistics of images are of values in [0, 1]

Arguments = tuple[Tensor | None, ...]


class Inputs(nn.Module):
    """Makes the arguments of a network from fields of a batch.

    Attributes:
        fields: The keys of the batch that it reads.
        shape: What the network is told.
    """

    fields: ClassVar[tuple[str, ...]]

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape

    def forward(self, *values: Tensor | None) -> Arguments:
        """``values`` of ``fields``, None (or nothing) for those that the batch lacks."""
        raise NotImplementedError

    def of(self, batch: Batch) -> Arguments:
        return self(*(batch.get(name) for name in self.fields))

    def _remember(self, statistics: Mapping[str, list[float]], shape: tuple[int, ...]) -> None:
        for name in ("mean", "std"):
            value = torch.tensor(statistics[name], dtype=torch.float32).view(shape)
            self.register_buffer(name, value, persistent=False)


class Images(Inputs):
    """``image`` (B, C, H, W): bytes, or floating point where augmentation has normalised them."""

    fields = ("image",)

    def __init__(self, field: Mapping[str, Any], read: str | None = None):
        """``read``: as a sequence of its `rows` or `columns`; as an image when None."""
        channels, height, width = field["shape"]
        shapes = {
            None: ImageShape(channels, height, width),
            "rows": SequenceShape(height, channels * width),
            "columns": SequenceShape(width, channels * height),
        }
        super().__init__(shapes[read])
        self.read = read
        self._remember(field["statistics"], (-1, 1, 1))

    def forward(self, image: Tensor) -> Arguments:
        scaled = image if image.is_floating_point() else (image.float() / IMAGE_SCALE - self.mean) / self.std
        match self.read:
            case "rows":  # (B, C, H, W) -> (B, H, C * W)
                scaled = scaled.transpose(1, 2).flatten(2)
            case "columns":  # (B, C, H, W) -> (B, W, C * H)
                scaled = scaled.permute(0, 3, 1, 2).flatten(2)
        return (scaled,)


class Sequences(Inputs):
    """``value`` (B, T, C), with ``length`` (B,) where samples have lengths of their own: beyond it there are zeros."""

    fields = ("value", "length")

    def __init__(self, field: Mapping[str, Any]):
        steps, channels = field["shape"]
        super().__init__(SequenceShape(steps or field["longest"], channels, ragged=not steps))
        self._remember(field["statistics"], (-1,))

    def forward(self, value: Tensor, length: Tensor | None = None) -> Arguments:
        scaled = (value - self.mean) / self.std
        if length is None:
            return (scaled,)
        padding = torch.arange(scaled.shape[1], device=scaled.device) >= length[:, None]
        return scaled.masked_fill(padding[:, :, None], 0), length


class Tokens(Inputs):
    """``token`` (B, T), zeros beyond ``length`` (B,)."""

    fields = ("token", "length")

    def __init__(self, field: Mapping[str, Any]):
        super().__init__(TokensShape(field["longest"], field["vocabulary_size"], ragged=True))

    def forward(self, token: Tensor, length: Tensor) -> Arguments:
        return token.long(), length


class Rows(Inputs):
    """``number`` (B, N) and ``category`` (B, K), or one of them: the network is given None for the other."""

    fields = ("number", "category")

    def __init__(self, fields: Mapping[str, Mapping[str, Any]]):
        numbers, categories = fields.get("number"), fields.get("category", {"values": []})
        # 0 stands for what is unknown or missing
        sizes = tuple(len(values) + 1 for values in categories["values"])
        super().__init__(RowShape(len(numbers["names"]) if numbers else 0, sizes))
        if numbers:
            self._remember(numbers["statistics"], (-1,))

    def forward(self, number: Tensor | None, category: Tensor | None = None) -> Arguments:
        return (
            None if number is None else (number - self.mean) / self.std,
            None if category is None else category.long(),
        )


def inputs_of(facts: Mapping[str, Any], read: str | None = None) -> Inputs:
    """What fits the fields of a dataset.

    Args:
        facts: What a task knows of the dataset.
        read: Read images as sequences of `rows` or `columns`.
    """
    fields = facts["fields"]
    if "image" in fields:
        return Images(fields["image"], read)
    if "value" in fields:
        return Sequences(fields["value"])
    return Tokens(fields["token"]) if "token" in fields else Rows(fields)
