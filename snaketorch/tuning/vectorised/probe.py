"""Tries whether a network gives the same in a row of several as by itself, and whether it is small."""

import logging
import shutil
import tempfile
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from snaketorch.config.alike import DROPOUT
from snaketorch.config.specs import TrainSpec
from snaketorch.data.loading.samples import Batch
from snaketorch.data.manifest import Manifest
from snaketorch.tuning.vectorised.group import Group
from snaketorch.tuning.vectorised.rows import Rows, Tensors

log = logging.getLogger(__name__)

TOLERANCE = 1e-3
"""Of losses, and of gradients in proportion to the largest: rows are summed in another order."""


def flaw_of(
    spec: TrainSpec, dataset: Manifest, device: torch.device, tunes_dropout: bool = False
) -> tuple[str | None, float]:
    """Why trainings such as ``spec`` cannot be rows, None when they can; and the work of a training step by itself.

    The work is as ``work_of`` has it. ``tunes_dropout``: the rows may differ in the dropout of their model.
    """
    folder = Path(tempfile.mkdtemp(prefix="snaketorch-probe-"))
    try:
        group = Group([spec, spec], dataset, device, folder)
        batch = {name: value.to(device) for name, value in group.data.first_batch().items()}
        flaw = _differs(group.rows, batch)
        if flaw is None and tunes_dropout and getattr(spec.model, DROPOUT, None) is not None:
            flaw = _shares_dropout(spec, dataset, device, folder)
        return flaw, work_of(group)
    except (RuntimeError, NotImplementedError, TypeError, ValueError) as error:  # what torch says of what it cannot
        said = str(error).strip().splitlines() or [type(error).__name__]
        return f"model.kind: {spec.model.kind}: {said[0][:200]}", 0.0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def work_of(group: Group) -> float:
    """Operations, multiplications and additions, of the forward pass of a batch in one row of a group."""
    batch = {name: value.to(group.device) for name, value in group.data.first_batch().items()}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        group.task.measure(batch)
    return float(counter.get_total_flops())


def _differs(rows: Rows, batch: Batch) -> str | None:
    """What of two rows that are not alike is not as each has it by itself."""
    with torch.no_grad():
        for weight in rows.weights.values():
            weight[1] *= 1.05
    before = {name: value.clone() for name, value in rows.buffers.items()}
    torch.manual_seed(0)
    values, gradients = rows.train(batch)
    after = dict(rows.buffers)
    for row in range(2):
        own = {name: value[row].clone() for name, value in before.items()}
        torch.manual_seed(0)
        expected, of_weights = _by_itself(rows, row, own, batch)
        if not _agree(values["loss"][row], expected["loss"]):
            return "its loss is another one in a row of several"
        if not all(_agree(gradients[name][row], gradient) for name, gradient in of_weights.items()):
            return "its gradients are other ones in a row of several"
        if not all(_agree(after[name][row].float(), value.float()) for name, value in own.items()):
            return "its running statistics are other ones in a row of several"
    rows.validate(batch)
    return None


def _shares_dropout(spec: TrainSpec, dataset: Manifest, device: torch.device, folder: Path) -> str | None:
    """Whether a part of the network has one dropout for all rows: attention computes its own."""
    other = 0.5 if getattr(spec.model, DROPOUT) < 0.25 else 0.0
    changed = spec.model_copy(update={"model": spec.model.model_copy(update={DROPOUT: other})})
    found = []
    for specs in ([spec, changed], [changed]):
        group = Group(specs, dataset, device, folder)
        batch = {name: value.to(device) for name, value in group.data.first_batch().items()}
        torch.manual_seed(0)
        values, gradients = group.rows.train(batch)
        found.append([values["loss"][-1], *(gradient[-1] for gradient in gradients.values())])
    if all(_agree(one, alone) for one, alone in zip(*found, strict=True)):
        return None
    return f"model.kind: {spec.model.kind} has a dropout that is the same in all rows, and model.{DROPOUT} is tuned"


def _by_itself(rows: Rows, row: int, buffers: Tensors, batch: Batch) -> tuple[Tensors, Tensors]:
    weights = {name: value[row].detach().clone().requires_grad_() for name, value in rows.weights.items()}
    values = rows._of_one(weights, buffers, batch)
    gradients = torch.autograd.grad(values["loss"], list(weights.values()))
    return values, dict(zip(weights, gradients, strict=True))


def _agree(one: Tensor, other: Tensor) -> bool:
    one, other = one.detach(), other.detach()
    scale = other.abs().max() if other.numel() else other.new_zeros(())
    return torch.allclose(one, other, rtol=TOLERANCE, atol=max(TOLERANCE * float(scale), 1e-6))
