"""JPEG files decoded in batches by the GPU's decoder (nvJPEG, through torchvision)."""

import ctypes
import logging
import warnings
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from snaketorch.config.datasets import Prepare
from snaketorch.data.convert import convert_tensors
from snaketorch.errors import UserError

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

_MODES = {1: "GRAY", 3: "RGB"}
"""By the channels of an image, what torchvision calls it."""


def gpu_decoder(options: Prepare) -> "GpuDecoder | None":
    """The GPU's decoder; None where ``prepare.decoder`` wants none, or is auto and there is none that works.

    UserError when ``prepare.decoder`` is cuda and there is none that works.
    """
    if options.decoder == "cpu":
        return None
    why = _why_not()
    if not why:
        return GpuDecoder(options.size, options.channels)
    if options.decoder == "cuda":
        raise UserError(
            f"prepare.decoder: cuda needs a GPU that decodes JPEG files, but {why}; allowed here: auto, cpu"
        )
    return None


class GpuDecoder:
    """Decodes whole, plain JPEG files, and resizes those of one shape together before they leave the GPU."""

    def __init__(self, size: Sequence[int] | None, channels: int | None):
        """``size`` and ``channels`` to bring images to; as they come when None."""
        self._size, self._channels = size, channels
        self._refused = False

    def decode(self, contents: Sequence[bytes], shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray | None]:
        """The pixels of each file in its size, uint8, (channels, height, width); None for one that it does not take.

        What it makes of a file does not depend on the others: when it refuses a batch, because of one of them, it is
        asked again for each alone.

        Args:
            contents: Of the files.
            shapes: What their headers promise. A file that turns out otherwise is not taken.
        """
        found: list[np.ndarray | None] = [None] * len(contents)
        for channels, mode in _MODES.items():
            places = [place for place, shape in enumerate(shapes) if shape[0] == channels]
            if not places:
                continue
            alike: dict[tuple[int, ...], list[tuple[int, torch.Tensor]]] = {}
            for place, image in zip(places, self._try([contents[place] for place in places], mode), strict=True):
                if image is not None and tuple(image.shape) == tuple(shapes[place]):
                    alike.setdefault(tuple(image.shape), []).append((place, image))
            for shape, members in alike.items():
                converted = self._converted([image for _, image in members], shape)
                for (place, _), pixels in zip(members, converted, strict=True):
                    found[place] = pixels
        return found

    def _try(self, contents: list[bytes], mode: str) -> "list[torch.Tensor | None]":
        try:
            return [*decode_jpegs(contents, mode)]
        except RuntimeError as error:
            if not self._refused:
                log.info("the GPU's decoder refused a batch of %d files: %s", len(contents), _first_line(error))
            self._refused = True
        if len(contents) == 1:
            return [None]
        return [image for content in contents for image in self._try([content], mode)]

    def _converted(self, images: "list[torch.Tensor]", shape: tuple[int, ...]) -> np.ndarray:
        import torch

        size = self._size or shape[1:]
        return convert_tensors(torch.stack(images), size, self._channels or shape[0]).cpu().numpy()


def decode_jpegs(contents: Sequence[bytes], mode: str) -> "list[torch.Tensor]":
    """The images of JPEG files, uint8, (channels, height, width), on the GPU; ``mode``: GRAY or RGB.

    RuntimeError when one of them cannot be decoded; then there is nothing of the others either.
    """
    import torch
    from torchvision.io import decode_jpeg

    tensors = [torch.from_numpy(np.frombuffer(content, np.uint8).copy()) for content in contents]
    with warnings.catch_warnings():
        # since 0.29 torchvision announces that its decoders will move to TorchCodec
        warnings.simplefilter("ignore", DeprecationWarning)
        return decode_jpeg(tensors, mode=mode, device="cuda")


def _why_not() -> str:
    """Why no GPU decodes here; nothing when one does."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "there is no NVIDIA driver on this machine"
    # imported here, because a machine without a GPU does without seconds of imports
    import torch

    if not torch.cuda.is_available():
        return "PyTorch sees no GPU"
    stream = BytesIO()
    Image.new("RGB", (16, 16)).save(stream, "JPEG")
    try:
        decode_jpegs([stream.getvalue()], "RGB")
    except (ImportError, RuntimeError) as error:
        return f"it does not decode a test image: {_first_line(error)}"
    return ""


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
