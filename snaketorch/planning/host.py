"""What a training needs of the machine around its devices: memory of a node, room on the disk."""

from snaketorch.config.specs import TrainSpec
from snaketorch.config.tasks.forecasting import Forecasting
from snaketorch.data.loading.read_ahead import DEPTH
from snaketorch.planning.estimate import Estimate
from snaketorch.planning.facts import Counts
from snaketorch.training.checkpointing.size import STATES
from snaketorch.training.checkpointing.store import KEPT

MIB, GIB = 2**20, 2**30

PROCESS = 1280 * MIB
"""A training on the CPU, beside its samples and tensors: Python, torch, Lightning, metrics. Small trainings were seen
to hold 800 to 1,300 MiB with them."""
CUDA = 2 * GIB
"""What a process that uses a GPU holds besides: the libraries' kernels and the driver's mirror of the context. Not
measured here; PyTorch's users tell of 1 to 3 GiB."""
COMPILER = 2 * GIB
"""Processes that `torch.compile` generates kernels with."""

BATCHES_UNDER_WAY = DEPTH + 2
"""Waiting, being gathered, being copied."""
PINNED = 2
"""Pinned blocks are rounded up to powers of two."""
ORDER_BYTES = 24
"""Of the order of an epoch, for each sample, while it is drawn."""
MOST_IN_MEMORY = 64 * GIB
"""Samples that are worth memory of the host; more are read from the disk, in blocks, where `placement` is `auto`."""

FILES = 20 * MIB
"""Of one training: history, metrics, figures, samples, journal, log."""
VALUE, BESIDE = 4, 12
"""Bytes of a number in predictions, and as many numbers as a row has beside what the network makes of it, those of the
simple models included. Compression is left out of account."""


def host_bytes(
    spec: TrainSpec, estimate: Estimate, counts: Counts, *, on_gpu: bool = True, device_free: int | None = None
) -> int:
    """Memory of one node, for all of its processes.

    Args:
        spec: The training.
        estimate: Of one of its devices, on the CPU's own where it is one.
        counts: Of its dataset.
        on_gpu: Whether it runs on GPUs; what a CPU computes is in this memory too.
        device_free: Bytes of a GPU that the training leaves free, of which samples take ``data_loader.memory_share`` at
            most; when None they are taken not to fit there, so that the host has them.
    """
    trainer = spec.trainer
    samples = samples_bytes(counts)
    process = PROCESS + _kept_weights(spec, estimate) + ORDER_BYTES * counts.rows["train"]
    process += _samples_on_host(spec, samples, on_gpu, device_free)
    if on_gpu:
        process += CUDA + _batches(spec, samples, counts)
        if trainer.strategy == "deepspeed" and trainer.deepspeed and trainer.deepspeed.offload_optimizer:
            process += STATES[spec.optimizer.kind] * _bytes(estimate, estimate.trainable) // trainer.processes
    else:
        process += estimate.memory.upper_bound
    if trainer.compile:
        process += COMPILER
    return process * trainer.devices


def disk_bytes(spec: TrainSpec, estimate: Estimate, counts: Counts, trainings: int = 1) -> int:
    """Room for everything that an experiment writes: prepared data, checkpoints, models, predictions.

    Checkpoints are counted as many as there are while a new one is written. Experiments with the same data share it.

    Args:
        spec: One of the experiment's trainings.
        estimate: Of one of its devices.
        counts: Of its dataset.
        trainings: How many the experiment has: one for each seed.
    """
    weights = _bytes(estimate, estimate.parameters)
    gradients = _bytes(estimate, estimate.trainable)
    state = _state(spec, estimate)
    if spec.trainer.gradient_compression == "powersgd":
        state += spec.trainer.processes * gradients
    if spec.trainer.on_non_finite_loss == "restore":
        state *= 2
    checkpoint = state + (weights if spec.checkpoint.save == "best" else 0)
    training = (KEPT + 1) * checkpoint + weights + _predictions(spec, counts) + FILES
    return sum(counts.bytes.values()) + trainings * training


def samples_bytes(counts: Counts) -> int:
    """Of training and validation, which a training has at once."""
    return counts.bytes["train"] + counts.bytes["val"]


def _samples_on_host(spec: TrainSpec, samples: int, on_gpu: bool, device_free: int | None) -> int:
    """What one process takes of the host's memory for its samples.

    ``auto`` puts them there where they are no more than a share of what is free, so that it needs more than their size.
    """
    options = spec.data_loader
    fits_device = on_gpu and device_free is not None and samples <= options.memory_share * device_free
    match options.placement:
        case "memory_map":
            return 0
        case "device" if on_gpu:
            return 0
        case "auto" if fits_device or samples > MOST_IN_MEMORY:
            return 0
        case "auto":
            return round(samples / options.memory_share)
        case _:
            return samples


def _batches(spec: TrainSpec, samples: int, counts: Counts) -> int:
    """Pinned batches of one process on their way to a GPU."""
    one = samples / max(1, counts.rows["train"] + counts.rows["val"])
    return round(PINNED * BATCHES_UNDER_WAY * spec.data_loader.batch_size * one)


def _kept_weights(spec: TrainSpec, estimate: Estimate) -> int:
    """Copies of the weights in the host's memory: as they were made, as they are written, the best ones.

    Who goes back to the end of an epoch has all that learns there, and twice while that of the next one is taken.
    """
    copies = (2 + (spec.checkpoint.save == "best")) * _bytes(estimate, estimate.parameters)
    return copies + (2 * _state(spec, estimate) if spec.trainer.on_non_finite_loss == "restore" else 0)


def _state(spec: TrainSpec, estimate: Estimate) -> int:
    """Weights, their average, and what the optimizer keeps of those that learn."""
    weights = _bytes(estimate, estimate.parameters) * (2 if spec.weight_averaging else 1)
    return weights + STATES[spec.optimizer.kind] * _bytes(estimate, estimate.trainable)


def _bytes(estimate: Estimate, numbers: int) -> int:
    return numbers * (8 if estimate.precision == "64-true" else 4)


def _predictions(spec: TrainSpec, counts: Counts) -> int:
    """Of the test, a row for each answer."""
    rows = counts.rows["test"]
    if isinstance(spec.task, Forecasting):
        channels = counts.manifest.fields["value"]["shape"][0]
        return rows * spec.task.horizon * channels * VALUE * (BESIDE + len(spec.task.quantiles or ()))
    return rows * VALUE * (BESIDE + len(counts.manifest.classes))
