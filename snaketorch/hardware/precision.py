"""Which number format and memory layout a device trains well with.

On a GPU the architecture decides (https://docs.nvidia.com/deeplearning/performance/mixed-precision-training/):
bfloat16 from compute capability 8.0 on, float16 with loss scaling on Volta and Turing, else float32.
On a CPU with bfloat16 instructions (AVX512-BF16, AMX) a short probe of the real training step decides,
since small networks often gain nothing. The layout is always a matter for the probe.
"""

import copy
import fcntl
import json
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from snaketorch.data.loading.samples import Batch
from snaketorch.provenance import digest
from snaketorch.publish import write_json

log = logging.getLogger(__name__)

LEAST_GAIN = 1.25  # a change of format must be worth it beyond the noise of the probe
WARMUP, ROUNDS = 3, 20

AUTOCAST = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


@dataclass(frozen=True)
class Choice:
    """How to train, and why so."""

    precision: str
    memory_format: str
    why: str


def device_name(device: torch.device) -> str:
    """What the device calls itself."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "CPU"


def native_precisions(device: torch.device) -> list[str]:
    """Reduced precisions that the device computes in hardware, the better one first."""
    if device.type == "cuda":
        capability = torch.cuda.get_device_capability(device)
        return ["bf16-mixed"] if capability >= (8, 0) else ["16-mixed"] if capability >= (7, 0) else []
    has_bf16 = torch.backends.cpu.get_cpu_capability() != "DEFAULT" and (
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )
    return ["bf16-mixed"] if has_bf16 else []


def choose(
    asked: str,
    memory_format: str,
    device: torch.device,
    network: nn.Module,
    step: Callable[[nn.Module, Batch], Tensor],
    batch: Batch,
    cache: Path,
    key: dict,
    scales_loss: bool = True,
) -> Choice:
    """The precision and memory layout to train with.

    Args:
        asked: The configuration's ``trainer.precision``; anything but ``auto`` is obeyed, without a probe,
            so that nothing measured bears on the result.
        memory_format: The configuration's ``trainer.memory_format``; ``auto`` is probed with the precision.
        device: Where training runs.
        network: The network; a copy of it is probed, so it stays as it is.
        step: Loss of a copy of the network on a batch.
        batch: One real training batch, on ``device``.
        cache: A folder where choices are remembered: a training that starts again, or another seed of
            the same experiment, must not choose otherwise because the machine was busier.
        key: What the choice depends on besides the device.
        scales_loss: Whether the training scales its loss, which float16 needs.
    """
    if asked != "auto":
        return Choice(asked, "contiguous" if memory_format == "auto" else memory_format, "asked for")
    has_filters = any(weight.ndim == 4 for weight in network.parameters())
    native = [name for name in native_precisions(device) if scales_loss or name != "16-mixed"]
    # on a GPU the architecture decides on the format, and the probe on the layout alone
    precisions = native if device.type == "cuda" and native else ["32-true", *native]
    probed = ["contiguous", "channels_last"] if has_filters else ["contiguous"]
    layouts = probed if memory_format == "auto" else [memory_format]
    candidates = [(precision, layout) for layout in layouts for precision in precisions]
    if len(candidates) == 1:
        return Choice(*candidates[0], f"{device_name(device)} has no faster format for this network")

    key = {**key, "device": device_name(device), "threads": torch.get_num_threads(), "torch": torch.__version__}
    path = cache / f"{digest(key)}.json"
    cache.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        with suppress(OSError):  # a file system without locks: at worst two seeds probe at once
            fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return Choice(**json.loads(path.read_text("utf-8")))
        try:
            choice = _fastest(candidates, device, network, step, batch)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            return Choice(*candidates[0], f"{device_name(device)} has too little memory to probe copies of the network")
        write_json(path, asdict(choice))
    return choice


def _fastest(candidates, device, network, step, batch) -> Choice:
    seconds = _probe(candidates, device, network, step, batch)
    chosen = candidates[0]
    for candidate in candidates[1:]:
        # each step up must pay for itself, else near ties would be decided by noise
        if seconds[chosen] / seconds[candidate] >= LEAST_GAIN:
            chosen = candidate
    table = ", ".join(f"{name} {layout} {1000 * time:.2f} ms" for (name, layout), time in seconds.items())
    why = f"probe of one training step on {device_name(device)}: {table}"
    log.info("Precision %s, layout %s (%s)", *chosen, why)
    return Choice(*chosen, why)


def _probe(candidates, device, network, step, batch) -> dict[tuple[str, str], float]:
    """The quickest forward and backward pass of each candidate, in seconds.

    Candidates take turns, and on a CPU it is this process's own time that counts: what else the
    machine does must not decide how a model is trained.
    """
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    passes = {candidate: _one_pass(*candidate, device, network, step, batch) for candidate in candidates}
    seconds = dict.fromkeys(candidates, math.inf)
    for number in range(WARMUP + ROUNDS):
        for candidate, run in passes.items():
            _wait(device)
            start = clock()
            run()
            _wait(device)
            if number >= WARMUP:
                seconds[candidate] = min(seconds[candidate], clock() - start)
    return seconds


def _one_pass(precision, layout, device, network, step, batch) -> Callable[[], None]:
    trial = copy.deepcopy(network).to(device)
    if layout == "channels_last":
        trial = trial.to(memory_format=torch.channels_last)
    dtype = AUTOCAST.get(precision)

    def run() -> None:
        with torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None):
            loss = step(trial, batch)
        loss.backward()
        trial.zero_grad(set_to_none=True)

    return run


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
