"""Where images are compared: in what a trained classifier sees in them, or in their pixels."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from snaketorch.errors import UserError
from snaketorch.tasks.base import TaskModule

PIXELS_SIDE = 8
"""Larger images are averaged down to it: with more pixels than samples a distance says little."""


class PixelFeatures:
    """The pixels themselves, averaged to at most 8x8, from 0 to 1."""

    def __init__(self, shape: tuple[int, int, int]):
        _, height, width = shape
        self.size = min(height, PIXELS_SIDE), min(width, PIXELS_SIDE)

    @property
    def description(self) -> str:
        return f"the pixels, averaged to {self.size[0]}x{self.size[1]}"

    def __call__(self, image: Tensor) -> Tensor:
        """(B, F) of images (B, C, H, W), bytes."""
        return F.adaptive_avg_pool2d(image.float() / 255, self.size).flatten(1)


class ClassifierFeatures:
    """What a classifier's last layer reads."""

    def __init__(self, classifier: TaskModule, name: str, shape: tuple[int, int, int]):
        """Of images of ``shape``; ``name`` is that of the experiment that trained it.

        Raises:
            UserError: It reads other images, or has no last layer that could be found.
        """
        read = tuple(classifier.facts["fields"]["image"]["shape"])
        if read != tuple(shape):
            raise UserError(
                f"task.features: '{name}' classifies images of {_shown(read)}, but the images here have "
                f"{_shown(shape)}; allowed: an experiment on images of the same size (prepare.size and channels of its "
                "dataset)"
            )
        head = getattr(classifier.network, "head", None)
        modules = head.modules() if isinstance(head, nn.Module) else ()
        layers = [layer for layer in modules if isinstance(layer, nn.Linear)]
        if not layers:
            raise UserError(
                f"task.features: the network of '{name}', {type(classifier.network).__name__}, has no attribute `head` "
                "with a dense layer that would read features; allowed: a network with one, a torch.nn.Linear in it"
            )
        self.classifier, self.name = classifier.eval().requires_grad_(False), name
        self.seen: list[Tensor] = []
        layers[-1].register_forward_pre_hook(lambda _, inputs: self.seen.append(inputs[0]))

    @property
    def description(self) -> str:
        return f"what the classifier {self.name} sees in them before its last layer"

    def __call__(self, image: Tensor) -> Tensor:
        """(B, F) of images (B, C, H, W), bytes, in float32 whatever the precision of a training is."""
        if self.classifier.device != image.device:
            self.classifier.to(image.device)
        self.seen.clear()
        with torch.no_grad(), torch.autocast(image.device.type, enabled=False):
            self.classifier(image)
        return self.seen.pop().float().flatten(1)


Features = PixelFeatures | ClassifierFeatures


def _shown(shape: tuple[int, int, int]) -> str:
    channels, height, width = shape
    return f"{height}x{width} pixels with {channels} channel{'s' if channels > 1 else ''}"
