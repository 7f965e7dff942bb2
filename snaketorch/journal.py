"""What a run has to tell, written to local files first.

Training and tests write here and nowhere else; ``snaketorch.tracking`` sends journals to MLflow as
well as it can take them. So a tracking server that is missing, slow or dying never decides a job's
fate, and nothing that was measured is lost with it.

A journal is a folder::

    run.json        key, name, parent, params, tags, datasets, status
    metrics.jsonl   one measured value a line: {"name", "value", "step", "time"}, time in ms since 1970
    artifacts.json  files to keep with the run: [{"path", "folder", "sha256"}]
"""

import fcntl
import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TypedDict

from snaketorch.json_lines import end_last_line, read_json_lines
from snaketorch.provenance import file_sha256
from snaketorch.publish import write_json

ROOT = Path("state/tracking")

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


class UsedDataset(TypedDict):
    """A dataset that a run has used."""

    name: str
    digest: str
    """Stands for its content: two runs that say the same used the same data."""
    context: str
    """What for: `train`."""
    path: str
    """Where it was read."""
    columns: dict[str, str]
    """What a sample holds, by name, each in words."""
    profile: dict[str, Any]
    """Its size and kind, for people."""


@dataclass
class Run:
    """Who a run is. Two runs with one key are one run, however often its job is tried."""

    key: str
    """Unique and lasting, such as ``digits_cnn/seed-0/0123456789abcdef``."""
    name: str
    """For people."""
    parent: str | None = None
    """Key of the run that this one belongs to."""
    parent_name: str | None = None
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: list[UsedDataset] = field(default_factory=list)
    status: Status = "RUNNING"


class Journal:
    """The local record of one run. Opening it again goes on where it was."""

    def __init__(self, folder: Path, run: Run):
        folder.mkdir(parents=True, exist_ok=True)
        self._open(folder, run)
        self._save()

    @classmethod
    def reopen(cls, folder: Path) -> Self:
        """The journal in ``folder``, left as it is: another job may tell it. FileNotFoundError when there is none."""
        journal = cls.__new__(cls)
        journal._open(folder, read_run(folder))
        return journal

    def _open(self, folder: Path, run: Run) -> None:
        self.folder, self.run = folder, run
        end_last_line(folder / "metrics.jsonl")
        self._last = {(line["name"], line["step"]): line["value"] for line in read_metrics(folder)}

    def log_metrics(self, values: Mapping[str, float], step: int) -> None:
        """Adds values measured at ``step``.

        A value that is already there is not added again, so a training that goes on from a checkpoint
        and repeats some steps leaves one history.
        """
        now = int(time.time() * 1000)
        new = {name: value for name, value in values.items() if not self._has(name, step, value)}
        if not new:
            return
        with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
            for name, value in new.items():
                self._last[name, step] = value
                file.write(json.dumps({"name": name, "value": value, "step": step, "time": now}) + "\n")

    def add_artifact(self, path: Path, folder: str = "") -> None:
        """Keeps the file at ``path``, or those in the folder at ``path``, with the run, under ``folder``.

        The run keeps these bytes: a file that a later training writes to the same path is another one.
        """
        new = [
            {"path": str(file.resolve()), "folder": place, "sha256": file_sha256(file)}
            for file, place in _files(path, folder)
        ]
        places = {(entry["path"], entry["folder"]) for entry in new}
        with self._turn():
            old = [entry for entry in read_artifacts(self.folder) if (entry["path"], entry["folder"]) not in places]
            write_json(self.folder / "artifacts.json", [*old, *new])

    def tag(self, **tags: str) -> None:
        """Sets tags, beside those that another job has set meanwhile."""
        with self._turn():
            with suppress(FileNotFoundError):
                self.run.tags |= read_run(self.folder).tags
            self.run.tags |= tags
            self._save()

    def finish(self, status: Status) -> None:
        """Says how the run stands."""
        self.run.status = status
        self._save()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The test of a model and the watch over several datasets, jobs of their own, tell one journal at once."""
        with ExitStack() as stack:
            with suppress(OSError):  # a file system without locks is no reason to disturb the job
                file = stack.enter_context((self.folder / "turn.lock").open("a"))
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _has(self, name: str, step: int, value: float) -> bool:
        old = self._last.get((name, step))
        return old is not None and (old == value or (math.isnan(old) and math.isnan(value)))

    def _save(self) -> None:
        write_json(self.folder / "run.json", asdict(self.run))


def _files(path: Path, folder: str) -> Iterator[tuple[Path, str]]:
    """The files at or under ``path``, each with its folder in the run; hidden ones are Snakemake's own."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                yield file, f"{folder}/{file.parent.relative_to(path.parent).as_posix()}".lstrip("/")
    else:
        yield path, folder


def read_run(folder: Path) -> Run:
    """Who the run of the journal in ``folder`` is. FileNotFoundError when there is none."""
    return Run(**json.loads((folder / "run.json").read_text("utf-8")))


def read_metrics(folder: Path) -> list[dict]:
    """The lines of ``metrics.jsonl`` that are whole; a line cut off by a kill is left out."""
    return read_json_lines(folder / "metrics.jsonl")


def read_artifacts(folder: Path) -> list[dict[str, str]]:
    """The entries of ``artifacts.json``."""
    path = folder / "artifacts.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else []


def flatten(value: Mapping, prefix: str = "") -> dict[str, str]:
    """A nested mapping as MLflow parameters: ``{"model": {"kind": "cnn"}}`` is ``{"model.kind": "cnn"}``."""
    flat: dict[str, str] = {}
    for key, item in value.items():
        if isinstance(item, Mapping):
            flat.update(flatten(item, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = item if isinstance(item, str) else json.dumps(item)
    return flat
