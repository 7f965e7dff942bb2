"""Every metric of a test is known to be somewhere."""

import math

import pytest
from pydantic import TypeAdapter

from snaketorch.config.tasks import Task
from snaketorch.report.metric_range import ANYWHERE, MetricRange, range_of

SECTIONS = [
    {"kind": "image_classification", "top_k": 3},
    {"kind": "sequence_classification", "multi_label": True},
    {"kind": "regression"},
    {"kind": "forecasting", "window": 4, "quantiles": [0.1, 0.5, 0.9]},
    {"kind": "language_modelling"},
    {"kind": "gan"},
]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section["kind"])
def test_every_metric_of_a_test_has_a_range(section):
    task = TypeAdapter(Task).validate_python(section)

    assert [name for name in task.metrics if range_of(f"test/{name}") == ANYWHERE] == []
    for name, mode in task.metrics.items():
        assert math.isfinite(getattr(range_of(name), "high" if mode == "max" else "low")), "there is a perfect value"


def test_shares_errors_and_unknown_numbers():
    assert range_of("test/accuracy") == range_of("val/top_5_accuracy") == MetricRange(0.0, 1.0)
    assert range_of("test/rmse") == MetricRange(0.0, math.inf)
    assert range_of("test/r2").clip((0.5, 1.5)) == (0.5, 1.0)
    assert range_of("test/of_somebody") is ANYWHERE
    assert range_of("test/accuracy").of_differences == (-1.0, 1.0)
    assert range_of("test/mae").of_differences == ANYWHERE
