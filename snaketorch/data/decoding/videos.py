"""One video file to frames that are evenly spread over it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np

from snaketorch.data.convert import convert_images
from snaketorch.errors import DataError

SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"})


def clip_shape(path: Path, frames: int) -> tuple[int, int, int, int]:
    """Frames, channels, height and width of the clip of a file, from its header. DataError when it cannot be read."""
    with _opened(path) as container:
        stream = _video_of(container)
        return frames, 3, stream.height, stream.width


def decode_clip(path: Path, frames: int, size: Sequence[int] | None) -> np.ndarray:
    """``frames`` frames, evenly spread: uint8, (frames, 3, height, width). DataError when it cannot be read.

    The video is read twice, once to count its frames, which headers do not tell reliably; at no time
    are more than the chosen frames in memory, each resized as it comes. Of a video with fewer frames,
    the nearest ones are repeated.
    """
    with _opened(path) as container:
        count = sum(1 for _ in container.decode(_video_of(container)))
    if not count:
        raise DataError("it has no frames")
    # the middle of each of as many equal stretches
    wanted = ((np.arange(frames) + 0.5) * count / frames).astype(np.int64)
    clip = None
    with _opened(path) as container:
        for index, frame in enumerate(container.decode(_video_of(container))):
            places = np.flatnonzero(wanted == index)
            if places.size:
                picture = convert_images(frame.to_ndarray(format="rgb24").transpose(2, 0, 1)[None], size, 3)
                if clip is None:
                    clip = np.empty((frames, *picture.shape[1:]), np.uint8)
                clip[places] = picture
            if index >= wanted[-1]:
                break
    return clip


@contextmanager
def _opened(path: Path) -> Iterator[av.container.InputContainer]:
    """Says what is wrong with a file as a `DataError`, without its name."""
    try:
        if not path.stat().st_size:
            raise DataError("the file is empty")
        with av.open(str(path)) as container:
            yield container
    except (av.FFmpegError, OSError, ValueError) as error:
        raise DataError(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _video_of(container: av.container.InputContainer) -> av.video.stream.VideoStream:
    if not container.streams.video:
        raise DataError("it holds no video")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise DataError("its video is of a codec that is not known")
    return stream
