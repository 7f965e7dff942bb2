"""Files in one folder a class, which may lie in folders of their own for train, val and test."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snaketorch.data.quality.report import Finding
from snaketorch.data.shown_names import shown
from snaketorch.data.sources.left_aside import examine_aside, say_endings
from snaketorch.errors import DataError

PART_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""Folders of a split, in small letters."""
LITTER = frozenset({"thumbs.db", "desktop.ini"})
"""What desktops leave behind, besides hidden files; lower case."""


@dataclass(frozen=True)
class ClassFolders:
    """Samples in a fixed order: by part, class, then name."""

    paths: list[Path]
    names: list[str]
    """Relative to the folder: `train/cat/17.jpg`."""
    labels: np.ndarray
    """int64, (samples,)."""
    classes: tuple[str, ...]
    """Sorted by name."""
    given: dict[str, np.ndarray]
    """Rows of val and test, where they have folders of their own."""
    findings: list[Finding]
    """Of files that are no samples."""


def read_class_folders(root: Path, suffixes: Collection[str], things: str) -> ClassFolders:
    """Lists the files below ``root`` that end in one of ``suffixes``; ``things`` are they in messages.

    Hidden files are not seen; others that are no samples are left aside, and said in the log and in
    ``findings``. DataError when there are no classes, or a class is empty or missing in a part.
    """
    if not root.is_dir():
        raise DataError(f"source.path: '{root}' is no folder; allowed: a folder with one folder a class")
    allowed = ", ".join(sorted(suffixes))
    aside: list[str] = []
    parts = _parts(root, aside)
    members = {split: _classes(root, folder, suffixes, aside) for split, folder in parts.items()}
    classes = sorted(set().union(*members.values()))
    if not classes:
        raise DataError(
            f"source.path: '{root}' has no folders; allowed: one folder a class, or folders train, val and test "
            "with such folders inside"
        )
    for split, found in members.items():
        place = _shown(parts[split], root)
        for name in classes:
            if name not in found:
                others = ", ".join(_shown(parts[other], root) for other in parts if name in members[other])
                raise DataError(
                    f"there is no folder '{place}{shown(name)}', but one in {others}; every part needs each class"
                )
            if not found[name]:
                inside = [other for other in aside if other.startswith(f"{place}{shown(name)}/")]
                what = f"in it are {say_endings(inside)}" if inside else "it is empty"
                raise DataError(
                    f"folder '{place}{shown(name)}' has no {things}: {what}; every class needs some; allowed: {allowed}"
                )
    return _join(root, members, classes, examine_aside(aside, things, allowed))


def _parts(root: Path, aside: list[str]) -> dict[str, Path]:
    """Folders that hold the class folders, by split; ``root`` alone, as train, where parts are not kept apart."""
    named: dict[str, Path] = {}
    folders = [entry for entry in _visible(root) if entry.is_dir()]
    found = [entry.name for entry in folders if entry.name.lower() in PART_NAMES]
    others = [entry.name for entry in folders if entry.name not in found]
    with_classes = [name for name in found if _holds_folders(root / name)]
    if not found or (others and not with_classes):
        return {"train": root}  # a class may be called "test"
    if others:
        raise DataError(
            f"source.path: '{root}' has folders {', '.join(sorted(found))} beside {', '.join(map(repr, others))}; "
            "allowed: parts (train, val, test), or classes, but not both"
        )
    if bare := set(found) - set(with_classes):
        raise DataError(
            f"source.path: '{root}/{min(bare)}' looks like a part and holds no class folders; "
            "allowed: one folder a class inside each of train, val and test (move other files elsewhere)"
        )
    if "train" not in {PART_NAMES[name.lower()] for name in found}:
        raise DataError(
            f"source.path: '{root}' has {', '.join(sorted(found))} and no folder train; allowed: with one, "
            "or class folders alone"
        )
    for entry in folders:
        split = PART_NAMES[entry.name.lower()]
        if split in named:
            raise DataError(f"source.path: '{root}' has both {named[split].name} and {entry.name}; allowed: one")
        named[split] = root / entry.name
    aside += [shown(entry.name) for entry in _visible(root) if not entry.is_dir()]
    return {split: named[split] for split in ("train", "val", "test") if split in named}


def _holds_folders(folder: Path) -> bool:
    return any(entry.is_dir() for entry in _visible(folder))


def _classes(root: Path, folder: Path, suffixes: Collection[str], aside: list[str]) -> dict[str, list[Path]]:
    """The files of each class folder, which may lie in folders below it."""
    found: dict[str, list[Path]] = {}
    for entry in _visible(folder):
        path = folder / entry.name
        if not entry.is_dir():
            aside.append(_name(path, root))
            continue
        found[entry.name] = []
        for file in _files(path):
            if file.suffix.lower() in suffixes:
                found[entry.name].append(file)
            else:
                aside.append(_name(file, root))
    return found


def _files(folder: Path, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Path]:
    """All files below ``folder``; ``above``: device and inode of the folders that it lies in."""
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in above:
        raise DataError(f"source.path: '{folder}' is a link to a folder that it lies in; allowed: links elsewhere")
    for entry in _visible(folder):
        if entry.is_dir():
            yield from _files(folder / entry.name, above | {here})
        else:
            yield folder / entry.name


def _visible(folder: Path) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            seen = [entry for entry in entries if not entry.name.startswith(".") and entry.name.lower() not in LITTER]
        for entry in seen:
            entry.is_dir()  # fails here for a link to itself, and is remembered for all others
    except OSError as error:
        raise DataError(f"source.path: '{error.filename or folder}' cannot be read: {error.strerror}") from error
    return sorted(seen, key=lambda entry: entry.name)


def _shown(folder: Path, root: Path) -> str:
    return "" if folder == root else f"{folder.name}/"


def _name(path: Path, root: Path) -> str:
    return shown(path.relative_to(root).as_posix())


def _join(
    root: Path, members: dict[str, dict[str, list[Path]]], classes: list[str], findings: list[Finding]
) -> ClassFolders:
    paths: list[Path] = []
    labels: list[int] = []
    given: dict[str, np.ndarray] = {}
    for split, found in members.items():
        first = len(paths)
        for label, name in enumerate(classes):
            paths += found[name]
            labels += [label] * len(found[name])
        if split != "train":
            given[split] = np.arange(first, len(paths))
    return ClassFolders(
        paths=paths,
        names=[_name(path, root) for path in paths],
        labels=np.array(labels, np.int64),
        classes=tuple(map(shown, classes)),
        given=given,
        findings=findings,
    )
