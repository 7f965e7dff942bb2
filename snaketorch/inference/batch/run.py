"""Predictions of all rows of a reading: in parts, resumable, bad rows apart."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from snaketorch.config.predict import MAX_BAD_SHARE
from snaketorch.data.progress import Progress
from snaketorch.errors import DataError, InUse
from snaketorch.hardware.precision import device_name
from snaketorch.inference.batch.output import check_name, publish
from snaketorch.inference.batch.parts import Parts, changed, stamps
from snaketorch.inference.batch.table import table_of, to_json
from snaketorch.inference.predictor import ROW, Predictor
from snaketorch.inference.reading.part import SOURCE, Part, Reading, Unreadable
from snaketorch.publish import write_text
from snaketorch.state.folder import clear
from snaketorch.state.lock import sole_writer

log = logging.getLogger(__name__)

MOST_TO_TELL = 5


@dataclass(frozen=True)
class Options:
    """How rows are predicted, and what is done about bad ones."""

    on_bad_row: Literal["report", "fail"] = "report"
    max_bad_share: float = MAX_BAD_SHARE
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Of the model, for all rows."""
    restart: bool = False
    """Whether what an earlier run left half done is thrown away."""
    needs_a_good_row: bool = True
    """Whether it is an error when no row at all can be predicted."""


@dataclass(frozen=True)
class Done:
    """What came of it."""

    rows: int
    """Good ones."""
    bad: Sequence[Unreadable]
    seconds: float
    """Of this run."""
    rows_now: int
    """Good and bad ones that this run predicted, and no earlier one."""


def predict_in_parts(
    predictor: Predictor,
    reading: Reading,
    *,
    out: Path,
    bad: Path,
    state: Path,
    depends_on: Mapping[str, Any],
    options: Options | None = None,
) -> Done:
    """Publishes what the model says of every row, in their order: `source`, what is carried along, its answers.

    Killed at any moment and called again, it goes on after the last whole part, and publishes the same file. When one
    of the files has changed meanwhile, or anything of ``depends_on``, it begins anew.

    Args:
        predictor: The model.
        reading: The rows.
        out: File to write; its ending says the format: `.parquet`, `.jsonl` or `.csv`.
        bad: JSON lines to write: `source` of each row that has no prediction, and `why`.
        state: Folder for what is done so far; gone in the end.
        depends_on: What the predictions depend on besides the files, as JSON: the model, the code.
        options: Otherwise as they stand there.

    Raises:
        DataError: Too many rows are bad, or all of them, or a file changed while it was read.
        InUse: Another process makes the same predictions.
        UserError: The name of ``out`` says no format.
    """
    options = options or Options()
    check_name(out)
    try:
        with sole_writer(state):
            done = _predict(predictor, reading, out, bad, state, depends_on, options)
            clear(state)
    except InUse as error:
        raise InUse(f"another run makes these predictions now; wait for it, or end it: {error}") from error
    speed = done.rows_now / max(done.seconds, 1e-9)
    log.info("%s: %s predicted in %.1f s, %.0f rows a second", out, _rows(done.rows), done.seconds, speed)
    if done.bad:
        log.warning("%s had no prediction; %s lists them", _rows(len(done.bad)), bad)
    return done


def _predict(
    predictor: Predictor,
    reading: Reading,
    out: Path,
    bad: Path,
    state: Path,
    depends_on: Mapping[str, Any],
    options: Options,
) -> Done:
    started, files = time.perf_counter(), stamps(reading.files)
    parts = Parts(state, {"files": files, **depends_on}, options.restart)
    before = parts.rows
    if parts.done:
        log.info("going on after %s that an earlier run predicted", _rows(before))
    log.info("predicting on %s", device_name(predictor.device))
    limits = _Limits(parts, options, reading.most_rows, bad)
    limits.check()
    progress = Progress(log, "predicted", "rows", max(1, reading.most_rows - before))
    done_before = parts.done
    for number, read in enumerate(reading.parts()):
        if number < done_before:
            continue
        part = read()
        parts.add(*_answered(predictor, part, options.parameters))
        limits.check()
        progress.add(len(part.samples) + len(part.unreadable))
    if file := changed(files, stamps(reading.files)):
        raise DataError(f"{file} has changed while it was read; run again, when nothing writes to it any more")
    limits.settle()
    publish(out, parts)
    limits.publish()
    seconds = time.perf_counter() - started
    return Done(parts.rows - len(parts.bad), parts.bad, seconds, parts.rows - before)


def _answered(predictor: Predictor, part: Part, parameters: Mapping[str, Any]) -> tuple[Any, list[Unreadable]]:
    """A part's predictions as a table, and its bad rows."""
    unreadable = list(part.unreadable)
    if len(part.samples):
        answers, wrong = predictor.predict_good(part.samples, parameters=parameters)
        unreadable += [Unreadable(part.beside[SOURCE].iloc[row.row], row.why) for row in wrong]
    else:
        answers = pd.DataFrame(columns=[ROW, *(column.name for column in predictor.outputs)])
    good = part.beside.iloc[answers[ROW].to_numpy(dtype="int64")]
    return table_of(good, answers, predictor.outputs), unreadable


class _Limits:
    """How many rows may be bad."""

    def __init__(self, parts: Parts, options: Options, most_rows: int, bad: Path):
        self._parts, self._options, self._most_rows, self._bad = parts, options, most_rows, bad

    def check(self) -> None:
        """DataError when more are bad than may be, however the rest is."""
        count = len(self._parts.bad)
        if count and self._options.on_bad_row == "fail":
            self._refuse(f"{_rows(count)} cannot be predicted")
        if count > self._options.max_bad_share * max(self._most_rows, self._parts.rows):
            self._refuse(f"{count} of {_rows(self._parts.rows)} so far cannot be predicted{self._allowed}")

    def settle(self) -> None:
        """DataError when more are bad than may be, or none is good, or there are no rows."""
        count, rows = len(self._parts.bad), self._parts.rows
        if count > self._options.max_bad_share * rows:
            self._refuse(f"{count} of {_rows(rows)} cannot be predicted{self._allowed}")
        if count == rows and (self._options.needs_a_good_row or not rows):
            self._refuse(f"none of {_rows(rows)} can be predicted")

    def publish(self) -> None:
        """The list of the bad rows; no file is left of another run's."""
        lines = [to_json({"source": row.source, "why": row.why}) for row in self._parts.bad]
        write_text(self._bad, "".join(f"{line}\n" for line in lines))

    @property
    def _allowed(self) -> str:
        return f", and max_bad_share allows {self._options.max_bad_share:.2%}"

    def _refuse(self, said: str) -> None:
        self.publish()
        bad = self._parts.bad
        told = "; ".join(f"{row.source}: {row.why}" for row in bad[:MOST_TO_TELL])
        more = f"; and {len(bad) - MOST_TO_TELL} more" if len(bad) > MOST_TO_TELL else ""
        raise DataError(f"{said}; {self._bad} lists them" + (f": {told}{more}" if bad else ""))


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
