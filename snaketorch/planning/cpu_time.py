"""How long an optimizer step takes on CPU cores, roughly: for how much time to ask, not to compare processors."""

from snaketorch.planning.estimate import Estimate
from snaketorch.planning.step_time import StepTime

GFLOPS = {"fp32": 15.0, "fp64": 8.0, "bf16": 10.0, "fp16": 5.0}
"""Of one core, as convolutions and products of matrices of a training reach on an older server. Twice as much is
common: a job that asks for too much time loses less than one that asks for too little."""
GBS_OF_A_CORE, GBS_OF_ALL = 6.0, 40.0
"""Bandwidth of the memory."""
STARTED_IN = 15e-6
"""Seconds of one operation with its bookkeeping."""


def seconds_per_step_on_cpu(estimate: Estimate, cores: int, processes: int = 1) -> StepTime:
    """An optimizer step of ``estimate`` on some cores of a CPU, which ``processes`` share that each do as much."""
    compute = processes * sum(
        flops / (GFLOPS.get(name, GFLOPS["fp32"]) * 1e9 * cores) for name, flops in estimate.flops.items()
    )
    memory = processes * estimate.bytes_moved / (min(GBS_OF_A_CORE * cores, GBS_OF_ALL) * 1e9)
    started = estimate.kernels * STARTED_IN
    return StepTime(max(compute, memory) + started, compute, memory, started, f"on {cores} cores of an older server")
