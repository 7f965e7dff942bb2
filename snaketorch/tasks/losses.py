"""How far predicted numbers are from true ones: what `task.loss` names."""

from torch.nn import functional as F

LOSSES = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss}
"""Each takes predictions and targets of one shape, and gives a mean."""
