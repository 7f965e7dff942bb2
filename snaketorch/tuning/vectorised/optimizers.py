"""Torch's optimizers for rows of weights, each row with settings of its own; equal to torch's step for step."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Tensors = dict[str, Tensor]
Settings = Mapping[str, Tensor]
"""(K,) each, float64 on the CPU."""


class RowOptimizer:
    """Steps of K networks at once.

    As in a training by itself, weight decay is for matrices and filters only.

    Attributes:
        state: What the optimizer remembers, by its name for it and the weight's; zeros at first.
    """

    def __init__(self, kind: str, weights: Tensors, nesterov: bool = False):
        self.step_of, self.nesterov = STEPS[kind], nesterov
        self.steps = 0
        self.state = {
            name: {key: torch.zeros_like(weight, requires_grad=False) for key, weight in weights.items()}
            for name in REMEMBERED[kind]
        }

    @torch.no_grad()
    def step(self, weights: Tensors, gradients: Tensors, settings: Settings) -> None:
        """Changes ``weights`` in place; ``gradients`` are used up."""
        self.steps += 1
        own = self._scalars(settings) | {"nesterov": self.nesterov}
        for name, weight in weights.items():
            state = {key: values[name] for key, values in self.state.items()}
            shape = (-1, *[1] * (weight.ndim - 1))
            of_weight = {key: value.view(shape) if isinstance(value, Tensor) else value for key, value in own.items()}
            if weight.ndim <= 2:  # a bias, or a normalisation's: with the rows it has two dimensions
                of_weight["weight_decay"] = None
            self.step_of(weight, gradients[name], state, of_weight)

    def keep(self, rows: Tensor) -> None:
        """Forgets all rows but those at ``rows`` (k,)."""
        self.state = {
            name: {key: value.index_select(0, rows) for key, value in values.items()}
            for name, values in self.state.items()
        }

    def _scalars(self, settings: Settings) -> dict[str, Tensor | None]:
        """The numbers that the formulas need (K,), computed in float64 as torch does, then as the weights have them."""
        found = dict(settings)
        if "beta1" in found:
            correction1 = 1 - found["beta1"] ** self.steps
            found["rate"] = found["lr"] / correction1
            found["root2"] = (1 - found["beta2"] ** self.steps).sqrt()
            found["rest1"], found["rest2"] = 1 - found["beta1"], 1 - found["beta2"]
        found["shrink"] = 1 - found["lr"] * found["weight_decay"]
        example = next(iter(next(iter(self.state.values())).values()))
        scalars: dict[str, Tensor | None] = {
            name: value.to(example.device, example.dtype, non_blocking=True) for name, value in found.items()
        }
        if not settings["weight_decay"].any():
            scalars["weight_decay"] = None
        return scalars


def _sgd(weight: Tensor, gradient: Tensor, state: Tensors, own: Mapping) -> None:
    gradient = _with_penalty(weight, gradient, own)
    momentum = state["momentum"].mul_(own["momentum"]).add_(gradient)
    move = gradient.addcmul_(momentum, own["momentum"]) if own["nesterov"] else momentum
    weight.sub_(move * own["lr"])


def _adam(weight: Tensor, gradient: Tensor, state: Tensors, own: Mapping) -> None:
    _adam_move(weight, _with_penalty(weight, gradient, own), state, own)


def _adamw(weight: Tensor, gradient: Tensor, state: Tensors, own: Mapping) -> None:
    if own["weight_decay"] is not None:
        weight.mul_(own["shrink"])
    _adam_move(weight, gradient, state, own)


def _adam_move(weight: Tensor, gradient: Tensor, state: Tensors, own: Mapping) -> None:
    mean = state["mean"].lerp_(gradient, own["rest1"].expand_as(gradient))
    square = state["square"].mul_(own["beta2"]).addcmul_(gradient, gradient * own["rest2"])
    spread = square.sqrt().div_(own["root2"]).add_(own["eps"])
    weight.sub_((mean / spread).mul_(own["rate"]))


def _rmsprop(weight: Tensor, gradient: Tensor, state: Tensors, own: Mapping) -> None:
    gradient = _with_penalty(weight, gradient, own)
    square = state["square"].mul_(own["alpha"]).addcmul_(gradient, gradient * (1 - own["alpha"]))
    move = gradient / square.sqrt().add_(own["eps"])
    weight.sub_(state["momentum"].mul_(own["momentum"]).add_(move) * own["lr"])


def _with_penalty(weight: Tensor, gradient: Tensor, own: Mapping) -> Tensor:
    return gradient if own["weight_decay"] is None else gradient.addcmul_(weight, own["weight_decay"])


STEPS: dict[str, Callable[[Tensor, Tensor, Tensors, Mapping], None]] = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": _adamw,
    "rmsprop": _rmsprop,
}
REMEMBERED = {
    "sgd": ("momentum",),
    "adam": ("mean", "square"),
    "adamw": ("mean", "square"),
    "rmsprop": ("square", "momentum"),
}


@torch.no_grad()
def clip(gradients: Tensors, most: Tensor, algorithm: str) -> None:
    """Bounds the gradients of each row in place, as torch does those of one network.

    Args:
        gradients: (K, ...) each.
        most: (K,): the largest norm, or value.
        algorithm: `norm` or `value`.
    """
    if algorithm == "value":
        for gradient in gradients.values():
            bound = most.to(gradient).view(-1, *[1] * (gradient.ndim - 1))
            gradient.clamp_(-bound, bound)
        return
    norms = torch.stack([torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in gradients.values()])
    factor = (most.to(norms) / (torch.linalg.vector_norm(norms, dim=0) + 1e-6)).clamp(max=1.0)
    for gradient in gradients.values():
        gradient.mul_(factor.view(-1, *[1] * (gradient.ndim - 1)))
