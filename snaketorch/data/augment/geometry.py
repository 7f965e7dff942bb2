"""Where each pixel of a changed image comes from: one 3x3 matrix a sample, and one interpolation.

Positions are in pixels from the middle of the image, x to the right and y downwards; the centre of the pixel
in column j of W is at j + 0.5 - W / 2. Matrices act on (x, y, 1) and lead backwards, from the changed image
to the original, since that is how an image is resampled.
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from snaketorch.config.augment import Augment
from snaketorch.data.augment.draws import between, log_between

_BEYOND = 1e-6  # divisors below it lie behind the horizon of a perspective

Drawn = Mapping[str, Tensor]


def matrix(*entries: Tensor | float) -> Tensor:
    """(B, 3, 3) of nine entries, row by row: (B,) each, or one number for all; at least one of them (B,)."""
    like = next(entry for entry in entries if isinstance(entry, Tensor))
    columns = [entry if isinstance(entry, Tensor) else torch.full_like(like, entry) for entry in entries]
    return torch.stack(columns, -1).unflatten(-1, (3, 3))


def product(first: Tensor, second: Tensor) -> Tensor:
    """The change ``first`` and, of what comes out, the change ``second``; (B, 3, 3) each."""
    # not ``@``, which would leave 11 bits of a position where training lets products be rounded to TF32
    return (first.unsqueeze(3) * second.unsqueeze(1)).sum(2)


def warped(images: Tensor, matrices: Tensor, interpolation: str, padding_mode: str, flat: bool) -> Tensor:
    """Images (B, F, H, W), floats of which 0 is black, resampled once.

    ``flat`` says that the last rows of ``matrices`` (B, 3, 3) are (0, 0, 1). Of a perspective, what lies
    behind the horizon is as far away as can be.
    """
    height, width = images.shape[2:]
    x = torch.arange(width, device=images.device) + 0.5 - width / 2
    y = (torch.arange(height, device=images.device) + 0.5 - height / 2).unsqueeze(1)
    # grid_sample counts from -1 to 1, edge to edge
    across, down, *divisor = matrices.unbind(1)
    rows = torch.stack((across * (2 / width), down * (2 / height), *([] if flat else divisor)), 1)
    a, b, c = rows[..., None, None].unbind(2)
    # (B, 2 or 3, H, W) in one sum; affine_grid takes 90 times as long on a CPU
    places = a * x + (b * y + c)
    if not flat:
        places = places[:, :2] / places[:, 2:].clamp(min=_BEYOND)
    grid = places.permute(0, 2, 3, 1)
    return F.grid_sample(images, grid, mode=interpolation, padding_mode=padding_mode, align_corners=False)


def _resized_crop(options: Augment, drawn: Drawn, height: int, width: int) -> Tensor:
    area = between(drawn["crop_area"], *options.resized_crop) * (height * width)
    ratio = log_between(drawn["crop_ratio"], *options.resized_crop_ratio)
    # a part that does not fit is cut to the image, where torchvision draws again
    across = (area * ratio).sqrt().clamp(max=width) / width
    down = (area / ratio).sqrt().clamp(max=height) / height
    x = (drawn["crop_x"] - 0.5) * (1 - across) * width
    y = (drawn["crop_y"] - 0.5) * (1 - down) * height
    return matrix(across, 0, x, 0, down, y, 0, 0, 1)


def _flip(options: Augment, drawn: Drawn, height: int, width: int) -> Tensor:
    x = 1 - 2 * (drawn["horizontal_flip"] < options.horizontal_flip).float()
    y = 1 - 2 * (drawn["vertical_flip"] < options.vertical_flip).float()
    return matrix(x, 0, 0, 0, y, 0, 0, 0, 1)


def _shear(options: Augment, drawn: Drawn, height: int, width: int) -> Tensor:
    """Along x, then along y: of that order, no pair of angles folds the image flat."""
    steepest = math.radians(options.shear)
    x, y = (between(drawn[f"shear_{axis}"], -steepest, steepest).tan() for axis in "xy")
    return matrix(1 + x * y, -x, 0, -y, 1, 0, 0, 0, 1)


def _rotate(options: Augment, drawn: Drawn, height: int, width: int) -> Tensor:
    most = math.radians(options.rotate)
    angle = between(drawn["rotate"], -most, most)
    cos, sin = angle.cos(), angle.sin()
    return matrix(cos, -sin, 0, sin, cos, 0, 0, 0, 1)


def _scale(options: Augment, drawn: Drawn, height: int, width: int) -> Tensor:
    factor = between(drawn["scale"], *options.scale).reciprocal()
    return matrix(factor, 0, 0, 0, factor, 0, 0, 0, 1)


def _translate(options: Augment, drawn: Drawn, height: int, width: int) -> Tensor:
    x = between(drawn["translate_x"], -options.translate, options.translate) * width
    y = between(drawn["translate_y"], -options.translate, options.translate) * height
    return matrix(1, 0, -x, 0, 1, -y, 0, 0, 1)


def _perspective(options: Augment, drawn: Drawn, height: int, width: int) -> Tensor:
    """From a quadrilateral within the image to all of it.

    The map of the unit square to a quadrilateral is known in closed form (Heckbert 1989, section 2.2.3); its
    adjugate is the way back. Neither is divided by its determinant: a matrix and its multiples do the same.
    """
    inwards = [drawn[f"corner_{number}"] * options.perspective for number in range(8)]
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (
        (x * (1 - inwards[2 * corner]) * (width / 2), y * (1 - inwards[2 * corner + 1]) * (height / 2))
        for corner, (x, y) in enumerate(signs)
    )
    dx1, dx2, dx = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, dy = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    i = dx1 * dy2 - dx2 * dy1
    g, h = dx * dy2 - dx2 * dy, dx1 * dy - dx * dy1
    a, b, c = i * (x1 - x0) + g * x1, i * (x3 - x0) + h * x3, i * x0
    d, e, f = i * (y1 - y0) + g * y1, i * (y3 - y0) + h * y3, i * y0
    to_square = matrix(
        *(e * i - f * h, c * h - b * i, b * f - c * e),
        *(f * g - d * i, a * i - c * g, c * d - a * f),
        *(d * h - e * g, b * g - a * h, a * e - b * d),
    )
    # so that the divisor is 1 in the middle, and positive in front of the horizon
    to_square = to_square / to_square[:, 2:, 2:]
    to_image = matrix(torch.full_like(x0, width), 0, -width / 2, 0, height, -height / 2, 0, 0, 1)
    return product(to_image, to_square)


class Geometry:
    """The moves that ``options`` ask for: crop, flip, shear, rotate, scale, translate, perspective, pad-crop."""

    def __init__(self, options: Augment):
        self.options = options
        flips = options.horizontal_flip or options.vertical_flip
        steps: list[tuple[object, list[str], Callable | None]] = [
            (options.resized_crop, ["crop_area", "crop_ratio", "crop_x", "crop_y"], _resized_crop),
            (flips, ["horizontal_flip", "vertical_flip"], _flip),
            (options.shear, ["shear_x", "shear_y"], _shear),
            (options.rotate, ["rotate"], _rotate),
            (options.scale, ["scale"], _scale),
            (options.translate, ["translate_x", "translate_y"], _translate),
            (options.perspective, [f"corner_{number}" for number in range(8)], _perspective),
            (options.pad_crop, ["pad_crop_y", "pad_crop_x"], _pad_crop),
        ]
        asked = [(names, step) for wanted, names, step in steps if wanted]
        self.names = [name for names, _ in asked for name in names]
        self.steps = [step for _, step in asked]

    @property
    def exact(self) -> bool:
        """Whether whole pixels move at most, so that nothing need be interpolated."""
        return set(self.steps) <= {_flip, _pad_crop}

    def flips(self, drawn: Drawn) -> tuple[Tensor | None, Tensor | None]:
        """Which samples are mirrored left to right, and which top to bottom, (B,); None where none can be."""
        chances = {name: getattr(self.options, name) for name in ("horizontal_flip", "vertical_flip")}
        return tuple(drawn[name] < chance if chance else None for name, chance in chances.items())

    def moves(self, drawn: Drawn) -> tuple[Tensor, Tensor] | None:
        """First row and column, (B,) int64, of what stays of the padded image; None where nothing is padded."""
        return _first(self.options, drawn) if self.options.pad_crop else None

    def matrix(self, drawn: Drawn, height: int, width: int) -> Tensor:
        """All of it, (B, 3, 3)."""
        result = self.steps[0](self.options, drawn, height, width)
        for step in self.steps[1:]:
            result = product(result, step(self.options, drawn, height, width))
        return result


def _first(options: Augment, drawn: Drawn) -> tuple[Tensor, Tensor]:
    return tuple((drawn[f"pad_crop_{axis}"] * (2 * options.pad_crop + 1)).long() for axis in "yx")


def _pad_crop(options: Augment, drawn: Drawn, height: int, width: int) -> Tensor:
    y, x = (first.float() - options.pad_crop for first in _first(options, drawn))
    return matrix(1, 0, x, 0, 1, y, 0, 0, 1)
