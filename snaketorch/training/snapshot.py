"""The state of a training at the end of an epoch, to which it can go back."""

from typing import Any

from pytorch_lightning import Trainer
from torch import Tensor, nn

from snaketorch.training.averaging import WeightAveraging


def take_snapshot(trainer: Trainer, network: nn.Module, averaging: WeightAveraging | None) -> dict[str, Any]:
    """Weights, running statistics, what the optimizers remember, and averages, copied to the CPU."""
    return _copied(
        {
            "network": network.state_dict(),
            "optimizers": [optimizer.state_dict()["state"] for optimizer in trainer.optimizers],
            "average": averaging.average.state_dict() if averaging else None,
        }
    )


def go_back(snapshot: dict[str, Any], trainer: Trainer, network: nn.Module, averaging: WeightAveraging | None) -> None:
    """Puts a snapshot in place. Learning rates stay as they are: schedules follow the steps, which go on."""
    network.load_state_dict(snapshot["network"])
    for optimizer, state in zip(trainer.optimizers, snapshot["optimizers"], strict=True):
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": _copied(state), "param_groups": groups})
    if averaging:
        averaging.average.load_state_dict(snapshot["average"])


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value
