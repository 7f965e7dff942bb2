"""A training that needs values to be traced, run on two small batches: what it holds grows in a straight line."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from snaketorch.config.specs import TrainSpec
from snaketorch.planning.lifetimes import Event, Work
from snaketorch.planning.trace import Trace, trace

SMALL, LARGER = 2, 4


def extrapolated(spec: TrainSpec, facts: Mapping[str, Any], batch_size: int, precision: str) -> Trace:
    """Of a batch of ``batch_size``, from the real step on the CPU with batches of ``SMALL`` and ``LARGER`` samples."""
    small, larger = (
        trace(spec, facts, size, precision, on_gpu=False, is_fake=False, validates=False) for size in (SMALL, LARGER)
    )

    def at(few: int, more: int) -> int:
        return max(more, round(few + (more - few) * (batch_size - SMALL) / (LARGER - SMALL)))

    flops = {name: at(small.work.flops.get(name, 0), done) for name, done in larger.work.flops.items()}
    peak = at(small.peak, larger.peak)
    return replace(
        larger,
        peak=peak,
        events=[Event(1, peak)],
        work=Work(flops, at(small.work.bytes_moved, larger.work.bytes_moved), larger.work.kernels),
    )
