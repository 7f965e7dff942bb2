"""What share of its peak rates a GPU reaches in trainings: as measured on one of its kind, else by its architecture."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from snaketorch.config.gpu import Gpu
from snaketorch.config.gpu_names import name_key, name_keys
from snaketorch.config.models import Model
from snaketorch.hardware.benchmark.run import FOLDER, FORMAT

log = logging.getLogger(__name__)

Operation = Literal["matmul", "conv", "lstm"]
"""What most of a network's arithmetic is: dense layers and attention, convolutions, recurrent layers."""


@dataclass(frozen=True)
class Efficiencies:
    """Of one kind of GPU."""

    shares: Mapping[Operation, Mapping[str, float]]
    """Of the peak rate, by kind of operation and number format: `fp64`, `fp32`, `tf32`, `fp16`, `bf16`."""
    bandwidth: float
    """Share of the memory's bandwidth."""
    launch_us: float
    """Microseconds from the start of one tiny operation to that of the next."""
    source: str
    """Where they are from, for people."""


class _Shares(NamedTuple):
    """Of the rate of matrix cores."""

    matmul: float
    conv: float
    conv_in_tf32: float


MATRIX_CORES: dict[str, _Shares] = {
    "Volta": _Shares(0.60, 0.50, 0.50),
    "Turing": _Shares(0.50, 0.40, 0.40),
    "Ampere": _Shares(0.60, 0.40, 0.25),
    "Ada": _Shares(0.55, 0.40, 0.25),
    "Hopper": _Shares(0.55, 0.35, 0.20),
    "Blackwell": _Shares(0.50, 0.30, 0.20),
    "CDNA": _Shares(0.45, 0.25, 0.20),
    "RDNA": _Shares(0.40, 0.30, 0.30),
}
"""By the beginning of the architecture's name. Convolutions of Volta and Ampere are fitted to ResNet-50 of NVIDIA's
DeepLearningExamples (`PyTorch/Classification/ConvNets/resnet50v1.5/README.md`: V100 1,200 images a second in mixed
precision, A100 2,470, and 938 in TF32); products of matrices follow torchtitan's 33 to 39 % of an H100 for whole
trainings (`docs/performance.md`). Other rows are drawn from these, the newer ones lower, for rates grew faster than
memory and caches did: `benchmark-device` knows better."""
HALVED = _Shares(0.85, 0.85, 0.85)
"""GeForce from Turing on: its rate is counted with sums in FP32, which halve it, so that it is nearly reached. Fitted
to timm's ResNet-50 on an RTX 3090 (`results/benchmark-train-amp-nhwc-pt112-cu113-rtx3090.csv`: 1,218 images a
second)."""
EDGE = _Shares(0.45, 0.35, 0.25)
"""Modules share their power and memory with a CPU."""
UNKNOWN = _Shares(0.40, 0.30, 0.25)

ORDINARY_CORES = {"NVIDIA": 0.85, "AMD": 0.60}
"""FP32 and FP64 without matrix cores; NVIDIA's is fitted to the README above (V100: 367 images a second in FP32)."""
ORDINARY_CORES_OF_OTHERS = 0.50
RECURRENT = {"matrix": 0.20, "ordinary": 0.40}
"""Recurrent layers multiply small matrices one after the other. No published figure covers them: a guess from cuDNN's
kernels, for widths of some hundreds."""

BANDWIDTH = 0.90
"""Of the peak, as simple operations on large tensors reach it."""
LAUNCH_US = 5.0
LAUNCH_US_OF_EDGE = 15.0
"""A module's CPU is slower."""


def operation_of(model: Model) -> Operation:
    """What most of the arithmetic of a network is."""
    if model.kind in ("rnn", "lstm", "gru"):
        return "lstm"
    return "matmul" if model.kind in ("mlp", "transformer", "vit", "gan") else "conv"


def usual_efficiencies(gpu: Gpu) -> Efficiencies:
    """Those of its architecture."""
    matrix, whose = _of_matrix_cores(gpu)
    ordinary = ORDINARY_CORES.get(gpu.vendor, ORDINARY_CORES_OF_OTHERS)
    lone = dict.fromkeys(("fp64", "fp32"), ordinary)
    if gpu.matrix_cores == 0:  # what is faster there is two numbers in the place of one
        lone |= dict.fromkeys(("fp16", "bf16"), ordinary)
        matmul, conv, recurrent = dict(lone), dict(lone), dict.fromkeys(lone, RECURRENT["ordinary"])
    else:
        matmul = lone | dict.fromkeys(("tf32", "fp16", "bf16"), matrix.matmul)
        conv = lone | {"tf32": matrix.conv_in_tf32} | dict.fromkeys(("fp16", "bf16"), matrix.conv)
        recurrent = dict.fromkeys(lone, RECURRENT["ordinary"])
        recurrent |= dict.fromkeys(("tf32", "fp16", "bf16"), RECURRENT["matrix"])
    return Efficiencies(
        {"matmul": matmul, "conv": conv, "lstm": recurrent},
        BANDWIDTH,
        LAUNCH_US_OF_EDGE if gpu.made_for == "edge" else LAUNCH_US,
        f"usual for {whose}",
    )


def efficiencies_of(gpu: Gpu, root: Path = Path()) -> Efficiencies:
    """As ``benchmark-device`` measured them on such a GPU, as far as it did; else the usual ones.

    ``root``: the folder that holds ``state/``. Of several measurements the newest counts; a file that cannot be read is
    left aside, and said in the log.
    """
    usual = usual_efficiencies(gpu)
    found = [content for content in _measurements(root / FOLDER) if _is_of(content, gpu)]
    if not found:
        return usual
    newest = max(found, key=lambda content: str(content.get("when")))
    shares, measured = newest.get("efficiencies") or {}, newest.get("measured") or {}
    trained_in = measured.get("trained_in")
    return Efficiencies(
        {
            operation: {**own, **_by_format(shares.get(operation), trained_in)}
            for operation, own in usual.shares.items()
        },
        _share(shares.get("bandwidth")) or usual.bandwidth,
        _positive(measured.get("launch_us")) or usual.launch_us,
        f"measured on {newest.get('device')}",
    )


def _of_matrix_cores(gpu: Gpu) -> tuple[_Shares, str]:
    if gpu.made_for == "edge":
        return EDGE, "modules"
    if gpu.name.startswith("GeForce") and gpu.architecture != "Volta":
        return HALVED, "GeForce"
    for name, shares in MATRIX_CORES.items():
        if gpu.architecture.startswith(name):
            return shares, gpu.architecture
    return UNKNOWN, f"a GPU of which little is known ({gpu.architecture})"


def _measurements(folder: Path) -> list[Mapping[str, Any]]:
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text("utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(f"its format is {content['format']}, not {FORMAT}")
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s is not used: %s; measure anew: `python -m snaketorch benchmark-device`", path, error)
            continue
        found.append(content)
    return found


def _is_of(content: Mapping[str, Any], gpu: Gpu) -> bool:
    """Whether a measurement is of such a GPU: the catalogue's name decides, and without one the driver's."""
    name = content.get("gpu") or content.get("device")
    return isinstance(name, str) and name_key(name) in name_keys(gpu)


def _by_format(found: Any, trained_in: Any) -> dict[str, float]:
    """Shares by number format; of one number it is the format that the GPU trains in."""
    given = found if isinstance(found, Mapping) else {trained_in: found}
    return {name: share for name, value in given.items() if isinstance(name, str) and (share := _share(value))}


def _share(value: Any) -> float | None:
    number = _positive(value)
    return None if number is None else min(number, 1.0)


def _positive(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None
