"""The history of a training: one row an epoch, as ``history.csv`` holds it."""

import csv
from collections.abc import Sequence
from pathlib import Path

History = Sequence[dict[str, float]]
"""A row for each epoch; what was not measured in an epoch is absent from its row."""


def read_history(path: Path) -> History:
    """The rows of a ``history.csv``; ``epoch`` counts from 1."""
    with path.open(newline="", encoding="utf-8") as file:
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]


def measured(history: History, metric: str) -> tuple[list[float], list[float]]:
    """The epochs in which ``metric`` was measured, and its values."""
    rows = [row for row in history if metric in row]
    return [row["epoch"] for row in rows], [row[metric] for row in rows]
