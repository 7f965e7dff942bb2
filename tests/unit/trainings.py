"""Trainings in the current folder, what they leave there, and a way to end them."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

from snaketorch.config.specs import TrainSpec
from snaketorch.training import train as step


class Killed(BaseException):
    """Stands for a kill: nothing of the training gets to react to it."""


def train(spec: TrainSpec, manifest: Path, name: str = "out", uses: Mapping[str, Path] | None = None) -> dict:
    """The record of a training whose files are in the folder ``name``; goes on where one of that name was killed."""
    out = Path(name)
    step.train(
        spec,
        manifest=manifest,
        state_root=Path("state/train") / name / "seed-0",
        model=out / "model.ckpt",
        history=out / "history.csv",
        record=out / "record.json",
        samples=out / "samples",
        code="code",
        threads=1,
        uses=uses,
    )
    return json.loads((out / "record.json").read_text("utf-8"))


def rows(name: str) -> list[dict]:
    """The history of the training ``name``, without what differs from run to run."""
    table = list(csv.DictReader(io.StringIO(Path(name, "history.csv").read_text("utf-8"))))
    return [{key: value for key, value in row.items() if key != "seconds"} for row in table]


def made(name: str) -> dict[str, bytes]:
    """The samples that the training ``name`` made as it learned, by file."""
    return {path.name: path.read_bytes() for path in Path(name, "samples").iterdir()}
