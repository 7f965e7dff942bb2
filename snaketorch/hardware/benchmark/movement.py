"""How fast a device moves data, and starts operations."""

import torch

from snaketorch.hardware.benchmark.stopwatch import Stopwatch

MIB = 2**20
OPERATIONS = 200
"""Started one after the other in one measurement."""


def bandwidth_gbs(watch: Stopwatch) -> float:
    """GB/s of the memory, of an operation that reads two tensors and writes one, as much larger than any cache."""
    size = (256 if watch.device.type == "cuda" else 96) * MIB
    one, other, total = (torch.ones(size // 4, device=watch.device) for _ in range(3))
    return 3 * size / watch.seconds(lambda: torch.add(one, other, out=total)) / 1e9


def copy_gbs(watch: Stopwatch) -> dict[str, float]:
    """GB/s from the host's memory `to` the GPU's and back `from` it; of a part that the GPU reads by itself."""
    size = 128 * MIB
    host = torch.ones(size, dtype=torch.uint8).pin_memory()
    there = torch.ones(size, dtype=torch.uint8, device=watch.device)
    return {
        "to": size / watch.seconds(lambda: there.copy_(host, non_blocking=True)) / 1e9,
        "from": size / watch.seconds(lambda: host.copy_(there, non_blocking=True)) / 1e9,
    }


def launch_us(watch: Stopwatch) -> float:
    """Microseconds from the start of one tiny operation to that of the next."""
    number = torch.zeros(1, device=watch.device)

    def start_many() -> None:
        for _ in range(OPERATIONS):
            number.add_(1.0)

    return watch.seconds(start_many) / OPERATIONS * 1e6
