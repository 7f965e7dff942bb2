"""Tensors that never change, on whatever device asks."""

import torch
from torch import Tensor


class Constants:
    """Tensors that are copied to a device once, as a copy in each step would make the host wait for the device."""

    def __init__(self, **tensors: Tensor):
        self._tensors = tensors
        self._held: dict[torch.device, dict[str, Tensor]] = {}

    def on(self, device: torch.device) -> dict[str, Tensor]:
        if device not in self._held:
            self._held[device] = {name: tensor.to(device) for name, tensor in self._tensors.items()}
        return self._held[device]
