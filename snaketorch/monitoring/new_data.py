"""New samples as the model saw them: read from their source once more, prepared as in training, described."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from snaketorch.config.contents import CORPUS, NUMBER_ROWS, ROWS, SERIES
from snaketorch.data.files.values import as_numbers, as_text
from snaketorch.errors import DataError
from snaketorch.inference.inputs.base import is_missing
from snaketorch.inference.predictor import Predictor
from snaketorch.inference.reading.part import TRUTH, Reading
from snaketorch.monitoring.compare import Side
from snaketorch.monitoring.describe import IN_ORDER, Fields, Known, describe
from snaketorch.monitoring.outputs import Outputs, of_table
from snaketorch.monitoring.profile import MOST_SAMPLES, Profile, some_of

UNREADABLE = "rows that cannot be read"


@dataclass(frozen=True, eq=False)
class NewData:
    """What there is to compare."""

    side: Side
    rows: int
    """That were looked at."""
    bad: int
    """Of them, that the model cannot read."""


def read_new(reading: Reading, predictor: Predictor, known: Known, predictions: pd.DataFrame) -> NewData:
    """The samples of ``reading`` and what a model said of them.

    Args:
        reading: The source of the new data.
        predictor: Of the model.
        known: Of the training data.
        predictions: A row for each sample that could be read, with `truth` where that is known.

    Raises:
        DataError: There are no samples, or the predictions are of another kind of model.
    """
    profiles, stream, flags = [], [], []
    numbers = known.fields.get("number", {}).get("names", [])
    rows = bad_rows = 0
    for samples, unreadable in _parts(reading, predictor.kind):
        flags.append(_missing(samples, predictor.kind, numbers))
        rows += len(samples) + unreadable
        fields, bad = predictor.fields(samples) if len(samples) else ({}, [])
        bad_rows += len(bad) + unreadable
        if len(bad) == len(samples):
            continue
        if predictor.kind in IN_ORDER:
            stream.append(_new_steps(fields, not stream) if predictor.kind == SERIES else fields)
        else:
            profiles.append(describe(predictor.kind, fields, known))
    if stream:
        profiles.append(describe(predictor.kind, _in_one(stream, predictor.kind), known))
    if not rows:
        raise DataError("there are no new samples, so there is nothing to compare")
    profile = Profile.joined(profiles or [Profile()]).with_others(Profile(flags=_joined(flags)))
    profile = profile.with_others(Profile(flags={UNREADABLE: np.arange(rows) < bad_rows}))
    if predictions.empty:
        return NewData(Side(profile), rows, bad_rows)
    answers = {TRUTH, *(column.name for column in predictor.outputs)}
    predictions = predictions[[name for name in predictions if name in answers]]  # others are carried along
    chosen = predictions if predictor.kind in IN_ORDER else predictions.iloc[some_of(len(predictions))]
    labels, outputs = _told(chosen, predictor.facts["classes"])
    return NewData(Side(profile, labels, outputs), rows, bad_rows)


def _parts(reading: Reading, kind: str) -> Iterator[tuple[pd.DataFrame, int]]:
    """The rows to look at, some at a time, and how many more are not even rows."""
    # a series with gaps would change by leaps
    share = 1.0 if kind == SERIES else min(1.0, MOST_SAMPLES / max(1, reading.most_rows))
    draw = np.random.default_rng(0)
    for read in reading.parts():
        part = read()
        samples, unreadable = part.samples, len(part.unreadable)
        if share < 1:
            samples = samples[draw.random(len(samples)) < share].reset_index(drop=True)
            unreadable = int((draw.random(unreadable) < share).sum())
        yield samples, unreadable


def _missing(samples: pd.DataFrame, kind: str, numbers: Collection[str]) -> dict[str, np.ndarray]:
    """Which rows lack a value, by column; of content that has columns, some of them ``numbers``."""
    if kind not in (ROWS, NUMBER_ROWS):
        return {}
    return {f"missing {name}": _is_empty(samples[name], name in numbers) for name in samples}


def _is_empty(cells: pd.Series, is_number: bool) -> np.ndarray:
    """Which cells hold nothing, or what stands for nothing in a file."""
    texts = pa.array([None if is_missing(cell) else str(cell) for cell in cells], pa.string())
    if is_number:
        values, wrong = as_numbers(texts)
        missing = np.isnan(values)
        missing[list(wrong)] = False  # there, though no number
        return missing
    return as_text(texts).is_null().to_numpy(zero_copy_only=False)


def _joined(flags: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in flags]) for name in (flags[0] if flags else ())}


def _in_one(stream: Sequence[Fields], kind: str) -> dict[str, Any]:
    """The stream that parts of it are cut from."""
    if kind == CORPUS:
        return {"token": [text for fields in stream for text in fields["token"]]}
    assert kind == SERIES, kind
    return {"value": np.concatenate([fields["value"] for fields in stream])}


def _new_steps(fields: Fields, is_first: bool) -> Fields:
    """The steps of a series that no window before has: each window is the one before it, one step later."""
    windows = fields["value"]
    return {"value": np.concatenate([windows[0, : -1 if is_first else 0], windows[:, -1]])}


def _told(predictions: pd.DataFrame, classes: Sequence[str]) -> tuple[np.ndarray | None, Outputs]:
    """The labels, where they are known, and what was predicted."""
    if TRUTH not in predictions or "loss" in predictions:
        table = predictions[predictions["loss"].notna()] if "loss" in predictions else predictions
        return None, of_table(table, classes, {})
    is_known = predictions[TRUTH].notna().to_numpy()
    said = of_table(predictions, classes, {})
    if not is_known.any():
        return None, said
    table = predictions[is_known]
    truth = _truth(table, classes)
    judged = of_table(table, classes, truth)
    return truth.get("label"), Outputs(said.profile, judged.wrong, judged.error, judged.error_name)


def _truth(table: pd.DataFrame, classes: Sequence[str]) -> dict[str, np.ndarray]:
    cells = table[TRUTH].tolist()
    if "labels" in table:
        return {"label": np.array([[name in cell for name in classes] for cell in cells], bool)}
    if "probabilities" in table:
        numbers = {name: number for number, name in enumerate(classes)}
        # a class that the model does not know is one more
        return {"label": np.array([numbers.get(str(cell), len(classes)) for cell in cells], np.int64)}
    if "forecast" in table:
        return {"future": np.stack([np.stack([np.asarray(step, np.float64) for step in cell]) for cell in cells])}
    return {"target": np.array(cells, np.float64)}
