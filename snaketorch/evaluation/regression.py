"""The test of a model that tells numbers, beside guesses that need no network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure

from snaketorch.evaluation.examples import sample_reader
from snaketorch.evaluation.linear_rows import linear_rows
from snaketorch.evaluation.outcome import Case, Outcome
from snaketorch.figures.examples import Example, examples_figure
from snaketorch.figures.regression import predicted_figure, residuals_figure

MODEL = "model"
RANGES = 5
"""Parts of the test split, by their true numbers, that are measured by themselves."""


@dataclass(frozen=True, eq=False)
class Told:
    """What was said of N samples, and what is true."""

    truth: np.ndarray
    """(N,)"""
    predicted: np.ndarray
    """(N,)"""

    @property
    def errors(self) -> np.ndarray:
        return self.predicted - self.truth


def mae(told: Told) -> float:
    """Mean absolute error."""
    return float(np.abs(told.errors).mean())


def rmse(told: Told) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.square(told.errors).mean()))


def r2(told: Told) -> float | None:
    """Share of the variance that is told; None where nothing varies."""
    spread = np.square(told.truth - told.truth.mean()).mean()
    return float(1 - np.square(told.errors).mean() / spread) if spread else None


MEASURES: dict[str, Callable[[Told], float | None]] = {measure.__name__: measure for measure in (mae, rmse, r2)}


def evaluate(case: Case) -> Outcome:
    """Metrics of the model and the baselines, by the range of the true number; all predictions; pictures of them."""
    truth, predicted = (case.predictions[name].astype(np.float64) for name in ("target", "predicted"))
    told = {MODEL: predicted, **_baselines(case)}
    measured = {
        name: {metric: MEASURES[metric](Told(truth, values)) for metric in case.metrics}
        for name, values in told.items()
    }
    return Outcome(
        metrics=measured.pop(MODEL),
        baselines=measured,
        details={"target": case.manifest.fields["target"].get("name"), "per_range": _by_range(Told(truth, predicted))},
        predictions=_table(truth, told),
        figures=_figures(Told(truth, predicted), case),
    )


def _baselines(case: Case) -> dict[str, np.ndarray]:
    """Predictions (N,) by name."""
    training = case.manifest.arrays("train")["target"].astype(np.float64)
    count = len(case.predictions["target"])
    guesses = {
        "training_mean": np.full(count, training.mean()),
        "training_median": np.full(count, np.median(training)),
    }
    fields = case.manifest.fields
    return guesses | ({"linear": linear_rows(case.manifest)} if "number" in fields or "category" in fields else {})


def _by_range(told: Told) -> list[dict[str, Any]]:
    """Errors where the true number is low, higher, ..., high: parts of about as many samples.

    ``bias`` is the mean error, above 0 where too much is said: models that know little lean to the middle.
    """
    order = np.argsort(told.truth, kind="stable")
    return [
        {
            "range": f"{told.truth[part].min():.4g} to {told.truth[part].max():.4g}",
            "samples": len(part),
            "mae": float(np.abs(told.errors[part]).mean()),
            "bias": float(told.errors[part].mean()),
        }
        for part in np.array_split(order, RANGES)
        if len(part)
    ]


def _table(truth: np.ndarray, told: dict[str, np.ndarray]) -> pa.Table:
    columns = {"index": np.arange(len(truth)), "target": truth.astype(np.float32)}
    columns["predicted"] = told[MODEL].astype(np.float32)
    if "linear" in told:
        columns["linear"] = told["linear"].astype(np.float32)
    return pa.table(columns)


def _figures(told: Told, case: Case) -> dict[str, Figure]:
    name, sample_at = case.manifest.fields["target"].get("name", "number"), sample_reader(case)
    figures = {
        "predicted": predicted_figure(told.truth, told.predicted, name),
        "residuals": residuals_figure(told.predicted, told.errors, name),
    }
    order = np.argsort(np.abs(told.errors), kind="stable")
    for title, ranked in (("worst", order[::-1]), ("best", order)):
        examples = [
            Example(sample_at(index), f"{told.predicted[index]:.4g}", f"{told.truth[index]:.4g}")
            for index in ranked[: case.examples]
        ]
        description = f"The {len(examples)} samples with the {'largest' if title == 'worst' else 'smallest'} error"
        figures[title] = examples_figure(examples, description)
    return figures
