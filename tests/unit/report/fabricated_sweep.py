"""A results folder with a sweep and a matrix, without any training."""

import contextlib
import csv
import functools
import json
from pathlib import Path

import yaml
from fabricated_study import dataset_folder, experiment, fabricate, run_summarise, seed_folder, sha256_of, write

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.specs import ReportSpec, TuneSpec
from snaketorch.figures.style import as_svg
from snaketorch.figures.sweep_history import sweep_history_figure
from snaketorch.figures.sweep_trials import SweepTrial

LR, DROPOUT = "optimizer.lr", "model.dropout"
TUNE = {
    "num_samples": 6,
    "space": {
        LR: {"loguniform": [1.0e-4, 1.0e-1]},
        DROPOUT: {"choice": [0.0, 0.25, 0.5]},
        "lr_scheduler": {"choice": [{"kind": "none"}, {"kind": "one_cycle"}]},
        "optimizer.betas": {"choice": [[0.9, 0.999], [0.8, 0.99]], "when": {"optimizer.kind": "adamw"}},
    },
}
BEST = {LR: 0.0985, DROPOUT: 0.25, "lr_scheduler": {"kind": "none"}, "optimizer.betas": [0.8, 0.99]}
ERROR = "the loss is <nan>"


def tuned_experiment(name: str = "digits_cnn", **changes) -> ExperimentConfig:
    return experiment(name, tune=TUNE | changes.pop("tune", {}), **changes)


def fabricate_sweep(root: Path, config: ExperimentConfig | None = None, sibling: bool = True) -> ReportSpec:
    """Experiment ``swept`` with a sweep, and ``digits_lstm`` as what it is compared with."""
    config = config or tuned_experiment()
    spec = fabricate(root, {"swept": config, "digits_lstm": experiment("digits_lstm", seeds=[0, 1])})
    with contextlib.chdir(root):
        write_sweep("swept", config)
    return spec.model_copy(update={"siblings": {"swept": "digits_lstm"} if sibling else {}})


def write_sweep(name: str, config: ExperimentConfig) -> None:
    """The files of a finished sweep, and its mark in the records of the trainings."""
    folder = Path("results/experiments") / name / "tune"
    (folder / "figures").mkdir(parents=True)
    parts = {key: getattr(config, key) for key in TuneSpec.model_fields if key not in ("experiment", "seed", "tune")}
    tune = {key: getattr(config.tune, key) for key in TuneSpec.model_fields["tune"].annotation.model_fields}
    spec = TuneSpec.model_validate({"experiment": name, "seed": 0, **parts, "tune": tune}).model_dump(mode="json")
    best = {"format": 1, "experiment": name, "trial": 2, "values": BEST, "at_edge": [LR]}
    (folder / "best.yaml").write_text(yaml.safe_dump(best))
    with (folder / "trials.csv").open("w", newline="") as file:
        rows = list(_rows())
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for stem in ("history", "curves", "parallel", "slices", "importance"):
        (folder / "figures" / f"{stem}.svg").write_text(_drawing())
    record = {
        "format": 1,
        "experiment": name,
        "spec": spec,
        "code_digest": "cc" * 8,
        "inputs": {
            "manifest": {"digest": json.loads((dataset_folder(config.data) / "manifest.json").read_text())["digest"]}
        },
        "metric": config.tune.metric,
        "mode": config.tune.mode,
        "best": {"trial": 2, "value": 0.97, "values": BEST},
        "at_edge": [LR],
        "trials": {"failed": 1, "finished": 2, "out_of_memory": 1, "stopped": 2},
        "epochs": 48,
        "epochs_without_scheduler": 120,
        "wall_seconds": 80.0,
        "trial_seconds": 150.0,
        "parallelism": 1.88,
    }
    write(folder / "sweep.json", record)
    for seed in config.seeds:
        path = seed_folder(name, seed) / "record.json"
        tuned = {"path": str(folder / "best.yaml"), "sha256": sha256_of(folder / "best.yaml"), "trial": 2}
        write(path, json.loads(path.read_text()) | {"tuned": tuned})
    run_summarise(name, config)


def _rows():
    statuses = ("finished", "stopped", "finished", "failed", "out_of_memory", "stopped")
    for number, status in enumerate(statuses):
        failed = status in ("failed", "out_of_memory")
        yield {
            "number": number,
            "status": status,
            LR: 0.001 * (number + 1) if number != 2 else BEST[LR],
            DROPOUT: 0.25,
            "lr_scheduler": {"kind": "none"},
            "optimizer.betas": [0.8, 0.99],
            "best": "" if failed else (0.9, 0.5, 0.97, 0, 0, 0.6)[number],
            "best_epoch": "" if failed else 3,
            "last": "",
            "epochs": 0 if failed else 12,
            "seconds": 10.0,
            "attempts": 1,
            "started": "2026-11-20T08:10:42+00:00",
            "device": "CPU",
            "node": "n1",
            "origin": "searched",
            "error": ERROR if status == "failed" else "",
        }


@functools.cache
def _drawing() -> str:
    trials = [SweepTrial(number, {}, "finished", [(1, 0.5)], 0.5 + number / 10) for number in range(3)]
    return as_svg(sweep_history_figure(trials, "val/accuracy", "max"), "sweep-history")
