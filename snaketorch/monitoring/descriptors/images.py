"""Images: how light, how full of contrast, how sharp; and each colour."""

import numpy as np

from snaketorch.monitoring.profile import Profile

COLOURS = ("red", "green", "blue")
AT_ONCE = 1024
"""Images whose pixels are in memory as float32."""


def describe_images(images: np.ndarray) -> Profile:
    """Brightness (mean), contrast (standard deviation) and sharpness of (n, C, H, W) uint8.

    Sharpness is the logarithm of the variance of the Laplacian (Pech-Pacheco et al., Diatom autofocusing in
    brightfield microscopy, ICPR 2000): blur makes it small, noise large.
    """
    parts = [_describe(np.asarray(images[first : first + AT_ONCE])) for first in range(0, len(images), AT_ONCE)]
    return Profile.joined(parts) if parts else _describe(images)


def describe_clips(clips: np.ndarray) -> Profile:
    """As images, of the middle frames of (n, T, C, H, W) uint8; and how much changes from frame to frame."""
    middle = describe_images(clips[:, clips.shape[1] // 2])
    motion = [np.abs(np.diff(clip.astype(np.float32), axis=0)).mean() / 255 if len(clip) > 1 else 0.0 for clip in clips]
    return middle.with_others(Profile({"motion": np.array(motion, np.float64)}))


def _describe(images: np.ndarray) -> Profile:
    pixels = images.astype(np.float32) / 255
    grey = pixels.mean(1)
    numbers = {
        "brightness": grey.mean((1, 2)),
        "contrast": grey.std((1, 2)),
        "sharpness": np.log10(_laplacian(grey).var((1, 2)) + 1e-8),
    }
    if pixels.shape[1] == len(COLOURS):
        # how much of each colour there is beside the others; how light it all is stands in the brightness
        numbers |= {name: pixels[:, place].mean((1, 2)) - grey.mean((1, 2)) for place, name in enumerate(COLOURS)}
    return Profile({name: values.astype(np.float64) for name, values in numbers.items()})


def _laplacian(grey: np.ndarray) -> np.ndarray:
    """(n, H, W) with edges repeated, so that images of one row are measured too."""
    padded = np.pad(grey, ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
    return around - 4 * grey
