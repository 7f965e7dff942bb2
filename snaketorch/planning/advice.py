"""What to change in a training so that it uses the GPU that is chosen for it well: one, several, and how."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from snaketorch.config.resources import AUTO, MOST_HOURS
from snaketorch.config.specs import TrainSpec
from snaketorch.config.tasks import Gan
from snaketorch.planning.advised import Advised
from snaketorch.planning.estimator import Estimator
from snaketorch.planning.fit import Fit, in_gib
from snaketorch.planning.precision_advice import HALF, can_scale_loss, suitable
from snaketorch.planning.sizes import awkward_sizes

LONG_HOURS = 24.0
"""From which on several devices are worth their trouble."""
WANTED_HOURS = 12.0
MOST_DEVICES = 8
WORTH_A_GPU, WORTH_A_QUEUE = 3.0, 600.0
"""Times as quick, and seconds on the CPU, from which on to ask for a GPU."""


def advice(spec: TrainSpec, fit: Fit, estimator: Estimator, facts: Mapping[str, Any]) -> Iterator[Advised]:
    """For a training that fits.

    Args:
        spec: The training.
        fit: On the GPU that is chosen.
        estimator: Of the training.
        facts: Of its dataset.
    """
    yield _strategy(spec, fit)
    yield from _batch(spec, fit)
    yield from _kept_activations(spec, fit, estimator)
    yield from _precision(spec, fit)
    if fit.precision in HALF or "tf32" in fit.gpu.tflops:
        yield from _sizes(spec, facts)


def without_gpu(spec: TrainSpec, fit: Fit, cpu_seconds: float) -> Iterator[Advised]:
    """For a training whose job asks for no GPU: whether it should.

    Args:
        spec: The training.
        fit: On the GPU that would be chosen.
        cpu_seconds: A training on the CPU.
    """
    if spec.trainer.accelerator == "auto" and cpu_seconds > max(WORTH_A_GPU * fit.seconds, WORTH_A_QUEUE):
        yield Advised(
            "trainer.accelerator: gpu, to ask for one",
            f"{fit.gpu.name} takes {in_words(fit.seconds)}, and the CPU cores of the job {in_words(cpu_seconds)}",
        )


def of_hours(hours: float) -> Iterator[Advised]:
    """What is to be known of a training that may take longer than any job.

    Args:
        hours: That the job asks for.
    """
    if hours >= MOST_HOURS:
        yield Advised(
            "fewer epochs, or more devices",
            f"no job can ask for more than {MOST_HOURS} hours, and with its margin the training may take longer; one "
            "that its time limit ends goes on where it was, in as many attempts as the profile's `retries` allow",
        )


def of_site(gpu_model: str | None, knows_names: bool) -> Iterator[Advised]:
    """What the configuration lacks for its plan to be heard.

    Args:
        gpu_model: `resources.gpu_model`.
        knows_names: Whether `config/gpus.yaml` tells Slurm's name, or the partition, of a GPU that was compared.
    """
    if gpu_model == AUTO and not knows_names:
        yield Advised(
            "gpu_model or partition of each GPU in config/gpus.yaml",
            "without them the job can ask for any GPU only, and for the time of the slowest",
        )


def _strategy(spec: TrainSpec, fit: Fit) -> Advised:
    trainer, hours = spec.trainer, fit.seconds / 3600
    needs = in_gib(fit.estimate.memory.upper_bound)
    if trainer.keeps_parts:
        return Advised(
            f"{trainer.strategy} on {trainer.processes} devices",
            f"each keeps a part of what trains: at most {needs} GiB of {in_gib(fit.usable)}; where the whole fits one "
            "device, ddp sends less",
        )
    if trainer.processes > 1:
        return Advised(
            f"ddp on {trainer.processes} devices",
            f"the whole network fits each ({needs} GiB of {in_gib(fit.usable)}), and an optimizer step is of "
            f"{spec.step_size:,} samples",
        )
    if hours > LONG_HOURS:
        devices = min(MOST_DEVICES, 2 ** math.ceil(math.log2(hours / WANTED_HOURS)))
        size = max(1, spec.data_loader.batch_size // devices)
        return Advised(
            f"ddp: trainer.devices: {devices} with data_loader.batch_size: {size}",
            f"{hours:.0f} hours on one GPU; the network fits each, and an optimizer step keeps its samples",
        )
    return Advised(
        "one GPU", f"it holds the training ({needs} GiB of {in_gib(fit.usable)}) and takes {in_words(fit.seconds)}"
    )


def _batch(spec: TrainSpec, fit: Fit) -> Iterator[Advised]:
    size, parts = spec.data_loader.batch_size, spec.trainer.accumulate_grad_batches
    largest = fit.largest_batch_size or 0
    if parts > 1 and largest >= size * parts:
        yield Advised(
            f"data_loader.batch_size: {size * parts} without accumulate_grad_batches",
            f"up to {largest:,} samples fit at once: the same optimizer step in fewer, fuller batches",
        )
    elif fit.step.limited_by == "launch" and largest >= 2 * size and fit.estimate.samples_per_epoch >= 4 * size:
        trainer = spec.trainer
        cannot = trainer.gradient_checkpointing or trainer.keeps_parts or isinstance(spec.task, Gan)
        yield Advised(
            f"a larger data_loader.batch_size{'' if trainer.compile or cannot else ', or trainer.compile: true'}",
            f"the GPU waits for its operations to be started; up to {largest:,} samples fit (more samples a step are "
            "another training: the learning rate may have to follow)",
        )


def _kept_activations(spec: TrainSpec, fit: Fit, estimator: Estimator) -> Iterator[Advised]:
    if spec.trainer.gradient_checkpointing:
        needs = estimator.variant(gradient_checkpointing=False).estimate(fit.precision).memory.upper_bound
        if needs <= fit.usable:
            yield Advised(
                "trainer.gradient_checkpointing: false",
                f"all activations fit ({in_gib(needs)} GiB), and steps are about a quarter shorter",
            )


def _precision(spec: TrainSpec, fit: Fit) -> Iterator[Advised]:
    best = suitable(fit.gpu, can_scale_loss(spec))
    if fit.precision != best:
        yield Advised(f"trainer.precision: {best}, or auto", fit.precision_why)


def _sizes(spec: TrainSpec, facts: Mapping[str, Any]) -> Iterator[Advised]:
    for key, size, better in awkward_sizes(spec, facts):
        yield Advised(f"{key}: {better} in place of {size}", "tensor cores compute whole tiles, and pad what is left")


def in_words(seconds: float) -> str:
    """``about 40 s``, ``about 19 min``, ``about 5 h``."""
    if seconds < 120:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 7200 else f"about {seconds / 3600:.0f} h"
