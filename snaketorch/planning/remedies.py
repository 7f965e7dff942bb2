"""What would make a training fit a GPU that is too small for it."""

import math
from collections.abc import Iterable, Iterator

from snaketorch.config.gpu import Gpu
from snaketorch.config.specs import TrainSpec
from snaketorch.config.tasks import Gan
from snaketorch.errors import UserError
from snaketorch.planning.advised import Advised
from snaketorch.planning.estimator import Estimator
from snaketorch.planning.fit import Fit, in_gib, usable_bytes
from snaketorch.planning.precision_advice import can_scale_loss

MOST_SHARED = 8
"""Devices among which sharing a network out is tried."""
ROUND = 8


def remedies(
    spec: TrainSpec, fit: Fit, estimator: Estimator, others: Iterable[Gpu], host_bytes: int
) -> Iterator[Advised]:
    """Ways to make a training fit, the one that changes least first; at least one.

    Args:
        spec: The training.
        fit: It does not.
        estimator: Of the training.
        others: Every GPU there is.
        host_bytes: What the training holds in the host's memory.
    """
    found = [*_smaller_batch(spec, fit), *_recomputed(spec, fit, estimator), *_fewer_bits(spec, fit, estimator)]
    found += [*_shared_out(spec, fit, estimator), *_larger_gpu(fit, others, host_bytes)]
    yield from found or [
        Advised(
            "a smaller network, or smaller samples",
            "no GPU of the catalogue holds it, nor do all the ways to share it out or to recompute that were tried",
        )
    ]


def _smaller_batch(spec: TrainSpec, fit: Fit) -> Iterator[Advised]:
    largest, wanted = fit.largest_batch_size, spec.data_loader.batch_size
    if not largest or largest >= wanted:
        return
    size = largest // ROUND * ROUND or largest
    if isinstance(spec.task, Gan):  # whose two networks take turns in each batch
        yield Advised(f"data_loader.batch_size: {size}", f"{fit.gpu.name} holds at most {largest:,} samples at once")
        return
    parts = math.ceil(wanted * spec.trainer.accumulate_grad_batches / size)
    yield Advised(
        f"data_loader.batch_size: {size} with trainer.accumulate_grad_batches: {parts}",
        f"{fit.gpu.name} holds at most {largest:,} samples at once, and an optimizer step stays about as large; batch "
        "normalisation sees fewer samples",
    )


def _recomputed(spec: TrainSpec, fit: Fit, estimator: Estimator) -> Iterator[Advised]:
    if isinstance(spec.task, Gan):
        return
    if not spec.trainer.gradient_checkpointing and not spec.trainer.compile:
        yield from _tried(
            "trainer.gradient_checkpointing: true",
            "activations are computed again instead of kept, for about a third more time",
            fit,
            estimator,
            fit.precision,
            gradient_checkpointing=True,
        )


def _fewer_bits(spec: TrainSpec, fit: Fit, estimator: Estimator) -> Iterator[Advised]:
    halves = (("bf16-mixed", "bf16"), ("16-mixed", "fp16"))
    for precision, name in halves if can_scale_loss(spec) else halves[:1]:
        if fit.precision in ("32-true", "64-true") and name in fit.gpu.tflops and fit.gpu.matrix_cores != 0:
            needs = estimator.estimate(precision).memory.upper_bound
            if needs <= fit.usable:
                yield Advised(
                    f"trainer.precision: {precision}",
                    f"activations of 16 bits: at most {in_gib(needs)} of {in_gib(fit.usable)} GiB on {fit.gpu.name}",
                )
            return


def _shared_out(spec: TrainSpec, fit: Fit, estimator: Estimator) -> Iterator[Advised]:
    trainer = spec.trainer
    if isinstance(spec.task, Gan) or trainer.keeps_parts:
        return
    # whose loss is not scaled
    precision = "32-true" if fit.precision == "16-mixed" else fit.precision
    key = f", precision: {precision}" if trainer.precision == "16-mixed" else ""
    devices = 2
    while devices <= MOST_SHARED:
        if devices > trainer.processes:
            tried = list(
                _tried(
                    f"trainer: {{strategy: fsdp, devices: {devices}{key}}} with resources.gpus: {devices}",
                    f"each of {devices} GPUs keeps a part of the weights, gradients and optimizer's state",
                    fit,
                    estimator,
                    precision,
                    devices=devices,
                    strategy="fsdp",
                )
            )
            if tried:
                yield from tried
                return
        devices *= 2


def _tried(what: str, why: str, fit: Fit, estimator: Estimator, precision: str, **trainer: object) -> Iterator[Advised]:
    """``what``, if the training fits in ``precision`` with these keys of `trainer`."""
    try:
        needs = estimator.variant(**trainer).estimate(precision).memory.upper_bound
    except (UserError, NotImplementedError):  # which this network cannot have
        return
    if needs <= fit.usable:
        yield Advised(what, f"{why}: at most {in_gib(needs)} of {in_gib(fit.usable)} GiB on {fit.gpu.name}")


def _larger_gpu(fit: Fit, others: Iterable[Gpu], host_bytes: int) -> Iterator[Advised]:
    needs = fit.estimate.memory.upper_bound
    larger = [gpu for gpu in others if usable_bytes(gpu, host_bytes) >= needs and gpu.made_for != "edge"]
    if larger:
        smallest = min(larger, key=lambda gpu: (gpu.memory_gb, gpu.watts))
        yield Advised(
            f"a GPU with {smallest.memory_gb:g} GiB, such as {smallest.name}",
            f"the training needs at most {in_gib(needs)} GiB as it is",
        )
