"""The training step of an experiment, run on tensors without content: what it holds, computes and moves."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from snaketorch.config.optimizers import NoSchedule
from snaketorch.config.specs import TrainSpec
from snaketorch.data.loading.samples import Batch
from snaketorch.models.blocks import blocks_of
from snaketorch.planning.as_on_gpu import as_on_gpu
from snaketorch.planning.fakes import Fakes, drawing_nothing
from snaketorch.planning.lifetimes import Event, Lifetimes, Work
from snaketorch.planning.loop import Loop, precision_plugin
from snaketorch.planning.seen_batches import batch_of, seen_batch
from snaketorch.planning.shapes_only import samples_of_shapes
from snaketorch.planning.workspaces import CONVOLUTIONS
from snaketorch.tasks import build_task
from snaketorch.tasks.base import TaskModule
from snaketorch.training.activation_checkpointing import recompute_activations
from snaketorch.training.data import VALIDATION_FACTOR
from snaketorch.training.optimization import Optimization
from snaketorch.training.transfer import Freezing, layers_of, learnable_weights

MOST_BATCHES = 2
"""Of an optimizer step that are traced: from the second on, each is as the second."""
AHEAD = 1
"""Batches that are on a GPU before their turn."""


@dataclass(frozen=True)
class Trace:
    """What a training holds on its device, in bytes, and does in an optimizer step."""

    weights: int
    """Numbers in the network's parameters."""
    trainable: int
    """Those that learn at some time."""
    parameters: int
    gradients: int
    optimizer: int
    peak: int
    """Of all tensors."""
    reserve: int
    """Of recurrent layers on a GPU, kept from a forward pass for its gradients; part of the peak."""
    scratch: int
    """The largest workspace of one operation; no part of the peak."""
    events: list[Event]
    """What was taken and given back, in its order."""
    work: Work
    """Of one optimizer step, all of its batches."""
    has_products: bool
    """Whether matrices are multiplied, for which cuBLAS has a workspace."""
    samples: int
    """Of an epoch."""
    data: int
    """All training samples."""
    accumulation: int
    """Batches of an optimizer step."""
    largest_block: int
    """Weights of the network's largest block."""

    @property
    def activations(self) -> int:
        """What the peak holds beside the weights, their gradients and the optimizer's state."""
        return max(0, self.peak - self.parameters - self.gradients - self.optimizer)


def trace(
    spec: TrainSpec,
    facts: Mapping[str, Any],
    batch_size: int,
    precision: str,
    *,
    on_gpu: bool = True,
    is_fake: bool = True,
    validates: bool = True,
) -> Trace:
    """The second optimizer step of ``spec``, and a batch of its validation.

    The first one has no state of the optimizer yet, and no gradients of a step before it.

    Args:
        spec: The training.
        facts: Of its dataset, see ``Manifest.facts``.
        batch_size: Samples of a batch on one device.
        precision: Lightning's name of it.
        on_gpu: With the operations that torch has on a GPU; on the CPU when false.
        is_fake: Of tensors without content; when false the training step is really run, on the CPU.
        validates: Also trace a batch of validation, which has no gradients and twice as many samples.
    """
    mode = Fakes() if is_fake else None
    task = _task(spec, facts, mode, precision)
    samples = samples_of_shapes(task, facts)
    batch_size = min(batch_size, len(samples))
    batch = seen_batch(samples, batch_size, spec.augment, facts, spec.seed, mode)
    lifetimes = Lifetimes(is_fake, CONVOLUTIONS if on_gpu else None)
    plugin = precision_plugin(precision)
    with ExitStack() as stack:
        stack.enter_context(mode or nullcontext())
        batch = plugin.convert_input(batch)
        learnable = prepare_step(spec, task, batch)
        lifetimes.hold(_tensors_of(task))
        ahead = [[torch.empty_like(value) for value in batch.values()] for _ in range(AHEAD if on_gpu else 0)]
        lifetimes.hold([*batch.values(), *chain.from_iterable(ahead)])
        stack.enter_context(lifetimes)
        gpu = stack.enter_context(as_on_gpu(lifetimes)) if on_gpu else None
        loop = Loop(spec, task, plugin, in_lists=on_gpu)
        average = _average(spec, task)
        batches = min(MOST_BATCHES, loop.accumulate_grad_batches)
        if is_fake:
            loop.stand_after_a_step()
        else:
            loop.step(batches * [batch])
        before, reserve = lifetimes.work.copy(), gpu.reserve if gpu else 0
        loop.step(batches * [batch])
        if average:
            torch._foreach_lerp_(average, _floating(task), 0.001)
        work, reserve = lifetimes.work.since(before), gpu.reserve - reserve if gpu else 0
        spare = _bytes(loop.forget_idle())
        gradients = _bytes(weight.grad for weight in task.parameters() if weight.grad is not None)
        if validates:
            task.zero_grad()  # as Lightning does before a validation
            # an average is validated in the place of the network's own weights, which are kept meanwhile
            own = [torch.empty_like(value) for value in task.network.state_dict().values()] if average else []
            if task.automatic_optimization:
                more = batch_of(samples, VALIDATION_FACTOR * batch_size, mode)
                loop.validate(plugin.convert_input(more))
            del own
    return Trace(
        weights=sum(weight.numel() for weight in task.network.parameters()),
        trainable=sum(weight.numel() for weight in learnable),
        parameters=_bytes(_tensors_of(task)),
        gradients=gradients,
        optimizer=_bytes(_state_of(loop, on_gpu)) + _bytes(average),
        peak=lifetimes.peak - spare,
        reserve=reserve // batches,
        scratch=lifetimes.scratch,
        events=lifetimes.events,
        work=_of_all(work, loop.accumulate_grad_batches, batches),
        has_products=lifetimes.has_products,
        samples=len(samples),
        data=samples.nbytes,
        accumulation=loop.accumulate_grad_batches,
        largest_block=max(_bytes(block.parameters()) for block in blocks_of(task.network)),
    )


def _task(spec: TrainSpec, facts: Mapping[str, Any], mode: Fakes | None, precision: str) -> TaskModule:
    """The task, its tensors fake where there is a ``mode``, in the number format of its weights."""
    if mode is None:
        task = build_task(spec.task, spec.model, facts)
    else:
        try:
            with mode, drawing_nothing():
                task = build_task(spec.task, spec.model, facts)
        except (RuntimeError, NotImplementedError):
            task = build_task(spec.task, spec.model, facts)  # its making looks at values
    known: dict[int, Tensor] = {}
    with mode or nullcontext():
        for module in task.modules():
            for kind in (module._parameters, module._buffers):
                for name, tensor in kind.items():
                    if tensor is not None:
                        kind[name] = known.setdefault(id(tensor), _converted(tensor, mode, precision == "64-true"))
    return task


def _converted(tensor: Tensor, mode: Fakes | None, doubles: bool) -> Tensor:
    # not `Module.double`, which cannot put fake tensors in the place of others
    found = mode.from_tensor(tensor) if mode else tensor
    if not (doubles and found.is_floating_point()):
        return found
    double = found.detach().double()
    return nn.Parameter(double, found.requires_grad) if isinstance(tensor, nn.Parameter) else double


def prepare_step(spec: TrainSpec, task: TaskModule, batch: Batch) -> list[nn.Parameter]:
    """What ``snaketorch.training.subject`` does to a task; gives the weights that learn at some time."""
    layers = layers_of(task.network, spec.transfer) if spec.transfer else None
    learnable = learnable_weights(task.network, layers)
    clipping = spec.trainer.gradient_clip_val, spec.trainer.gradient_clip_algorithm
    task.optimization = Optimization(spec.optimizer, NoSchedule(kind="none"), *clipping, layers)
    if spec.trainer.memory_format == "channels_last":
        task.network.to(memory_format=torch.channels_last)
    if spec.trainer.gradient_checkpointing:
        recompute_activations(task.network, lambda: task.measure(batch))
    if spec.transfer and spec.transfer.freezes:
        last = _Epoch(spec.trainer.max_epochs - 1)
        Freezing(spec.transfer, task.network).on_train_epoch_start(last, task)
    return learnable


@dataclass(frozen=True)
class _Epoch:
    """Stands for a trainer that is asked for its epoch."""

    current_epoch: int


def _average(spec: TrainSpec, task: TaskModule) -> list[Tensor]:
    """A copy of what is averaged; both kinds of average are one."""
    if spec.weight_averaging is None:
        return []
    return [torch.empty_like(tensor) for tensor in _floating(task)]


def _floating(task: TaskModule) -> list[Tensor]:
    part = task.network.get_submodule(task.averaged_part)
    tensors = [*part.parameters(), *part.buffers()]
    return [tensor.detach() for tensor in tensors if tensor.is_floating_point()]


def _tensors_of(task: TaskModule) -> list[Tensor]:
    return [*task.parameters(), *task.buffers()]


def _state_of(loop: Loop, on_gpu: bool) -> Iterable[Tensor]:
    """Of the optimizers; the counts of their steps stay with the host."""
    for optimizer in loop.optimizers:
        for state in optimizer.state.values():
            for name, value in state.items():
                if isinstance(value, Tensor) and not (on_gpu and name == "step"):
                    yield value


def _bytes(tensors: Iterable[Tensor]) -> int:
    """Of their storages, each once."""
    sizes = {tensor.untyped_storage()._cdata: tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(sizes.values())


def _of_all(work: Work, accumulation: int, traced: int) -> Work:
    """Of a step of ``accumulation`` batches where only some were ``traced``; the optimizer's part grows with them."""
    factor = accumulation / traced
    flops = {name: round(done * factor) for name, done in work.flops.items()}
    return Work(flops, round(work.bytes_moved * factor), round(work.kernels * factor))
