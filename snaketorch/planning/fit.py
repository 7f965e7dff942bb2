"""Whether a training fits a GPU, and what it would take there."""

from dataclasses import asdict, dataclass
from typing import Any

from snaketorch.config.gpu import Gpu
from snaketorch.planning.estimate import Estimate
from snaketorch.planning.step_time import StepTime, energy_wh

GIB = 2**30
FREE = 0.98
"""Of the memory as it is sold: the rest is the driver's."""
FREE_WITH_ECC_IN_LINE = 0.93
"""Data centre GPUs with GDDR keep the bits that correct errors in the same memory."""
FREE_OF_SHARED = 0.9
"""The system's part, of a memory that the CPU shares."""


@dataclass(frozen=True)
class Fit:
    """One training on one kind of GPU."""

    gpu: Gpu
    precision: str
    """Lightning's name of it."""
    precision_why: str
    estimate: Estimate
    """In this precision."""
    usable: int
    """Bytes of a device that the training can have."""
    largest_batch_size: int | None
    """On one device, of the epoch's samples at most; None when not even one sample fits."""
    step: StepTime
    """An optimizer step."""
    seconds: float
    """Of one training."""
    devices: int
    """GPUs that train together."""

    @property
    def fits(self) -> bool:
        """Whether it never runs out of memory."""
        return self.estimate.memory.upper_bound <= self.usable

    @property
    def is_tight(self) -> bool:
        """Whether it should fit, without a margin for what an estimate cannot know."""
        return not self.fits and self.estimate.memory.peak <= self.usable

    @property
    def energy_wh(self) -> float:
        """Of one training, on all of its devices."""
        return energy_wh(self.gpu, self.step, self.seconds) * self.devices

    @property
    def money(self) -> float | None:
        """Of one training; None without a price."""
        price = self.gpu.price_per_hour
        return None if price is None else price * self.devices * self.seconds / 3600

    @property
    def why(self) -> str:
        """The memory in words."""
        memory = self.estimate.memory
        needs = f"at most {in_gib(memory.upper_bound)} of {in_gib(self.usable)} GiB"
        if self.fits:
            return needs
        if self.is_tight:
            return f"about {in_gib(memory.peak)} GiB, but {needs} to be safe"
        if memory.context >= self.usable:
            return f"{in_gib(memory.context)} GiB to start, and there are {in_gib(self.usable)}"
        return f"about {in_gib(memory.peak)} GiB, and there are {in_gib(self.usable)}"

    def to_json(self) -> dict[str, Any]:
        """As ``plan.json`` has it."""
        return {
            "name": self.gpu.name,
            "certainty": self.gpu.certainty,
            "memory_gb": self.gpu.memory_gb,
            "usable": self.usable,
            "fits": self.fits,
            "tight": self.is_tight,
            "memory": asdict(self.estimate.memory),
            "largest_batch_size": self.largest_batch_size,
            "precision": self.precision,
            "precision_advice": self.precision_why,
            "seconds_per_step": self.step.seconds,
            "limited_by": self.step.limited_by,
            "step_why": self.step.why,
            "seconds": self.seconds,
            "energy_wh": self.energy_wh,
            "money": self.money,
            "why": self.why,
        }


def usable_bytes(gpu: Gpu, host_bytes: int, free_gb: float | None = None) -> int:
    """Bytes of the GPU's memory that a training can have.

    Args:
        gpu: As it is sold.
        host_bytes: What the training holds in the host's memory, of which a module's GPU has a part.
        free_gb: What is free of it, where somebody knows; GiB.
    """
    if free_gb is not None:
        return min(round(free_gb * GIB), round(gpu.memory_gb * GIB))
    if gpu.shares_memory:
        return max(0, round(gpu.memory_gb * FREE_OF_SHARED * GIB) - host_bytes)
    in_line = gpu.made_for == "data centre" and (gpu.memory_type or "").startswith("GDDR")
    return round(gpu.memory_gb * (FREE_WITH_ECC_IN_LINE if in_line else FREE) * GIB)


def in_gib(size: int) -> str:
    """``1.4``, ``0.31``, ``62``: bytes in GiB."""
    gib = size / GIB
    return f"{gib:.0f}" if gib >= 20 else f"{gib:.1f}" if gib >= 1 else f"{gib:.2f}"
