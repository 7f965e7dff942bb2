"""Texts with labels from a file of rows, or running text from text files."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from snaketorch.config.sources import TextSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.bad_rows import BadRows
from snaketorch.data.class_names import ClassNames, check_classes
from snaketorch.data.files.open import open_table
from snaketorch.data.files.running_text import read_text
from snaketorch.data.files.tabular import TabularFile
from snaketorch.data.files.values import as_text, is_text, is_usable, plain
from snaketorch.data.quality.report import Finding
from snaketorch.data.raw.texts import RawCorpus, RawTexts
from snaketorch.data.row_names import PlaceNames
from snaketorch.data.shown_names import shown
from snaketorch.data.sources.columns import check_column
from snaketorch.data.sources.left_aside import examine_aside, say_endings
from snaketorch.errors import DataError

log = logging.getLogger(__name__)

PLAIN = (".txt", ".txt.gz")


def load(spec: PrepareSpec) -> RawTexts | RawCorpus:
    """The texts of ``spec.source``: labelled ones if it names a column of labels, else running text.

    Everything is read once here, to check it and to count; texts are not kept but read again when they
    are asked for.
    """
    return _corpus(spec.source) if spec.source.label is None else _labelled(spec)


def _labelled(spec: PrepareSpec) -> RawTexts:
    source: TextSource = spec.source
    files = [_open(source, key) for key in ("path", "test_path") if getattr(source, key) is not None]
    bad = BadRows(spec.prepare, source.path)
    classes = ClassNames()
    labels: list[int] = []
    places = []
    for index, file in enumerate(files):
        place = f"{file.path.name}, {file.place}" if index else file.place
        good = []
        for number, found in _rows(file, source):
            if isinstance(found, str):
                bad.add(f"{place} {number}", found)
            else:
                good.append(number)
                labels.append(classes.number(found[1]))
        places.append((place, np.array(good, np.int64)))
    counts = [len(numbers) for _, numbers in places]
    skipped = bad.settle(len(labels) + len(bad))
    for file, count in zip(files, counts, strict=True):
        if not count:
            raise DataError(f"{file.path}: there is no row below the header")
    numbers, names = classes.sort(np.array(labels, np.int64))
    has_test = source.test_path is not None
    check_classes(source.path, source.label, numbers, names, spec.split, has_test, "is it the right column?")
    log.info("%d texts, %d classes", len(labels), len(names))
    return RawTexts(
        labels=numbers,
        classes=names,
        names=PlaceNames(*places),
        given={"test": np.arange(counts[0], sum(counts))} if len(counts) > 1 else {},
        texts=lambda: (found[0] for file in files for _, found in _rows(file, source) if not isinstance(found, str)),
        skipped=skipped,
    )


def _open(source: TextSource, key: str) -> TabularFile:
    path = getattr(source, key)
    if Path(path).is_dir() or path.lower().endswith(PLAIN):
        raise DataError(
            f"source.{key}: {path} holds running text, which has no column '{source.label}'; allowed: to leave "
            "`label` out, or a file of rows"
        )
    file = open_table(path)
    for name, column in (("text", source.text), ("label", source.label)):
        check_column(name, column, file.columns, path)
    text, label = next(file.chunks([source.text, source.label])).columns
    if not is_text(plain(text).type):
        raise DataError(f"{path}: column '{source.text}' holds {text.type}; allowed: text")
    if not is_usable(plain(label).type):
        raise DataError(f"{path}: column '{source.label}' holds {label.type}; allowed: text or numbers")
    return file


def _rows(file: TabularFile, source: TextSource) -> Iterator[tuple[int, tuple[str, str] | str]]:
    """The place of each row, and its text and label or what is wrong with it."""
    for chunk in file.chunks([source.text, source.label]):
        texts, labels = (plain(column) for column in chunk.columns)
        good = zip(chunk.places.tolist(), texts.to_pylist(), as_text(labels).to_pylist(), strict=True)
        yield from sorted([*((place, _check(text, label, source)) for place, text, label in good), *chunk.bad])


def _check(text: str | None, label: str | None, source: TextSource) -> tuple[str, str] | str:
    if not text or text.isspace():
        return f"'{source.text}' is empty"
    return (text, label) if label else f"'{source.label}' is missing"


def _corpus(source: TextSource) -> RawCorpus:
    path = Path(source.path)
    findings: list[Finding] = []
    if path.is_dir() or source.path.lower().endswith(PLAIN):
        files, others = _text_files(path)
        findings = examine_aside(others, "text files", ", ".join(PLAIN))
        parts = partial(_joined, files)
    else:
        file = open_table(source.path)
        check_column("text", source.text, file.columns, source.path)
        parts = partial(_joined_rows, file, source.text)
    characters, blank = 0, True
    for part in parts():
        characters += len(part)
        blank = blank and not part.strip()
    if blank:
        raise DataError(f"{source.path}: there is nothing but white space; running text needs words")
    log.info("running text of %d characters", characters)
    return RawCorpus(parts=parts, characters=characters, findings=findings)


def _text_files(path: Path) -> tuple[list[Path], list[str]]:
    """The text files at ``path``, sorted by name, and the names of other files there."""
    if not path.is_dir():
        return [path], []
    # what begins with a dot is of the system or of an editor
    inside = [
        found
        for found in sorted(path.rglob("*"))
        if found.is_file() and not any(name.startswith(".") for name in found.relative_to(path).parts)
    ]
    files = [found for found in inside if found.name.lower().endswith(PLAIN)]
    others = [shown(found.relative_to(path).as_posix()) for found in inside if not found.name.lower().endswith(PLAIN)]
    if not files:
        there = f" (in it are {say_endings(others)})" if others else ""
        raise DataError(f"{path}: there is no text file in the folder{there}; allowed: files that end in .txt")
    return files, others


def _joined(files: Sequence[Path]) -> Iterator[str]:
    """The texts of files one after the other, a blank line between two."""
    for index, path in enumerate(files):
        last = ""
        for part in read_text(path):
            yield part
            last = part or last
        if index < len(files) - 1:
            yield "\n" if last.endswith("\n") else "\n\n"


def _joined_rows(file: TabularFile, column: str) -> Iterator[str]:
    """The texts of rows one after the other, each on a line of its own. DataError for a row without one."""
    for chunk in file.chunks([column]):
        texts = plain(chunk.columns[0])
        if not is_text(texts.type):
            raise DataError(f"{file.path}: column '{column}' holds {texts.type}; allowed: text")
        lost = [(place, why) for place, why in chunk.bad]
        rows = list(zip(chunk.places.tolist(), texts.to_pylist(), strict=True))
        lost += [(place, f"'{column}' is missing") for place, text in rows if text is None]
        if lost:
            place, why = min(lost)
            raise DataError(f"{file.path}, {file.place} {place}: {why}")
        yield "".join(f"{text}\n" for _, text in rows)
