"""The journal of the training that a model comes from, through which its tracking run hears of new data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snaketorch.journal import ROOT


def journal_of(lineage: Mapping[str, Any]) -> Path | None:
    """Its folder; None where the training was not in this study, or its journal is gone."""
    parts = str(lineage.get("run_key", "")).split("/")
    if len(parts) != 3:
        return None
    experiment, seed, digest = parts
    folder = ROOT / experiment / f"{seed}-{digest}"
    return folder if (folder / "run.json").exists() else None
