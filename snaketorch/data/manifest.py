"""A prepared dataset as every later step sees it: a manifest and memory-mapped arrays.

The manifest is written last, so where it is, the arrays are whole; what it says about them is
checked before they are used.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import TypeAdapter, ValidationError

from snaketorch.errors import DataError
from snaketorch.provenance import digest, file_sha256

FORMAT = 1
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class StoredArray:
    """One field of one split."""

    file: str
    """Relative to the manifest's folder."""
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    """Size of the file."""
    sha256: str
    """Of the file."""


@dataclass(frozen=True)
class OtherFile:
    """A file beside the arrays, such as a tokenizer."""

    file: str
    """Relative to the manifest's folder."""
    sha256: str


@dataclass(frozen=True)
class SplitFiles:
    """One of train, val, test."""

    count: int
    """Samples, or steps of a series."""
    arrays: dict[str, StoredArray]
    """By field; all have ``count`` rows, but those of a field whose samples have lengths of their own: there
    `NAME` holds all samples one after the other, and `NAME_start` (count + 1) where each begins."""
    start: int | None = None
    """First row in the whole series; None where samples have no order."""
    class_counts: tuple[int, ...] | None = None
    """Samples of each class; None where there are none."""


@dataclass(frozen=True)
class Manifest:
    """What is in a prepared dataset. ``Manifest.load`` makes one."""

    path: Path
    """The file itself."""
    dataset: str
    provides: str
    """One of ``snaketorch.config.contents``: `labelled images`, `a time series`, ..."""
    digest: str
    """Stands for the content: arrays, fields with their statistics, classes."""
    fields: dict[str, dict[str, Any]]
    """By name: dtype and shape of one sample, and what is known of its values (training statistics, names, units).
    The first number of a shape is None where samples have lengths of their own."""
    splits: dict[str, SplitFiles]
    spec: dict[str, Any]
    """How it was prepared."""
    classes: tuple[str, ...] = ()
    """Empty where there are none."""
    files: dict[str, OtherFile] = field(default_factory=dict)
    """Files beside the arrays, by name."""
    report: dict[str, Any] = field(default_factory=dict)
    """What was found out about the data, see ``snaketorch.data.quality``."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """The manifest at ``path``. DataError when there is none or it cannot be read."""
        if not path.is_file():
            raise DataError(f"{path}: there is no such file; prepare the dataset: `snakemake -c1 {path}`")
        try:
            content = json.loads(path.read_text("utf-8"))
            if content.get("format") != FORMAT:
                raise ValueError(f"its format is {content.get('format')}; this version reads {FORMAT}")
            manifest = TypeAdapter(cls).validate_python({**content, "path": path})
            if set(manifest.splits) != set(SPLITS):
                raise ValueError(f"it has the splits {', '.join(manifest.splits)}; needed: {', '.join(SPLITS)}")
        except (ValueError, AttributeError) as error:
            raise DataError(f"{path}: this is no usable manifest: {_why(error)}; {_prepare_again(path)}") from error
        return manifest

    def arrays(self, split: str) -> dict[str, np.ndarray]:
        """The arrays of a split by field, memory-mapped and read-only.

        DataError when a file is not there, or its size, shape or dtype is not what the manifest says.
        """
        return {field: self._open(entry) for field, entry in self.splits[split].arrays.items()}

    def verify(self) -> None:
        """Compares every byte with what the manifest says. DataError when something differs."""
        for split, files in self.splits.items():
            self.arrays(split)
            for entry in files.arrays.values():
                self._check_bytes(entry.file, entry.sha256)
        for entry in self.files.values():
            self._check_bytes(entry.file, entry.sha256)
        if self.digest != content_digest(self.fields, self.classes, self.splits, self.files):
            raise DataError(f"{self.path}: the manifest was changed after it was written; {_prepare_again(self.path)}")

    def facts(self) -> dict[str, Any]:
        """What a trained model must remember of its data, as JSON: enough to use the model without the dataset."""
        return {
            "dataset": self.dataset,
            "provides": self.provides,
            "digest": self.digest,
            "fields": self.fields,
            "classes": list(self.classes),
            "class_counts": list(self.splits["train"].class_counts or ()),
            "training_samples": self.splits["train"].count,
            **{
                name: json.loads((self.path.parent / other.file).read_text("utf-8"))
                for name, other in self.files.items()
            },
        }

    def _check_bytes(self, file: str, sha256: str) -> None:
        path = self.path.parent / file
        if not path.is_file():
            raise DataError(f"{path}: there is no such file; {_prepare_again(self.path)}")
        if file_sha256(path) != sha256:
            raise DataError(f"{path}: the content is not what was prepared (SHA-256); {_prepare_again(self.path)}")

    def _open(self, entry: StoredArray) -> np.ndarray:
        path = self.path.parent / entry.file
        if not path.is_file():
            raise DataError(f"{path}: there is no such file; {_prepare_again(self.path)}")
        size = path.stat().st_size
        if size != entry.bytes:
            raise DataError(
                f"{path}: it has {size} bytes, the manifest says {entry.bytes}; {_prepare_again(self.path)}"
            )
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError) as error:
            raise DataError(f"{path}: it cannot be read ({error}); {_prepare_again(self.path)}") from error
        if array.shape != entry.shape or str(array.dtype) != entry.dtype:
            raise DataError(
                f"{path}: it holds {array.dtype} of shape {array.shape}, "
                f"the manifest says {entry.dtype} of shape {entry.shape}; {_prepare_again(self.path)}"
            )
        return array


def content_digest(
    fields: Mapping[str, Any],
    classes: tuple[str, ...],
    splits: Mapping[str, SplitFiles],
    files: Mapping[str, OtherFile],
) -> str:
    """16 hexadecimal digits that stand for the content of a dataset, wherever and whenever it was prepared."""
    return digest(
        {
            "fields": fields,
            "classes": list(classes),
            "arrays": {
                split: {field: entry.sha256 for field, entry in whole.arrays.items()} for split, whole in splits.items()
            },
            "files": {name: entry.sha256 for name, entry in sorted(files.items())},
        }
    )


def _prepare_again(manifest: Path) -> str:
    return f"prepare the dataset again: `snakemake -c1 --forcerun prepare_dataset -- {manifest}`"


def _why(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg'][0].lower()}{first['msg'][1:]}"
