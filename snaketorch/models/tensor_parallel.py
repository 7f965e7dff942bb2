"""Layers of which several processes each compute a part, all of them for the same samples (arXiv 1909.08053).

Where a layer's units are split, each process has a part of its activations until a layer that is split by its inputs
adds up what all have.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import Replicate
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from torch.nn import functional as F


def split_encoder_layer(layer: nn.TransformerEncoderLayer, mesh: DeviceMesh) -> None:
    """Gives each process of ``mesh`` some of the heads and of the dense part's units, in place."""
    layer.self_attn = AttentionInParts(layer.self_attn, mesh)
    layer.dropout = DropoutOfPart(layer.dropout.p, mesh)
    plan = {
        "self_attn.in_proj": ColwiseParallel(),
        "self_attn.out_proj": RowwiseParallel(),
        "linear1": ColwiseParallel(),
        "linear2": RowwiseParallel(),
    }
    parallelize_module(layer, mesh, plan)


def split_dense_layers(layers: nn.Sequential, head: nn.Linear, mesh: DeviceMesh) -> None:
    """Gives each process of ``mesh`` a part of the units of every other layer, and of the inputs of those between.

    Args:
        layers: Each a linear layer, perhaps a normalisation, an activation and a dropout. With normalisation every
            layer is split by its units, and what they give is put together again: a batch is normalised as a whole.
        head: The linear layer after them.
        mesh: Processes that work on the same samples.
    """
    is_split = False
    for layer in layers:
        linear, dropout = layer[0], layer[-1]
        if is_split:
            plan, is_split = RowwiseParallel(), False
        elif any(isinstance(part, nn.BatchNorm1d) for part in layer):
            plan = ColwiseParallel(output_layouts=Replicate())
        else:
            plan, is_split = ColwiseParallel(), True
            layer[-1] = DropoutOfPart(dropout.p, mesh)
        parallelize_module(linear, mesh, plan)
    if is_split:
        parallelize_module(head, mesh, RowwiseParallel())


class AttentionInParts(nn.Module):
    """Some heads of an ``nn.MultiheadAttention`` that reads one sequence, as an encoder layer calls it.

    Its input weights are in an order of their own, which gives each process the queries, keys and values of its heads
    in a row; ``publish`` puts them back.
    """

    batch_first = False
    """What an encoder layer asks for before it takes a short cut that knows nothing of parts."""

    def __init__(self, whole: nn.MultiheadAttention, mesh: DeviceMesh):
        super().__init__()
        self.parts, self.part = mesh.size(), mesh.get_local_rank()
        self.head_dim, self.dropout = whole.head_dim, whole.dropout
        features = whole.embed_dim
        self.in_proj = nn.Linear(features, 3 * features, device="meta")
        self.in_proj.weight = nn.Parameter(self._by_part(whole.in_proj_weight.detach(), 3, self.parts))
        self.in_proj.bias = nn.Parameter(self._by_part(whole.in_proj_bias.detach(), 3, self.parts))
        self.out_proj = nn.Linear(features, features, device="meta")
        self.out_proj.weight, self.out_proj.bias = whole.out_proj.weight, whole.out_proj.bias

    def forward(
        self,
        states: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = False,
        is_causal: bool = False,
    ) -> tuple[Tensor, None]:
        """``states`` (B, T, D), also ``key`` and ``value``; the masks are of what is added to the scores."""
        mask = None if is_causal and key_padding_mask is None else attn_mask
        if key_padding_mask is not None:
            padding = key_padding_mask[:, None, None]
            mask = padding if mask is None else mask + padding
        query, key, value = (
            part.unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for part in self.in_proj(states).chunk(3, dim=-1)
        )
        dropout = self.dropout if self.training else 0.0
        with draws_of_part(self.part, states.device, is_needed=dropout > 0):
            found = F.scaled_dot_product_attention(
                query, key, value, mask, dropout, is_causal=is_causal and mask is None
            )
        return self.out_proj(found.transpose(1, 2).flatten(2)), None

    def publish(self, weights: dict[str, Tensor], prefix: str) -> None:
        """Gives whole weights the names and the order that they have in an ``nn.MultiheadAttention``, in place."""
        for name in ("weight", "bias"):
            mine = weights.pop(f"{prefix}in_proj.{name}")
            weights[f"{prefix}in_proj_{name}"] = self._by_part(mine, self.parts, 3)

    @staticmethod
    def _by_part(rows: Tensor, outer: int, inner: int) -> Tensor:
        """Rows in ``outer`` groups of ``inner``, as ``inner`` groups of ``outer``."""
        return rows.unflatten(0, (outer, inner, -1)).transpose(0, 1).flatten(0, 2).clone()


class DropoutOfPart(nn.Dropout):
    """Drops units of which each process has others, so that its draws are its own."""

    def __init__(self, p: float, mesh: DeviceMesh):
        super().__init__(p)
        self.part = mesh.get_local_rank()

    def forward(self, units: Tensor) -> Tensor:
        with draws_of_part(self.part, units.device, is_needed=self.training and self.p > 0):
            return super().forward(units)


@contextmanager
def draws_of_part(part: int, device: torch.device, is_needed: bool) -> Iterator[None]:
    """Random draws that no other process of the group makes; before and after, all draw the same."""
    if not is_needed:
        yield
        return
    on_gpu = device.type == "cuda"
    seed = int(torch.empty((), dtype=torch.int64).random_(2**62)) + part
    with torch.random.fork_rng(devices=[device] if on_gpu else []):
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            torch.cuda.manual_seed(seed)
        yield
