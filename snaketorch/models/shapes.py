"""What a network is told of the samples that it will read. Each is a tuple, and says what a batch is."""

from typing import NamedTuple


class ImageShape(NamedTuple):
    """Batches (B, C, H, W), floating point, normalised."""

    channels: int
    height: int
    width: int


class SequenceShape(NamedTuple):
    """Batches (B, T, F), floating point, normalised."""

    steps: int
    """The longest."""
    features: int
    ragged: bool = False
    """Whether samples have lengths of their own, which come as ``length`` (B,); the rest is padding (0)."""


class TokensShape(NamedTuple):
    """Batches (B, T) of int64, each below ``vocabulary_size``."""

    steps: int
    """The longest."""
    vocabulary_size: int
    ragged: bool = False
    """Whether samples have lengths of their own, which come as ``length`` (B,); the rest is padding (0)."""


class RowShape(NamedTuple):
    """Two tensors: numbers (B, N), floating point, normalised; and categories (B, K), int64."""

    numbers: int
    categories: tuple[int, ...]
    """How many values each has, that of 0 (unknown or missing) included."""


Shape = ImageShape | SequenceShape | TokensShape | RowShape
