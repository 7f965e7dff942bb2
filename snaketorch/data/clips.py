"""Labelled clips made ready."""

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.labelled_pixels import prepare_pixels
from snaketorch.data.pixel_rows import PixelRows
from snaketorch.data.prepared import Prepared
from snaketorch.data.preview.clips import draw_clips
from snaketorch.data.quality.images import examine_clips
from snaketorch.data.raw.images import RawClips
from snaketorch.data.store import Store


def prepare_clips(raw: RawClips, spec: PrepareSpec, store: Store) -> Prepared:
    """Fields `clip` (uint8, frames and channels first) and `label` (int64). DataError as ``prepare_pixels``."""
    pixels = PixelRows(raw, "clips", spec.prepare, frames=(spec.prepare.frames,))
    return prepare_pixels(raw, spec, store, "clip", pixels, draw_clips, examine_clips)
