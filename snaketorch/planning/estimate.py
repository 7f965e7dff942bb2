"""What a training needs of one device: memory, operations, steps; from its specification alone, without a GPU."""

import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from snaketorch.config.specs import TrainSpec
from snaketorch.data.loading.batches import Shard, TrainingBatches
from snaketorch.planning.extrapolation import extrapolated
from snaketorch.planning.fakes import NEED_VALUES
from snaketorch.planning.memory import Memory, memory_of
from snaketorch.planning.trace import Trace, trace

log = logging.getLogger(__name__)

WITH_VALIDATION = 1.25
"""Samples of training and validation, of those of training, where nobody says how many there are."""


@dataclass(frozen=True)
class Estimate:
    """A training on one of its devices."""

    batch_size: int
    """Samples of one batch on one device; an optimizer step has ``accumulation`` times as many."""
    accumulation: int
    """Batches of an optimizer step."""
    precision: str
    """One of Lightning's: `32-true`, `bf16-mixed`, `16-mixed`, `64-true`."""
    parameters: int
    """Weights of the network."""
    trainable: int
    """Those that learn at some time."""
    flops: dict[str, int]
    """Of one optimizer step, by the number format of the operation: `fp64`, `fp32`, `bf16`, `fp16`. Two for each
    multiplication with an addition; products of matrices, convolutions, attention and recurrent layers only."""
    bytes_moved: int
    """Read and written by the operations of one optimizer step."""
    kernels: int
    """Operations that one optimizer step starts on the device."""
    memory: Memory
    samples_per_epoch: int
    """Of one device."""
    steps_per_epoch: int
    """Optimizer steps."""
    epochs: int
    steps: int
    """Optimizer steps of the whole training, at most."""

    def to_json(self) -> dict[str, Any]:
        """As the JSON of a plan has it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The inverse of ``to_json``."""
        return cls(**{**content, "memory": Memory(**content["memory"])})


def estimate(
    spec: TrainSpec,
    facts: Mapping[str, Any],
    *,
    precision: str | None = None,
    batch_size: int | None = None,
    on_gpu: bool = True,
    data_bytes: int | None = None,
) -> Estimate:
    """What ``spec`` needs of one device; some seconds of work on one CPU.

    Not counted is the model of another experiment by which images of a GAN are judged, since only its file knows it.

    Args:
        spec: The training.
        facts: Of its dataset, see ``Manifest.facts``.
        precision: Lightning's name; as ``spec`` says when None, and where that is `auto` 32 bits, which needs most.
        batch_size: Samples of a batch on one device; as ``spec`` says when None.
        on_gpu: Estimate for a GPU; for the CPU when false.
        data_bytes: All samples that the training reads; guessed from the training samples when None.

    Raises:
        UserError: The network does not fit the data.
    """
    precision = precision or _precision_of(spec)
    batch_size = batch_size or spec.data_loader.batch_size
    traced = trace_of(spec, facts, precision, batch_size, on_gpu)
    return estimate_from(spec, traced, precision, batch_size, on_gpu=on_gpu, data_bytes=data_bytes)


def trace_of(spec: TrainSpec, facts: Mapping[str, Any], precision: str, batch_size: int, on_gpu: bool) -> Trace:
    """What takes the time of an ``estimate``; among how many devices a training is shared out does not matter to it."""
    try:
        return trace(spec, facts, batch_size, precision, on_gpu=on_gpu)
    except NEED_VALUES as error:
        log.info("%s is tried on small batches: its steps look at values (%s)", spec.experiment, type(error).__name__)
        return extrapolated(spec, facts, batch_size, precision)


def estimate_from(
    spec: TrainSpec,
    traced: Trace,
    precision: str,
    batch_size: int,
    *,
    on_gpu: bool = True,
    data_bytes: int | None = None,
) -> Estimate:
    """The ``estimate`` that a trace gives; its other arguments are those of the trace."""
    data = round(traced.data * WITH_VALIDATION) if data_bytes is None else data_bytes
    shards = spec.trainer.processes // spec.trainer.processes_of_a_layer
    loader = TrainingBatches(
        range(traced.samples), batch_size, 0, lambda: 0, spec.data_loader.drop_last, shard=Shard(0, shards)
    )
    accumulation = traced.accumulation
    steps = math.ceil(len(loader) / accumulation)
    return Estimate(
        batch_size=batch_size,
        accumulation=accumulation,
        precision=precision,
        parameters=traced.weights,
        trainable=traced.trainable,
        flops=dict(traced.work.flops),
        bytes_moved=traced.work.bytes_moved,
        kernels=traced.work.kernels,
        memory=memory_of(spec, traced, on_gpu, data),
        samples_per_epoch=math.ceil(traced.samples / shards),
        steps_per_epoch=steps,
        epochs=spec.trainer.max_epochs,
        steps=steps * spec.trainer.max_epochs,
    )


def _precision_of(spec: TrainSpec) -> str:
    return "32-true" if spec.trainer.precision == "auto" else spec.trainer.precision
