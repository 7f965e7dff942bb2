"""MixUp and CutMix: a sample and its label mixed with another sample's."""

from collections.abc import Mapping

import torch
from torch import Tensor

from snaketorch.config.augment import Augment
from snaketorch.data.augment.beta import Beta
from snaketorch.data.augment.draws import below, bits_of
from snaketorch.data.augment.rectangles import inside

PARTNER = "partner"


def partners(states: Tensor, count: int) -> Tensor:
    """The sample that each sample (B,) is mixed with, of all ``count`` alike; it may be the sample itself."""
    return below(bits_of(states, PARTNER), count)


class Mix:
    """MixUp, CutMix, or for each sample one of the two with equal chance.

    The share of each is a draw of Beta(alpha, alpha) for each sample, where the papers draw one for a batch.
    """

    def __init__(self, options: Augment):
        self.mixup = Beta(options.mixup) if options.mixup else None
        self.cutmix = Beta(options.cutmix) if options.cutmix else None
        self.names = ["mix_choice", "mix_share", "mix_x", "mix_y"]

    def __call__(self, images: Tensor, others: Tensor, drawn: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Images (B, F, H, W) with ``others`` mixed in, and the share of themselves that is left, (B,)."""
        height, width = images.shape[-2:]
        ones = torch.ones_like(drawn["mix_share"])
        blend, box = ones, torch.zeros_like(ones)
        cut = drawn["mix_choice"] < (0.5 if self.mixup and self.cutmix else float(self.cutmix is not None))
        if self.mixup:
            blend = torch.where(cut, ones, self.mixup(drawn["mix_share"]))
            images = torch.lerp(others, images, blend.view(-1, 1, 1, 1))
        if self.cutmix:
            side = (1 - self.cutmix(drawn["mix_share"])).clamp(min=0).sqrt()
            side = torch.where(cut, side, 0)
            # as in the paper the centre lies anywhere, and what juts out is cut off
            top, bottom = _stretch(drawn["mix_y"], side, height)
            left, right = _stretch(drawn["mix_x"], side, width)
            images = torch.lerp(images, others, inside(top, left, bottom, right, height, width))
            box = (bottom - top) * (right - left) / (height * width)
        return images, torch.where(cut, 1 - box, blend)


def _stretch(centre: Tensor, share: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Begin and end of a stretch of whole pixels around ``centre``."""
    length = (share * size).floor()
    begin = (centre * size).floor() - (length / 2).floor()
    return begin.clamp(0, size), (begin + length).clamp(0, size)
