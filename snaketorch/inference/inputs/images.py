"""Images, encoded or as numbers."""

import base64
import binascii
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from snaketorch.data.decoding.pictures import Header, decode_bytes, look_at_picture
from snaketorch.data.manifest import Manifest
from snaketorch.data.pixel_rows import in_shape, read_pictures_as, what_is_wrong
from snaketorch.data.raw.images import RawImages
from snaketorch.errors import DataError
from snaketorch.inference.columns import Column
from snaketorch.inference.inputs.base import SOURCE, TRUTH, CellInput, Fields, as_numbers, is_missing, truth_of

LARGEST_BYTE = 255
_DATA_ADDRESS = re.compile(r"^data:[^,]{0,100};base64,")


class Images(CellInput):
    """Column `image`. Never a path or an address: who serves a model must not be made to read files."""

    def __init__(self, task, options, most_pixels):
        super().__init__(task, options, most_pixels)
        self.shape = tuple(self.facts["fields"]["image"]["shape"])
        height, width = self.shape[1:]
        told = f"of any size, brought to {height}x{width} pixels" if options.size else f"of {height}x{width} pixels"
        self.columns = [Column("image", "image", description=f"an image {told}")]

    def sample(self, cell: Any) -> np.ndarray:
        pixels = self._pixels(cell)
        if why := what_is_wrong(pixels, self.shape, self.options.size is not None):
            raise DataError(why)
        return pixels

    def joined(self, samples: list[np.ndarray]) -> Fields:
        return {"image": in_shape(samples, self.shape)}

    def example(self, manifest: Manifest, number: int) -> dict[str, Any]:
        stream, pixels = BytesIO(), manifest.arrays("train")["image"][number]
        picture = Image.fromarray(np.ascontiguousarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)))
        picture.save(stream, "PNG")
        return {"image": base64.b64encode(stream.getvalue()).decode("ascii")}

    def rows_of(self, raw: RawImages) -> Iterator[pd.DataFrame]:
        # where there is no GPU now the training's images may have come from one
        decoder = "auto" if self.options.decoder == "cuda" else self.options.decoder
        read_pictures_as(self.options.model_copy(update={"decoder": decoder}), raw.reader)
        done = 0
        for part in raw.reader.parts(np.arange(len(raw.labels))):
            rows = range(done, done + len(part))
            names = [raw.names[row] for row in rows]
            yield pd.DataFrame({"image": pd.Series(part, dtype=object), SOURCE: names, TRUTH: truth_of(raw, rows)})
            done += len(part)

    def _pixels(self, cell: Any) -> np.ndarray:
        """Of (channels, height, width)."""
        if is_missing(cell):
            raise DataError("it is missing")
        if isinstance(cell, str):
            cell = _from_base64(cell)
        if isinstance(cell, bytes | bytearray | memoryview):
            return self._decoded(bytes(cell))
        return self._from_numbers(as_numbers(cell))

    def _decoded(self, content: bytes) -> np.ndarray:
        header = look_at_picture(content) if content else None
        if isinstance(header, Header) and header.shape[1] * header.shape[2] > self.most_pixels:
            raise DataError(
                f"it has {header.shape[2]}x{header.shape[1]} pixels, which may be an attack; allowed: up to "
                f"{self.most_pixels:,} pixels"
            )
        return decode_bytes(content)

    def _from_numbers(self, values: np.ndarray) -> np.ndarray:
        if values.dtype != np.uint8:
            odd = ~((values >= 0) & (values <= LARGEST_BYTE) & (values % 1 == 0))
            if odd.any():
                raise DataError(f"it holds {values[odd].flat[0]:g}; allowed: whole numbers from 0 to {LARGEST_BYTE}")
            values = values.astype(np.uint8)
        if values.ndim == 2:
            return values[None]
        if values.ndim != 3:
            raise DataError(
                f"its shape is {values.shape}; allowed: (height, width), (height, width, channels) or (channels, "
                "height, width)"
            )
        first, last = values.shape[0] in (1, 3), values.shape[2] in (1, 3)
        if last and (not first or (values.shape[:2] == self.shape[1:] and values.shape[1:] != self.shape[1:])):
            return np.ascontiguousarray(values.transpose(2, 0, 1))
        return values


def _from_base64(text: str) -> bytes:
    start = _DATA_ADDRESS.match(text)
    try:
        return base64.b64decode("".join(text[start.end() if start else 0 :].split()), validate=True)
    except (binascii.Error, ValueError):
        raise DataError(
            "it is text that is no base64; allowed: an encoded image as bytes or in base64, or numbers, and no path "
            "or address"
        ) from None
