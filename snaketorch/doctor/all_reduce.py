"""One rank of a sum over all devices: ``python -m snaketorch.doctor.all_reduce RANK RANKS FILE {nccl,gloo}``.

Rank 0 prints how many GB/s each device sent, counted as NCCL's own tests count (bus bandwidth).
"""

import sys
import time
from datetime import timedelta

import torch
import torch.distributed as distributed

VALUES = {"nccl": 2**25, "gloo": 2**20}
"""Of the tensor that is summed: 128 MiB on GPUs, 4 MiB on CPUs."""
ROUNDS = 5
SECONDS = 60


def main(rank: int, ranks: int, file: str, backend: str) -> None:
    """Joins the others, sums, and compares with the sum that is known."""
    device = torch.device(f"cuda:{rank}" if backend == "nccl" else "cpu")
    if backend == "nccl":
        torch.cuda.set_device(device)
    distributed.init_process_group(
        backend, init_method=f"file://{file}", rank=rank, world_size=ranks, timeout=timedelta(seconds=SECONDS)
    )
    seconds = []
    for _ in range(1 + ROUNDS):  # the first one connects
        values = torch.full((VALUES[backend],), float(rank + 1), device=device)
        _wait(device)
        start = time.perf_counter()
        distributed.all_reduce(values)
        _wait(device)
        seconds.append(time.perf_counter() - start)
        expected = ranks * (ranks + 1) / 2
        if not bool((values == expected).all()):
            sys.exit(f"rank {rank}: the sum is {values[0].item()} instead of {expected}")
    distributed.destroy_process_group()
    if rank == 0:
        sent = 4 * VALUES[backend] * 2 * (ranks - 1) / ranks
        print(f"{sent / min(seconds[1:]) / 1e9:.1f}")  # noqa: T201


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
