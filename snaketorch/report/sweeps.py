"""What the page tells of a sweep: what was tried, what was found, and what that gained."""

import ast
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from snaketorch.config.domains import Range
from snaketorch.config.space import value_at
from snaketorch.errors import UserError
from snaketorch.figures.inline import themed
from snaketorch.freshness import Now, outdated_sweep, read_json, refuse, stale
from snaketorch.provenance import file_sha256
from snaketorch.report.formats import NOTHING
from snaketorch.report.gain import Gain, gain
from snaketorch.report.metric_range import range_of
from snaketorch.report.resolved_yaml import as_yaml
from snaketorch.report.results import Experiment

FIGURES = {
    "history": ("Optimisation history", "Each trial in the order in which they were tried."),
    "curves": ("Learning curves", "Trials that the scheduler stopped are grey and end in a dot."),
    "parallel": ("Configurations", "One line a trial, through its values to its metric; the stronger, the better."),
    "slices": ("Slices", "The metric by the values of each key; a bar is the median of an option."),
    "importance": (
        "Importance of the keys",
        "Permutation importance of a random forest (Breiman, 2001), for trials that it was not fitted to.",
    ),
}
"""Title and caption by the name of the file, in the order of the page."""
MAX_BYTES = 8_000_000
"""The figures of all sweeps together; of further ones the page tells the paths."""
TRIALS_SHOWN = 12
FAILED_SHOWN = 10
WORDS = {"out_of_memory": "out of memory", "stopped": "stopped early"}


@dataclass(frozen=True)
class TunedKey:
    """One key of the space."""

    path: str
    default: str
    """Without the sweep."""
    tuned: str
    range: str
    at_edge: bool


@dataclass(frozen=True)
class Trial:
    """One row of ``trials.csv``, as it is shown."""

    number: int
    status: str
    values: list[str]
    """In the order of the keys."""
    best: float | None
    best_epoch: int | None
    epochs: int
    seconds: float
    error: str


@dataclass(frozen=True)
class Drawing:
    """A figure of the sweep; ``svg`` is None where the page only tells its path."""

    title: str
    caption: str
    path: Path
    svg: Markup | None


@dataclass(frozen=True)
class Sweep:
    """One sweep, with the experiment that it is compared with."""

    folder: Path
    record: dict[str, Any]
    keys: list[TunedKey]
    trials: list[Trial]
    """The best ones."""
    failed: list[Trial]
    drawings: list[Drawing]
    sibling: Experiment | None
    gain: Gain | None
    """None without a sibling."""

    @property
    def tried(self) -> str:
        """How many trials ended in which way, in words."""
        return ", ".join(f"{count} {WORDS.get(status, status)}" for status, count in self.record["trials"].items())

    @property
    def count(self) -> int:
        """Of all trials."""
        return sum(self.record["trials"].values())

    @property
    def side_by_side(self) -> int | None:
        """Trials that one process trained together, at most: they share its time. None where each had its own."""
        how = self.record.get("how", {})
        return how["at_once"] if how.get("engine") == "vectorised" else None

    @property
    def epochs_saved(self) -> float | None:
        """Share of the epochs that the scheduler did without; None where it stops nothing."""
        without = self.record["epochs_without_scheduler"]
        if self.record["spec"]["tune"]["scheduler"]["kind"] in ("fifo", "pbt", "pb2") or not without:
            return None
        return 1 - self.record["epochs"] / without


def sweeps(experiments: Sequence[Experiment], siblings: Mapping[str, str]) -> dict[str, Sweep]:
    """The sweep of each experiment that has one, by its name.

    UserError when a file of it is missing, or its seeds were not trained with its result.
    """
    by_name = {experiment.name: experiment for experiment in experiments}
    found, room = {}, MAX_BYTES
    for experiment in experiments:
        if experiment.summary["record"]["spec"]["config"].get("tune"):
            found[experiment.name] = sweep = _sweep(experiment, by_name.get(siblings.get(experiment.name, "")), room)
            room -= sum(len(drawing.svg) for drawing in sweep.drawings if drawing.svg)
    return found


def _sweep(experiment: Experiment, sibling: Experiment | None, room: int) -> Sweep:
    folder = experiment.folder / "tune"
    record, _ = read_json(folder / "sweep.json")
    refuse(outdated_sweep(folder / "sweep.json", record, Now(data=experiment.manifest["digest"])))
    _refuse_other_best(experiment, folder / "best.yaml")
    rows = _rows(folder / "trials.csv")
    paths = list(record["spec"]["tune"]["space"])
    trials = [_trial(row, paths) for row in rows]
    good = [trial for trial in trials if trial.best is not None and trial.status in ("finished", "stopped")]
    # where the time was over before a trial was, the best of those that had begun was taken
    good = good or [trial for trial in trials if trial.best is not None and trial.status == "unfinished"]
    sign = -1 if record["mode"] == "max" else 1
    return Sweep(
        folder,
        record,
        [_key(path, record) for path in paths],
        sorted(good, key=lambda trial: (sign * trial.best, trial.number))[:TRIALS_SHOWN],
        [trial for trial in trials if trial.status in ("failed", "out_of_memory")],
        _drawings(experiment.name, folder / "figures", room),
        sibling,
        _gain(experiment, sibling) if sibling else None,
    )


def _gain(experiment: Experiment, sibling: Experiment) -> Gain:
    summary = experiment.summary
    return gain(experiment.goal, sibling.goal, summary["mode"], range_of(summary["goal"]))


def _refuse_other_best(experiment: Experiment, best: Path) -> None:
    sha256 = file_sha256(best) if best.exists() else None
    for seed in experiment.seeds:
        if (seed.record.get("tuned") or {}).get("sha256") != sha256:
            raise stale(seed.folder / "record.json", f"was not trained with the values that {best} has now")


def _key(path: str, record: dict[str, Any]) -> TunedKey:
    spec, values = record["spec"], record["best"]["values"]
    written = spec["tune"]["space"][path]
    try:
        default = shown(_of_interest(value_at(spec, path), written.get("choice") or written.get("grid")))
    except KeyError:  # of another kind of its section
        default = NOTHING
    tuned = shown(values[path]) if path in values else "not used"
    return TunedKey(path, default, tuned, _range(written), path in record["at_edge"])


def _of_interest(default: Any, options: Sequence[Any] | None) -> Any:
    """Of a whole section the keys that its options tell too."""
    if not isinstance(default, dict):
        return default
    told = {key for option in options or () if isinstance(option, dict) for key in option}
    return {key: default[key] for key in sorted(default, key=lambda key: key != "kind") if key in told}


def _range(written: dict[str, Any]) -> str:
    domain = Range.model_validate(written)
    if domain.options is not None:
        text = ", ".join(map(shown, domain.options))
    else:
        text = f"{shown(domain.low)} to {shown(domain.high)}"
        text += f", steps of {shown(domain.step)}" if domain.step is not None else ""
        text += ", logarithmic" if domain.log else ""
    when = " and ".join(f"{path} {shown(value)}" for path, value in (domain.when or {}).items())
    return f"{text}; with {when}" if when else text


def shown(value: Any) -> str:
    """A value of the configuration in one line, with four digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    return as_yaml({"value": value}).removeprefix("value: ").strip()


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise stale(path, f"cannot be read ({error.strerror})") from error


def _trial(row: dict[str, str], paths: Sequence[str]) -> Trial:
    return Trial(
        number=int(row["number"]),
        status=row["status"],
        values=[_short(row.get(path) or NOTHING) for path in paths],
        best=float(row["best"]) if row["best"] else None,
        best_epoch=int(row["best_epoch"]) if row["best_epoch"] else None,
        epochs=int(row["epochs"]),
        seconds=float(row["seconds"]),
        error=row["error"],
    )


def _short(text: str) -> str:
    """A value of ``trials.csv``, which has them as Python writes them."""
    try:
        return shown(ast.literal_eval(text))
    except (ValueError, SyntaxError):  # a word
        return text


def _drawings(name: str, folder: Path, room: int) -> list[Drawing]:
    found = []
    for stem, (title, caption) in FIGURES.items():
        path = folder / f"{stem}.svg"
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: cannot be read; run snakemake, which makes the sweep anew") from error
        svg = Markup(themed(text, f"{name}-sweep-{stem}")) if len(text) <= room else None
        room -= len(svg or "")
        found.append(Drawing(title, caption, path, svg))
    return found
