"""Pixels of images and clips on their way from a reader into the rows of a store: checked and converted."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from snaketorch.config.datasets import Prepare
from snaketorch.data.answers import samples_of_classes
from snaketorch.data.bad_samples import BadSamples
from snaketorch.data.convert import convert_images, describe_shape
from snaketorch.data.decoding.gpu import gpu_decoder
from snaketorch.data.progress import Progress
from snaketorch.data.raw.images import Pixels, RawClips, RawImages, Reader
from snaketorch.data.readers import FileReader, KnowsShapes
from snaketorch.data.store import Rows
from snaketorch.data.survey import survey
from snaketorch.errors import DataError

log = logging.getLogger(__name__)

_DECODERS = {"cuda": "the GPU's decoder", "cpu": "PIL"}


class PixelRows:
    """Brings all samples of a dataset to one shape.

    DataError when they cannot have one shape, or a sample is bad and may not be left out.
    """

    def __init__(self, raw: RawImages | RawClips, things: str, options: Prepare, frames: tuple[int, ...] = ()):
        """Of ``raw``; ``things`` are the samples in messages, ``frames`` the number of frames of clips."""
        self._raw, self._options, self._things = raw, options, things
        read_pictures_as(options, raw.reader)
        self.bad = BadSamples(options, len(raw.labels))
        self.facts: dict[str, Any] = {things: len(raw.labels), **raw.facts}
        # where the shape is said, files are opened once, to be decoded
        self._is_surveyed = not (options.size and options.channels)
        self.shape: tuple[int, ...] = (
            self._survey() if self._is_surveyed else (*frames, options.channels, *options.size)
        )
        """(channels, height, width), with frames before them for clips."""
        log.info(
            "%d %s, %s; written as %s",
            len(raw.labels),
            things,
            f"{len(raw.classes)} classes" if raw.classes else f"each with a number ({raw.target_name})",
            describe_shape(self.shape[-3:]),
        )
        self._progress = Progress(log, "decoded", things, len(raw.labels))

    def append(self, rows: np.ndarray, out: Rows) -> np.ndarray:
        """Adds the samples of ``rows`` to ``out``. The rows of those that are good."""
        good: list[int] = []
        done = 0
        for part in self._raw.reader.parts(rows):
            kept = []
            for row, sample in zip(rows[done : done + len(part)].tolist(), part, strict=True):
                if why := self._wrong(sample):
                    self.bad.add(self._raw.names[row], why)
                else:
                    kept.append(sample)
                    good.append(row)
            done += len(part)
            if kept:
                out.append(in_shape(kept, self.shape))
            self._progress.add(len(part))
        if done != len(rows):
            raise DataError(f"the source gave {done} of {len(rows)} samples")
        return np.array(good, np.int64)

    def finish(self, rows: dict[str, np.ndarray]) -> None:
        """Sums up; ``rows``: the good ones of each split. DataError when a class or a split has lost all of them."""
        kept = samples_of_classes(self._raw, np.concatenate(list(rows.values())))
        self.bad.finish(kept, self._raw.classes)
        for split, members in rows.items():
            if not len(members):
                raise DataError(f"all samples of {split} are bad; every split needs at least one")
        if not self._is_surveyed and isinstance(self._raw.reader, KnowsShapes):
            self._survey()
        for decoder, count in self.decoders.items():
            log.info("%s decoded %s %s", _DECODERS[decoder], f"{count:,}", self._things)

    @property
    def decoders(self) -> dict[str, int]:
        """How many samples each decoder gave, of image files."""
        decoded = self._raw.reader.decoded if isinstance(self._raw.reader, FileReader) else {}
        return {name: count for name, count in decoded.items() if count}

    def _survey(self) -> tuple[int, ...]:
        """Adds what the samples were like to the facts. The shape to bring them to."""
        found = survey(self._raw, self._things, self._options)
        self.facts |= {
            "smallest, height and width": list(found.smallest),
            "largest, height and width": list(found.largest),
            "grey": found.grey,
        }
        return found.shape

    def _wrong(self, sample: Pixels | Exception) -> str | None:
        return what_is_wrong(sample, self.shape, self._options.size is not None)


def read_pictures_as(options: Prepare, reader: Reader) -> None:
    """Has a ``reader`` that decodes image files do it on the GPU, where ``options`` ask for it. Before any read."""
    if isinstance(reader, FileReader) and reader.are_pictures and (gpu := gpu_decoder(options)):
        reader.decode_on(gpu)


def what_is_wrong(sample: Pixels | Exception, shape: Sequence[int], resizes: bool) -> str | None:
    """What is wrong with a sample; None when nothing is.

    Args:
        sample: Its pixels, or why there are none.
        shape: To bring it to: (channels, height, width), with frames before them for clips.
        resizes: Whether it may have another height and width than that.
    """
    if isinstance(sample, Exception):
        return str(sample)
    if sample.dtype != np.uint8 or sample.ndim != len(shape) or sample.shape[-3] not in (1, 3):
        return (
            f"its pixels are {sample.dtype} of shape {sample.shape}; allowed: uint8 of shape "
            f"({'frames, ' if len(shape) > 3 else ''}channels, height, width) with 1 or 3 channels"
        )
    if sample.shape[:-3] != tuple(shape[:-3]):
        return f"it has {sample.shape[0]} frames; allowed: {shape[0]}, as the others have"
    if 0 in sample.shape or (not resizes and sample.shape[-2:] != tuple(shape[-2:])):
        return "its size is {}x{} pixels; allowed: {}x{}, as the others have".format(*sample.shape[-2:], *shape[-2:])
    return None


def in_shape(samples: Sequence[Pixels], shape: Sequence[int]) -> np.ndarray:
    """The samples in one shape; those that come in one size are converted together."""
    converted = np.empty((len(samples), *shape), np.uint8)
    alike: dict[tuple[int, ...], list[int]] = {}
    for place, sample in enumerate(samples):
        alike.setdefault(sample.shape, []).append(place)
    channels, *size = shape[-3:]
    for own, places in alike.items():
        images = np.stack([samples[place] for place in places]).reshape(-1, *own[-3:])
        converted[places] = convert_images(images, size, channels).reshape(-1, *shape)
    return converted
