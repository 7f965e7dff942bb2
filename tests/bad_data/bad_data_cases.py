"""Data that must be refused, and with which words: cases as data, one runner.

``bad_data_good.py`` builds small datasets without problems, and each case in ``cases/*.yaml`` spoils one of them::

    - case: a text file called .jpg              # a name, for people
      of: pictures                               # what is spoiled
      write: {pictures/light/3.jpg: "Not found"}
      says: |
        light/3.jpg: it is no JPEG, PNG, WebP or BMP image, whatever its name says. ...

What a case can do, in this order, with paths below the study's folder:

    remove, folder, rename, link
    write       a whole text file; parts of a text may be repeated, as in bad_config
    bytes       a whole file, a character for each byte
    change      text by other text, which must stand in the file exactly once
    change_bytes    likewise; the new text has a character for each byte
    cut         a file, to so many of its first bytes
    zeros       a part of a file, from and to a byte, as a bad disk leaves it
    save        arrays or a picture, by file and name, each a Python expression; what it may use is in ``NAMES``
    source, split, prepare      keys of the dataset file; null leaves one out

and what must come of it: the message ``says``, after the name of the dataset, with ``{here}`` for the study's folder;
or ``skips``: the samples that are left out, and how many are ``kept``.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
import yaml
from bad_data_good import GOOD, IMAGES, LABELS, ROWS, SEQUENCES
from PIL import Image
from pyarrow import parquet

HERE = Path(__file__).parent

NAMES = {
    "np": np,
    "torch": torch,
    "images": IMAGES,
    "labels": LABELS,
    "rows": ROWS,
    "sequences": SEQUENCES,
    "put": lambda array, place, value: _put(array, place, value),
}


@dataclass(frozen=True)
class Case:
    name: str
    file: str
    of: str
    steps: Mapping[str, Any]

    @property
    def says(self) -> str:
        """The message that must be shown; empty where bad samples are left out."""
        return self.steps.get("says", "").strip()

    @property
    def skips(self) -> list[dict[str, str]]:
        return [{"sample": sample, "why": why} for sample, why in self.steps.get("skips", {}).items()]

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def read_cases() -> list[Case]:
    return [
        Case(steps.pop("case"), path.stem, steps.pop("of"), steps)
        for path in sorted(HERE.glob("cases/*.yaml"))
        for steps in yaml.safe_load(path.read_text("utf-8"))
    ]


CASES = read_cases()


def build(name: str, folder: Path) -> dict[str, Any]:
    """Writes a dataset without problems into ``folder``. The content of its dataset file."""
    before = Path.cwd()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    try:
        return GOOD[name]()
    finally:
        os.chdir(before)


def spoil(case: Case, dataset: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Does to the files in ``folder``, and to their ``dataset`` file, what ``case`` says. The new dataset file."""
    steps = case.steps
    for name in steps.get("remove", []):
        shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()
    for name in steps.get("folder", []):
        (folder / name).mkdir(parents=True)
    for file, name in steps.get("rename", {}).items():
        (folder / file).rename(folder / name)
    for file, target in steps.get("link", {}).items():
        (folder / file).symlink_to(target)
    for file, text in steps.get("write", {}).items():
        (folder / file).write_text(_text(text), "utf-8")
    for file, text in steps.get("bytes", {}).items():
        (folder / file).write_bytes(text.encode("latin-1"))
    for file, changes in steps.get("change", {}).items():
        _rewrite(folder / file, changes, "utf-8")
    for file, changes in steps.get("change_bytes", {}).items():
        _rewrite(folder / file, changes, "latin-1")
    for file, count in steps.get("cut", {}).items():
        content = (folder / file).read_bytes()
        assert count < len(content), f"{file} has only {len(content)} bytes"
        (folder / file).write_bytes(content[:count])
    for file, (start, end) in steps.get("zeros", {}).items():
        content = (folder / file).read_bytes()
        assert end < len(content), f"{file} has only {len(content)} bytes"
        (folder / file).write_bytes(content[:start] + bytes(end - start) + content[end:])
    for file, arrays in steps.get("save", {}).items():
        _save(folder / file, arrays)
    return {
        section: {
            key: value
            for key, value in {**dataset.get(section, {}), **steps.get(section, {})}.items()
            if value is not None
        }
        for section in ("source", "split", "prepare")
    }


def _rewrite(file: Path, changes: Mapping[str, Any], encoding: str) -> None:
    content = file.read_bytes()
    for old, new in changes.items():
        assert content.count(old.encode()) == 1, f"{old!r} must stand in {file.name} once"
        content = content.replace(old.encode(), _text(new).encode(encoding))
    file.write_bytes(content)


def _text(parts: str | list[str | list[Any]]) -> str:
    if isinstance(parts, str):
        return parts
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)


def _save(path: Path, expressions: str | Mapping[str, str]) -> None:
    if isinstance(expressions, str):
        found = eval(expressions, NAMES)
    else:
        found = {name: eval(expression, NAMES) for name, expression in expressions.items()}
    if path.suffix == ".npy":
        np.save(path, found)
    elif path.suffix == ".npz":
        np.savez(path, **found)
    elif path.suffix == ".pt":
        torch.save(found, path)
    elif path.suffix == ".parquet":
        parquet.write_table(pa.table(found), path)
    elif path.suffix == ".png":
        Image.fromarray(found).save(path)
    elif path.suffix == ".h5":
        import h5py

        with h5py.File(path, "w") as file:
            for name, array in found.items():
                file[name] = array
    else:
        raise ValueError(f"{path.name}: not known how to write it")


def _put(array: np.ndarray, place: tuple[int, ...] | int, value: float) -> np.ndarray:
    """A copy with another value in one place."""
    changed = array.copy()
    changed[place] = value
    return changed
