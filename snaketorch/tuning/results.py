"""What a sweep publishes: its best configuration, a table of its trials, their curves."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from snaketorch.config.space import Space
from snaketorch.publish import write_text
from snaketorch.tuning.trial import OVER, Trial

FORMAT = 1
ABOUT = ("number", "status")
MEASURED = (
    "best",
    "best_epoch",
    "last",
    "epochs",
    "seconds",
    "attempts",
    "started",
    "device",
    "node",
    "origin",
    "error",
)


def write_best(path: Path, experiment: str, metric: str, mode: str, best: Trial, space: Space) -> None:
    """The winner's values, for the training to start from."""
    epoch, value = best.best(mode)
    content = {
        "format": FORMAT,
        "experiment": experiment,
        "metric": metric,
        "mode": mode,
        "value": value,
        "trial": best.number,
        "epoch": epoch,
        "values": best.values,
        "at_edge": space.at_edge(best.values),
    }
    if best.changes:
        content["note"] = "the values changed while the trial trained; these are the last, sweep.json has all of them"
    write_text(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def write_trials(path: Path, trials: list[Trial], mode: str) -> None:
    """One row a trial: its values by path, and what came of them."""
    paths = list(dict.fromkeys(key for trial in trials for key in trial.values))
    write_text(path, _csv([*ABOUT, *paths, *MEASURED], (_row(trial, mode) for trial in trials)))


def write_curves(path: Path, trials: list[Trial]) -> None:
    """One row a validation: trial, epoch, and the value of the sweep's metric."""
    rows = (
        {"trial": trial.number, "epoch": epoch, "value": "" if value is None else value}
        for trial in trials
        for epoch, value in trial.curve
    )
    write_text(path, _csv(["trial", "epoch", "value"], rows))


def counts(trials: list[Trial]) -> dict[str, int]:
    """How many trials ended in which way; those that a budget left unfinished count as such."""
    found = Counter(trial.status if trial.status in OVER else "unfinished" for trial in trials)
    return dict(sorted(found.items()))


def _row(trial: Trial, mode: str) -> dict[str, Any]:
    epoch, value = trial.best(mode) or (None, None)
    return {
        **trial.values,
        "number": trial.number,
        "status": trial.status if trial.is_over else "unfinished",
        "best": value,
        "best_epoch": epoch,
        "last": trial.last,
        "epochs": trial.epochs,
        "seconds": round(trial.seconds, 3),
        "attempts": trial.attempts,
        "started": trial.started,
        "device": trial.device,
        "node": trial.node,
        "origin": trial.origin,
        "error": trial.error,
    }


def _csv(columns: list[str], rows) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
