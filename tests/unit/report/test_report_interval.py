import math

import pytest
from scipy import stats

from snaketorch.report.interval import over_seeds, student_t
from snaketorch.report.metric_range import MetricRange


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 29, 30, 199])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_students_t_is_that_of_scipy(degrees, confidence):
    assert student_t(confidence, degrees) == pytest.approx(stats.t.ppf((1 + confidence) / 2, degrees), rel=1e-9)


def test_three_seeds_have_a_mean_a_deviation_and_an_interval():
    found = over_seeds({0: 0.1, 4: 0.2, 7: 0.6})

    assert found["values"] == {"0": 0.1, "4": 0.2, "7": 0.6}
    assert found["n"] == 3
    assert found["mean"] == pytest.approx(0.3)
    assert found["sd"] == pytest.approx(math.sqrt(0.07))  # n - 1
    half = 4.302653 * math.sqrt(0.07 / 3)
    assert found["ci95"] == pytest.approx([0.3 - half, 0.3 + half])


def test_one_seed_has_a_mean_alone():
    assert over_seeds({3: 0.5}) == {"values": {"3": 0.5}, "mean": 0.5, "sd": None, "ci95": None, "n": 1}


def test_a_seed_that_was_not_measured_leaves_no_mean():
    found = over_seeds({0: 0.1, 1: None, 2: 0.3})

    assert (found["mean"], found["sd"], found["ci95"], found["n"]) == (None, None, None, 2)


def test_an_interval_ends_where_the_metric_does():
    values = {0: 0.99, 1: 1.0}

    assert over_seeds(values)["ci95"][1] > 1
    found = over_seeds(values, MetricRange(0.0, 1.0))
    assert found["ci95"] == [over_seeds(values)["ci95"][0], 1.0]
    assert found["mean"] == pytest.approx(0.995)
