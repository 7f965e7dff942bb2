"""What is known of a loss that is infinite or not a number, and what to do about it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn

from snaketorch.data.loading.batches import TrainingBatches
from snaketorch.data.loading.samples import Batch
from snaketorch.errors import NonFiniteLoss
from snaketorch.training.strategies.parts import total_norm

SHOWN_SAMPLES = 20
SHOWN_LAYERS = 8


@dataclass
class Step:
    """A step of an optimizer; numbers of batches count from 0, the others from 1."""

    number: int
    epoch: int
    batches: range
    """Those of the epoch whose losses it is made of."""
    name: str
    """Of its loss."""
    loss: Tensor | float
    """Of all its batches together; a tensor as long as nobody looked."""


def gradient_norms(network: nn.Module) -> dict[str, float]:
    """Norm of the gradient of each layer at the top of ``network``; those that are not finite, then the largest."""
    norms = _by_layer((name, weight.grad) for name, weight in network.named_parameters() if weight.grad is not None)
    return dict(sorted(norms.items(), key=lambda item: (math.isfinite(item[1]), -item[1])))


def layers_not_finite(network: nn.Module) -> list[str]:
    """The layers at the top of ``network`` of which a weight is infinite or not a number."""
    return [name for name, norm in _by_layer(network.named_parameters()).items() if not math.isfinite(norm)]


def describe(
    step: Step,
    before: Iterable[Step],
    norms: tuple[int, Mapping[str, float]] | None,
    trainer: Trainer,
    task: LightningModule,
) -> NonFiniteLoss:
    """The error to raise.

    Args:
        step: Whose loss is not finite.
        before: Steps whose losses were.
        norms: Of the gradients by layer, and the number of the step that they are of.
        trainer: With the optimizers and the loader of the training.
        task: The module, with ``network`` and ``optimization``.
    """
    loader, epoch = trainer.train_dataloader, step.epoch - 1
    batches = [loader.batch(epoch, number) for number in step.batches] if isinstance(loader, TrainingBatches) else []
    own = [sample for batch in batches for sample in batch["sample"].tolist()]
    samples, inputs = [], {}
    for of_one, found in task.peers.gather((own, _values_not_finite(batches))):
        samples += of_one
        for name, numbers in found.items():
            inputs.setdefault(name, []).extend(numbers)
    broken = layers_not_finite(task.network)
    losses = [(earlier.number, earlier.name, earlier.loss) for earlier in before]
    several = len({name for _, name, _ in losses} | {step.name}) > 1
    told = [f"{f'{name} ' if several else ''}{loss:.4g} (step {number})" for number, name, loss in losses]
    first, last = step.batches[0] + 1, step.batches[-1] + 1
    place = f"batch {first}" if first == last else f"batches {first} to {last}"
    lines = [
        f"{step.name} became {step.loss} at step {step.number} (epoch {step.epoch}, {place} of "
        f"{trainer.num_training_batches}); {_advice(trainer, task, inputs, broken)}",
        f"losses before it: {', '.join(told) or 'none, it was the first'}",
        f"training samples of the step: {_some(samples)}",
        "values of these samples that are not finite: "
        + (", ".join(f"{name} of {_some(found)}" for name, found in inputs.items()) or "none"),
    ]
    if norms:
        number, of_layers = norms
        shown = [f"{name} {norm:.3g}" for name, norm in list(of_layers.items())[:SHOWN_LAYERS]]
        when = "" if number == step.number else f" at step {number}, the last that was looked at"
        lines.append(f"gradient norms{when}: {', '.join(shown) or 'no gradients'}")
    if broken:
        lines.append(
            f"weights that were not finite before: {', '.join(broken)} (a gradient of an earlier step was not)"
        )
    error = NonFiniteLoss("\n  ".join(lines))
    error.details = {
        "loss": step.name,
        "value": str(step.loss),
        "step": step.number,
        "epoch": step.epoch,
        "batches": [number + 1 for number in step.batches],
        "losses_before": [{"step": number, "loss": name, "value": loss} for number, name, loss in losses],
        "samples": samples,
        "inputs_not_finite": inputs,
        "gradient_norms": {
            "step": norms[0],
            "by_layer": {name: norm if math.isfinite(norm) else None for name, norm in norms[1].items()},
        }
        if norms
        else None,
        "weights_not_finite": broken,
    }
    return error


def _advice(trainer: Trainer, task: LightningModule, inputs: Mapping[str, Any], broken: Sequence[str]) -> str:
    if inputs and not broken:
        return f"the data hold values of {', '.join(inputs)} that are not numbers: repair or leave out these samples"
    rate, clip = trainer.optimizers[0].param_groups[0]["lr"], getattr(task.optimization, "gradient_clip_val", None)
    tries = [f"a smaller optimizer.lr (now {rate:.3g})"]
    tries.append("trainer.gradient_clip_val" if clip is None else f"a trainer.gradient_clip_val below {clip:g}")
    if str(trainer.precision) not in ("32-true", "64-true"):
        tries.append(f"trainer.precision: 32-true (now {trainer.precision})")
    return f"try {', or '.join(tries)}"


def _values_not_finite(batches: Iterable[Batch]) -> dict[str, list[int]]:
    """The samples of which a value is not finite, by field."""
    found: dict[str, list[int]] = {}
    for batch in batches:
        for name, value in batch.items():
            is_finite = value.isfinite().reshape(len(value), -1).all(1)
            if not is_finite.all():
                found.setdefault(name, []).extend(batch["sample"][~is_finite].tolist())
    return found


def _by_layer(tensors: Iterable[tuple[str, Tensor]]) -> dict[str, float]:
    """Norms of named tensors, those of one layer together; two levels of names where the first tells little."""
    tensors = list(tensors)
    depth = 1 if len({name.partition(".")[0] for name, _ in tensors}) > 2 else 2
    layers: dict[str, list[Tensor]] = {}
    for name, tensor in tensors:
        layers.setdefault(".".join(name.split(".")[:-1][:depth]) or name, []).append(tensor)
    return {name: float(total_norm(found)) for name, found in layers.items()}


def _some(numbers: Sequence[int]) -> str:
    rest = len(numbers) - SHOWN_SAMPLES
    return ", ".join(map(str, numbers[:SHOWN_SAMPLES])) + (f" and {rest} more" if rest > 0 else "")
