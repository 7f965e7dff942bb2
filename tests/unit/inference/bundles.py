"""Small datasets of every content with a model of fresh weights, as bundles."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from pydantic import TypeAdapter

from snaketorch.config.models import Model
from snaketorch.config.specs import PrepareSpec
from snaketorch.config.tasks import Task
from snaketorch.data.manifest import Manifest
from snaketorch.data.prepare import prepare
from snaketorch.data.raw.sequences import RawSequences
from snaketorch.implementation import resolve
from snaketorch.inference.bundle import load_bundle, write_bundle
from snaketorch.inference.predictor import Predictor
from snaketorch.provenance import file_sha256
from snaketorch.tasks import build_task
from snaketorch.training.model_file import load_model, save_model
from tests.unit.small_corpus import rhyme

SAMPLES = 40


class Ragged:
    """Sequences of 3 to 12 steps with some values missing, of two classes or with a number each."""

    def __init__(self, numbers: bool = False):
        self.numbers = numbers

    def load(self) -> RawSequences:
        draw = np.random.default_rng(0)
        values = [draw.normal(size=(length, 2)) for length in draw.integers(3, 13, SAMPLES)]
        for sequence in values[::3]:
            sequence[2, 1] = np.nan
        labels = np.arange(SAMPLES) % 2
        return RawSequences(
            values=values,
            channels=("a", "b"),
            labels=labels * 1.5 if self.numbers else labels,
            classes=() if self.numbers else ("flat", "rising"),
            names=[f"row {row}" for row in range(SAMPLES)],
        )


RAGGED = {"kind": "custom", "class_path": "tests.unit.inference.bundles.Ragged"}
FILLED = {"missing": "forward_fill"}
CNN, GRU, MLP = (
    {"kind": "cnn", "channels": [4], "hidden": 8},
    {"kind": "gru", "hidden": 4},
    {"kind": "mlp", "hidden": [8]},
)
LANGUAGE = {"kind": "language_modelling", "window": 16, "sampling": {"length": 6, "count": 1}}


def write_arrays(folder: Path, content: str, **options: Any) -> dict[str, Any]:
    """A source of arrays of images or sequences, with classes, several labels or numbers."""
    draw = np.random.default_rng(0)
    number = np.arange(SAMPLES)
    labels = number % 2
    if options.pop("several", False):
        labels = np.stack([labels, number // 2 % 2], axis=1)
        options["classes"] = ["top", "bottom"]
    if "images" in content:
        samples = draw.integers(0, 256, (SAMPLES, 7, 9, 3), dtype=np.uint8)
    else:
        samples = draw.normal(size=(SAMPLES, 6, 2)).astype(np.float32)
    np.savez(folder / "samples.npz", x=samples, y=labels * 1.5 if "number" in content else labels)
    return {
        "kind": "arrays",
        "path": str(folder / "samples.npz"),
        "content": content,
        "samples": "x",
        "labels": "y",
        **options,
    }


def write_table(folder: Path, gaps: bool = True, **options: Any) -> dict[str, Any]:
    """A source of rows with numbers and categories, some of them missing where there are ``gaps``."""
    draw, lines = random.Random(0), ["size,colour,other,flag,what,cost"]
    for row in range(2 * SAMPLES):
        size = "" if gaps and row % 9 == 4 else f"{draw.gauss(row % 2, 1):.4f}"
        colour = "" if gaps and row % 11 == 3 else draw.choice(["red", "green", "007"])
        lines.append(f"{size},{colour},{draw.random():.4f},{row % 3 == 0},{'ab'[row % 2]},{draw.random():.3f}")
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    columns = ["size", "colour", "other", "flag"]
    return {"kind": "table", "path": str(folder / "rows.csv"), "columns": columns, **options}


def write_texts(folder: Path) -> dict[str, Any]:
    """A source of texts of two classes."""
    draw, lines = random.Random(0), ["text,label"]
    for row in range(SAMPLES):
        lines.append(f"{' '.join(draw.choices(['cat', 'dog', 'sat', 'ran'], k=2 + row % 7))},{'ab'[row % 2]}")
    (folder / "texts.csv").write_text("\n".join(lines) + "\n")
    return {"kind": "text", "path": str(folder / "texts.csv"), "label": "label"}


def write_running_text(folder: Path) -> dict[str, Any]:
    """A source of running text."""
    (folder / "text.txt").write_text(rhyme(300))
    return {"kind": "text", "path": str(folder / "text.txt")}


@dataclass(frozen=True)
class Case:
    """A dataset and a model of it."""

    write: Callable[[Path], dict[str, Any]]
    """Writes what the source needs; gives the source."""
    task: dict[str, Any]
    model: dict[str, Any]
    prepare: dict[str, Any] = field(default_factory=dict)


def _arrays(content: str, **options: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda folder: write_arrays(folder, content, **options)


def _fixed(**source: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda folder: source


TABLE, REGRESSION = {"missing": "median"}, {"kind": "regression"}
FORECASTING = {"kind": "forecasting", "window": 6, "horizon": 3}
SMALLER = {"size": [6, 6], "channels": 1}
SUNSPOTS = _fixed(kind="statsmodels", name="sunspots")
MACRO = _fixed(kind="statsmodels", name="macrodata", columns=["realgdp", "infl", "unemp"])

CASES: dict[str, Case] = {
    "images": Case(_arrays("images"), {"kind": "image_classification"}, CNN),
    "resized images": Case(_arrays("images"), {"kind": "image_classification"}, CNN, SMALLER),
    "images as sequences": Case(_arrays("images"), {"kind": "sequence_classification"}, GRU),
    "several labels": Case(_arrays("images", several=True), {"kind": "image_classification", "multi_label": True}, CNN),
    "numbers of images": Case(_arrays("number_images"), REGRESSION, CNN),
    "sequences": Case(_arrays("sequences"), {"kind": "sequence_classification"}, MLP),
    "sequences of many lengths": Case(_fixed(**RAGGED), {"kind": "sequence_classification"}, GRU, FILLED),
    "numbers of sequences": Case(_fixed(**RAGGED, init_args={"numbers": True}), REGRESSION, MLP, FILLED),
    "texts": Case(write_texts, {"kind": "text_classification"}, GRU, {"max_length": 5}),
    "rows": Case(lambda folder: write_table(folder, target="what"), {"kind": "tabular_classification"}, MLP, TABLE),
    "rows without gaps": Case(
        lambda folder: write_table(folder, gaps=False, target="what"), {"kind": "tabular_classification"}, MLP
    ),
    "numbers of rows": Case(
        lambda folder: write_table(folder, target="cost", predict="number"), REGRESSION, MLP, TABLE
    ),
    "a series": Case(SUNSPOTS, FORECASTING, GRU),
    "a series step by step": Case(SUNSPOTS, {**FORECASTING, "strategy": "recursive"}, GRU),
    "quantiles of a series": Case(MACRO, {**FORECASTING, "targets": ["unemp"], "quantiles": [0.1, 0.5, 0.9]}, MLP),
    "running text": Case(write_running_text, LANGUAGE, GRU, {"tokenizer": {"kind": "character"}}),
    "a generator": Case(_arrays("images"), {"kind": "gan"}, {"kind": "gan", "latent": 4, "hidden": [8]}),
    "a generator of classes": Case(
        _arrays("images"), {"kind": "gan"}, {"kind": "gan", "latent": 4, "hidden": [8], "conditional": True}
    ),
}


class Made:
    """The files of a case in a folder: a dataset, a model that nobody trained, and what to use it with."""

    def __init__(self, folder: Path, case: Case):
        self.folder = folder
        source = case.write(folder)
        if source.get("kind") == "custom":
            source = {"content": "number_sequences" if "init_args" in source else "sequences", **source}
        self.spec = PrepareSpec.model_validate(
            {"dataset": "some", "source": source, "split": {"val": 0.2, "test": 0.25}, "prepare": case.prepare}
        )
        self.manifest_file = folder / "manifest.json"
        prepare(self.spec, self.manifest_file, folder / "preview.png", folder / "arrays", "", "none")
        self.manifest = Manifest.load(self.manifest_file)
        options, network = TypeAdapter(Task).validate_python(case.task), TypeAdapter(Model).validate_python(case.model)
        torch.manual_seed(0)
        weights = build_task(options, network, self.manifest.facts()).network.state_dict()
        self.model, self.record = folder / "model.ckpt", folder / "record.json"
        save_model(self.model, options, network, self.manifest.facts(), weights)
        content = {
            "experiment": "some",
            "seed": 3,
            "spec_digest": "5" * 16,
            "code_digest": "c" * 16,
            "run_key": "some/seed-3/1",
            "inputs": {"manifest": {"digest": self.manifest.digest}},
            "outputs": {"model": file_sha256(self.model)},
            "versions": {"torch": "2"},
            "git": {"commit": "abc", "dirty": False},
            "host": {"name": "here", "slurm": {"SLURM_JOB_ID": "17"}},
        }
        self.record.write_text(json.dumps(content))

    @cached_property
    def bundle(self) -> Path:
        self.write(self.folder / "bundle")
        return self.folder / "bundle"

    def write(self, folder: Path) -> None:
        write_bundle(folder, self.model, self.record, self.manifest_file)

    @cached_property
    def predictor(self) -> Predictor:
        return load_bundle(self.bundle, torch.device("cpu"))

    @property
    def trained(self) -> Any:
        """The model as the test loads it."""
        return load_model(self.model)

    def raw(self) -> Any:
        """What the source gives."""
        return resolve(self.spec.source.implementation)(self.spec)

    def rows(self) -> pd.DataFrame:
        """All raw rows."""
        return pd.concat(list(self.predictor.rows_of(self.raw())), ignore_index=True)
