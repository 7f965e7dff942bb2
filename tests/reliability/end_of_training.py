"""All that a training ends with, and how two ends differ."""

import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from training_process import OUT, Attempt, Trial
from watched_training import KEPT

from snaketorch.journal import read_metrics

OF_THE_CLOCK = {"seconds", "time", "trained"}
"""What differs between any two trainings; `trained` are the samples of the seconds that the history counts."""

OF_THE_MACHINE = {"UsageWatch"}
"""What the training took of it: state in a checkpoint that differs as the clock does."""
SYSTEM = "system/"
"""How the names of metrics begin that tell the same."""

OF_LIGHTNING = {"loops"}
"""Counters of the present attempt beside those of the training; their effects are in all else."""


def end_of(trial: Trial) -> dict[str, str]:
    """The bits of a finished training by name: published files, last checkpoint, what its journal tells."""
    out, found = trial.folder / OUT, {}
    found["model.ckpt"] = _digest((out / "model.ckpt").read_bytes())
    for number, row in enumerate(csv.DictReader(io.StringIO((out / "history.csv").read_text("utf-8"))), start=1):
        found |= {f"history.csv, row {number}, {name}": cell for name, cell in row.items() if name not in OF_THE_CLOCK}
    for path in sorted((out / "samples").rglob("*")):
        if path.is_file():
            found[f"samples/{path.name}"] = _digest(path.read_bytes())
    checkpoint = torch.load(newest_checkpoint(trial.folder / KEPT), map_location="cpu", weights_only=True)
    found |= {f"checkpoint{name}": value for name, value in _leaves(checkpoint)}
    (journal,) = (trial.live / "tracking").rglob("metrics.jsonl")
    for line in read_metrics(journal.parent):
        name = f"journal, {line['name']} at step {line['step']}"
        assert name not in found, f"{name} is told twice"
        found[name] = "told" if line["name"].startswith(SYSTEM) else repr(line["value"])
    return found


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The names of what is not the same in both."""
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]


def unequal(trial: Trial, attempt: Attempt, expected: dict[str, str], story: str) -> list[str]:
    """What is wrong with a training that ended by ``attempt``, to be told with its ``story``: nothing, or one line."""
    if attempt.code != 0:
        return [f"{story}: exit code {attempt.code}: {trial.log[-2000:]}"]
    different = differences(expected, end_of(trial))
    return [f"{story}: {len(different)} parts differ, such as {', '.join(different[:5])}"] if different else []


def newest_checkpoint(folder: Path) -> Path:
    """The last that was saved below ``folder``."""
    return max(folder.rglob("step-*.ckpt"), key=lambda path: path.name, default=None) or next(folder.rglob("last.ckpt"))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in OF_THE_CLOCK | OF_THE_MACHINE | OF_LIGHTNING:
                yield from _leaves(item, f"{name}.{key}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{name}[{number}]")
    elif isinstance(value, torch.Tensor):
        yield name, f"{value.dtype} {tuple(value.shape)} {_digest(value.contiguous().numpy().tobytes())}"
    else:
        yield name, repr(value)


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
