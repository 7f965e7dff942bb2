"""Weights of which each process has a part: whole ones made of them, and parts of whole ones.

Every process takes part in making something whole, at the same place of the program.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.tensor import DTensor


def own_part(tensor: Tensor) -> Tensor:
    """What this process has of ``tensor``, which shares its memory."""
    if isinstance(tensor, DTensor):
        return tensor.to_local()
    if hasattr(tensor, "ds_tensor"):  # of DeepSpeed, the last of them filled up with anything
        begin = distributed.get_rank() * tensor.ds_tensor.numel()
        return tensor.ds_tensor[: max(0, tensor.ds_numel - begin)]
    return tensor


@torch.no_grad()
def whole(tensor: Tensor) -> Tensor:
    """All of ``tensor``, in the host's memory."""
    if hasattr(tensor, "ds_tensor"):
        with _gathered(tensor):
            return tensor.detach().to("cpu", copy=True)
    return (tensor.full_tensor() if isinstance(tensor, DTensor) else tensor).detach().cpu()


def part_like(value: Tensor, like: Tensor) -> Tensor:
    """Of the whole ``value`` the part that this process has of ``like``, where that is in parts; on its device.

    No other process is asked.
    """
    if not isinstance(like, DTensor):
        return value
    part, mesh = value, like.device_mesh
    # a layer is split first, by the last dimension of the mesh, and what is left of it is shared out after that
    sharers = zip(mesh.shape, mesh.get_coordinate(), like.placements, strict=True)
    for size, place, placement in reversed(list(sharers)):
        if not placement.is_replicate():
            chunks = part.chunk(size, placement.dim)
            part = chunks[place] if place < len(chunks) else part.narrow(placement.dim, 0, 0)
    own = part.to(like.device, copy=True).contiguous()
    return DTensor.from_local(
        own, mesh, like.placements, run_check=False, shape=like.shape, stride=torch.empty_like(value).stride()
    )


def whole_state(module: nn.Module, keeps: bool = True) -> dict[str, Tensor]:
    """The state of ``module``, whole, in the host's memory; one tensor at a time is so on the device.

    ``keeps``: whether this process wants it; else it only helps the others, and gets nothing.
    """
    state = {}
    for name, value in module.state_dict(keep_vars=True).items():
        made = whole(value)
        if keeps:
            state[name] = made
    return state


def published_state(network: nn.Module, keeps: bool = True) -> dict[str, Tensor]:
    """The whole state of ``network`` under the names, and in the order, of one that is in no parts."""
    state = whole_state(network, keeps)
    for name, module in network.named_modules():
        if state and hasattr(module, "publish"):
            module.publish(state, f"{name}.")
    return state


@torch.no_grad()
def take_parts(module: nn.Module, state: dict[str, Tensor]) -> None:
    """Puts into ``module`` its parts of a whole ``state``."""
    own = module.state_dict()
    if missing := own.keys() ^ state.keys():
        raise KeyError(f"the state of another network: {', '.join(sorted(missing))}")
    for name, value in own.items():
        own_part(value).copy_(own_part(part_like(state[name], value)))


@torch.no_grad()
def put_whole(module: nn.Module, state: dict[str, Tensor]) -> None:
    """Puts a whole ``state`` into ``module``, whose weights DeepSpeed may have shared out."""
    for name, value in module.state_dict(keep_vars=True).items():
        if hasattr(value, "ds_tensor"):
            with _gathered(value, modifier_rank=0):
                value.copy_(state[name])
        else:
            value.copy_(state[name])


def whole_optimizer_state(state: dict[str, Any], keeps: bool) -> dict[str, Any]:
    """What an optimizer's ``state_dict`` gives, with whole tensors in the host's memory; empty where not ``keeps``."""
    found = {}
    for number, values in state["state"].items():
        made = {name: whole(value) if isinstance(value, Tensor) else value for name, value in values.items()}
        if keeps:
            found[number] = made
    return {**state, "state": found} if keeps else {}


def parts_of_optimizer_state(state: dict[str, Any], weights: list[nn.Parameter]) -> dict[str, Any]:
    """The parts that this process has of a whole state of an optimizer of ``weights``."""

    def part(value: Any, weight: nn.Parameter) -> Any:
        belongs = isinstance(value, Tensor) and value.shape == weight.shape
        return part_like(value, weight) if belongs else value

    found = {
        number: {name: part(value, weights[number]) for name, value in values.items()}
        for number, values in state["state"].items()
    }
    return {**state, "state": found}


def total_norm(tensors: Iterable[Tensor]) -> Tensor:
    """The 2-norm of all ``tensors`` together, float64."""
    tensors = list(tensors)
    if not tensors:
        return torch.zeros((), dtype=torch.float64)
    sums: dict[tuple[Any, ...], Tensor] = {}
    for tensor in tensors:
        sharers: tuple[Any, ...] = ()
        if isinstance(tensor, DTensor):
            mesh = tensor.device_mesh
            sharers = tuple(
                mesh.get_group(number) for number, at in enumerate(tensor.placements) if not at.is_replicate()
            )
        elif hasattr(tensor, "ds_tensor"):
            sharers = (None,)  # all processes
        square = torch.linalg.vector_norm(own_part(tensor).detach(), dtype=torch.float64).square()
        sums[sharers] = sums[sharers] + square if sharers in sums else square
    for sharers, square in sums.items():
        for group in sharers:
            distributed.all_reduce(square, group=group)
    return torch.stack(list(sums.values())).sum().sqrt()


def _gathered(weight: Tensor, modifier_rank: int | None = None) -> AbstractContextManager:
    """Within it each process has all of a weight that DeepSpeed has shared out."""
    import deepspeed

    return deepspeed.zero.GatheredParameters([weight], modifier_rank=modifier_rank)
