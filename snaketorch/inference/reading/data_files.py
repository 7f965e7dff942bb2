"""The files that a person gives to a model, read by what they are."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from snaketorch.config import contents
from snaketorch.data.files.open import FORMATS
from snaketorch.errors import DataError
from snaketorch.inference.predictor import Predictor
from snaketorch.inference.reading.cells import samples_of
from snaketorch.inference.reading.drawn import Seeds
from snaketorch.inference.reading.files import ENDINGS, SampleFiles
from snaketorch.inference.reading.find import find_files
from snaketorch.inference.reading.part import Chain, Reading
from snaketorch.inference.reading.series import TIME, Series
from snaketorch.inference.reading.table import Table, open_rows


def read_files(data: Sequence[str], predictor: Predictor, keep: Sequence[str], *, every_step: bool = False) -> Reading:
    """The samples in files, for ``predictor``.

    Args:
        data: Names of files and folders, and patterns.
        predictor: Of the model.
        keep: Columns of files of rows to carry along.
        every_step: Of a series, whether to forecast after each step that has enough before it, or after the last.

    Raises:
        DataError: There are no such files, or they do not hold what the model reads.
    """
    single = predictor.inputs[0].name if len(predictor.inputs) == 1 else ""
    alone = ENDINGS.get(single, frozenset())
    files = find_files(data, {*alone, *FORMATS})
    readings: list[Reading] = []
    for is_sample, some in groupby(files, lambda path: path.name.lower().endswith(tuple(alone)) if alone else False):
        if not is_sample:
            readings += [_rows(path, predictor, keep, every_step) for path in some]
        elif keep:
            raise DataError(f"--keep: {next(some)} has no columns to carry along; allowed: with files of rows alone")
        else:
            readings.append(SampleFiles(list(some), single))
    return Chain(readings)


def draw_samples(count: int, seed: int, predictor: Predictor) -> Seeds:
    """Seeds for a model that makes samples from nothing, from ``seed`` on. DataError when it does not."""
    names = [column.name for column in predictor.inputs]
    if "seed" not in names:
        raise DataError(f"the model needs data ({', '.join(names)}); allowed: --data FILES in place of --count")
    return Seeds(count, seed, predictor.facts["classes"] if "label" in names else None)


def _rows(path: Path, predictor: Predictor, keep: Sequence[str], every_step: bool) -> Reading:
    if predictor.kind == contents.SERIES and not _holds_histories(path, predictor):
        if keep:
            raise DataError(
                f"--keep: {path} is one series, of which only the time is carried along; allowed: no --keep"
            )
        source = predictor.prepare.get("source", {})
        return Series(
            path,
            predictor.facts["fields"]["value"]["names"],
            predictor.task.options.window,
            source.get("time") or TIME,
            fills=predictor.prepare.get("prepare", {}).get("missing") == "forward_fill",
            every_step=every_step,
        )
    return Table(path, predictor.inputs, keep, called=_called(path, predictor))


def _holds_histories(path: Path, predictor: Predictor) -> bool:
    """Whether each row of a file is a history of its own: nested lists in the column `value`."""
    file = open_rows(path)
    if "value" not in file.columns:
        return False
    (cells,) = next(file.chunks(["value"])).columns
    first = samples_of(predictor.inputs[0], cells[:1])
    return bool(first) and not isinstance(first[0], str | int | float | None)


def _called(path: Path, predictor: Predictor) -> dict[str, str]:
    """The column of texts has the name that it had in the training's file, where there is none called `text`."""
    name = predictor.prepare.get("source", {}).get("text")
    if name in (None, "text") or [column.name for column in predictor.inputs] != ["text"]:
        return {}
    columns = open_rows(path).columns
    return {"text": name} if "text" not in columns and name in columns else {}
