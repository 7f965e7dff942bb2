"""What trainings of a study published."""

import csv

import torch
from cluster_study import ClusterStudy


def weights(study: ClusterStudy, name: str) -> torch.Tensor:
    """All parameters of a trained model, as one tensor."""
    file = study.file(f"results/experiments/{name}/seed-0/model.ckpt")
    state = torch.load(file, weights_only=True, map_location="cpu")["weights"]
    return torch.cat([tensor.flatten().double() for tensor in state.values()])


def history(study: ClusterStudy, name: str) -> list[dict[str, str]]:
    """What was measured in each epoch of a training; how long it took is left out."""
    rows = csv.DictReader(study.said(f"results/experiments/{name}/seed-0/history.csv").splitlines())
    return [{column: value for column, value in row.items() if column != "seconds"} for row in rows]
