"""Estimates of one training in several precisions and sizes, each made once."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any, Protocol

from snaketorch.config.specs import TrainSpec
from snaketorch.planning.estimate import Estimate, estimate_from, trace_of
from snaketorch.planning.largest_batch import LargestBatch
from snaketorch.planning.precision_advice import FORMATS
from snaketorch.planning.trace import Trace

ALIKE = {"16-mixed": "bf16-mixed"}
"""Precisions whose tensors are as large as another's, and whose operations are the same."""
SHARED_OUT_BY = {"strategy", "devices"}
"""Keys of `trainer` that no trace depends on."""


class Estimator(Protocol):
    """Who estimates a training."""

    def estimate(self, precision: str, on_gpu: bool = True) -> Estimate:
        """Of the training as it is, but for the precision."""
        ...

    def largest_batch_size(self, precision: str, free: int) -> int | None:
        """Samples of a batch on a device with ``free`` bytes; None when the smallest does not fit."""
        ...

    def about_largest(self, precision: str, free: int) -> int | None:
        """The same for many devices: drawn from two sizes, not tried."""
        ...

    def variant(self, **trainer: Any) -> "Estimator":
        """The same training with other keys of `trainer`."""
        ...


class Traced:
    """Who traces a training for it; no precision and size twice."""

    def __init__(
        self,
        spec: TrainSpec,
        facts: Mapping[str, Any],
        data_bytes: int | None = None,
        traced: Callable[..., Trace] | None = None,
    ):
        """``data_bytes``: see ``estimate``; ``traced``: gives the traces of another training that are this one's."""
        self.spec, self.facts, self.data_bytes = spec, facts, data_bytes
        self._traced = traced or cache(partial(trace_of, spec, facts))
        self._estimated = cache(self._estimate)
        self._sizes = cache(lambda precision: LargestBatch(spec, partial(self._estimated, precision)))

    def estimate(self, precision: str, on_gpu: bool = True) -> Estimate:
        """Of the training as it is, but for the precision."""
        return self._estimated(precision, self.spec.data_loader.batch_size, on_gpu)

    def _estimate(self, precision: str, batch_size: int, on_gpu: bool = True) -> Estimate:
        like = ALIKE.get(precision, precision)
        traced = self._traced(like, batch_size, on_gpu)
        found = estimate_from(self.spec, traced, like, batch_size, on_gpu=on_gpu, data_bytes=self.data_bytes)
        return found if like == precision else _renamed(found, precision)

    def largest_batch_size(self, precision: str, free: int) -> int | None:
        """Samples of a batch on a device with ``free`` bytes; None when the smallest does not fit."""
        return self._sizes(ALIKE.get(precision, precision)).fitting(free)

    def about_largest(self, precision: str, free: int) -> int | None:
        """The same for many devices: drawn from two sizes, not tried."""
        return self._sizes(ALIKE.get(precision, precision)).about(free)

    def variant(self, **trainer: Any) -> "Traced":
        """The same training with other keys of `trainer`."""
        changed = self.spec.trainer.model_copy(update=trainer)
        same_traces = self._traced if trainer.keys() <= SHARED_OUT_BY else None
        return Traced(self.spec.model_copy(update={"trainer": changed}), self.facts, self.data_bytes, same_traces)


def _renamed(estimate: Estimate, precision: str) -> Estimate:
    """An estimate in a precision for the other one whose tensors are alike."""
    names = {FORMATS[estimate.precision]: FORMATS[precision]}
    flops = {names.get(name, name): done for name, done in estimate.flops.items()}
    return replace(estimate, precision=precision, flops=flops)
