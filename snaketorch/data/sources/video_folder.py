"""Video files in class folders."""

from functools import partial
from pathlib import Path

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.raw.images import RawClips
from snaketorch.data.readers import FileReader
from snaketorch.data.sources.class_folders import read_class_folders
from snaketorch.errors import UserError


def load(spec: PrepareSpec) -> RawClips:
    """The clips below ``spec.source.path``.

    DataError when its folders are not what they should be; UserError when nothing is installed that decodes videos.
    """
    try:
        from snaketorch.data.decoding.videos import SUFFIXES, clip_shape, decode_clip
    except ImportError as error:
        raise UserError(
            f'videos need a decoder that is not installed ({error.name}): `pip install "snaketorch[video]"`'
        ) from error
    found = read_class_folders(Path(spec.source.path), SUFFIXES, "videos")
    frames = spec.prepare.frames
    return RawClips(
        labels=found.labels,
        classes=found.classes,
        names=found.names,
        given=found.given,
        findings=found.findings,
        reader=FileReader(
            found.paths,
            partial(decode_clip, frames=frames, size=spec.prepare.size),
            partial(clip_shape, frames=frames),
        ),
    )
