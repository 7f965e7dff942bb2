"""What the augmentation should do, in float64, one sample and mostly one pixel at a time, slow and obvious.

Images are (C, H, W) from 0 to 255. Places are in pixels from the middle, x to the right and y downwards.
``drawn`` are the sample's random numbers in [0, 1) as Python floats.
"""

import math

import numpy as np

from snaketorch.config.augment import Augment

LUMA = np.array([0.299, 0.587, 0.114])


def _reach(drawn: float, most: float) -> float:
    """From [0, 1) to [-most, most)."""
    return (2 * drawn - 1) * most


def _between(drawn: float, ends: list[float]) -> float:
    return ends[0] + drawn * (ends[1] - ends[0])


def _ratio(drawn: float, ends: list[float]) -> float:
    return ends[0] * (ends[1] / ends[0]) ** drawn


def _square(a, b, c, d) -> np.ndarray:
    return np.array([[a, b, 0], [c, d, 0], [0, 0, 1.0]])


def _moved(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def homography(sources, targets) -> np.ndarray:
    """The projective map of four points to four others, by the eight equations that they give."""
    rows, values = [], []
    for (x, y), (u, v) in zip(sources, targets, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(values)), 1).reshape(3, 3)


def quadrilateral(options: Augment, drawn: dict, height: int, width: int) -> list[tuple[float, float]]:
    """Where a perspective puts the corners."""
    corners = [(-width / 2, -height / 2), (width / 2, -height / 2), (width / 2, height / 2), (-width / 2, height / 2)]
    inwards = [1 - options.perspective * drawn[f"corner_{number}"] for number in range(8)]
    return [(x * inwards[2 * n], y * inwards[2 * n + 1]) for n, (x, y) in enumerate(corners)]


def forward(options: Augment, drawn: dict, height: int, width: int) -> np.ndarray:
    """Where each place of the original goes: one step after the other, as config/augment.py describes them."""
    steps = []
    if options.resized_crop:
        area = _between(drawn["crop_area"], options.resized_crop) * height * width
        ratio = _ratio(drawn["crop_ratio"], options.resized_crop_ratio)
        across, down = min(math.sqrt(area * ratio), width), min(math.sqrt(area / ratio), height)
        left, top = drawn["crop_x"] * (width - across), drawn["crop_y"] * (height - down)
        centre = _moved(width / 2 - left - across / 2, height / 2 - top - down / 2)
        steps += [centre, _square(width / across, 0, 0, height / down)]
    if options.horizontal_flip and drawn["horizontal_flip"] < options.horizontal_flip:
        steps.append(_square(-1, 0, 0, 1))
    if options.vertical_flip and drawn["vertical_flip"] < options.vertical_flip:
        steps.append(_square(1, 0, 0, -1))
    if options.shear:
        x, y = (math.tan(math.radians(_reach(drawn[f"shear_{axis}"], options.shear))) for axis in "xy")
        steps += [_square(1, x, 0, 1), _square(1, 0, y, 1)]
    if options.rotate:
        angle = math.radians(_reach(drawn["rotate"], options.rotate))
        cos, sin = math.cos(angle), math.sin(angle)
        steps.append(_square(cos, sin, -sin, cos))  # anticlockwise to the eye, as y points down
    if options.scale:
        factor = _between(drawn["scale"], options.scale)
        steps.append(_square(factor, 0, 0, factor))
    if options.translate:
        x, y = (_reach(drawn[f"translate_{axis}"], options.translate) for axis in "xy")
        steps.append(_moved(x * width, y * height))
    if options.perspective:
        whole = quadrilateral(Augment(), dict.fromkeys(drawn, 0.0), height, width)
        steps.append(homography(whole, quadrilateral(options, drawn, height, width)))
    if options.pad_crop:
        x, y = (options.pad_crop - math.floor(drawn[f"pad_crop_{axis}"] * (2 * options.pad_crop + 1)) for axis in "xy")
        steps.append(_moved(x, y))
    result = np.eye(3)
    for step in steps:
        result = step @ result
    return result


def _reflected(place: float, size: int) -> float:
    """Of a line whose pixels are 0 ... size - 1, mirrored at -0.5 and size - 0.5."""
    place = (place + 0.5) % (2 * size)
    return min(place, 2 * size - place) - 0.5


def value_at(layer: np.ndarray, x: float, y: float, interpolation: str, padding_mode: str) -> float:
    """Of one layer (H, W) in column ``x`` and row ``y``, which need not be whole."""
    height, width = layer.shape
    if padding_mode == "reflection":
        x, y = _reflected(x, width), _reflected(y, height)
    if padding_mode != "zeros":
        x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)

    def pixel(row: int, column: int) -> float:
        return layer[row, column] if 0 <= row < height and 0 <= column < width else 0.0

    if interpolation == "nearest":
        return pixel(round(y), round(x))
    left, top = math.floor(x), math.floor(y)
    right, low = x - left, y - top
    above = (1 - right) * pixel(top, left) + right * pixel(top, left + 1)
    below = (1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1)
    return (1 - low) * above + low * below


def warped(image: np.ndarray, moves: np.ndarray, interpolation: str = "bilinear", padding_mode: str = "zeros"):
    """The image after ``moves`` (3, 3), which lead forwards."""
    _, height, width = image.shape
    back = np.linalg.inv(moves)
    back = back / back[2, 2]
    result = np.empty(image.shape)
    for row in range(height):
        for column in range(width):
            x, y, divisor = back @ [column + 0.5 - width / 2, row + 0.5 - height / 2, 1]
            x, y = x / divisor + width / 2 - 0.5, y / divisor + height / 2 - 0.5
            for channel, layer in enumerate(image):
                result[channel, row, column] = value_at(layer, x, y, interpolation, padding_mode)
    return result


def luma(image: np.ndarray) -> np.ndarray:
    """(H, W)."""
    return np.tensordot(LUMA, image, 1) if len(image) == 3 else image.mean(0)


def turned(image: np.ndarray, turns: float) -> np.ndarray:
    """Each colour turned about the grey axis (Rodrigues)."""
    angle, axis = 2 * math.pi * turns, np.ones(3) / math.sqrt(3)
    colours = np.moveaxis(image, 0, -1)
    along = (colours @ axis)[..., None] * axis
    result = colours * math.cos(angle) + np.cross(axis, colours) * math.sin(angle) + along * (1 - math.cos(angle))
    return np.moveaxis(result, -1, 0)


def coloured(image: np.ndarray, options: Augment, drawn: dict) -> np.ndarray:
    """Brightness, contrast, saturation, hue, loss of colour, without a cut-off between them."""
    factors = {
        name: _between(drawn[name], [max(0.0, 1 - amount), 1 + amount])
        for name in ("brightness", "contrast", "saturation")
        if (amount := getattr(options, name))
    }
    image = image * factors.get("brightness", 1)
    if "contrast" in factors:
        image = factors["contrast"] * image + (1 - factors["contrast"]) * luma(image).mean()
    if len(image) == 3:
        if "saturation" in factors:
            image = factors["saturation"] * image + (1 - factors["saturation"]) * luma(image)
        if options.hue:
            image = turned(image, _reach(drawn["hue"], options.hue))
        if options.grayscale and drawn["grayscale"] < options.grayscale:
            image = np.stack([luma(image)] * 3)
    return image


def blurred(image: np.ndarray, sigma: float, largest: float) -> np.ndarray:
    _, height, width = image.shape
    reach = min(math.ceil(3 * largest), height - 1, width - 1)
    place = np.arange(-reach, reach + 1)
    kernel = np.exp(-(place[:, None] ** 2 + place**2) / (2 * sigma**2))
    wide = np.pad(image, ((0, 0), (reach, reach), (reach, reach)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(wide, kernel.shape, (1, 2))
    return (windows * (kernel / kernel.sum())).sum((-2, -1))


def rectangle(options: Augment, drawn: dict, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns that are erased."""
    if drawn["erase"] >= options.erase:
        return slice(0), slice(0)
    area = _between(drawn["erase_area"], options.erase_scale) * height * width
    ratio = _ratio(drawn["erase_ratio"], options.erase_ratio)
    down, across = min(round(math.sqrt(area / ratio)), height), min(round(math.sqrt(area * ratio)), width)
    top = math.floor(drawn["erase_y"] * (height - down + 1))
    left = math.floor(drawn["erase_x"] * (width - across + 1))
    return slice(top, top + down), slice(left, left + across)


def augmented(image: np.ndarray, options: Augment, drawn: dict, mean, std) -> np.ndarray:
    """All of it, normalised; noise and policies aside."""
    image, size = image.astype(np.float64), image.shape[1:]
    moves = forward(options, drawn, *size)
    if not np.array_equal(moves, np.eye(3)):
        image = warped(image, moves, options.interpolation, options.padding_mode)
    if options.blur and drawn["blur"] < options.blur:
        image = blurred(image, _between(drawn["blur_sigma"], options.blur_sigma), options.blur_sigma[1])
    image = coloured(image, options, drawn).clip(0, 255)
    image = (image / 255 - np.reshape(mean, (-1, 1, 1))) / np.reshape(std, (-1, 1, 1))
    if options.erase:
        image[(slice(None), *rectangle(options, drawn, *size))] = 0
    return image
