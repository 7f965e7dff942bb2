"""What a training published."""

import csv
from pathlib import Path

import torch


def rows(folder: Path) -> list[dict[str, float]]:
    """Its history, without what differs from run to run."""
    table = csv.DictReader((folder / "history.csv").open())
    return [{name: float(value) for name, value in row.items() if name != "seconds"} for row in table]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "model.ckpt", weights_only=True)["weights"]
