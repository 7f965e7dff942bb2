"""What a preparer says of a dataset whose arrays it has put into a store."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snaketorch.data.quality.report import DataReport

DrawPreview = Callable[[Path], None]
"""Draws the preview into a PNG file."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """All that the manifest says besides the arrays."""

    fields: dict[str, dict[str, Any]]
    """As in the manifest: dtype and shape of one sample, statistics of the training split."""
    splits: dict[str, dict[str, Any]]
    """By split: `count`, and what else the manifest says of it, as JSON."""
    draw: DrawPreview
    classes: tuple[str, ...] = ()
    """Empty where there are none."""
    report: DataReport = field(default_factory=DataReport)
    record: dict[str, Any] = field(default_factory=dict)
    """What else the manifest should record of how the samples were read, as JSON."""
