"""A dataset's source read whole: no split, and without labels where there are none."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from snaketorch.config.datasets import Prepare, Split
from snaketorch.config.source_files import files_of
from snaketorch.config.sources import ImageFolderSource, Source, TableSource, TextSource, VideoFolderSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.corpus import PIECE_CHARACTERS
from snaketorch.data.raw.texts import RawCorpus
from snaketorch.data.sources.class_folders import read_class_folders
from snaketorch.errors import DataError
from snaketorch.implementation import resolve
from snaketorch.inference.predictor import Predictor
from snaketorch.inference.reading.cells import Cells, classes_of, numbers_of
from snaketorch.inference.reading.files import ENDINGS, SampleFiles
from snaketorch.inference.reading.find import files_in
from snaketorch.inference.reading.part import PART_BYTES, PART_ROWS, SOURCE, TRUTH, Chain, Part, Read, Reading
from snaketorch.inference.reading.table import Table, open_rows

log = logging.getLogger(__name__)

NEARLY_ALL = 0.999999
"""Share of samples that may be bad where the source is asked: how many may, the predictions say."""


def read_dataset(name: str, source: Source, predictor: Predictor, keep: Sequence[str]) -> Reading:
    """The samples that ``source`` gives, for ``predictor``; what is true of each, where that is known, as `truth`.

    Files of rows, images and videos are read here, as samples without labels are too; all others by the source itself.

    Args:
        name: Of the dataset.
        source: Where its samples come from.
        predictor: Of the model.
        keep: Columns to carry along.

    Raises:
        DataError: The files are not what they should be, or have no such columns.
    """
    if isinstance(source, TableSource):
        convert = classes_of if source.predict == "class" else numbers_of
        return _tables(source, predictor, keep, source.target, {}, convert)
    if isinstance(source, TextSource) and source.label is not None:
        return _tables(source, predictor, keep, source.label, {"text": source.text}, classes_of)
    if keep:
        raise DataError(f"predict.keep: source '{source.kind}' has no columns to carry along; allowed: to leave it out")
    if isinstance(source, ImageFolderSource | VideoFolderSource):
        (column,) = predictor.inputs
        return _folders(Path(source.path), column.name)
    prepare = Prepare.model_validate(predictor.prepare.get("prepare", {}))
    lenient = prepare.model_copy(update={"on_bad_sample": "skip", "max_bad_share": NEARLY_ALL})
    raw = resolve(source.implementation)(PrepareSpec(dataset=name, source=source, split=Split(), prepare=lenient))
    return RawSamples(raw, predictor, [Path(path) for _, path in files_of(source, Path.cwd())])


class RawSamples:
    """What a source gives, some rows at a time; what is not needed any more is read again all the same."""

    def __init__(self, raw: Any, predictor: Predictor, files: Sequence[Path]):
        self.files, self._raw, self._predictor = files, raw, predictor
        if isinstance(raw, RawCorpus):
            self.most_rows = raw.characters // PIECE_CHARACTERS + 1
        else:
            counted = next(name for name in ("labels", "target", "values") if hasattr(raw, name))
            looks_back = predictor.task.options.window - 1 if counted == "values" else 0
            self.most_rows = len(getattr(raw, counted)) - looks_back

    def parts(self) -> Iterator[Read]:
        names = [column.name for column in self._predictor.inputs]
        for rows in _of_bounded_size(self._predictor.rows_of(self._raw)):
            yield lambda rows=rows: Part(rows[names], rows[[name for name in _beside(rows) if name not in names]])


def _beside(rows: pd.DataFrame) -> list[str]:
    return [SOURCE, *(name for name in rows.columns if name != SOURCE)]


def _of_bounded_size(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """The same rows, in frames that are neither small nor too large for the memory."""
    waiting: list[pd.DataFrame] = []
    count = size = 0
    for frame in frames:
        waiting.append(frame)
        count += len(frame)
        size += sum(getattr(cell, "nbytes", 0) for cell in frame.iloc[:, 0])
        if count >= PART_ROWS or size > PART_BYTES:
            yield pd.concat(waiting, ignore_index=True)
            waiting, count, size = [], 0, 0
    if waiting:
        yield pd.concat(waiting, ignore_index=True)


def _tables(
    source: TableSource | TextSource,
    predictor: Predictor,
    keep: Sequence[str],
    truth: str,
    called: Mapping[str, str],
    convert: Callable[[Cells], list[Any]],
) -> Reading:
    readings = []
    for path in filter(None, (source.path, source.test_path)):
        columns = list(keep)
        if truth in open_rows(Path(path)).columns:
            columns.append(TRUTH)
        else:
            log.info("%s has no column '%s': nothing is known of what is true", path, truth)
        names = {**called, TRUTH: truth}
        readings.append(Table(Path(path), predictor.inputs, columns, called=names, convert={TRUTH: convert}))
    return Chain(readings)


def _folders(root: Path, column: str) -> SampleFiles:
    """The files below ``root``, with their classes where all of them lie in one folder a class."""
    endings = ENDINGS[column]
    classes: dict[Path, str] = {}
    try:
        found = read_class_folders(root, endings, "images" if column == "image" else "videos")
        classes = {path: found.classes[label] for path, label in zip(found.paths, found.labels, strict=True)}
    except DataError as error:
        log.info("nothing is known of what is true: %s", error)
    files = files_in(root, endings)
    if not files:
        raise DataError(f"source.path: no file in '{root}' can be read; allowed: {', '.join(sorted(endings))}")
    beside = {TRUTH: [classes[path] for path in files]} if classes.keys() == set(files) else {}
    return SampleFiles(files, column, [path.relative_to(root).as_posix() for path in files], beside)
