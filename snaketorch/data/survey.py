"""A first look at the sizes of images and clips, from their headers where these tell them."""

import logging
from dataclasses import dataclass

import numpy as np

from snaketorch.config.datasets import Prepare
from snaketorch.data.bad_samples import BadSamples
from snaketorch.data.chosen_classes import kept
from snaketorch.data.progress import Progress
from snaketorch.data.raw.images import RawClips, RawImages
from snaketorch.data.readers import shapes_of
from snaketorch.errors import DataError

log = logging.getLogger(__name__)


@dataclass
class Survey:
    """What is known of the shapes of all samples."""

    shape: tuple[int, ...]
    """To bring them to: (channels, height, width), with frames before them for clips."""
    smallest: tuple[int, int]
    """Height and width of the sample with the fewest pixels."""
    largest: tuple[int, int]
    grey: int
    """Samples with one channel."""


def survey(raw: RawImages | RawClips, things: str, options: Prepare) -> Survey:
    """Looks at all samples.

    Args:
        raw: The samples.
        things: What they are in messages: images, or clips.
        options: The size and channels that are asked for.

    Raises:
        DataError: The samples are of several sizes and none is asked for; a sample is bad and may not be.
    """
    count = len(raw.labels)
    progress = Progress(log, "looked at", things, count)
    bad = BadSamples(options, count)
    sizes: dict[tuple[int, int], int] = {}
    """By height and width, the first row that has it."""
    leading: tuple[int, ...] = ()
    grey = good = 0
    is_kept = kept(raw.labels, raw.classes)
    for row, shape in enumerate(shapes_of(raw.reader, np.arange(count))):
        progress.add(1)
        if isinstance(shape, Exception):
            if options.on_bad_sample == "error" and is_kept[row]:
                bad.add(raw.names[row], str(shape))
            continue
        *frames, channels, height, width = shape
        leading = leading or tuple(frames)
        sizes.setdefault((height, width), row)
        grey += channels == 1
        good += 1
    if not good:
        raise DataError(f"none of the {count} {things} can be read, such as {raw.names[0]}")
    smallest, largest = (pick(sizes, key=lambda size: (size[0] * size[1], size)) for pick in (min, max))
    if len(sizes) > 1 and options.size is None:
        raise DataError(
            f"the {things} are of {len(sizes)} sizes: the smallest is {_say(smallest)} "
            f"({raw.names[sizes[smallest]]}), the largest {_say(largest)} ({raw.names[sizes[largest]]}); "
            f"set `prepare: {{size: [H, W]}}`, their height and width in pixels, such as [{smallest[0]}, {smallest[1]}]"
        )
    channels = options.channels or (1 if grey == good else 3)
    return Survey((*leading, channels, *(options.size or smallest)), smallest, largest, grey)


def _say(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]} pixels"
