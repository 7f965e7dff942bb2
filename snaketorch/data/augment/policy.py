"""RandAugment and TrivialAugment: one or some operations of a list for each sample.

The list and the strengths are those of torchvision's `RandAugment` and `TrivialAugmentWide`, of 31 steps.
What a sample draws is done in another order, so that no step depends on the draw: what moves pixels goes
into the one matrix of places, in the order of the draw, and what comes out is rounded to bytes, as
torchvision's is; then sharpness, autocontrast, equalize, posterize and solarize, once each (of two draws of
one the product, or the stronger); then brightness, contrast and colour go into the one map of colours, in
the order of the draw. torchvision moves about a corner for shears; here everything is about the centre, as
in the papers' code for rotations.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from snaketorch.config.augment import Augment
from snaketorch.data.augment.colour import ColourMap
from snaketorch.data.augment.filters import sharpened
from snaketorch.data.augment.geometry import matrix, product
from snaketorch.data.augment.subset import changed
from snaketorch.data.augment.tones import equalized, stretched

OPERATIONS = (
    "identity",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
    "brightness",
    "colour",
    "contrast",
    "sharpness",
    "posterize",
    "solarize",
    "autocontrast",
    "equalize",
)
STEPS = 31


class Strengths(NamedTuple):
    """What the operations do at full strength."""

    shear: float
    translate: float
    """Pixels, or a share of the side if it is below 1; by whole pixels."""
    degrees: float
    enhance: float
    """Added to, or taken from, a factor of 1."""
    bits: int
    """Taken from the 8 bits of a value."""


RAND = Strengths(shear=0.3, translate=150 / 331, degrees=30, enhance=0.9, bits=4)
TRIVIAL = Strengths(shear=0.99, translate=32, degrees=135, enhance=0.99, bits=6)


class Chosen(NamedTuple):
    """The operation of each sample, its strength from 0 to 1 and its direction, -1 or 1; (B,) each."""

    operation: Tensor
    strength: Tensor
    direction: Tensor

    def amount(self, name: str, most: float, either_way: bool = True) -> Tensor:
        """``most`` times the strength for samples that drew ``name``, 0 for the others."""
        value = self.strength * most * (self.direction if either_way else 1)
        return torch.where(self.operation == OPERATIONS.index(name), value, 0)

    def is_(self, name: str) -> Tensor:
        return self.operation == OPERATIONS.index(name)


class Policy:
    """One of the two policies."""

    def __init__(self, options: Augment):
        rand = options.rand_augment
        self.strengths = TRIVIAL if rand is None else RAND
        self.count = 1 if rand is None else rand.num_ops
        self.magnitude = None if rand is None else rand.magnitude
        self.names = [
            f"policy_{name}{slot}" for slot in range(self.count) for name in ("operation", "strength", "direction")
        ]

    def choose(self, drawn: Mapping[str, Tensor]) -> list[Chosen]:
        return [
            Chosen(
                (drawn[f"policy_operation{slot}"] * len(OPERATIONS)).long(),
                (drawn[f"policy_strength{slot}"] * STEPS).floor() / (STEPS - 1)
                if self.magnitude is None
                else torch.full_like(drawn[f"policy_strength{slot}"], self.magnitude / (STEPS - 1)),
                1 - 2 * (drawn[f"policy_direction{slot}"] < 0.5).float(),
            )
            for slot in range(self.count)
        ]

    def move(self, matrices: Tensor | None, chosen: list[Chosen], height: int, width: int) -> Tensor:
        """``matrices`` (B, 3, 3) followed by what the samples drew; each sample has one kind of move a draw."""
        most = self.strengths
        for one in chosen:
            angle = one.amount("rotate", math.radians(most.degrees))
            cos, sin = angle.cos(), angle.sin()
            x, y = (
                one.amount(f"translate_{axis}", most.translate * (side if most.translate < 1 else 1)).trunc()
                for axis, side in zip("xy", (width, height), strict=True)
            )
            across = one.amount("shear_x", most.shear) - sin
            down = one.amount("shear_y", most.shear) + sin
            step = matrix(cos, across, -x, down, cos, -y, 0, 0, 1)
            matrices = step if matrices is None else product(matrices, step)
        return matrices

    def filter(self, images: Tensor, chosen: list[Chosen], channels: int) -> Tensor:
        """What is not linear, on values from 0 to 255 (B, F, H, W)."""
        factor, bits, threshold = (torch.full_like(chosen[0].strength, start) for start in (1.0, 8.0, 256.0))
        stretch = equalize = torch.zeros_like(chosen[0].operation, dtype=torch.bool)
        for one in chosen:
            factor = factor * (1 + one.amount("sharpness", self.strengths.enhance))
            bits = torch.minimum(bits, (8 - one.amount("posterize", self.strengths.bits, either_way=False)).round())
            threshold = torch.where(one.is_("solarize"), torch.minimum(threshold, 255 * (1 - one.strength)), threshold)
            stretch = stretch | one.is_("autocontrast")
            equalize = equalize | one.is_("equalize")
        # without it, a byte that the interpolation made a little less would be posterized to the level below
        images = images.round()
        images = changed(images, factor != 1, lambda some, factor: sharpened(some, factor).clamp_(0, 255), factor)
        images = changed(images, stretch, lambda some: stretched(some, channels))
        images = changed(images, equalize, lambda some: equalized(some, channels))
        images = changed(images, bits < 8, _posterized, torch.exp2(8 - bits))
        return changed(images, threshold <= 255, _solarized, threshold)

    def colour(self, colours: ColourMap, chosen: list[Chosen]) -> None:
        for one in chosen:
            colours.brightness(1 + one.amount("brightness", self.strengths.enhance))
            colours.contrast(1 + one.amount("contrast", self.strengths.enhance))
            colours.saturation(1 + one.amount("colour", self.strengths.enhance))


def _posterized(images: Tensor, step: Tensor) -> Tensor:
    step = step.view(-1, 1, 1, 1)
    return (images / step).floor_().mul_(step)


def _solarized(images: Tensor, threshold: Tensor) -> Tensor:
    return torch.where(images >= threshold.view(-1, 1, 1, 1), 255 - images, images)
