"""One image file to pixels, the way that a good viewer shows it.

- Turned as its EXIF orientation says.
- What is transparent lies on white: on black, dark drawings on a transparent ground would vanish.
- Palettes and CMYK become colours; 16 bits a channel become 8 (of 65,535 steps, 255).
- Of an animation, the first frame.
- Grey stays one channel: whether an image is grey is decided by its format, not by its pixels.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from snaketorch.errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp"})
TURNED = frozenset({5, 6, 7, 8})
"""EXIF orientations that exchange width and height."""
_ORIENTATION = 0x0112
_GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})


def picture_shape(path: Path) -> tuple[int, int, int]:
    """Channels, height and width of the image in a file, from its header. DataError when that cannot be read."""
    with _reading(), Image.open(path, formats=FORMATS) as image:
        _refuse_too_large(image)
        width, height = image.size
        # a PNG may hold its orientation behind the pixels, which are not read here
        if "exif" in image.info and image.getexif().get(_ORIENTATION) in TURNED:
            width, height = height, width
        return 1 if _is_grey(image) else 3, height, width


def decode_picture(path: Path) -> np.ndarray:
    """The image in a file: uint8, (channels, height, width). DataError when it cannot be read."""
    with _reading():
        return decode_bytes(path.read_bytes())


def decode_bytes(content: bytes) -> np.ndarray:
    """The image whose file's content this is: uint8, (channels, height, width). DataError when it cannot be read."""
    if not content:
        raise DataError("the file is empty")
    with _reading(), Image.open(BytesIO(content), formats=FORMATS) as image:
        _refuse_too_large(image)
        image.load()
        # without this look, turning would copy every image
        upright = ImageOps.exif_transpose(image) if image.getexif().get(_ORIENTATION, 1) != 1 else image
        pixels = np.asarray(_plain(upright))
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _plain(image: Image.Image) -> Image.Image:
    """The same in mode L or RGB."""
    mode = "L" if _is_grey(image) else "RGB"
    if image.mode == mode and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):
        # PIL's own conversion cuts everything above 255 off
        levels = np.asarray(image).astype(np.int64)
        return Image.fromarray(((levels.clip(0, 65535) * 255 + 32767) // 65535).astype(np.uint8))
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), coloured)
    return image.convert(mode)


def _is_grey(image: Image.Image) -> bool:
    if image.mode in ("P", "PA"):
        palette = image.palette
        # before its pixels are read, a BMP has its palette as it stands in the file
        content = palette.palette if palette.rawmode else palette.tobytes()
        colours = np.frombuffer(content, np.uint8).reshape(-1, len(palette.rawmode or palette.mode))[:, :3]
        return bool((colours == colours[:, :1]).all())
    return image.mode in _GREY


def _refuse_too_large(image: Image.Image) -> None:
    width, height = image.size
    if Image.MAX_IMAGE_PIXELS is not None and width * height > Image.MAX_IMAGE_PIXELS:
        raise DataError(
            f"it has {width}x{height} pixels, which may be an attack; allowed: up to {Image.MAX_IMAGE_PIXELS:,} pixels"
        )


@contextmanager
def _reading() -> Iterator[None]:
    """Says what is wrong with a file as a `DataError`, without its name."""
    try:
        yield
    except Image.UnidentifiedImageError:
        raise DataError("it is no JPEG, PNG, WebP or BMP image, whatever its name says") from None
    except Image.DecompressionBombError as error:
        raise DataError(f"{error}") from None
    # what PIL raises for broken content differs by format and by what is broken
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DataError(f"it cannot be read: {why or type(error).__name__}") from None
