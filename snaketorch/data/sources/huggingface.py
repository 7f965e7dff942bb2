"""Datasets of the Hugging Face hub, of its local cache, or of a folder that `save_to_disk` wrote.

`HF_HUB_OFFLINE=1` keeps to the cache, `HF_HOME` says where it is.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from snaketorch.config.problems import did_you_mean, listed, shortened
from snaketorch.config.sources import HuggingfaceSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.decoding.pictures import Encoded
from snaketorch.data.raw.images import RawImages
from snaketorch.data.raw.texts import RawTexts
from snaketorch.data.readers import FileReader
from snaketorch.data.row_names import PlaceNames
from snaketorch.data.sources.columns import check_column
from snaketorch.errors import DataError, UserError

log = logging.getLogger(__name__)

_SPLITS = {"train": "train", "validation": "val", "valid": "val", "val": "val", "dev": "val", "test": "test"}
"""Names of splits on the hub, and what they are here."""
_TEXTS_AT_ONCE = 1000


def load(spec: PrepareSpec) -> RawImages | RawTexts:
    """The dataset that ``spec.source`` names, with the splits that it sets apart.

    DataError when it is not there, or its columns are not what is asked for; UserError without the package.
    """
    try:
        import datasets
    except ImportError as error:
        raise UserError(
            "source kind huggingface needs the package datasets: `pip install snaketorch[huggingface]`"
        ) from error
    options = spec.source
    splits = _splits(_open(datasets, options))
    column = options.input or ("image" if options.content == "images" else "text")
    parts, labels = {}, {}
    for name, part in splits.items():
        check_column("input", column, part.column_names, f"{options.path} ({name})")
        check_column("label", options.label, part.column_names, f"{options.path} ({name})")
        found = _labels(datasets, part, options, name)
        if found is None:
            log.info("%s of %s has no labels; it is left out", name, options.path)
            continue
        parts[name], labels[name] = part, found
    if not parts:
        raise DataError(f"{options.path}: no split has labels in '{options.label}'; samples need one")
    every, classes = _number(labels, options)
    samples = datasets.concatenate_datasets([_inputs(datasets, part, column, options) for part in parts.values()])
    ends = np.cumsum([0, *(len(part) for part in parts.values())])
    given = {
        _SPLITS[name]: np.arange(start, end) for name, start, end in zip(parts, ends[:-1], ends[1:], strict=True)
        if name in _SPLITS
    }  # fmt: skip
    labelled = {
        "labels": every,
        "classes": classes,
        "names": PlaceNames(*((f"{name} row", range(len(part))) for name, part in parts.items())),
        "given": given if set(given) - {"train"} else {},
    }
    if options.content == "images":
        return RawImages(reader=FileReader(_Files(samples, column)), **labelled)
    return RawTexts(texts=lambda: _texts(samples, column), **labelled)


def _open(datasets: Any, options: HuggingfaceSource) -> Any:
    if Path(options.path).is_dir():
        try:
            return datasets.load_from_disk(options.path)
        except (FileNotFoundError, ValueError, OSError) as error:
            raise DataError(
                f"{options.path}: this folder was not written by save_to_disk, or is not whole: "
                f"{shortened(str(error), 200)}"
            ) from error
    try:
        return datasets.load_dataset(options.path, name=options.name, revision=options.revision)
    except (OSError, ValueError, RuntimeError) as error:  # the hub's errors are of all these kinds
        configuration = f", configuration '{options.name}'" if options.name else ""
        raise DataError(
            f"{options.path}{configuration}: it is no folder here, and could not be had from the hub or its cache: "
            f"{shortened(str(error), 300)}. Without a network, set HF_HUB_OFFLINE=1 and load it once where there is "
            "one, or give a folder written by save_to_disk"
        ) from error


def _splits(opened: Any) -> dict[str, Any]:
    """By the dataset's own names; of several, those that are train, validation or test."""
    if not isinstance(opened, dict):
        return {"all": opened}
    known = {name: part for name, part in opened.items() if name in _SPLITS}
    others = [name for name in opened if name not in known]
    if not known and len(others) == 1:
        return dict(opened)
    if not known:
        raise DataError(f"the splits are {listed(others)}; allowed: {listed(_SPLITS)}")
    if others:
        log.info("left out: split %s; known are %s", listed(others), listed(_SPLITS))
    if len({_SPLITS[name] for name in known}) < len(known):
        raise DataError(f"the splits {listed(known)} are of one kind; allowed: one of train, validation and test each")
    return known


class _SplitLabels(NamedTuple):
    """Labels of one split."""

    values: np.ndarray
    """As they stand in its column."""
    names: tuple[str, ...] | None
    """Names of the classes that the values number; None when the values are the classes themselves."""


def _labels(datasets: Any, part: Any, options: HuggingfaceSource, split: str) -> _SplitLabels | None:
    """None for a split that has no labels."""
    feature = part.features[options.label]
    values = part.data.column(options.label) if part._indices is None else None
    found = values.to_pylist() if values is not None else list(part[options.label])
    kind = getattr(feature, "dtype", "")
    is_named = isinstance(feature, datasets.ClassLabel)
    if not is_named and kind not in ("string", "large_string", "bool") and not kind.startswith(("int", "uint")):
        raise DataError(
            f"{options.path} ({split}): '{options.label}' is {feature}; allowed: a column of classes, whole numbers "
            "or texts"
        )
    absent = [label is None or (is_named and label < 0) for label in found]
    if all(absent):
        return None
    if any(absent):
        raise DataError(f"{options.path} ({split}): row {absent.index(True)} has no label; every sample needs one")
    return _SplitLabels(np.array(found), tuple(feature.names) if is_named else None)


def _number(labels: Mapping[str, _SplitLabels], options: HuggingfaceSource) -> tuple[np.ndarray, tuple[str, ...]]:
    """Classes (int64) of all samples, split after split, and their names.

    Each split has names of its own, so the same number can be another class in the next one: they are brought
    together by name.
    """
    classes = tuple(dict.fromkeys(name for part in labels.values() for name in part.names or ()))
    if not classes:
        if len({part.values.dtype.kind for part in labels.values()}) > 1:
            kinds = ", ".join(f"{part.values.dtype} in {split}" for split, part in labels.items())
            raise DataError(f"{options.path}: '{options.label}' is {kinds}; allowed: labels of one kind in all splits")
        found, numbers = np.unique(np.concatenate([part.values for part in labels.values()]), return_inverse=True)
        return numbers.astype(np.int64), tuple(map(str, found))
    number_of = {name: number for number, name in enumerate(classes)}
    numbers = []
    for split, part in labels.items():
        found, rows = np.unique(part.values, return_inverse=True)
        names = [part.names[label] if part.names else str(label) for label in found]
        if unknown := [name for name in names if name not in number_of]:
            raise DataError(
                f"{options.path} ({split}): '{options.label}' is '{shortened(unknown[0])}', which is no class of the "
                f"other splits; allowed: {listed(classes)}{did_you_mean(unknown[0], classes)}"
            )
        numbers.append(np.array([number_of[name] for name in names], np.int64)[rows])
    return np.concatenate(numbers), classes


def _inputs(datasets: Any, part: Any, column: str, options: HuggingfaceSource) -> Any:
    """The column of samples alone; images not yet decoded."""
    feature = part.features[column]
    part = part.select_columns([column])
    if options.content == "images":
        if not isinstance(feature, datasets.Image):
            raise DataError(
                f"{options.path}: '{column}' is {feature}; allowed for `content: images`: a column of images"
            )
        return part.cast_column(column, datasets.Image(decode=False))
    if getattr(feature, "dtype", "") not in ("string", "large_string"):
        raise DataError(f"{options.path}: '{column}' is {feature}; allowed for `content: texts`: a column of texts")
    return part


class _Files(Sequence[Encoded]):
    """Files of images: their contents in Arrow files, or where they are. DataError for a row that has none."""

    def __init__(self, samples: Any, column: str):
        self._samples, self._column = samples, column

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, row: int) -> Encoded:
        image = self._samples[row][self._column]
        if image is None:
            raise DataError("there is no image; allowed: one a row")
        return Path(image["path"]) if image["bytes"] is None else image["bytes"]


def _texts(samples: Any, column: str) -> Iterator[str]:
    for batch in samples.iter(_TEXTS_AT_ONCE):
        yield from (text or "" for text in batch[column])
