"""Labelled images made ready."""

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.labelled_pixels import prepare_pixels
from snaketorch.data.pixel_rows import PixelRows
from snaketorch.data.prepared import Prepared
from snaketorch.data.preview.images import draw_images
from snaketorch.data.quality.images import examine_images
from snaketorch.data.raw.images import RawImages
from snaketorch.data.store import Store


def prepare_images(raw: RawImages, spec: PrepareSpec, store: Store) -> Prepared:
    """Fields `image` (uint8, channels first) and `label` (int64). DataError as ``prepare_pixels``."""
    pixels = PixelRows(raw, "images", spec.prepare)
    return prepare_pixels(raw, spec, store, "image", pixels, draw_images, examine_images)
