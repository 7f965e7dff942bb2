"""Metrics as means over samples, from the tables that tests leave."""

import numpy as np
import pyarrow as pa
import pytest

from snaketorch.registry.scores import scores

CLASSES = {"kind": "image_classification"}


def classes(labels: list[str], predicted: list[str], cat: list[float]) -> pa.Table:
    columns = {"label": labels, "predicted": predicted, "confidence": cat}
    return pa.table(columns | {"p_cat": cat, "p_dog": [1 - p for p in cat]})


def test_accuracy_is_a_mean_over_samples():
    table = classes(["cat", "dog", "dog"], ["cat", "cat", "dog"], [0.9, 0.6, 0.2])

    found = scores("test/accuracy", CLASSES, table, 2 / 3)

    assert found.values.tolist() == [1, 0, 1]
    assert (found.block, found.value) == (1, pytest.approx(2 / 3))


def test_the_loss_is_that_of_the_true_class():
    table = classes(["cat", "dog"], ["cat", "cat"], [0.9, 0.6])

    found = scores("test/loss", CLASSES, table, -np.log([0.9, 0.4]).mean())

    assert found.values == pytest.approx(-np.log([0.9, 0.4]))


def test_a_metric_that_the_table_does_not_give_is_no_mean():
    table = classes(["cat", "dog"], ["cat", "cat"], [0.9, 0.6])

    assert scores("test/accuracy", CLASSES, table, 0.9) is None, "another value was measured"
    assert scores("test/auroc", CLASSES, table, 0.5) is None
    assert scores("test/accuracy", CLASSES, table, None) is None
    assert scores("test/accuracy", {"kind": "gan"}, pa.table({"looks_real": [1.0]}), 0.5) is None


def test_a_root_is_taken_of_the_mean():
    table = pa.table({"index": [0, 1], "target": [1.0, 2.0], "predicted": [1.0, 4.0]})
    options = {"kind": "image_regression"}

    assert scores("test/mae", options, table, 1.0).values.tolist() == [0, 2]
    assert scores("test/rmse", options, table, np.sqrt(2)).value == pytest.approx(np.sqrt(2))


def test_the_windows_of_a_series_are_drawn_in_blocks():
    windows, horizon = 64, 6
    steps = np.arange(windows * horizon)
    table = pa.table({"window": steps // horizon, "truth": steps * 1.0, "forecast": steps + (steps % 2)})
    options = {"kind": "forecasting", "horizon": horizon}

    found = scores("test/mae", options, table, 0.5)

    assert len(found.values) == windows
    assert found.block == horizon
    assert scores("test/mae", options | {"horizon": 1}, table, 0.5).block == 4, "the cube root of 64"


def test_the_tokens_of_a_text_have_a_perplexity():
    table = pa.table({"token": [1, 2], "probability": [0.5, 0.125]})
    options = {"kind": "language_modelling"}

    assert scores("test/perplexity", options, table, 4.0).value == pytest.approx(4)
    assert scores("test/bits_per_character", options, table, 1.0) is None
