"""Bundles of tiny models, one for each kind of raw sample, made as a user makes them: from files and YAML."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import yaml

from snaketorch.config.load import load_study
from snaketorch.config.specs import PrepareSpec, TrainSpec
from snaketorch.dag.workflow import Workflow
from snaketorch.data.prepare import prepare
from snaketorch.inference.bundle import write_bundle
from snaketorch.training.train import train

DIGITS = {"source": {"kind": "sklearn", "name": "digits"}, "prepare": {"size": [8, 8]}}
RECURRENT = {"kind": "gru", "hidden": 8}


def no_files(folder: Path) -> None:
    """The dataset comes with a library."""


def sequences(folder: Path) -> None:
    """Two channels, of 4 steps; those of the second class rise."""
    random, label = np.random.default_rng(0), np.arange(80) % 2
    rise = label[:, None, None] * np.arange(4)[None, :, None]
    np.savez(folder / "steps.npz", x=(random.normal(size=(80, 4, 2)) + rise).astype(np.float32), y=label)


def texts(folder: Path) -> None:
    random = np.random.default_rng(0)
    words = {"good": ["fine", "bright", "warm", "kind"], "bad": ["grim", "dull", "cold", "stale"]}
    rows = [
        {"text": " ".join(random.choice(words[label], 4 + place % 5)) + f" {place}", "label": label}
        for place in range(40)
        for label in words
    ]
    pd.DataFrame(rows).to_csv(folder / "reviews.csv", index=False)


def corpus(folder: Path) -> None:
    lines = [f"there are {number} boats on the {place}" for number in range(60) for place in ("river", "lake", "sea")]
    (folder / "book.txt").write_text("\n".join(lines))


def rows(folder: Path) -> None:
    random, label = np.random.default_rng(0), np.arange(90) % 2
    pd.DataFrame(
        {
            "size": (random.normal(size=90) + 2 * label).round(3),
            "age": random.integers(1, 9, 90),
            "colour": np.where(random.random(90) < 0.8, np.where(label, "red", "blue"), "green"),
            "kind": np.where(label, "large", "small"),
        }
    ).to_csv(folder / "things.csv", index=False)


def series(folder: Path) -> None:
    steps = np.arange(160)
    wave = np.sin(2 * np.pi * steps / 12) + 0.05 * np.random.default_rng(0).normal(size=160)
    pd.DataFrame({"day": steps, "height": wave.round(4), "other": np.cos(steps / 5).round(4)}).to_csv(
        folder / "waves.csv", index=False
    )


KINDS: dict[str, tuple[Callable[[Path], None], dict, dict]] = {
    "images": (no_files, DIGITS, {"task": "image_classification", "model": {"kind": "cnn", "channels": [4]}}),
    "sequences": (
        sequences,
        {"source": {"kind": "arrays", "path": "steps.npz", "content": "sequences", "samples": "x", "labels": "y"}},
        {"task": "sequence_classification", "model": RECURRENT},
    ),
    "texts": (
        texts,
        {
            "source": {"kind": "text", "path": "reviews.csv", "label": "label"},
            "prepare": {"tokenizer": {"kind": "word"}, "max_length": 12},
        },
        {"task": "text_classification", "model": {**RECURRENT, "embedding": 8}},
    ),
    "language": (
        corpus,
        {"source": {"kind": "text", "path": "book.txt"}, "prepare": {"tokenizer": {"kind": "character"}}},
        {
            "task": {"kind": "language_modelling", "window": 16, "stride": 40, "sampling": {"length": 8, "count": 1}},
            "model": {**RECURRENT, "embedding": 8},
        },
    ),
    "rows": (
        rows,
        {"source": {"kind": "table", "path": "things.csv", "target": "kind"}},
        {"task": "tabular_classification", "model": {"kind": "mlp", "hidden": [8]}},
    ),
    "series": (
        series,
        {"source": {"kind": "timeseries", "path": "waves.csv", "time": "day"}},
        {"task": {"kind": "forecasting", "window": 4, "horizon": 3}, "model": RECURRENT},
    ),
    "gan": (
        no_files,
        DIGITS,
        {"task": "gan", "model": {"kind": "gan", "latent": 4, "hidden": [16], "conditional": True}},
    ),
}
"""What writes the files of a dataset, the dataset, and the experiment that learns it."""

QUICK = {
    "optimizer": {"kind": "adam", "lr": 0.01},
    "trainer": {"max_epochs": 1, "precision": "32-true"},
    "data_loader": {"batch_size": 64},
}


def small_bundle(folder: Path, kind: str) -> Path:
    """The bundle of a model of ``kind``, trained for an epoch in ``folder``, the current one."""
    write, dataset, experiment = KINDS[kind]
    for place in ("config/datasets", "config/experiments"):
        (folder / place).mkdir(parents=True)
    write(folder)
    (folder / "config/config.yaml").write_text("study: serving\n")
    (folder / f"config/datasets/{kind}.yaml").write_text(yaml.safe_dump(dataset))
    (folder / f"config/experiments/{kind}.yaml").write_text(yaml.safe_dump({"data": kind, **QUICK, **experiment}))
    study = Workflow(load_study(folder, {}))
    manifest, out = folder / "prepared/manifest.json", folder / "trained"
    prepare(
        PrepareSpec.model_validate_json(study.prepare_spec(SimpleNamespace(dataset=kind))),
        manifest=manifest,
        preview=folder / "prepared/preview.png",
        arrays=folder / "prepared/arrays",
        code="code",
        source="none",
    )
    train(
        TrainSpec.model_validate_json(study.train_spec(SimpleNamespace(experiment=kind, seed=0))),
        manifest=manifest,
        state_root=folder / "state",
        model=out / "model.ckpt",
        history=out / "history.csv",
        record=out / "record.json",
        samples=out / "samples",
        code="code",
        threads=1,
    )
    write_bundle(folder / "bundle", out / "model.ckpt", out / "record.json", manifest)
    return folder / "bundle"


def as_json(frame: pd.DataFrame) -> list[dict]:
    """Rows as they come back from a server."""
    return json.loads(json.dumps(frame.to_dict(orient="records"), default=lambda value: value.tolist()))
