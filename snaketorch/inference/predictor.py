"""A trained model that answers to raw samples."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from snaketorch.config.datasets import Prepare
from snaketorch.config.problems import did_you_mean, listed
from snaketorch.data.decoding.pictures import MOST_PIXELS
from snaketorch.data.loading.samples import Samples
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.evaluation.predict import in_batches_that_fit, predicted
from snaketorch.inference.columns import BadInput, BadRow, Column, Parameter
from snaketorch.inference.inputs import input_of
from snaketorch.inference.inputs.base import SOURCE, TRUTH, Fields
from snaketorch.inference.outputs import output_of
from snaketorch.tasks.base import TaskModule

BATCH_SIZE = 256
ROW = "row"
NO_ANSWER = "the model's answer is NaN or infinite"


class Predictor:
    """Prepares raw samples as the training data were, and tells the model's answers in full float32.

    Attributes:
        kind: What the model was trained on, one of ``snaketorch.config.contents``.
        task: With the trained network, on ``device``.
        facts: What the model knows of its training data.
        prepare: How these were prepared, as JSON: ``PrepareSpec``.
        lineage: Where the model comes from.
        device: Where it computes.
        batch_size: Samples at once; becomes smaller when the device's memory asks for it.
        inputs: Columns to give it.
        outputs: Columns that it gives.
        parameters: What can be set for a whole call.
        example: Raw samples, two as a rule.
        example_parameters: Those with which ``example_outputs`` were made.
        example_outputs: What the model said of the examples when the bundle was written.
    """

    def __init__(
        self,
        task: TaskModule,
        prepare: Mapping[str, Any],
        *,
        lineage: Mapping[str, Any] | None = None,
        device: torch.device | None = None,
        batch_size: int = BATCH_SIZE,
        most_pixels: int = MOST_PIXELS,
    ):
        """``prepare`` is the spec of the training data; ``most_pixels``: the most that an encoded image may have."""
        self.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.task = task.eval().float().to(self.device)
        self.facts, self.kind = task.facts, task.facts["provides"]
        self.prepare, self.lineage, self.batch_size = dict(prepare), dict(lineage or {}), batch_size
        self._reader = input_of(self.task, Prepare.model_validate(prepare.get("prepare", {})), most_pixels)
        self._output = output_of(self.task)
        self.inputs: list[Column] = self._reader.columns
        self.outputs: list[Column] = self._output.columns
        self.parameters: list[Parameter] = self._output.parameters
        self.example = pd.DataFrame(columns=[column.name for column in self.inputs])
        self.example_parameters: dict[str, Any] = {}
        self.example_outputs: list[dict[str, Any]] = []

    def predict(
        self, rows: pd.DataFrame, *, first_row: int = 0, parameters: Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """One row of answers for each of ``rows``, in order.

        Args:
            rows: Raw samples. Beside ``inputs`` there may be columns `source` and `truth`, and the training's target.
            first_row: What the first row is called in messages.
            parameters: Some of ``parameters``.

        Raises:
            BadInput: A column is missing or unknown, or rows are bad; the message names them.
            UserError: There is no such parameter, or it cannot have that value.
        """
        answers, bad = self.predict_good(rows, first_row=first_row, parameters=parameters)
        if bad:
            raise BadInput.of(bad)
        return answers.drop(columns=ROW)

    def predict_good(
        self, rows: pd.DataFrame, first_row: int = 0, *, parameters: Mapping[str, Any] | None = None
    ) -> tuple[pd.DataFrame, list[BadRow]]:
        """As ``predict``, of the good rows alone, whose numbers are in the column `row`; and the bad rows."""
        settings = self._settings(parameters or {})
        fields, why = self._read(rows)
        good = np.array([place for place in range(len(rows)) if place not in why], np.int64)
        cells = {column.name: [] for column in self.outputs}
        if len(good):
            cells, finite = self._output.answer(fields, self._reader, self._run, settings)
            why |= dict.fromkeys(good[~finite].tolist(), NO_ANSWER)
            cells = {
                name: [cell for cell, is_finite in zip(column, finite, strict=True) if is_finite]
                for name, column in cells.items()
            }
            good = good[finite]
        series = {ROW: pd.Series(good + first_row, dtype="int64")}
        for column in self.outputs:
            series[column.name] = pd.Series(cells[column.name], dtype=_dtype(column))
        return pd.DataFrame(series), _bad_rows(why, first_row)

    def fields(self, rows: pd.DataFrame, first_row: int = 0) -> tuple[Fields, list[BadRow]]:
        """The good ones of ``rows`` as they lie in the arrays of the training data, a field each; and the bad rows.

        A list of arrays where samples have lengths of their own. Of a series, `value` is (rows, window, channels).
        """
        fields, why = self._read(rows)
        return fields, _bad_rows(why, first_row)

    def rows_of(self, raw: Any) -> Iterator[pd.DataFrame]:
        """All samples that a dataset's source gives (``snaketorch.data.raw``), some rows at a time, for ``predict``.

        The column `source` names each, `truth` says what is true of it, where that is known: the name of the class,
        a list of those of the labels that apply, a number, or the values (horizon, targets) to forecast.
        """
        return self._reader.rows_of(raw)

    def example_of(self, dataset: Manifest, number: int) -> dict[str, Any]:
        """A raw row of JSON that becomes training sample ``number`` of the dataset that the model was trained on."""
        return self._reader.example(dataset, number)

    @property
    def quick_parameters(self) -> dict[str, Any]:
        """Parameters with which an answer takes no longer than it must."""
        return {parameter.name: parameter.quick for parameter in self.parameters if parameter.quick is not None}

    def _read(self, rows: pd.DataFrame) -> tuple[Fields, dict[int, str]]:
        names = [column.name for column in self.inputs]
        there = [str(name) for name in rows.columns]
        unknown = [name for name in there if name not in {*names, *self._beside}]
        if absent := [name for name in names if name not in there]:
            raise BadInput(
                f"column {', '.join(map(repr, absent))} is missing{did_you_mean(absent[0], unknown)}; needed: "
                f"{listed(names)}"
            )
        if unknown:
            raise BadInput(
                f"column {', '.join(map(repr, unknown))} is unknown{did_you_mean(unknown[0], names)}; allowed: "
                f"{listed(names)}"
            )
        if twice := [name for name in names if there.count(name) > 1]:
            raise BadInput(f"column {', '.join(map(repr, twice))} is there more than once; allowed: once")
        return self._reader.read(rows)

    @property
    def _beside(self) -> set[str]:
        """Columns that may be there and are not read."""
        target = next((self.facts["fields"][name] for name in ("label", "target") if name in self.facts["fields"]), {})
        return {SOURCE, TRUTH, *self._reader.beside, *([target["name"]] if "name" in target else [])}

    def _settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        known = {parameter.name: parameter.default for parameter in self.parameters}
        if unknown := [name for name in given if name not in known]:
            raise UserError(f"there is no parameter {', '.join(unknown)}; allowed: {', '.join(known) or 'none'}")
        return known | dict(given)

    def _run(self, samples: Samples) -> dict[str, np.ndarray]:
        found, self.batch_size = in_batches_that_fit(
            lambda size: predicted(self.task, samples, size, self.device), self.batch_size
        )
        return found


def _dtype(column: Column) -> str:
    return {"double": "float64", "long": "int64"}.get(column.type, "object") if column.shape is None else "object"


def _bad_rows(why: Mapping[int, str], first_row: int) -> list[BadRow]:
    return [BadRow(first_row + place, why[place]) for place in sorted(why)]
