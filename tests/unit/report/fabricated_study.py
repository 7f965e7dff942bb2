"""A results folder as the steps before the report leave it: three experiments on two datasets, without any training.

Numbers are made up by formulas, and every digest is right, so a test can spoil one thing at a time.
"""

import contextlib
import csv
import functools
import hashlib
import json
import math
from pathlib import Path

import numpy as np

from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.specs import EvaluateSpec, ReportSpec, SummariseSpec, TrainSpec
from snaketorch.data.preview.images import draw_images
from snaketorch.figures.confusion import confusion_figure
from snaketorch.figures.examples import Example, examples_figure
from snaketorch.figures.forecasts import Line, error_figure, timeline_figure
from snaketorch.figures.reliability import reliability_figure
from snaketorch.figures.style import as_svg
from snaketorch.report.summarise import summarise

STUDY = "digits_and_sunspots"
RESULTS = Path("results")
CLASSES = [str(digit) for digit in range(10)]
SAMPLES = {"digits": 360, "sunspots": 59}

SPECS = {
    name: DatasetConfig.model_validate({"source": source}).model_dump(mode="json")
    for name, source in {
        "digits": {"kind": "sklearn", "name": "digits"},
        "sunspots": {"kind": "statsmodels", "name": "sunspots"},
    }.items()
}
REPORTS = {
    "digits": {
        "findings": [
            {
                "check": "duplicates",
                "severity": "hint",
                "summary": "3 images are exact copies of others in the same split: 3 in train.",
                "count": 3,
                "examples": ["train: sample 17 = train: sample 3", "train: sample 18 = train: sample 3"],
            },
            {
                "check": "leakage",
                "severity": "problem",
                "summary": "12 images are also in another split: 12 of test in train; results on them look better "
                "than they are.",
                "count": 12,
                "examples": [f"test: sample {row} = train: sample {row + 40}" for row in range(10)],
            },
        ],
        "facts": {"sizes": {"smallest": [8, 8], "largest": [8, 8]}, "missing values": 0, "grey": True},
        "skipped": [{"sample": "2/broken <1>.png", "why": "it cannot be decoded"}],
    },
    "sunspots": {"findings": [], "facts": {"step": "1 year", "gaps": 0}, "skipped": []},
}

CLASSIFIER = {
    "data": "digits",
    "optimizer": {"kind": "adamw", "lr": 3e-3},
    "lr_scheduler": {"kind": "one_cycle"},
    "trainer": {"max_epochs": 20, "gradient_clip_val": 1.0},
}
EXPERIMENTS = {
    "digits_cnn": CLASSIFIER
    | {
        "description": "Three convolution blocks on handwritten digits",
        "task": "image_classification",
        "augment": {"rotate": 10, "translate": 0.1},
        "model": {"kind": "cnn", "dropout": 0.25},
        "seeds": [0, 1, 2],
    },
    "digits_lstm": CLASSIFIER
    | {
        "description": "An LSTM that reads digits row by row",
        "task": {"kind": "sequence_classification", "read": "rows"},
        "model": {"kind": "lstm", "hidden": 128, "dropout": 0.1},
        "seeds": [0, 1],
    },
    "sunspots_gru": {
        "description": "A GRU that forecasts sunspots three years ahead",
        "task": {"kind": "forecasting", "window": 33, "horizon": 3, "season": 11},
        "data": "sunspots",
        "model": {"kind": "gru", "hidden": 32, "dropout": 0.1},
        "optimizer": {"kind": "adamw", "lr": 3e-3},
        "trainer": {"max_epochs": 60, "precision": "32-true"},
        "early_stopping": {"monitor": "val/mae", "patience": 40},
        "seeds": [0, 1, 2],
    },
}


def experiment(name: str, **changes) -> ExperimentConfig:
    """One of ``EXPERIMENTS``, with some keys changed."""
    return ExperimentConfig.model_validate(EXPERIMENTS[name] | changes).resolved()


def fabricate(
    root: Path, experiments: dict[str, ExperimentConfig] | None = None, title: str = "Digits and sunspots"
) -> ReportSpec:
    """Writes ``results/`` below ``root`` and gives the spec of its page."""
    experiments = experiments or {name: experiment(name) for name in EXPERIMENTS}
    with contextlib.chdir(root):
        for config in experiments.values():
            if not dataset_folder(config.data).exists():
                write_dataset(config.data)
        for name, config in experiments.items():
            for seed in config.seeds:
                write_training(name, config, seed)
                write_test(name, config, seed)
            if config.augment is not None:
                picture = dataset_folder(config.data) / "preview.png"
                (RESULTS / "experiments" / name / "augmentation.png").write_bytes(picture.read_bytes())
            run_summarise(name, config)
    return ReportSpec(study=STUDY, title=title, experiments=list(experiments))


def run_summarise(name: str, config: ExperimentConfig) -> Path:
    """The step itself, on paths below the working directory."""
    folder = RESULTS / "experiments" / name
    summarise(
        SummariseSpec(study=STUDY, experiment=name, config=config),
        metrics=[seed_folder(name, seed) / "metrics.json" for seed in config.seeds],
        records=[seed_folder(name, seed) / "record.json" for seed in config.seeds],
        summary=folder / "summary.json",
        config=folder / "config.yaml",
        code="0123456789abcdef",
    )
    return folder / "summary.json"


def seed_folder(name: str, seed: int) -> Path:
    return RESULTS / "experiments" / name / f"seed-{seed}"


def dataset_folder(name: str) -> Path:
    return RESULTS / "datasets" / name


def write_dataset(name: str) -> None:
    folder = dataset_folder(name)
    counts = {"digits": (1258, 179, 360), "sunspots": (202, 46, 61)}[name]
    splits = {
        split: {"count": count, "arrays": {}} for split, count in zip(("train", "val", "test"), counts, strict=True)
    }
    manifest = {
        "format": 1,
        "dataset": name,
        "digest": _sha256(name)[:16],
        "fields": {},
        "splits": splits,
        "spec": {"dataset": name, **SPECS[name]},
        "report": REPORTS[name],
    }
    folder.mkdir(parents=True)
    if name == "digits":
        shares = np.linspace(0.9, 1.1, 10) / 10
        for part in splits.values():
            part["class_counts"] = [round(part["count"] * share) for share in shares]
        manifest |= {"provides": "labelled images", "classes": CLASSES}
        images, labels = _images(120)
        class_counts = {split: part["class_counts"] for split, part in splits.items()}
        draw_images(folder / "preview.png", name, images, labels, CLASSES, class_counts)
    else:
        manifest |= {"provides": "a time series"}
        (folder / "preview.png").write_bytes((dataset_folder("digits") / "preview.png").read_bytes())
    write(folder / "manifest.json", manifest)


def write_training(name: str, config: ExperimentConfig, seed: int) -> None:
    folder = seed_folder(name, seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.ckpt").write_bytes(f"weights of {name}, seed {seed}".encode())
    rows = list(_history(config, seed))
    with (folder / "history.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    parts = _parts(config, TrainSpec) | {"task": config.task.for_training}
    spec = TrainSpec(experiment=name, seed=seed, **parts).model_dump(mode="json")
    goal = config.checkpoint.monitor
    pick = max if config.task.logged[config.checkpoint.monitor.removeprefix("val/")] == "max" else min
    best = pick(rows, key=lambda row: row[goal])
    record = {
        "format": 1,
        "experiment": name,
        "seed": seed,
        "study": STUDY,
        "spec": spec,
        "spec_digest": _sha256(json.dumps(spec))[:16],
        "code_digest": "5d1c07f2a9b34e60",
        "inputs": {"manifest": {"path": "manifest.json", "digest": _manifest_digest(config.data)}},
        "outputs": {"model": sha256_of(folder / "model.ckpt"), "history": sha256_of(folder / "history.csv")},
        "versions": {"python": "3.11.9", "snaketorch": "0.1.0", "torch": "2.14.1", "pytorch-lightning": "2.6.6"},
        "git": {"commit": "8c1f0e6b7d2a49358e4f0b1a6c7d8e9f0a1b2c3d", "dirty": True},
        "host": {"name": "node-17", "system": "Linux", "machine": "x86_64"},
        "device": {"type": "cpu", "name": "AMD EPYC 9654", "threads": 1},
        "processes": 1,
        "strategy": None,
        "step_size": 64,
        "precision": {
            "asked": config.trainer.precision,
            "used": "32-true",
            "why": "bf16-mixed took 1.9 times as long in a probe of 20 steps",
        },
        "memory_format": "contiguous",
        "parameters": {"cnn": 73_418, "lstm": 76_042, "gru": 3_459}[config.model.kind],
        "epochs": len(rows),
        "steps": rows[-1]["step"],
        "best": {"metric": goal, "value": best[goal], "epoch": best["epoch"], "kept": True},
        "started": f"2026-11-20T08:1{seed}:42+00:00",
        "wall_seconds": 31.4 + 2.7 * seed,
        "peak_memory_mb": 612.5 + seed,
        "samples_per_second": 8_420.0 - 35 * seed,
        "usage": {
            "peak_memory_mb": 612.5 + seed,
            "reserved_memory_mb": None,
            "device_memory_mb": None,
            "host_memory_mb": 612.5 + seed,
            "utilisation": None,
            "power_w": None,
            "energy_wh": None,
            "data_wait_share": 0.12,
            "step_seconds": {"median": 0.0071, "p90": 0.0084},
        },
        "attempts": 1 + (seed == 2),
        "failures": [{"attempt": 1, "kind": "host_memory", "message": "", "time": ""}] if seed == 2 else [],
        "run_key": f"{name}/seed-{seed}/feedfacecafebeef",
        "group_key": f"{name}/00112233aabbccdd",
        "journal": f"state/tracking/{name}/seed-{seed}-feedfacecafebeef",
        "command": f"python -m snaketorch train --spec '{json.dumps(spec, separators=(',', ':'))}' --threads 1",
    }
    write(folder / "record.json", record)


def write_test(name: str, config: ExperimentConfig, seed: int) -> None:
    folder = seed_folder(name, seed)
    (folder / "predictions.parquet").write_bytes(b"predictions")
    (folder / "figures").mkdir(exist_ok=True)
    for stem, svg in _drawings(config.data).items():
        (folder / "figures" / f"{stem}.svg").write_text(svg)
    result = _forecast_test(seed) if config.data == "sunspots" else _classification_test(config.model.kind, seed)
    record = json.loads((folder / "record.json").read_text())
    spec = EvaluateSpec(experiment=name, seed=seed, **_parts(config, EvaluateSpec)).model_dump(mode="json")
    modes = {f"test/{metric}": mode for metric, mode in config.task.metrics.items()}
    write(
        folder / "metrics.json",
        {
            "format": 1,
            "experiment": name,
            "seed": seed,
            "data": config.data,
            "task": config.task.model_dump(mode="json"),
            "split": "test",
            "samples": SAMPLES[config.data],
            "modes": modes,
            "goal": f"test/{config.task.goal}",
            "baselines": {},
            **result,
            "cost": {
                "samples_per_second": 21_300.0,
                "latency_ms": 0.74 + 0.01 * seed,
                "peak_memory_mb": 598.0,
                "parameters": record["parameters"],
            },
            "record": {
                "spec": spec,
                "spec_digest": "aa" * 8,
                "code_digest": "bb" * 8,
                "inputs": {
                    "model": {"sha256": record["outputs"]["model"]},
                    "manifest": {"digest": record["inputs"]["manifest"]["digest"]},
                },
                "outputs": {"predictions": sha256_of(folder / "predictions.parquet")},
                "versions": record["versions"],
                "git": record["git"],
                "host": record["host"],
                "device": record["device"],
                "started": record["started"],
                "wall_seconds": 3.2,
            },
        },
    )


def write(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2))


def edit(path: Path, *keys: str, to) -> None:
    """Changes one value in a JSON file."""
    content = part = json.loads(path.read_text())
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = to
    write(path, content)


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _manifest_digest(data: str) -> str:
    return json.loads((dataset_folder(data) / "manifest.json").read_text())["digest"]


def _parts(config: ExperimentConfig, step: type) -> dict:
    return {name: getattr(config, name) for name in step.model_fields if name not in ("experiment", "seed")}


def _history(config: ExperimentConfig, seed: int):
    random = np.random.default_rng(seed)
    epochs = config.trainer.max_epochs
    name = config.task.goal
    for epoch in range(1, epochs + 1):
        left = math.exp(-4 * epoch / epochs)
        noise = random.normal(0, 0.01, 4)
        train = {"loss": 0.02 + 2.2 * left + abs(noise[0]), "accuracy": 0.995 - 0.6 * left, "mae": 0.2 + 0.6 * left}
        val = {
            "loss": 0.08 + 2.1 * left + abs(noise[1]),
            "accuracy": 0.98 - 0.6 * left + noise[2],
            "mae": 0.25 + 0.6 * left,
        }
        val["mae"] += noise[3]
        yield {
            "epoch": epoch,
            "step": 20 * epoch,
            "lr": 3e-3 * left,
            "seconds": 1.5,
            **{f"train/{metric}": train[metric] for metric in ("loss", name)},
            **{f"val/{metric}": val[metric] for metric in ("loss", name)},
        }


def _classification_test(model: str, seed: int) -> dict:
    accuracy = {"cnn": (0.9861, 0.9917, 0.9889), "lstm": (0.9694, 0.9750)}[model][seed]
    confusion = _confusion(round((1 - accuracy) * SAMPLES["digits"]))
    per_class = [
        {
            "class": name,
            "precision": accuracy - 0.001 * i,
            "recall": accuracy,
            "f1": accuracy - 0.0005 * i,
            "support": 36,
        }
        for i, name in enumerate(CLASSES)
    ]
    return {
        "metrics": {
            "test/accuracy": accuracy,
            "test/f1_macro": accuracy - 0.0004,
            "test/auroc": 0.99974 - 0.0001 * seed,
            "test/calibration_error": 0.0093 + 0.001 * seed,
            "test/loss": 0.0452 + 0.004 * seed,
        },
        "details": {"classes": CLASSES, "confusion": confusion.tolist(), "per_class": per_class},
    }


def _forecast_test(seed: int) -> dict:
    mae = 19.84 + (0.0, 1.31, 0.57)[seed]

    def values(mae: float) -> dict:
        return {"mae": mae, "rmse": 1.38 * mae, "mase": mae / 25.1}

    naive = {"persistence": 34.62, "seasonal_naive": 27.15}
    return {
        "metrics": {f"test/{metric}": value for metric, value in values(mae).items()},
        "baselines": {
            name: {f"test/{metric}": value for metric, value in values(error).items()} for name, error in naive.items()
        },
        "details": {
            "channels": ["SUNACTIVITY"],
            "scale": {"lag": 11, "values": [25.1]},
            "per_step": [
                {
                    "step": step,
                    "model": values(mae * (0.6 + 0.2 * step)),
                    **{name: values(error * (0.5 + 0.25 * step)) for name, error in naive.items()},
                }
                for step in (1, 2, 3)
            ],
            "per_channel": [{"channel": "SUNACTIVITY", "model": values(mae)}],
        },
    }


def _confusion(mistakes: int) -> np.ndarray:
    confusion = np.diag(np.full(10, 36))
    for mistake in range(mistakes):
        true, guess = (3 * mistake + 8) % 10, (7 * mistake + 1) % 10
        confusion[true, true] -= 1
        confusion[true, guess] += 1
    return confusion


def _images(count: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(count) % 10
    y, x = np.mgrid[-1:1:16j, -1:1:16j]
    waves = [np.cos(3 * x * math.cos(k) + 3 * y * math.sin(k)) * np.exp(-2 * (x**2 + y**2)) for k in labels]
    return (255 * np.clip(np.array(waves), 0, 1)).astype(np.uint8)[:, None], labels


@functools.cache
def _drawings(data: str) -> dict[str, str]:
    """Real figures of made-up results, drawn once for all seeds."""
    if data == "digits":
        images, labels = _images(12)
        examples = [
            Example(image, CLASSES[-label], CLASSES[label], 0.71) for image, label in zip(images, labels, strict=True)
        ]
        bins = np.linspace(0.05, 0.95, 15)
        figures = {
            "confusion": confusion_figure(_confusion(6), CLASSES),
            "reliability": reliability_figure((1 + 300 * bins**9).astype(int), bins**1.2, bins),
            "worst": examples_figure(examples, "The 12 images with the largest loss"),
        }
    else:
        time = np.arange(1950.0, 2009)
        truth = 75 + 70 * np.sin(2 * np.pi * time / 11)
        forecasts = {"model": 0.9 * truth + 5, "persistence": np.roll(truth, 1), "seasonal_naive": np.roll(truth, 11)}
        errors = {name: np.array([1.0, 1.4, 1.9]) * k for k, name in enumerate(forecasts, 9)}
        lines = [Line("SUNACTIVITY", ahead, time, truth, forecasts) for ahead in (1, 3)]
        figures = {
            "forecast": timeline_figure(lines, "year"),
            "error_by_step": error_figure(errors, "mean absolute error"),
        }
    return {stem: as_svg(figure, f"{data}-{stem}") for stem, figure in figures.items()}
