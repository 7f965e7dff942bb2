"""The `.ts` format of the UCR and UEA archives: labelled sequences as text.

A header of lines that begin with `@`, then one case a line: its dimensions, each a list of values, and
last its class, with colons between; `?` is a missing value. `#` and `%` begin comments.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snaketorch.config.problems import did_you_mean, listed, shortened
from snaketorch.data.files.lines import read_lines
from snaketorch.errors import DataError

_MISSING = {"?", "NaN", "nan", "NAN"}


@dataclass(frozen=True, eq=False)
class TsFile:
    """All cases of a file."""

    values: list[np.ndarray]
    """Each float64, (steps, channels); NaN where a value is missing."""
    labels: np.ndarray
    """int64, (cases,), indices into ``classes``."""
    classes: tuple[str, ...]
    """In the order of the header."""
    lines: list[int]
    """Where each case stands, from 1."""


@dataclass(frozen=True)
class _Header:
    classes: tuple[str, ...]
    dimensions: int | None
    length: int | None
    """Of every case, where the header says it."""


def read_ts(path: Path) -> TsFile:
    """DataError when ``path`` is not such a file, or holds what cannot be learned to classify; names the line."""
    with closing(_lines(path)) as lines:
        cases = ((number, line) for number, line in lines if line and line[0] not in "#%")
        header = _read_header(path, cases)
        index = {name: position for position, name in enumerate(header.classes)}
        values, labels, numbers = [], [], []
        dimensions = header.dimensions
        for number, line in cases:
            try:
                *parts, label = line.split(":")
                label = label.strip()
                if dimensions is None:
                    dimensions = len(parts)
                if len(parts) != dimensions:
                    raise DataError(
                        f"{len(parts)} dimensions and a class; allowed: {dimensions} dimensions, then the class"
                    )
                if label not in index:
                    hint = did_you_mean(label, header.classes)
                    raise DataError(
                        f"class '{shortened(label)}' is not in the header{hint}; allowed: {listed(header.classes)}"
                    )
                values.append(_read_case(parts, header.length))
            except DataError as error:
                raise DataError(f"{path}:{number}: {error}") from None
            labels.append(index[label])
            numbers.append(number)
    if not values:
        raise DataError(f"{path}: there are no cases after @data; at least one of each class is needed")
    return TsFile(values, np.array(labels, np.int64), header.classes, numbers)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Each line with its number. DataError where it is no UTF-8 text."""
    for line in read_lines(path):
        if line.trouble:
            raise DataError(f"{path}:{line.number}: the line {line.trouble}; allowed: UTF-8 text")
        yield line.number, line.text.strip()


def _read_header(path: Path, lines: Iterator[tuple[int, str]]) -> _Header:
    """What stands before `@data`; ``lines`` goes on after it."""
    said: dict[str, tuple[int, list[str]]] = {}
    for number, line in lines:
        if not line.startswith("@"):
            raise DataError(f"{path}:{number}: '{shortened(line)}' stands before @data; allowed: header lines with @")
        key, *rest = line[1:].split() or [""]
        if key.lower() == "data":
            break
        said[key.lower()] = number, rest
    else:
        raise DataError(f"{path}: there is no line @data; a .ts file has a header, @data, and then one case a line")
    if _is_true(path, said, "timestamps"):
        raise DataError(
            f"{path}:{said['timestamps'][0]}: the values have times of their own (@timeStamps true), which are not "
            "read; allowed: @timeStamps false, with values alone"
        )
    if _is_true(path, said, "targetlabel"):
        raise DataError(
            f"{path}:{said['targetlabel'][0]}: the cases have a number as target (@targetLabel); allowed: classes "
            "(@classLabel true NAME NAME ...)"
        )
    if not _is_true(path, said, "classlabel"):
        raise DataError(f"{path}: the cases have no classes; needed: a line '@classLabel true NAME NAME ...'")
    number, (_, *classes) = said["classlabel"]
    if not classes or len(set(classes)) != len(classes):
        raise DataError(f"{path}:{number}: @classLabel has the classes '{' '.join(classes)}'; allowed: each class once")
    dimensions = _number(path, said, "dimensions" if "dimensions" in said else "dimension")
    if dimensions is None and _is_true(path, said, "univariate"):
        dimensions = 1
    # some archives tell the longest length of unequal cases
    length = _number(path, said, "serieslength") if _is_true(path, said, "equallength") else None
    return _Header(tuple(classes), dimensions, length)


def _is_true(path: Path, said: dict[str, tuple[int, list[str]]], key: str) -> bool:
    number, rest = said.get(key, (0, ["false"]))
    word = rest[0].lower() if rest else ""
    if word not in ("true", "false"):
        raise DataError(f"{path}:{number}: @{key} is '{word}'; allowed: true, false")
    return word == "true"


def _number(path: Path, said: dict[str, tuple[int, list[str]]], key: str) -> int | None:
    if key not in said:
        return None
    number, rest = said[key]
    if len(rest) != 1 or not rest[0].isdecimal() or not int(rest[0]):
        raise DataError(f"{path}:{number}: @{key} is '{' '.join(rest)}'; allowed: a whole number above 0")
    return int(rest[0])


def _read_case(parts: list[str], length: int | None) -> np.ndarray:
    """(steps, dimensions)."""
    channels = [_read_dimension(part, position) for position, part in enumerate(parts, start=1)]
    if not channels:
        raise DataError("there is a class alone; allowed: values, then a colon, then the class")
    for position, channel in enumerate(channels, start=1):
        if len(channel) != len(channels[0]):
            raise DataError(
                f"dimension {position} has {len(channel)} values, dimension 1 has {len(channels[0])}; "
                "allowed: one length in a case"
            )
    if length is not None and len(channels[0]) != length:
        raise DataError(f"{len(channels[0])} values in a dimension, but @seriesLength says {length}")
    return np.stack(channels, axis=1)


def _read_dimension(text: str, position: int) -> np.ndarray:
    words = [word.strip() for word in text.split(",")]
    try:
        values = np.array([float("nan") if word in _MISSING else float(word) for word in words])
    except ValueError:
        values = None
    if values is None or np.isinf(values).any():
        row = next(row for row, word in enumerate(words) if not _is_value(word))
        raise DataError(
            f"value {row + 1} of dimension {position} is '{shortened(words[row])}'; allowed: finite numbers, "
            "or ? where one is missing"
        )
    return values


def _is_value(word: str) -> bool:
    try:
        return word in _MISSING or bool(np.isfinite(float(word)))
    except ValueError:
        return False
