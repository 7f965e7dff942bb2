"""What lies in a training's state folder, read without the code that is under proof."""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import torch

EXPECTED = ("lock", "*.json", "step-*.ckpt", "samples")
"""Names in the folder of a training that runs; anything else is a leftover."""


class Written(NamedTuple):
    """A checkpoint that the manifest names."""

    path: Path
    batches: int
    flaw: str | None
    """Why nobody could go on from it."""


def written(folder: Path) -> list[Written]:
    """The checkpoints that the manifest names, the oldest first. ValueError when it is damaged."""
    manifest = folder / "checkpoints.json"
    entries = json.loads(manifest.read_text("utf-8")) if manifest.exists() else []
    return [Written(folder / entry["file"], entry["batches"], _flaw(folder, entry)) for entry in entries]


def leftovers(folder: Path) -> list[str]:
    """Names in ``folder`` that no running training needs."""
    return [path.name for path in folder.iterdir() if not any(path.match(pattern) for pattern in EXPECTED)]


def _flaw(folder: Path, entry: dict) -> str | None:
    path = folder / entry["file"]
    if not path.exists():
        return f"{path.name} is missing"
    if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
        return f"{path.name} has other bytes than were written"
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        return f"{entry['file']} cannot be loaded: {error}"
    return None
