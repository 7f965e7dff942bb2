"""Number formats to measure a device in."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from snaketorch.hardware.precision import native_precisions

DTYPES = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""By the names of the catalogue."""
OF_LIGHTNING = {"bf16-mixed": "bf16", "16-mixed": "fp16"}


def formats_of(device: torch.device) -> list[str]:
    """All that can be trained in, on a GPU; on a CPU those that it has instructions for."""
    if device.type != "cuda":
        return ["fp32", *(OF_LIGHTNING[name] for name in native_precisions(device))]
    has_tf32 = torch.version.hip is None and torch.cuda.get_device_capability(device) >= (8, 0)
    return ["fp32", *(["tf32"] if has_tf32 else []), "bf16", "fp16"]


def training_format(device: torch.device) -> str:
    """In which networks are trained with `trainer.precision: auto` on a GPU, and on a CPU mostly."""
    native = native_precisions(device) if device.type == "cuda" else []
    return OF_LIGHTNING[native[0]] if native else "fp32"


@contextmanager
def computing_in(name: str) -> Iterator[torch.dtype]:
    """The type of numbers in format ``name``; in the block FP32 is rounded to TF32 where that is asked for alone."""
    matmul, cudnn = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if name == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = name == "tf32"
    try:
        yield DTYPES[name]
    finally:
        torch.set_float32_matmul_precision(matmul)
        torch.backends.cudnn.allow_tf32 = cudnn
