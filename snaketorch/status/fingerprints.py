"""Digests of result files, each computed once: to ask again what is current takes no time."""

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from snaketorch.provenance import file_sha256
from snaketorch.publish import write_json

MEMORY = Path("state/digests.json")
SETTLED_SECONDS = 2.0
"""A file that changed less than this ago may change again without another time of change: it is not remembered."""


class Fingerprints:
    """SHA-256 of files. What it read once it knows by size, times and inode, until one of these differs.

    A bit that flips on the disk changes none of them: ``verify`` reads everything again.
    """

    def __init__(self, memory: Path = MEMORY, verify: bool = False):
        self.memory, self.verify = memory, verify
        remembered = _read(memory)
        self.modules: dict[str, Any] = remembered.get("modules", {})
        """What was read of the package's modules, see ``snaketorch.dag.code``."""
        self.known: dict[str, Any] = {} if verify else remembered.get("files", {})
        self.asked: dict[str, dict[str, Any]] = {}
        self.has_news = False

    def __call__(self, path: Path) -> str:
        """The digest of the bytes of ``path``. OSError when it cannot be read."""
        status = path.stat()
        stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        known = self.asked.get(str(path)) or self.known.get(str(path))
        if known is None or known["stamp"] != stamp:
            known = {"stamp": stamp, "sha256": file_sha256(path)}
            self.has_news = True
        if time.time() - status.st_ctime > SETTLED_SECONDS:
            self.asked[str(path)] = known
        return known["sha256"]

    def remember(self, modules: dict[str, Any]) -> None:
        """Keeps what was read for the next time; nothing happens where that cannot be written."""
        if self.has_news or modules != self.modules:
            kept = {path: known for path, known in self.known.items() if Path(path).exists()}
            with contextlib.suppress(OSError):
                write_json(self.memory, {"files": kept | self.asked, "modules": modules})


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
