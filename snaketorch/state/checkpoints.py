"""The manifest of a training's checkpoints: which there are, of what training, and the sums of their bytes.

``checkpoints.json`` holds one entry a checkpoint, the oldest first. A checkpoint is used only when its bytes are
those that were written: ``torch.load`` accepts a flipped bit without a word. Where the manifest itself is gone, the
checkpoints are judged by the sums that each of their archives holds.
"""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from snaketorch.provenance import file_sha256
from snaketorch.publish import write_json

MANIFEST = "checkpoints.json"
CHECKPOINTS = "step-*.ckpt"


@dataclass(frozen=True)
class Identity:
    """What a training is; a checkpoint of any other is foreign to it."""

    spec_digest: str
    code_digest: str
    data_digest: str


@dataclass(frozen=True)
class Entry:
    """A checkpoint in the manifest."""

    file: str
    sha256: str
    bytes: int
    batches: int
    """Of the whole training, done."""
    epoch: int
    """Whole epochs, done."""
    time: str
    """When it was saved, ISO, UTC."""
    training: Identity

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """TypeError or KeyError when ``value`` is no entry."""
        identity = {name: value[name] for name in Identity.__dataclass_fields__}
        others = {name: value[name] for name in value.keys() - identity.keys()}
        return cls(**others, training=Identity(**identity))

    def as_json(self) -> dict[str, Any]:
        values = asdict(self)
        return {**values.pop("training"), **values}


def read_manifest(folder: Path) -> list[Entry] | None:
    """The entries, the oldest first; None when there is no manifest, or none that can be understood."""
    try:
        return [Entry.from_json(value) for value in json.loads((folder / MANIFEST).read_text("utf-8"))]
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def write_manifest(folder: Path, entries: Sequence[Entry]) -> None:
    """Publishes the entries."""
    write_json(folder / MANIFEST, [entry.as_json() for entry in entries])


def flaw_of(folder: Path, entry: Entry, training: Identity) -> str | None:
    """Why ``training`` cannot go on from a checkpoint; None when it can. OSError when its files cannot be read."""
    if entry.training != training:
        pairs = zip(asdict(entry.training).items(), asdict(training).values(), strict=True)
        differences = [f"{name} {was}, not {now}" for (name, was), now in pairs if was != now]
        return f"it is of another training ({'; '.join(differences)})"
    return _flaw(folder / entry.file, entry.sha256, entry.bytes)


def archive_flaw(path: Path) -> str | None:
    """Why a file that ``torch.save`` wrote is not whole, by the sums in it; None when it is."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        return f"it is no whole archive ({error})"
    return f"its part {damaged} is damaged" if damaged else None


def _flaw(path: Path, sha256: str, size: int) -> str | None:
    if not path.is_file():
        return "it is gone"
    there = path.stat().st_size
    if not there:
        return "it is empty"
    if there != size:
        return f"it has {there:,} bytes, and {size:,} were written"
    if file_sha256(path) != sha256:
        return "its bytes are not those that were written"
    return None
