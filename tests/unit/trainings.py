"""Trainings in the current folder, what they leave there, and a way to end them."""

import csv
import io
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path

from snaketorch.config.specs import TrainSpec
from snaketorch.state.published import clear_published
from snaketorch.training import train as step
from snaketorch.training.checkpointing import resume_points
from snaketorch.training.checkpointing.resume_points import Every


class Killed(BaseException):
    """Stands for a kill: nothing of the training gets to react to it."""


def save_everywhere(patch) -> None:
    """From now on a training makes a checkpoint at each place that it can go on from."""
    patch.setattr(resume_points, "TIME_SHARE", math.inf)
    patch.setattr(step.train, "__kwdefaults__", {**step.train.__kwdefaults__, "checkpoint_every": Every(seconds=0.0)})


def keep_states(patch) -> None:
    """From now on what a finished training could go on from stays, to be looked at."""
    patch.setattr(sys.modules[__name__], "clear_published", lambda root: None)


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
    clear_published(Path("state/train"))  # as the workflow does when it has noted that the job is done
    return json.loads((out / "record.json").read_text("utf-8"))


def rows(name: str) -> list[dict]:
    """The history of the training ``name``, without what differs from run to run."""
    table = list(csv.DictReader(io.StringIO(Path(name, "history.csv").read_text("utf-8"))))
    return [{key: value for key, value in row.items() if key != "seconds"} for row in table]


def made(name: str) -> dict[str, bytes]:
    """The samples that the training ``name`` made as it learned, by file."""
    return {path.name: path.read_bytes() for path in Path(name, "samples").iterdir()}
