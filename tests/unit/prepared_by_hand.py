"""Prepared datasets written without a preparer, for tests of what comes after preparation."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from snaketorch.config.contents import (
    IMAGES,
    NUMBER_IMAGES,
    NUMBER_ROWS,
    NUMBER_SEQUENCES,
    ROWS,
    SEQUENCES,
    SERIES,
    TEXTS,
)
from snaketorch.data.manifest import FORMAT, SPLITS, SplitFiles, content_digest
from snaketorch.data.store import Store

COUNTS = {"train": 60, "val": 20, "test": 20}


def write_manifest(folder: Path, provides: str, fields: dict, arrays: dict[str, dict], classes: tuple) -> Path:
    """The manifest of a dataset of these ``arrays``, by split and field; the last field has a row for each sample."""
    (folder / "arrays").mkdir(parents=True)
    store = Store(folder / "arrays", "arrays")
    for split in SPLITS:
        for name, array in arrays[split].items():
            store.write(split, name, array)
    splits = {split: SplitFiles(len([*arrays[split].values()][-1]), store.arrays[split]) for split in SPLITS}
    content = {
        "format": FORMAT,
        "dataset": folder.name,
        "provides": provides,
        "digest": content_digest(fields, classes, splits, {}),
        "fields": fields,
        "splits": {split: dataclasses.asdict(files) for split, files in splits.items()},
        "spec": {},
        "classes": classes,
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps(content))
    return path


def answer(label: np.ndarray, numbers: bool) -> dict[str, np.ndarray]:
    """The last field of a split: classes, or the same as ``numbers``."""
    return {"target": label.astype(np.float32)} if numbers else {"label": label}


def answer_field(numbers: bool) -> dict[str, dict]:
    """Half of the training samples are of either class."""
    statistics = {"mean": 0.5, "std": 0.5}
    target = {"dtype": "float32", "shape": [], "name": "what", "statistics": statistics}
    return {"target": target} if numbers else {"label": {"dtype": "int64", "shape": []}}


def write_images(folder: Path, shape=(1, 8, 8), numbers: bool = False) -> Path:
    """Images of two classes, or two ``numbers``, the second brighter."""
    random, arrays = np.random.default_rng(0), {}
    for split, count in COUNTS.items():
        label = np.arange(count) % 2
        noise = random.integers(0, 160, (count, *shape))
        arrays[split] = {"image": (noise + 90 * label[:, None, None, None]).astype(np.uint8), **answer(label, numbers)}
    fields = {"image": image_field(arrays["train"]["image"]), **answer_field(numbers)}
    if numbers:
        return write_manifest(folder, NUMBER_IMAGES, fields, arrays, ())
    return write_manifest(folder, IMAGES, fields, arrays, ("dark", "bright"))


def image_field(training: np.ndarray) -> dict:
    """With the statistics of the ``training`` images (N, C, H, W)."""
    pixels = training / 255
    statistics = {name: getattr(pixels, name)((0, 2, 3)).tolist() for name in ("mean", "std")}
    return {"dtype": "uint8", "shape": list(training.shape[1:]), "statistics": statistics}


def write_scenes(folder: Path, shape=(1, 8, 8)) -> Path:
    """Images of two labels, each of which applies or not: the upper half is brighter, and the lower half is."""
    random, arrays = np.random.default_rng(0), {}
    for split, count in COUNTS.items():
        label = random.integers(0, 2, (count, 2))
        bright = label.repeat(shape[1] // 2, axis=1)[:, None, :, None]
        arrays[split] = {
            "image": (random.integers(0, 160, (count, *shape)) + 90 * bright).astype(np.uint8),
            "label": label,
        }
    fields = {"image": image_field(arrays["train"]["image"]), "label": {"dtype": "int64", "shape": [2]}}
    return write_manifest(folder, IMAGES, fields, arrays, ("top", "bottom"))


def write_sequences(folder: Path, ragged: bool = True, channels: int = 2, numbers: bool = False) -> Path:
    """Sequences of two classes, or two ``numbers``; the second rises. Of 3 to 20 steps where ``ragged``, else 12."""
    random, arrays = np.random.default_rng(0), {}
    for split, count in COUNTS.items():
        label, lengths = np.arange(count) % 2, random.integers(3, 21, count) if ragged else np.full(count, 12)
        parts = [
            7 + random.normal(size=(length, channels)) + rises * np.arange(length)[:, None]
            for length, rises in zip(lengths, label, strict=True)
        ]
        values = (np.concatenate if ragged else np.stack)(parts).astype(np.float32)
        starts = {"value_start": np.concatenate([[0], np.cumsum(lengths)])} if ragged else {}
        arrays[split] = {"value": values, **starts, **answer(label, numbers)}
    rows = arrays["train"]["value"].reshape(-1, channels)
    statistics = {name: getattr(rows, name)(0).tolist() for name in ("mean", "std")}
    value = {"dtype": "float32", "shape": [None if ragged else 12, channels], "statistics": statistics}
    fields = {"value": value | ({"longest": 20} if ragged else {}), **answer_field(numbers)}
    if numbers:
        return write_manifest(folder, NUMBER_SEQUENCES, fields, arrays, ())
    return write_manifest(folder, SEQUENCES, fields, arrays, ("flat", "rising"))


def write_texts(folder: Path) -> Path:
    """Texts of two classes, with words of their own, of 3 to 12 tokens."""
    random, arrays = np.random.default_rng(0), {}
    for split, count in COUNTS.items():
        label, lengths = np.arange(count) % 2, random.integers(3, 13, count)
        tokens = [
            random.integers(2 + 4 * what, 6 + 4 * what, length) for what, length in zip(label, lengths, strict=True)
        ]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        arrays[split] = {"token": np.concatenate(tokens).astype(np.int32), "token_start": starts, "label": label}
    token = {"dtype": "int32", "shape": [None], "longest": 12, "vocabulary_size": 10, "padding": 0, "unknown": 1}
    return write_manifest(folder, TEXTS, {"token": token, **answer_field(False)}, arrays, ("low", "high"))


def write_rows(folder: Path, numbers: bool = False) -> Path:
    """Rows of two classes, or two ``numbers``: one column is larger, and one has another value, in the second."""
    random, arrays = np.random.default_rng(0), {}
    for split, count in COUNTS.items():
        label = np.arange(count) % 2
        number = random.normal(size=(count, 2)) + 2 * label[:, None] * [1, 0]
        category = np.stack([1 + label, random.integers(0, 4, count)], 1)
        arrays[split] = {
            "number": number.astype(np.float32),
            "category": category.astype(np.int32),
            **answer(label, numbers),
        }
    statistics = {name: getattr(arrays["train"]["number"], name)(0).tolist() for name in ("mean", "std")}
    fields = {
        "number": {"dtype": "float32", "shape": [2], "names": ["size", "noise"], "statistics": statistics},
        "category": {"dtype": "int32", "shape": [2], "names": ["a", "b"], "values": [["x", "y"], ["1", "2", "3"]]},
        **answer_field(numbers),
    }
    content, classes = (NUMBER_ROWS, ()) if numbers else (ROWS, ("small", "large"))
    return write_manifest(folder, content, fields, arrays, classes)


def write_series(folder: Path) -> Path:
    """A wave of 12 steps with a little noise, and one half as fast, as two channels."""
    random, arrays, start = np.random.default_rng(0), {}, 0
    for split, count in COUNTS.items():
        steps = np.arange(start, start + count)[:, None]
        wave = np.sin(2 * np.pi * steps / [12, 24]) + 0.05 * random.normal(size=(count, 2))
        arrays[split], start = {"value": wave.astype(np.float32)}, start + count
    statistics = {name: getattr(arrays["train"]["value"], name)(0).tolist() for name in ("mean", "std")}
    value = {"dtype": "float32", "shape": [2], "names": ["fast", "slow"], "statistics": statistics}
    return write_manifest(folder, SERIES, {"value": value}, arrays, ())
