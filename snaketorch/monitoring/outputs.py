"""What a model says of samples, as a profile; and how wrong it is where the truth is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from snaketorch.errors import DataError
from snaketorch.monitoring.profile import Profile

MOST_CLASSES = 50
"""With more classes their probabilities are not compared one by one: the confidence and the classes tell enough."""


@dataclass(frozen=True, eq=False)
class Outputs:
    """Of n samples, in their order."""

    profile: Profile = field(default_factory=Profile)
    wrong: np.ndarray | None = None
    """(n,) bool: whether the predicted class, or set of classes, is not the true one."""
    error: np.ndarray | None = None
    """(n,) float: how far a number is from the true one, or how surprising a text is."""
    error_name: str = ""
    """As metrics are called."""


def of_test(values: Mapping[str, np.ndarray], classes: Sequence[str]) -> Outputs:
    """From what a task's ``predict`` gives for the samples of a test."""
    if "logits" in values:
        logits, label = values["logits"].astype(np.float64), values["label"]
        probabilities = 1 / (1 + np.exp(-logits)) if label.ndim == 2 else _softmax(logits)
        return of_classes(probabilities, classes, label, label.ndim == 2)
    if "forecast" in values:
        return of_forecasts(values["forecast"], values["target"])
    if "loss" in values:
        scored = np.arange(values["loss"].shape[1]) >= values["loss"].shape[1] - values["scored"][:, None]
        return of_losses((values["loss"] * scored).sum(1) / np.maximum(1, scored.sum(1)))
    return of_numbers(values["predicted"], values["target"])


def of_table(table: pd.DataFrame, classes: Sequence[str], truth: Mapping[str, np.ndarray]) -> Outputs:
    """From a table of predictions, with the answers of its rows where they are known.

    DataError when the columns are not those of a model that can be monitored.
    """
    if "probabilities" in table:
        probabilities = np.stack([np.asarray(row, np.float64) for row in table["probabilities"]])
        return of_classes(probabilities, classes, truth.get("label"), "labels" in table)
    if "forecast" in table:
        forecasts = np.stack([np.stack([np.asarray(step) for step in row]) for row in table["forecast"]])
        return of_forecasts(forecasts, truth.get("future"))
    if "value" in table:
        return of_numbers(table["value"].to_numpy(np.float64), truth.get("target"))
    if "loss" in table:
        return of_losses(table["loss"].to_numpy(np.float64))
    raise DataError(
        f"the predictions have the columns {', '.join(table.columns)}; needed: probabilities, value, forecast or loss"
    )


def of_classes(
    probabilities: np.ndarray, classes: Sequence[str], label: np.ndarray | None, is_multiple: bool = False
) -> Outputs:
    """Of (n, K) probabilities: confidence, predicted classes, and the probability of each class.

    ``is_multiple`` where a sample can be of several classes; then ``label`` is (n, K), else (n,).
    """
    predicted = probabilities > 0.5 if is_multiple else probabilities.argmax(1)
    sure = np.abs(probabilities - 0.5).mean(1) + 0.5 if is_multiple else probabilities.max(1)
    numbers = {"confidence": sure}
    if len(classes) <= MOST_CLASSES:
        # of two classes that exclude each other, one probability says both
        shown = classes[:1] if len(classes) == 2 and not is_multiple else classes
        numbers |= {f"probability of {name}": probabilities[:, place] for place, name in enumerate(shown)}
    profile = Profile(numbers, {"predicted class": predicted}, {"predicted class": tuple(classes)})
    if label is None:
        return Outputs(profile)
    differs = predicted != label
    return Outputs(profile, differs.any(1) if is_multiple else differs, error_name="accuracy")


def of_numbers(predicted: np.ndarray, target: np.ndarray | None) -> Outputs:
    """Of (n,) predicted numbers."""
    profile = Profile({"predicted value": np.asarray(predicted, np.float64)})
    return Outputs(profile, error=None if target is None else np.abs(predicted - target), error_name="mae")


def of_forecasts(forecast: np.ndarray, target: np.ndarray | None) -> Outputs:
    """Of (n, steps, targets): the mean over the steps, for each target; windows follow each other."""
    means = forecast.astype(np.float64).mean(1)
    names = ["forecast"] if means.shape[1] == 1 else [f"forecast {place + 1}" for place in range(means.shape[1])]
    profile = Profile({name: means[:, place] for place, name in enumerate(names)}, follow_each_other=True)
    if target is None:
        return Outputs(profile)
    known = np.isfinite(target).all((1, 2))  # the end of a series has no future yet
    error = np.abs(forecast[known] - target[known]).mean((1, 2)).astype(np.float64)
    return Outputs(profile, error=error if len(error) else None, error_name="mae")


def of_losses(loss: np.ndarray) -> Outputs:
    """Of (n,) mean cross-entropies; of running text the next token is always known."""
    loss = np.asarray(loss, np.float64)
    return Outputs(Profile({"loss of a text": loss}, follow_each_other=True), error=loss, error_name="loss")


def _softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)
