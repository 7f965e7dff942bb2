"""Memory that libraries of the GPU take for single operations, which no tensor of torch's shows."""

from collections.abc import Sequence

import torch
from torch import Tensor

MIB = 2**20
CUBLAS = 32 * MIB
"""Of each handle: `CUBLAS_WORKSPACE_CONFIG=:4096:8`, which a deterministic training sets and Hopper has anyway."""
CUBLAS_DEFAULT = 4096 * 1024 * 2 + 16 * 1024 * 8
"""Of each handle elsewhere: `:4096:2:16:8`."""
HANDLES = 2
"""Of cuBLAS: the backward pass has a thread, and so a handle, of its own."""


def cublas_bytes(deterministic: bool, at_most: bool = False) -> int:
    """Of all handles of a training; ``at_most``: on any architecture."""
    return HANDLES * (CUBLAS if deterministic or at_most else CUBLAS_DEFAULT)


def _forwards(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
    return _copies([inputs[0], inputs[1], outputs[0]])


def _backwards(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
    # the gradients of images and of filters are computed one after the other
    return _copies(inputs[:3])


def _copies(tensors: Sequence[Tensor]) -> int:
    """With channels last, which the kernels of tensor cores read, where the tensors are not so already."""
    if tensors[0].ndim == 4 and tensors[0].is_contiguous(memory_format=torch.channels_last):
        return 0
    return sum(tensor.numel() * tensor.itemsize for tensor in tensors)


CONVOLUTIONS = {torch.ops.aten.convolution: _forwards, torch.ops.aten.convolution_backward: _backwards}
"""The workspace of cuDNN's convolutions, by operation."""
