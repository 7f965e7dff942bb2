"""Rectangles that are filled, or come from elsewhere."""

from collections.abc import Mapping

import torch
from torch import Tensor

from snaketorch.config.augment import Augment
from snaketorch.data.augment.draws import between, log_between


def inside(top: Tensor, left: Tensor, bottom: Tensor, right: Tensor, height: int, width: int) -> Tensor:
    """1 for pixels in the rectangle of each sample, 0 for the others, (B, 1, H, W).

    Of its borders (B,) the last ones are outside. Floats, since with flags what follows takes 3 to 7 times as
    long on a CPU.
    """
    row = torch.arange(height, device=top.device)
    column = torch.arange(width, device=top.device)
    rows = (row >= top.unsqueeze(1)) & (row < bottom.unsqueeze(1))
    columns = (column >= left.unsqueeze(1)) & (column < right.unsqueeze(1))
    return rows.float()[:, None, :, None] * columns.float()[:, None, None, :]


class Erase:
    """A rectangle of some samples set to 0, which is the mean colour of normalised images (arXiv 1708.04896)."""

    def __init__(self, options: Augment):
        self.options = options
        self.names = ["erase", "erase_area", "erase_ratio", "erase_x", "erase_y"] if options.erase else []

    def __call__(self, images: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        height, width = images.shape[-2:]
        area = between(drawn["erase_area"], *self.options.erase_scale) * (height * width)
        ratio = log_between(drawn["erase_ratio"], *self.options.erase_ratio)
        down = (area / ratio).sqrt().round().clamp(max=height)
        across = (area * ratio).sqrt().round().clamp(max=width)
        down = torch.where(drawn["erase"] < self.options.erase, down, 0)
        top = (drawn["erase_y"] * (height - down + 1)).floor()
        left = (drawn["erase_x"] * (width - across + 1)).floor()
        return images * (1 - inside(top, left, top + down, left + across, height, width))
