"""What a task's evaluator is given and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure

from snaketorch.config.tasks import Task
from snaketorch.data.manifest import Manifest
from snaketorch.tasks.base import TaskModule

Values = dict[str, float | None]
"""Metrics by name, without the split; None where one is not defined, such as an AUROC of a single class."""


@dataclass(frozen=True)
class Case:
    """A model's predictions on the whole test split."""

    options: Task
    manifest: Manifest
    predictions: dict[str, np.ndarray]
    """What the task's ``predict`` gives, for all samples in order."""
    metrics: list[str]
    """What to measure."""
    examples: int
    """How many of the worst and of the best predictions to show."""
    task: TaskModule
    """The trained model, on the device that predicted."""
    seed: int = 0
    """Of its training."""


@dataclass(frozen=True)
class Outcome:
    """What a test found."""

    metrics: Values
    predictions: pa.Table
    baselines: dict[str, Values] = field(default_factory=dict)
    """The same metrics for predictions that cost nothing, by name."""
    details: dict[str, Any] = field(default_factory=dict)
    """What only this task has, as JSON."""
    figures: dict[str, Figure] = field(default_factory=dict)
    """By the stem of the file."""


Evaluator = Callable[[Case], Outcome]
"""What a task section's ``evaluator`` names."""
