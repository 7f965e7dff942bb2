"""Operations on tensors of the CPU with the memory that they take on a GPU, for traces where there is none.

Fake tensors of a GPU cannot be differentiated where torch has no CUDA, so a training is traced on the CPU. What torch
computes by other operations there is put in its GPU's place: recurrent layers are cuDNN's, attention keeps no square of
the steps, dropout keeps a mask of bytes, and autocast computes more in 32 bits.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.library import Library
from torch.utils.flop_counter import sdpa_backward_flop_count, sdpa_flop_count

from snaketorch.planning.lifetimes import FORMATS, Lifetimes
from snaketorch.planning.rnn_reserve import GATES, Recurrence

IN_32_BITS = (
    *("exp", "expm1", "log", "log10", "log2", "log1p", "reciprocal", "rsqrt", "tan", "softplus"),
    *("pow.Tensor_Scalar", "pow.Tensor_Tensor", "pow.Scalar", "logsumexp", "cumsum", "cumprod"),
    *("layer_norm", "group_norm", "rms_norm", "binary_cross_entropy_with_logits", "soft_margin_loss"),
    *("upsample_nearest2d", "upsample_bilinear2d", "cosine_similarity"),
)
"""What autocast computes in 32 bits on a GPU and not on a CPU (`ATen/autocast_mode.h`); most losses it does on both."""
TO_32_BITS = ("softmax.int", "log_softmax.int")
"""What reads 16 bits there and gives 32."""
HALVES = (torch.bfloat16, torch.float16)


@dataclass
class Told:
    """What is known of the operations that stand for a GPU's."""

    lifetimes: Lifetimes
    reserve: int = 0
    """Bytes of all reserves of recurrent layers that were made."""


@contextmanager
def as_on_gpu(lifetimes: Lifetimes) -> Iterator[Told]:
    """Puts GPU operations in the place of the CPU's, in this process.

    Args:
        lifetimes: Told of the work of what is one operation on a GPU.
    """
    told = Told(lifetimes)
    kernels: Mapping[str, Mapping[str, Callable]] = {
        "AutogradCPU": {
            **{f"{kind}.input": partial(_recurrence, told, kind) for kind in GATES},
            "scaled_dot_product_attention": partial(_attention, told),
            "dropout": _dropout,
        },
        "AutocastCPU": {
            **{name: partial(_in_32_bits, _operation(name)) for name in IN_32_BITS},
            **{name: partial(_to_32_bits, _operation(name)) for name in TO_32_BITS},
            "cross_entropy_loss": _cross_entropy,
        },
    }
    library = Library("aten", "IMPL")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)  # that the CPU's operations are replaced
        for key, operations in kernels.items():
            for name, kernel in operations.items():
                library.impl(name, kernel, key)
    try:
        yield told
    finally:
        library._destroy()


def _recurrence(
    told: Told, kind, read, states, weights, has_biases, layers, dropout, train, bidirectional, batch_first
) -> tuple[Tensor, ...]:
    given = (states,) if isinstance(states, Tensor) else states
    if batch_first:
        read = read.transpose(0, 1)
    read = read.contiguous()
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        read, given = read.to(dtype), tuple(state.to(dtype) for state in given)
    steps, batch, features = read.shape
    hidden, masks = given[0].shape[2], dropout > 0 and train
    call = Recurrence(kind, steps, batch, features, hidden, layers, 1 + bidirectional, masks, read.itemsize)
    told.reserve += call.reserve if train else 0
    output, *last = _FusedRecurrence.apply(told.lifetimes, call, train, len(given), read, *given, *weights)
    return (output.transpose(0, 1) if batch_first else output, *last)


def _attention(told: Told, query, key, value, attn_mask=None, *options: Any, **more: Any) -> Tensor:
    if attn_mask is not None:  # a mask of truth values becomes numbers that are added
        attn_mask = torch.empty_like(attn_mask, dtype=query.dtype)
    return _FusedAttention.apply(told.lifetimes, query, key, value, attn_mask)


def _dropout(read: Tensor, probability: float, train: bool) -> Tensor:
    return torch.native_dropout(read, probability, True)[0] if train and 0 < probability < 1 else read


def _in_32_bits(operation: Callable, *args: Any, **options: Any) -> Any:
    with torch.autocast("cpu", enabled=False):
        return operation(*(_wide(value) for value in args), **{name: _wide(value) for name, value in options.items()})


def _to_32_bits(operation: Callable, read: Tensor, dim: int, dtype: torch.dtype | None = None) -> Tensor:
    with torch.autocast("cpu", enabled=False):
        if read.dtype in HALVES and dtype is None:
            return _WideSoftmax.apply(read)
        return operation(read, dim, dtype)


def _cross_entropy(logits, target, weight=None, reduction=1, ignore_index=-100, label_smoothing=0.0) -> Tensor:
    options = weight, reduction, ignore_index
    with torch.autocast("cpu", enabled=False):
        if logits.dtype in HALVES and not label_smoothing and not target.is_floating_point():
            return torch.ops.aten.nll_loss_nd(_WideSoftmax.apply(logits), target, *options)
        return torch.ops.aten.cross_entropy_loss(_wide(logits), target, *options, label_smoothing)


def _operation(name: str) -> Callable:
    packet, _, overload = name.partition(".")
    return getattr(getattr(torch.ops.aten, packet), overload or "default")


def _wide(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) and value.dtype in HALVES else value


class _FusedRecurrence(torch.autograd.Function):
    """`_cudnn_rnn`: output (T, B, directions * H), the last states, and the reserve between the passes."""

    @staticmethod
    def forward(ctx, lifetimes: Lifetimes, call: Recurrence, train: bool, states: int, read: Tensor, *rest: Tensor):
        given, weights = rest[:states], rest[states:]
        flat = weights
        if weights[0].dtype != read.dtype:  # autocast copies them into one block
            flat = (read.new_empty(sum(weight.numel() for weight in weights)),)
        output = read.new_empty(call.steps, call.batch, call.hidden * call.directions)
        last = [torch.empty_like(state) for state in given]
        reserve = torch.empty(call.reserve if train else 0, dtype=torch.uint8)
        lifetimes.add_scratch(call.workspace)
        ctx.save_for_backward(read, output, reserve, *given, *flat)
        ctx.lifetimes, ctx.call, ctx.states = lifetimes, call, states
        ctx.shapes = [(weight.shape, weight.dtype) for weight in weights]
        _note(ctx, call.flops, call.kernels, [read, output, reserve, *flat])
        return output, *last

    @staticmethod
    @once_differentiable
    def backward(ctx, *gradients: Tensor | None):
        read, output, reserve, *rest = ctx.saved_tensors
        given, flat = rest[: ctx.states], rest[ctx.states :]
        sizes = [shape.numel() for shape, _ in ctx.shapes]
        of_weights = read.new_empty(sum(sizes))
        parts = of_weights.split(sizes)
        of_weights = [part.view(shape).to(dtype) for part, (shape, dtype) in zip(parts, ctx.shapes, strict=True)]
        ctx.lifetimes.add_scratch(ctx.call.workspace)
        _note(ctx, 2 * ctx.call.flops, 2 * ctx.call.kernels, 2 * [read, output, reserve, *flat])
        return (
            None,
            None,
            None,
            None,
            torch.empty_like(read),
            *(torch.empty_like(state) for state in given),
            *of_weights,
        )


class _FusedAttention(torch.autograd.Function):
    """Memory-efficient attention: keeps its inputs, its output and one number a step, not their products."""

    @staticmethod
    def forward(ctx, lifetimes: Lifetimes, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None):
        output = query.new_empty(*query.shape[:-1], value.shape[-1])
        sums = query.new_empty(query.shape[:-1], dtype=torch.float32)
        ctx.lifetimes = lifetimes
        ctx.save_for_backward(query, key, value, output, sums, mask)
        _note(ctx, sdpa_flop_count(query.shape, key.shape, value.shape), 1, [query, key, value, output])
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        query, key, value, output, *_ = ctx.saved_tensors
        flops = sdpa_backward_flop_count(gradient.shape, query.shape, key.shape, value.shape)
        _note(ctx, flops, 2, 2 * [query, key, value, output])
        ctx.lifetimes.add_scratch(query.numel() * 4)  # the queries' gradients add up in 32 bits
        return None, torch.empty_like(query), torch.empty_like(key), torch.empty_like(value), None


class _WideSoftmax(torch.autograd.Function):
    """Softmax, or its logarithm, of 16 bits in 32: its gradient is of 16 again, and no copy of 32 comes before."""

    @staticmethod
    def forward(ctx, logits: Tensor) -> Tensor:
        output = torch.empty_like(logits, dtype=torch.float32)
        ctx.dtype = logits.dtype
        ctx.save_for_backward(output)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> Tensor:
        return torch.empty_like(gradient, dtype=ctx.dtype)


def _note(ctx: Any, flops: int, kernels: int, moved: list[Tensor]) -> None:
    work = ctx.lifetimes.work
    work.flops[FORMATS[moved[0].dtype]] += flops
    work.kernels += kernels
    work.bytes_moved += sum(tensor.numel() * tensor.itemsize for tensor in moved)
