"""Tensors without content, made quickly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    UnsupportedOperatorException,
)

NEED_VALUES = (DataDependentOutputException, DynamicOutputShapeException, UnsupportedOperatorException)
"""What fake tensors say to operations that they cannot stand for."""


class Fakes(FakeTensorMode):
    """torch's fake tensors, of the CPU alone."""

    def __init__(self) -> None:
        super().__init__(allow_non_fake_inputs=True)

    @property
    def avoid_device_init(self) -> bool:
        """For each operation torch would look for a GPU's driver, which takes a fifth of the time."""
        return True


@contextmanager
def drawing_nothing() -> Iterator[None]:
    """Networks can be built of fake tensors in the block: a truncated normal distribution looks at what it draws.

    Without this vision transformers, ConvNeXt and GoogLeNet would be built in earnest, with all of their memory.
    """
    drawn = nn.init.trunc_normal_
    nn.init.trunc_normal_ = lambda tensor, *_, **__: tensor
    try:
        yield
    finally:
        nn.init.trunc_normal_ = drawn


def _batch_norm(read: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
    channels = read.shape[1]
    numbers = torch.float64 if read.dtype == torch.float64 else torch.float32
    return (
        torch.empty_like(read),
        torch.empty(channels, dtype=numbers),
        torch.empty(channels, dtype=numbers),
    )


SHORT_WAYS = {torch.ops.aten.native_batch_norm.default: _batch_norm}
"""Operations that torch fakes by many others, since they change their arguments too; what they give is plain."""
