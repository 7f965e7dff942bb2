"""Early stopping of rows, by Lightning's rule."""

import torch
from torch import Tensor

from snaketorch.config.trainer import EarlyStopping


class Patience:
    """Validations without improvement, of each row."""

    def __init__(self, options: EarlyStopping, mode: str, rows: int):
        self.options, self.sign = options, 1 if mode == "max" else -1
        self.best = torch.full((rows,), -torch.inf, dtype=torch.float64)
        self.waited = torch.zeros(rows, dtype=torch.int64)

    def is_over(self, values: Tensor) -> Tensor:
        """(K,) bool: which rows end, after a validation that gave ``values`` (K,)."""
        signed = self.sign * values.double().cpu()
        is_better = signed - self.options.min_delta > self.best
        self.best = torch.where(is_better, signed, self.best)
        self.waited = torch.where(is_better, 0, self.waited + 1)
        return self.waited >= self.options.patience

    def keep(self, rows: Tensor) -> None:
        """Forgets all rows but those at ``rows`` (k,)."""
        self.best, self.waited = self.best[rows], self.waited[rows]
