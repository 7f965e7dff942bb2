"""What the networks of torchvision have in common here: parts in order, a head, and a smallest image."""

import re
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from snaketorch.config.models import Torchvision
from snaketorch.errors import UserError
from snaketorch.models.shapes import ImageShape

SMALL = 64
"""The longest shorter side, in pixels, of images that are small."""

ALWAYS_ENOUGH = {"small": 8, "standard": 64}
"""Pixels of a side that each network here can shrink, by its stem; some need fewer."""

RENAMED = (
    (re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\."), r"\1\2."),
    (re.compile(r"(encoder_layer_\d+\.mlp)\.linear_1\."), r"\1.0."),
    (re.compile(r"(encoder_layer_\d+\.mlp)\.linear_2\."), r"\1.3."),
)
"""Names in torchvision's files that are older than its networks, and what these call the same; it renames them too."""


class TorchvisionNetwork(nn.Module):
    """The layers of a network of torchvision, as parts that follow each other, and its last layer as the ``head``.

    Reads (B, C, H, W), gives (B, num_outputs).

    Attributes:
        names: The name of each weight here, by its name in torchvision.
    """

    def __init__(self, network: nn.Module, parts: Mapping[str, nn.Module], head: nn.Linear):
        """``parts`` and ``head`` hold all the weights of ``network``."""
        super().__init__()
        self.body = nn.Sequential(OrderedDict(parts))
        self.head = head
        here = {id(weight): name for name, weight in self.state_dict(keep_vars=True).items()}
        theirs = network.state_dict(keep_vars=True)
        self.names = {name: here[id(weight)] for name, weight in theirs.items()}

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.body(image))

    def blocks(self) -> list[nn.Module]:
        return [*(part for part in self.body if any(True for _ in part.parameters())), self.head]

    def from_torchvision(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``weights`` by the names that they have here; names that torchvision's network lacks stay as they are."""
        return {self._name_of(name): weight for name, weight in weights.items()}

    def _name_of(self, theirs: str) -> str:
        for old, new in RENAMED:
            theirs = old.sub(new, theirs)
        return self.names.get(theirs, theirs)


def entered_small(options: Torchvision, shape: ImageShape) -> bool:
    """Whether images of ``shape`` enter by the stem for small ones."""
    return options.stem == "small" or (options.stem == "auto" and min(shape.height, shape.width) <= SMALL)


def check_image(network: TorchvisionNetwork, options: Torchvision, shape: ImageShape) -> TorchvisionNetwork:
    """The ``network``, unless images of ``shape`` are too small for it: a UserError."""
    enough = ALWAYS_ENOUGH["small" if entered_small(options, shape) else "standard"]
    if min(shape.height, shape.width) < enough and not _is_enough(network, shape):
        squares = [ImageShape(shape.channels, side, side) for side in range(enough)]
        refuse_image(options, shape, bisect_left(squares, True, lo=1, key=lambda square: _is_enough(network, square)))
    return network


def refuse_image(options: Torchvision, shape: ImageShape, smallest: int) -> None:
    """Raises the UserError for images of ``shape``, which should have at least ``smallest`` pixels each way."""
    small = entered_small(options, shape)
    raise UserError(
        f"model.kind: {options.torchvision_name} with the {'small' if small else 'standard'} stem shrinks an image of "
        f"{shape.height}x{shape.width} pixels to nothing; allowed: images of at least {smallest}x{smallest} "
        f"(prepare.size of the dataset){'' if small else ', or model.stem: small'}"
    )


class _TooSmallError(Exception):
    pass


def _is_enough(network: TorchvisionNetwork, shape: ImageShape) -> bool:
    """Whether every layer that shrinks an image of ``shape`` is given at least as many pixels as it makes one of.

    Torch alone would not mind: with padding a layer can halve a single pixel, and what follows sees little but the
    border.
    """

    def look(layer: nn.Module, given: tuple[Tensor]) -> None:
        strides = layer.stride if isinstance(layer.stride, tuple) else (layer.stride, layer.stride)
        if any(side < stride for side, stride in zip(given[0].shape[-2:], strides, strict=True)):
            raise _TooSmallError

    shrinking = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d)]
    hooks = [layer.register_forward_pre_hook(look) for layer in shrinking]
    network.eval()
    image = torch.zeros(1, *shape, device=network.head.weight.device)
    try:
        with torch.no_grad():
            network(image)
    except (_TooSmallError, RuntimeError):  # torch's own: a filter larger than what is left
        return False
    finally:
        network.train()
        for hook in hooks:
            hook.remove()
    return True
