"""What is predicted so far: a file a part, in a folder of live state, so that a killed run goes on where it was."""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from snaketorch.inference.reading.part import Unreadable
from snaketorch.provenance import digest
from snaketorch.publish import whole_file, write_json

log = logging.getLogger(__name__)

PLAN = "plan.json"
FORMAT = 1
MOST_NAMED = 1000
"""Files of which the plan says each."""


def stamps(files: Sequence[Path]) -> dict[str, Any]:
    """Sizes and times of change of ``files``, to see whether they are as they were."""
    found = {str(path): _stamp(path) for path in files}
    return {"digest": digest(found), "named": found if len(found) <= MOST_NAMED else {}}


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first file that is not as it was; nothing when all are."""
    if before["digest"] == now["digest"]:
        return ""
    named = {**before["named"], **now["named"]}
    other = [name for name in named if before["named"].get(name) != now["named"].get(name)]
    return min(other) if before["named"] and now["named"] and other else "a file"


class Parts:
    """The parts in a folder that one process at a time works in."""

    def __init__(self, folder: Path, plan: Mapping[str, Any], restart: bool = False):
        """Those that are there already, if they were made by the same ``plan``.

        Args:
            folder: Of live state.
            plan: `files` as of ``stamps``, and whatever else the predictions depend on, as JSON.
            restart: Begin anew all the same.
        """
        self._folder = folder
        plan = {"format": FORMAT, **plan}
        before = _read(folder / PLAN)
        if before != plan or restart:
            if before is not None:
                log.info("beginning anew: %s", _why(before, plan))
            self._clear()
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / PLAN, plan)
        self.done = 0
        """Parts that are there."""
        self.rows = 0
        """Rows in them, good and bad."""
        self.bad: list[Unreadable] = []
        while (rows := self._rows_of(self.done)) is not None:
            bad = self._bad_of(self.done)
            self.rows += rows + len(bad)
            self.bad += bad
            self.done += 1

    def add(self, table: pa.Table, bad: Sequence[Unreadable]) -> None:
        """The next part."""
        write_json(self._file(self.done, "bad.json"), [list(row) for row in bad])
        with whole_file(self._file(self.done, "parquet")) as temporary:  # last: with it the part is there
            parquet.write_table(table, temporary, compression="zstd")
        self.done += 1
        self.rows += len(table) + len(bad)
        self.bad += bad

    def tables(self) -> Iterator[pa.Table]:
        """All parts, one after the other."""
        for number in range(self.done):
            yield parquet.read_table(self._file(number, "parquet"), partitioning=None)

    def schemas(self) -> Iterator[pa.Schema]:
        """Of all parts."""
        for number in range(self.done):
            yield parquet.read_schema(self._file(number, "parquet"))

    def _rows_of(self, number: int) -> int | None:
        """Good rows of a part; None when it is not there, or is damaged."""
        try:
            return parquet.read_metadata(self._file(number, "parquet")).num_rows
        except (pa.ArrowException, OSError):
            return None

    def _bad_of(self, number: int) -> list[Unreadable]:
        return [Unreadable(*row) for row in json.loads(self._file(number, "bad.json").read_text("utf-8"))]

    def _file(self, number: int, ending: str) -> Path:
        return self._folder / f"part-{number:05d}.{ending}"

    def _clear(self) -> None:
        for path in [*self._folder.glob("part-*"), *self._folder.glob(".*.tmp-*"), self._folder / PLAN]:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _why(before: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    if before.get("format") != plan["format"]:
        return "what is there was kept in another way"
    if file := changed(before["files"], plan["files"]):
        return f"{file} has changed since the predictions were begun"
    others = sorted(name for name in {*before, *plan} if before.get(name) != plan.get(name))
    return f"another {' and '.join(others)} than when the predictions were begun" if others else "as was asked for"


def _stamp(path: Path) -> list[int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
