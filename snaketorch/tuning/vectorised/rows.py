"""Networks of one shape side by side: every weight has a first dimension more, one row a trial."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from snaketorch.data.loading.samples import Batch
from snaketorch.tasks.base import TaskModule
from snaketorch.tuning.vectorised.dropout import PROBABILITY, RowDropout, with_row_dropout

Tensors = dict[str, Tensor]


class _Measures(nn.Module):
    """A task whose ``forward`` is what it measures of a batch, as ``functional_call`` wants it."""

    def __init__(self, task: TaskModule):
        super().__init__()
        self.task = task

    def forward(self, batch: Batch) -> Tensors:
        return self.task.measure(batch)


class Rows:
    """K copies of a task's network, measured and differentiated together.

    Attributes:
        weights: (K, ...) each; they learn.
        buffers: (K, ...) each: running statistics, probabilities of dropout.
    """

    def __init__(self, task: TaskModule, dropout: Sequence[float | None]):
        """``dropout``: of each row; None where its network has what the task's own has."""
        self.task, count = task, len(dropout)
        with_row_dropout(task.network)
        self.module = _Measures(task)
        self.weights = {
            f"task.network.{name}": _repeated(weight, count).requires_grad_()
            for name, weight in task.network.named_parameters()
            if weight.requires_grad
        }
        self.buffers = {f"task.network.{name}": _repeated(value, count) for name, value in task.network.named_buffers()}
        self._set_dropout(dropout)
        self._measure = vmap(self._of_one, in_dims=(0, 0, None), randomness="same")

    def __len__(self) -> int:
        return len(next(iter(self.weights.values())))

    def train(self, batch: Batch) -> tuple[Tensors, Tensors]:
        """What each row measures of a batch (K,) each, and the gradients of its loss (K, ...) each."""
        self.module.train()
        values = self._measure(self.weights, self.buffers, batch)
        # a row's loss depends on its own weights alone, so the gradients of the sum are those of each
        gradients = torch.autograd.grad(values["loss"].sum(), list(self.weights.values()))
        return {name: value.detach() for name, value in values.items()}, dict(zip(self.weights, gradients, strict=True))

    @torch.no_grad()
    def validate(self, batch: Batch) -> Tensors:
        """What each row measures of a batch (K,) each, without learning from it."""
        self.module.eval()
        return self._measure(self.weights, self.buffers, batch)

    def keep(self, rows: Tensor) -> None:
        """Drops all rows but those at ``rows`` (k,)."""
        self.weights = {
            name: value.detach().index_select(0, rows).requires_grad_() for name, value in self.weights.items()
        }
        self.buffers = {name: value.index_select(0, rows) for name, value in self.buffers.items()}

    def _of_one(self, weights: Tensors, buffers: Tensors, batch: Batch) -> Tensors:
        return functional_call(self.module, (weights, buffers), (batch,))

    def _set_dropout(self, dropout: Sequence[float | None]) -> None:
        if len(set(dropout)) == 1:  # as the network has it, in layers with another one too
            return
        for name, layer in self.task.network.named_modules():
            if isinstance(layer, RowDropout):
                own = [float(layer.probability) if asked is None else asked for asked in dropout]
                key = f"task.network.{name}.{PROBABILITY}"
                self.buffers[key] = torch.tensor(own, device=self.buffers[key].device)


def _repeated(value: Tensor, count: int) -> Tensor:
    return value.detach().unsqueeze(0).repeat(count, *[1] * value.ndim)
