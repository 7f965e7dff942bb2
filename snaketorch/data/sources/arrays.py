"""Samples that are arrays in `.npy`, `.npz`, `.pt` or HDF5 files."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from snaketorch.config.problems import did_you_mean, listed
from snaketorch.config.sources import ArraysSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.raw.images import Pixels, RawImages
from snaketorch.data.raw.rows import RawRows
from snaketorch.data.raw.sequences import RawSequences
from snaketorch.data.raw.series import RawSeries
from snaketorch.data.readers import PART_VALUES
from snaketorch.data.row_names import PlaceNames
from snaketorch.data.sources.array_files import ArrayFile
from snaketorch.data.sources.memory import check_memory
from snaketorch.errors import DataError

ROW_VALUE_BYTES = 40
"""Memory that a value of a row takes at the peak: as it is read, in a table, in the arrays."""
SERIES_VALUE_BYTES = 28
"""Memory that a value of a series takes at the peak: as it is read, filled, in the arrays."""
_MOST_CLASSES = 10_000

Raw = RawImages | RawSequences | RawRows | RawSeries


def load(spec: PrepareSpec) -> Raw:
    """What ``spec.source.content`` says the arrays are. DataError names the file, and the row where there is one."""
    options = spec.source
    file = ArrayFile(Path(options.path))
    samples = file.take(options.samples, "samples")
    if samples.dtype.kind not in "biuf":
        raise DataError(f"{file.path}: the samples are {samples.dtype}; allowed: numbers")
    if not samples.shape or 0 in samples.shape:  # None of HDF5's empty arrays
        raise DataError(f"{file.path}: the samples have the shape {samples.shape}; at least one value is needed")
    return _CONTENTS[options.content](options, file, samples)


def _load_images(options: ArraysSource, file: ArrayFile, samples: Any) -> RawImages:
    if len(samples.shape) not in (3, 4):
        raise _wrong_shape(file, samples, "(N, H, W), (N, H, W, C) or (N, C, H, W)")
    axis = 1 if options.channels == "first" else 3
    if len(samples.shape) == 4 and samples.shape[axis] not in (1, 3):
        other = "last" if options.channels == "first" else "first"
        raise DataError(
            f"{file.path}: the images have the shape {samples.shape}, so {samples.shape[axis]} channels; allowed: "
            f"1 or 3. Set `channels: {other}` if they are {other}"
        )
    if samples.dtype.kind in "iu" and samples.dtype != np.uint8:
        raise DataError(
            f"{file.path}: the images are {samples.dtype}; allowed: uint8 (0 to 255), floats from 0 to 1, or bool. "
            "Scale them to one of these"
        )
    return RawImages(
        reader=_Images(samples, is_channels_last=options.channels == "last"), **_answers(options, file, samples)
    )


def _load_sequences(options: ArraysSource, file: ArrayFile, samples: Any) -> RawSequences:
    if len(samples.shape) not in (2, 3):
        raise _wrong_shape(file, samples, "(N, T), (N, T, C) or (N, C, T)")
    is_first = len(samples.shape) == 3 and options.channels == "first"
    channels = 1 if len(samples.shape) == 2 else samples.shape[1 if is_first else 2]
    return RawSequences(
        values=_Sequences(samples, is_first),
        channels=_channel_names(channels),
        **_answers(options, file, samples),
    )


def _load_rows(options: ArraysSource, file: ArrayFile, samples: Any) -> RawRows:
    if len(samples.shape) not in (1, 2):
        raise _wrong_shape(file, samples, "(N, F)")
    _check_memory(file, samples, ROW_VALUE_BYTES)
    values = np.asarray(samples[:], np.float64).reshape(samples.shape[0], -1)
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        row, column = infinite[0]
        raise DataError(f"{file.path}: row {row}, column {column} is infinite; allowed: finite numbers, or NaN")
    columns = {
        f"column {index}": pa.array(column, pa.float64(), from_pandas=True) for index, column in enumerate(values.T)
    }
    if options.content == "rows":
        labels = _labels(options, file, samples)
        target, classes = labels["labels"], labels["classes"]
    else:
        target, classes = _numbers(options, file, len(samples)), ()
    return RawRows(
        table=pa.table(columns), target=target, target_name=options.labels or "target", classes=classes,
        names=_row_names(len(samples)),
    )  # fmt: skip


def _load_series(options: ArraysSource, file: ArrayFile, samples: Any) -> RawSeries:
    if len(samples.shape) not in (1, 2):
        raise _wrong_shape(file, samples, "(T,) or (T, C)")
    _check_memory(file, samples, SERIES_VALUE_BYTES)
    values = np.asarray(samples[:], np.float64).reshape(samples.shape[0], -1)
    names = _channel_names(values.shape[1])
    return RawSeries(values, names, ("",) * len(names), np.arange(len(values), dtype=np.float64), "row")


_CONTENTS: dict[str, Callable[[ArraysSource, ArrayFile, Any], Raw]] = {
    "images": _load_images,
    "number_images": _load_images,
    "sequences": _load_sequences,
    "number_sequences": _load_sequences,
    "rows": _load_rows,
    "number_rows": _load_rows,
    "series": _load_series,
}


class _Images:
    """Images of an array that is read in parts.

    uint8 as it is; bool becomes 0 and 255; floats from 0 to 1 become the nearest of 256 levels (half to even).
    """

    def __init__(self, samples: Any, is_channels_last: bool):
        self._samples, self._is_last = samples, is_channels_last
        count, *shape = samples.shape
        del count
        height, width, channels = (
            (*shape, 1) if len(shape) == 2 else shape if is_channels_last else (*shape[1:], shape[0])
        )
        self._shape = (channels, height, width)

    def shapes(self, rows: np.ndarray) -> Iterator[tuple[int, ...]]:
        return (self._shape for _ in range(len(rows)))

    def parts(self, rows: np.ndarray) -> Iterator[list[Pixels | Exception]]:
        count = max(1, PART_VALUES // int(np.prod(self._shape)))
        for start in range(0, len(rows), count):
            part = _read_rows(self._samples, rows[start : start + count])
            if part.ndim == 3:
                part = part[:, None]
            elif self._is_last:
                part = part.transpose(0, 3, 1, 2)
            yield [_as_uint8(image) for image in part]


def _as_uint8(image: np.ndarray) -> Pixels | DataError:
    if image.dtype == np.uint8:
        return image
    if image.dtype.kind == "b":
        return image.astype(np.uint8) * np.uint8(255)
    wrong = np.argwhere(~((image >= 0) & (image <= 1)))  # NaN is neither
    if len(wrong):
        channel, y, x = wrong[0]
        return DataError(
            f"the value at row {y}, column {x}, channel {channel} is {image[channel, y, x]:g}; allowed: floats from 0 "
            "to 1, or uint8 from 0 to 255"
        )
    return np.rint(image.astype(np.float32) * 255).astype(np.uint8)


class _Sequences(Sequence[np.ndarray]):
    """Sequences of an array, each (steps, channels), read as they are asked for."""

    def __init__(self, samples: Any, is_channels_first: bool):
        self._samples, self._is_first = samples, is_channels_first

    def __len__(self) -> int:
        return self._samples.shape[0]

    def __getitem__(self, row: int) -> np.ndarray:
        values = np.asarray(self._samples[row])
        values = values.T if self._is_first else values.reshape(len(values), -1)
        return values.astype(np.float64 if values.dtype.kind in "iu" or values.dtype.itemsize > 4 else np.float32)


def _read_rows(samples: Any, rows: np.ndarray) -> np.ndarray:
    """``samples[rows]``, also of HDF5, which takes rising rows only and is slow for single ones."""
    unique, inverse = np.unique(rows, return_inverse=True)
    first, last = int(unique[0]), int(unique[-1])
    if last - first < 2 * len(unique):
        return np.asarray(samples[first : last + 1])[rows - first]
    return np.asarray(samples[unique])[inverse]


def _find_labels(options: ArraysSource, file: ArrayFile, count: int) -> tuple[np.ndarray, Path]:
    """The array of labels or numbers, one for each of ``count`` samples, and its file."""
    if options.labels_path is None and options.labels is None:
        others = f"; the arrays of {file.path} are {listed(file)}" if len(file) > 1 else ""
        raise DataError(
            f"source: there are no labels; allowed: `labels`, the name of an array, or `labels_path`{others}"
        )
    holder = file if options.labels_path is None else ArrayFile(Path(options.labels_path))
    labels = np.asarray(holder.take(options.labels, "labels")[()])
    can_be_several = options.content in ("images", "sequences")
    if can_be_several and labels.ndim == 2 and labels.shape[0] == count and labels.shape[1] > 1:
        return labels, holder.path
    if labels.shape not in ((count,), (count, 1)):
        several = f", or ({count}, labels) of a 0 or 1 for each of several labels" if can_be_several else ""
        raise DataError(
            f"{holder.path}: the labels have the shape {labels.shape}, the samples are {count}; allowed: ({count},)"
            f"{several}"
        )
    return labels.reshape(count), holder.path


def _several_labels(found: np.ndarray, path: Path) -> np.ndarray:
    if found.dtype.kind not in "biuf":
        raise DataError(f"{path}: the labels are {found.dtype}; allowed: 0 or 1 for each of several labels")
    odd = np.argwhere((found != 0) & (found != 1))  # NaN is neither
    if len(odd):
        row, label = odd[0]
        raise DataError(
            f"{path}: label {label} of row {row} is {found[row, label]:g} ({len(odd)} such values); allowed: 1 where "
            "it applies, else 0"
        )
    return found.astype(np.int64)


def _as_text(label: Any, row: int, path: Path) -> str:
    if not isinstance(label, bytes):
        return str(label)
    try:
        return label.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: the label of row {row} is {bytes(label)!r}, which is no UTF-8 (Latin-1?); allowed: UTF-8 text"
        ) from error


def _named(options: ArraysSource, count: int, path: Path) -> tuple[str, ...]:
    if options.classes is not None and len(options.classes) != count:
        raise DataError(
            f"{path}: there are {count} labels; allowed: as many names in source.classes, which has "
            f"{len(options.classes)}"
        )
    return tuple(options.classes or map(str, range(count)))


def _labels(options: ArraysSource, file: ArrayFile, samples: Any) -> dict[str, Any]:
    """What ``Labelled`` needs of classes."""
    found, path = _find_labels(options, file, samples.shape[0])
    names = _row_names(samples.shape[0])
    if found.ndim == 2:
        return {
            "labels": _several_labels(found, path),
            "classes": _named(options, found.shape[1], path),
            "names": names,
        }
    if found.dtype.kind in "SO":
        found = np.array([_as_text(text, row, path) for row, text in enumerate(found)])
    if found.dtype.kind == "f":
        odd = np.flatnonzero(~(np.isfinite(found) & (found == np.rint(found))))
        if odd.size:
            raise DataError(
                f"{path}: the label of row {odd[0]} is {found[odd[0]]:g}; allowed: whole numbers or texts as classes. "
                f"For numbers to tell, set `content: number_{options.content}`"
            )
        found = found.astype(np.int64)
    if found.dtype.kind not in "biuU":
        raise DataError(f"{path}: the labels are {found.dtype}; allowed: whole numbers or texts")
    if options.classes is None:
        unique, labels = np.unique(found.astype(np.int64) if found.dtype.kind == "b" else found, return_inverse=True)
        if len(unique) > _MOST_CLASSES:
            raise DataError(f"{path}: there are {len(unique)} classes; allowed: up to {_MOST_CLASSES}")
        return {"labels": labels.astype(np.int64), "classes": tuple(map(str, unique)), "names": names}
    classes = tuple(options.classes)
    if found.dtype.kind == "U":
        index = {name: number for number, name in enumerate(classes)}
        unknown = [(row, name) for row, name in enumerate(found.tolist()) if name not in index]
        if unknown:
            row, name = unknown[0]
            raise DataError(
                f"{path}: the label of row {row} is '{name}'{did_you_mean(name, classes)}; allowed (source.classes): "
                f"{listed(classes)}"
            )
        found = np.array([index[name] for name in found.tolist()])
    outside = np.flatnonzero((found < 0) | (found >= len(classes)))
    if outside.size:
        raise DataError(
            f"{path}: the label of row {outside[0]} is {found[outside[0]]} ({outside.size} such labels); "
            f"allowed: 0 to {len(classes) - 1}, for source.classes names {len(classes)}"
        )
    return {"labels": found.astype(np.int64), "classes": classes, "names": names}


def _answers(options: ArraysSource, file: ArrayFile, samples: Any) -> dict[str, Any]:
    """What ``Labelled`` needs: classes, or numbers."""
    if not options.content.startswith("number_"):
        return _labels(options, file, samples)
    count = samples.shape[0]
    told = {"labels": _numbers(options, file, count), "target_name": options.labels or "target"}
    return {**told, "names": _row_names(count)}


def _numbers(options: ArraysSource, file: ArrayFile, count: int) -> np.ndarray:
    found, path = _find_labels(options, file, count)
    if found.dtype.kind not in "biuf":
        raise DataError(f"{path}: the numbers to tell are {found.dtype}; allowed: numbers")
    odd = np.flatnonzero(~np.isfinite(found.astype(np.float64)))
    if odd.size:
        raise DataError(f"{path}: the number of row {odd[0]} is {found[odd[0]]}; allowed: finite numbers")
    return found.astype(np.float64)


def _channel_names(count: int) -> tuple[str, ...]:
    return ("value",) if count == 1 else tuple(f"channel {index}" for index in range(count))


def _row_names(count: int) -> PlaceNames:
    return PlaceNames(("row", range(count)))


def _check_memory(file: ArrayFile, samples: Any, value_bytes: int) -> None:
    size = math.prod(samples.shape)
    check_memory(f"{file.path}: {size:,} values", size * value_bytes)


def _wrong_shape(file: ArrayFile, samples: Any, allowed: str) -> DataError:
    return DataError(f"{file.path}: the samples have the shape {samples.shape}; allowed: {allowed}")
