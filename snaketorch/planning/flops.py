"""Floating point operations of one operation of torch: its own counts, and ours where those are wrong."""

from typing import Any

import torch
from torch.utils.flop_counter import conv_flop_count, flop_registry


def is_counted(packet: Any) -> bool:
    """Whether an operation (an overload packet) multiplies enough to be counted."""
    return packet in flop_registry


def flops_of(packet: Any, args: tuple, kwargs: dict[str, Any], result: Any) -> int:
    """Floating point operations, a multiplication with an addition as two."""
    if packet is torch.ops.aten.convolution_backward:
        return _convolution_backward(*args, **kwargs)
    return int(flop_registry[packet](*args, **kwargs, out_val=result))


def _convolution_backward(
    grad_output, samples, weight, bias_sizes, stride, padding, dilation, transposed, output_padding, groups, output_mask
) -> int:
    """Each gradient has the products of the forward pass. Torch counts those of grouped filters as if of whole ones."""
    forward = conv_flop_count(list(samples.shape), list(weight.shape), list(grad_output.shape), transposed)
    return forward * sum(output_mask[:2])
