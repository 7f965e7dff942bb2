"""Prepared datasets written without a preparer, for tests of what comes after preparation."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from snaketorch.config.contents import IMAGES, SEQUENCES
from snaketorch.data.manifest import FORMAT, SPLITS, SplitFiles, content_digest
from snaketorch.data.store import Store

COUNTS = {"train": 60, "val": 20, "test": 20}


def write_manifest(folder: Path, provides: str, fields: dict, arrays: dict[str, dict], classes: tuple) -> Path:
    """The manifest of a dataset of these ``arrays``, by split and field."""
    (folder / "arrays").mkdir(parents=True)
    store = Store(folder / "arrays", "arrays")
    for split in SPLITS:
        for name, array in arrays[split].items():
            store.write(split, name, array)
    splits = {split: SplitFiles(len(arrays[split]["label"]), store.arrays[split]) for split in SPLITS}
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


def write_images(folder: Path, shape=(1, 8, 8)) -> Path:
    """Images of two classes, the second brighter."""
    random, arrays = np.random.default_rng(0), {}
    for split, count in COUNTS.items():
        label = np.arange(count) % 2
        noise = random.integers(0, 160, (count, *shape))
        arrays[split] = {"image": (noise + 90 * label[:, None, None, None]).astype(np.uint8), "label": label}
    pixels = arrays["train"]["image"] / 255
    statistics = {name: getattr(pixels, name)((0, 2, 3)).tolist() for name in ("mean", "std")}
    fields = {
        "image": {"dtype": "uint8", "shape": list(shape), "statistics": statistics},
        "label": {"dtype": "int64", "shape": []},
    }
    return write_manifest(folder, IMAGES, fields, arrays, ("dark", "bright"))


def write_sequences(folder: Path, ragged: bool = True, channels: int = 2) -> Path:
    """Sequences of two classes, the second of which rises; of 3 to 20 steps where ``ragged``, else 12."""
    random, arrays = np.random.default_rng(0), {}
    for split, count in COUNTS.items():
        label, lengths = np.arange(count) % 2, random.integers(3, 21, count) if ragged else np.full(count, 12)
        parts = [
            7 + random.normal(size=(length, channels)) + rises * np.arange(length)[:, None]
            for length, rises in zip(lengths, label, strict=True)
        ]
        values = (np.concatenate if ragged else np.stack)(parts).astype(np.float32)
        starts = {"value_start": np.concatenate([[0], np.cumsum(lengths)])} if ragged else {}
        arrays[split] = {"value": values, **starts, "label": label}
    rows = arrays["train"]["value"].reshape(-1, channels)
    statistics = {name: getattr(rows, name)(0).tolist() for name in ("mean", "std")}
    value = {"dtype": "float32", "shape": [None if ragged else 12, channels], "statistics": statistics}
    fields = {"value": value | ({"longest": 20} if ragged else {}), "label": {"dtype": "int64", "shape": []}}
    return write_manifest(folder, SEQUENCES, fields, arrays, ("flat", "rising"))
