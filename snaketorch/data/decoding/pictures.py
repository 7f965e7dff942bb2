"""One image file to pixels, the way that a good viewer shows it.

- Turned as its EXIF orientation says.
- What is transparent lies on white: on black, dark drawings on a transparent ground would vanish.
- Palettes and CMYK become colours; 16 bits a channel become 8 (of 65,535 steps, 255).
- Of an animation, the first frame.
- Grey stays one channel: whether an image is grey is decided by its format, not by its pixels.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import SEEK_CUR, BytesIO
from math import prod
from pathlib import Path

import numpy as np
from PIL import Image

from snaketorch.errors import DataError

Encoded = Path | bytes
"""The file of an image, or its content."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp"})
SMALL_BYTES = 2**15
"""Of a file that is read at once when it is looked at."""
MOST_PIXELS = 2**28
"""Of an image: some 4 GB of memory while it is decoded and resized. A header that promises more may be an attack."""
# PIL's own limit is a third of that, below what scanners and large cameras give
Image.MAX_IMAGE_PIXELS = None
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF orientation, what turns an image upright."""
TURNED = frozenset({5, 6, 7, 8})
"""EXIF orientations that exchange width and height."""
_ORIENTATION = 0x0112
_SAY_ORIENTATION = frozenset({"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"})
"""Where a file can say how its camera was held, as PIL names it."""
_PNG_TEXTS = frozenset({b"eXIf", b"iTXt", b"tEXt", b"zTXt"})
"""Parts of a PNG file that can say it, too."""
_GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})


@dataclass(frozen=True)
class Header:
    """What is known of an image before its pixels are decoded."""

    shape: tuple[int, int, int]
    """Channels, height and width of its pixels."""
    is_plain_jpeg: bool
    """Whether any JPEG decoder gives these pixels without more ado: baseline, grey or YCbCr, upright."""


def look_at_picture(encoded: Encoded, decode_up_to: int = 0) -> Header | np.ndarray:
    """The header of an image; or its pixels, if they are no more than ``decode_up_to`` values.

    So a small file is opened once, and a large one is not decoded to learn its shape. DataError when it cannot be read.
    """
    with _reading(), Image.open(_source(encoded, whole=decode_up_to > 0), formats=FORMATS) as image:
        _refuse_too_large(image)
        header = _header(image)
        return _decoded(image) if prod(header.shape) <= decode_up_to else header


def _source(encoded: Encoded, whole: bool) -> Path | BytesIO:
    """What PIL reads; the content of a small file if the ``whole`` will be read, which PIL would do in many steps."""
    if isinstance(encoded, bytes):
        return BytesIO(encoded)
    if not whole:
        return encoded
    with encoded.open("rb", buffering=0) as file:
        start = file.read(SMALL_BYTES)
    return encoded if len(start) == SMALL_BYTES else BytesIO(start)


def read_file(encoded: Encoded) -> bytes:
    """The content of a file. DataError when it cannot be read."""
    if isinstance(encoded, bytes):
        return encoded
    with _reading():
        return encoded.read_bytes()


def decode_bytes(content: bytes) -> np.ndarray:
    """The image whose file's content this is: uint8, (channels, height, width). DataError when it cannot be read."""
    if not content:
        raise DataError("the file is empty")
    with _reading(), Image.open(BytesIO(content), formats=FORMATS) as image:
        _refuse_too_large(image)
        return _decoded(image)


def is_whole_jpeg(content: bytes) -> bool:
    """Whether the content of a JPEG file goes on to its end mark: some decoders give half an image without a word."""
    return content.rstrip(b"\0").endswith(b"\xff\xd9")


def _header(image: Image.Image) -> Header:
    width, height = image.size
    if image.format == "PNG" and _has_texts_behind(image):
        image.load()
    orientation = _orientation(image)
    if orientation in TURNED:
        width, height = height, width
    is_plain = (
        image.format == "JPEG"
        and image.mode in ("L", "RGB")
        and image.info.get("adobe_transform", 1) == 1
        and not image.info.get("progressive")
        and orientation == 1
    )
    return Header((1 if _is_grey(image) else 3, height, width), is_plain)


def _orientation(image: Image.Image) -> int:
    # a PNG would be decoded to look behind its pixels, and every other image searched
    return image.getexif().get(_ORIENTATION, 1) if _SAY_ORIENTATION & image.info.keys() else 1


def _has_texts_behind(image: Image.Image) -> bool:
    """Whether a PNG file may say its orientation behind its pixels, which opening it does not read."""
    place = image.fp.tell()
    image.fp.seek(len(b"\x89PNG\r\n\x1a\n"))
    behind = found = False
    while not found and len(start := image.fp.read(8)) == 8 and start[4:] != b"IEND":
        behind = behind or start[4:] == b"IDAT"
        found = behind and start[4:] in _PNG_TEXTS
        image.fp.seek(int.from_bytes(start[:4], "big") + 4, SEEK_CUR)  # its data and checksum
    image.fp.seek(place)
    return found


def _decoded(image: Image.Image) -> np.ndarray:
    image.load()
    turn = _UPRIGHT.get(_orientation(image))
    # not `ImageOps.exif_transpose`, which writes the EXIF data anew and fails on entries that cameras got wrong
    pixels = np.asarray(_plain(image if turn is None else image.transpose(turn)))
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
    if width * height > MOST_PIXELS:
        raise DataError(
            f"it has {width}x{height} pixels, which may be an attack; allowed: up to {MOST_PIXELS:,} pixels"
        )


@contextmanager
def _reading() -> Iterator[None]:
    """Says what is wrong with a file as a `DataError`, without its name."""
    try:
        yield
    except Image.UnidentifiedImageError:
        raise DataError("it is no JPEG, PNG, WebP or BMP image, whatever its name says") from None
    # what PIL raises for broken content differs by format and by what is broken
    except (OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, OverflowError, struct.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DataError(f"it cannot be read: {why or type(error).__name__}") from None
