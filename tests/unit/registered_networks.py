"""Every registered network of one input and one output, for every kind of sample that it reads."""

from typing import NamedTuple, get_args

import torch
from torch import Tensor

from snaketorch.config.models import Model, Network
from snaketorch.config.models.base import IMAGE, ROW, SEQUENCE, TOKENS
from snaketorch.models.shapes import ImageShape, RowShape, SequenceShape, Shape, TokensShape

SHAPES: dict[str, Shape] = {
    IMAGE: ImageShape(1, 16, 16),
    SEQUENCE: SequenceShape(12, 3, ragged=True),
    TOKENS: TokensShape(12, 9, ragged=True),
    ROW: RowShape(3, (4, 5)),
}
BATCH = 4


class Registered(NamedTuple):
    """A network's section, and what it reads."""

    kind: str
    section: type[Network]
    reads: str

    def __str__(self) -> str:
        return f"{self.kind} of {self.reads}"


def registered() -> list[Registered]:
    """All but the user's own."""
    found = []
    for section in get_args(get_args(Model)[0]):
        (kind,) = get_args(section.model_fields["kind"].annotation)
        found += [Registered(kind, section, reads) for reads in section.reads if reads in SHAPES and kind != "custom"]
    return found


def some_samples(shape: Shape, device: str) -> list[Tensor]:
    """A batch for a network of ``shape``."""
    match shape:
        case RowShape(numbers, categories):
            columns = [torch.randint(values, (BATCH,)) for values in categories]
            samples = [torch.randn(BATCH, numbers), torch.stack(columns, 1)]
        case TokensShape(steps, vocabulary_size):
            samples = [torch.randint(1, vocabulary_size, (BATCH, steps)), torch.arange(steps, steps - BATCH, -1)]
        case SequenceShape(steps, features):
            samples = [torch.randn(BATCH, steps, features), torch.arange(steps, steps - BATCH, -1)]
        case _:
            samples = [torch.randn(BATCH, *shape)]
    return [tensor.to(device) for tensor in samples]
