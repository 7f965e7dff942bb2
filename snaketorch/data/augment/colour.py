"""Brightness, contrast, saturation, hue and loss of colour as one matrix and one shift a sample.

In this order, where torchvision shuffles them, and cut off at black and white once at the end, where
torchvision does so after each. Saturation, hue and loss of colour are of three channels: other images
have no colour to change and keep what they have.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from snaketorch.config.augment import Augment
from snaketorch.data.augment.draws import between
from snaketorch.data.augment.geometry import product

LUMA = (0.299, 0.587, 0.114)
"""Share of red, green and blue in how bright a colour looks (ITU-R BT.601)."""
KEYS = ("brightness", "contrast", "saturation", "hue", "grayscale")


class ColourMap:
    """A map of colours for each sample, to which changes are added one after the other.

    Args:
        means: (B, C), the mean of each channel of each sample before any change.
    """

    def __init__(self, means: Tensor):
        count, channels = means.shape
        self.means = means
        self.matrix = torch.eye(channels, dtype=means.dtype, device=means.device).expand(count, -1, -1)
        self.shift = torch.zeros_like(means)

    def brightness(self, factor: Tensor) -> None:
        """Times a factor (B,)."""
        self.matrix = self.matrix * factor.view(-1, 1, 1)
        self.shift = self.shift * factor.view(-1, 1)

    def contrast(self, factor: Tensor) -> None:
        """Distance from the sample's mean luma times a factor (B,), as in torchvision."""
        means = product(self.matrix, self.means.unsqueeze(2)) + self.shift.unsqueeze(2)
        self.brightness(factor)
        self.shift = self.shift + (1 - factor).view(-1, 1) * _luma(means).squeeze(2)

    def saturation(self, factor: Tensor) -> None:
        """Distance from grey times a factor (B,)."""
        if self._has_colour:
            factor = factor.view(-1, 1, 1)
            self._follow(lambda rows: factor * rows + (1 - factor) * _luma(rows))

    def hue(self, turns: Tensor) -> None:
        """Colours turned about the grey axis by a share of the circle (B,), red towards green (Rodrigues' formula).

        Thirds of a turn exchange the channels, exactly as the hue of HSV does. Between them HSV goes along a
        hexagon and this, which is linear, along a circle: they differ by up to a third of what the largest
        channel is above the smallest.
        """
        if self._has_colour:
            angle = turns * (2 * math.pi)
            cos, sin = angle.cos(), angle.sin() / math.sqrt(3)
            rest = (1 - cos) / 3
            same, before, after = cos + rest, rest - sin, rest + sin
            rows = (same, before, after, after, same, before, before, after, same)
            turn = torch.stack(rows, -1).unflatten(-1, (3, 3))
            self._follow(lambda rows: product(turn, rows))

    def grayscale(self, chosen: Tensor) -> None:
        """The luma in every channel where ``chosen`` (B,) is true."""
        if self._has_colour:
            chosen = chosen.view(-1, 1, 1)
            self._follow(lambda rows: torch.where(chosen, _luma(rows).expand_as(rows), rows))

    def applied(self, layers: Tensor, scale: Tensor, shift: Tensor, frames: int) -> Tensor:
        """``layers`` (B * frames, C, P) changed, times ``scale`` (C, 1) plus ``shift`` (C, 1), in one product."""
        matrix = self.matrix * scale
        offset = self.shift.unsqueeze(2) * scale + shift
        if frames > 1:
            matrix, offset = (part.repeat_interleave(frames, 0) for part in (matrix, offset))
        if layers.shape[1] == 1:
            return torch.addcmul(offset, layers, matrix)
        if layers.device.type == "cpu":
            return torch.baddbmm(offset, matrix, layers)
        # elsewhere that would leave 11 bits of each value, as in `product`, and be no faster: memory is the limit
        result = torch.addcmul(offset, matrix[:, :, :1], layers[:, :1])
        for channel in range(1, layers.shape[1]):
            one = slice(channel, channel + 1)
            result.addcmul_(matrix[:, :, one], layers[:, one])
        return result

    @property
    def _has_colour(self) -> bool:
        return self.means.shape[1] == 3

    def _follow(self, change) -> None:
        """What is linear is done to the columns of the matrix and to the shift alike."""
        self.matrix, self.shift = change(self.matrix), change(self.shift.unsqueeze(2)).squeeze(2)


def _luma(rows: Tensor) -> Tensor:
    """Of red, green and blue in (B, 3, K), the mean of any other number of channels; (B, 1, K)."""
    if rows.shape[1] != 3:
        return rows.mean(1, keepdim=True)
    red, green, blue = rows.unbind(1)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue).unsqueeze(1)


class Colour:
    """The changes of colour that ``options`` ask for."""

    def __init__(self, options: Augment):
        self.options = options
        self.names = [key for key in KEYS if getattr(options, key)]

    def change(self, colours: ColourMap, drawn: Mapping[str, Tensor]) -> None:
        for key in self.names:
            amount = getattr(self.options, key)
            if key == "hue":
                colours.hue(between(drawn[key], -amount, amount))
            elif key == "grayscale":
                colours.grayscale(drawn[key] < amount)
            else:
                getattr(colours, key)(between(drawn[key], max(0.0, 1 - amount), 1 + amount))
