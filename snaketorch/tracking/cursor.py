"""How far one journal has got at one tracking address."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from snaketorch.provenance import file_sha256
from snaketorch.publish import write_json
from snaketorch.tracking.address import fingerprint

_FORMAT = 1


@dataclass
class Cursor:
    """What is already at the address. Losing it costs time only: the server drops what it has."""

    path: Path
    run_id: str | None = None
    offset: int = 0
    """Bytes of ``metrics.jsonl`` that are there."""
    infinite: dict[str, dict] = field(default_factory=dict)
    """Metrics that were infinite, which MLflow cannot hold: name to value, first and last step."""
    files: dict[str, dict] = field(default_factory=dict)
    """Files that are there: path in the run to sha256, size and time of change."""

    @classmethod
    def load(cls, folder: Path, uri: str) -> Self:
        """The cursor of the journal in ``folder`` for ``uri``; a fresh one where none can be read."""
        path = folder / f"sync-{fingerprint(uri)}.json"
        try:
            saved = json.loads(path.read_text("utf-8"))
            if saved.pop("format") == _FORMAT:
                return cls(path=path, **saved)
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return cls(path=path)

    def save(self) -> None:
        values = {name: value for name, value in asdict(self).items() if name != "path"}
        write_json(self.path, {"format": _FORMAT, **values})

    def add_infinite(self, name: str, value: float, step: int) -> None:
        """Notes an infinite value; noting it again changes nothing."""
        steps = {step} | {self.infinite.get(name, {}).get(key, step) for key in ("first_step", "last_step")}
        self.infinite[name] = {"value": str(value), "first_step": min(steps), "last_step": max(steps)}

    def state_of(self, file: Path, name: str) -> dict | None:
        """What to remember once ``file`` is there as ``name``; None when it is there already."""
        stat = file.stat()
        known = self.files.get(name, {})
        if (known.get("size"), known.get("changed")) == (stat.st_size, stat.st_mtime_ns):
            return None
        state = {"sha256": file_sha256(file), "size": stat.st_size, "changed": stat.st_mtime_ns}
        if state["sha256"] == known.get("sha256"):
            self.files[name] = state
            return None
        return state
