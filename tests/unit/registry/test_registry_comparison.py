"""Intervals of differences, against numbers that are known."""

import numpy as np
import pytest
from scipy import stats

from snaketorch.registry.comparison import over_samples, over_seeds
from snaketorch.registry.scores import Scores
from snaketorch.report.metric_range import MetricRange


def test_equal_seeds_are_compared_each_with_itself():
    ours, theirs = {"0": 0.98, "1": 0.97, "2": 0.99}, {"0": 0.97, "1": 0.965, "2": 0.97}

    found = over_seeds(ours, theirs)

    known = stats.ttest_rel(list(ours.values()), list(theirs.values())).confidence_interval(0.95)
    assert found.value == pytest.approx(0.0116667, abs=1e-6)
    assert found.interval == pytest.approx((known.low, known.high))
    assert found.by == "seeds, paired"


def test_other_seeds_are_compared_by_welch_with_whole_degrees_of_freedom():
    ours, theirs = {"0": 3.0, "1": 4.0, "2": 5.0}, {"7": 1.0, "8": 2.0, "9": 3.0}

    found = over_seeds(ours, theirs)

    # equal variances and sizes: Welch's degrees of freedom are 4, whole already
    known = stats.ttest_ind([3, 4, 5], [1, 2, 3], equal_var=False).confidence_interval(0.95)
    assert found.value == 2
    assert found.interval == pytest.approx((known.low, known.high))
    assert found.by == "seeds, Welch"


def test_an_interval_of_shares_ends_where_no_difference_can_be():
    found = over_seeds({"0": 0.2, "1": 0.9}, {"0": 0.8, "1": 0.1}, MetricRange(0.0, 1.0))

    assert found.interval == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [({"0": 1.0}, {"0": 1.0, "1": 2.0}), ({"0": 1.0, "1": None}, {"0": 1.0, "1": 2.0}), ({}, {})],
    ids=["one seed", "a seed that was not measured", "none"],
)
def test_few_seeds_tell_nothing(ours, theirs):
    assert over_seeds(ours, theirs) is None


def test_the_bootstrap_of_a_mean_has_the_width_that_theory_says():
    draw = np.random.default_rng(0)
    common = draw.normal(size=400)
    ours, theirs = common + draw.normal(0.3, 0.1, 400), common + draw.normal(0.0, 0.1, 400)

    found = over_samples(Scores(ours), Scores(theirs))

    difference = ours - theirs
    half = 1.96 * difference.std() / np.sqrt(400)
    assert found.value == pytest.approx(difference.mean())
    assert found.interval == pytest.approx((difference.mean() - half, difference.mean() + half), abs=0.1 * half)
    assert found.by == "test samples, paired bootstrap"


def test_the_bootstrap_of_a_model_with_itself_is_zero():
    scores = Scores(np.random.default_rng(0).random(50), np.sqrt)

    assert over_samples(scores, scores).interval == (0.0, 0.0)


def test_the_bootstrap_covers_the_truth_as_often_as_it_says():
    draw = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        ours, theirs = draw.random(60) < 0.9, draw.random(60) < 0.8
        low, high = over_samples(Scores(ours.astype(float)), Scores(theirs.astype(float))).interval
        covered += low <= 0.1 <= high

    assert covered >= 88  # of 95 expected


def test_neighbours_that_are_alike_make_the_interval_wider():
    draw = np.random.default_rng(0)
    steps = np.repeat(draw.normal(size=40), 10)
    nothing = np.zeros(400)

    def width(block: int) -> float:
        low, high = over_samples(Scores(steps, block=block), Scores(nothing, block=block)).interval
        return high - low

    assert width(20) > 2 * width(1)


def test_the_mean_over_blocks_is_the_mean_over_samples():
    """Circular blocks draw every sample equally often."""
    values = np.arange(30.0)

    low, high = over_samples(Scores(values, block=7), Scores(np.zeros(30), block=7)).interval

    assert (low + high) / 2 == pytest.approx(14.5, abs=1.5)


def test_models_of_other_samples_are_not_compared():
    assert over_samples(Scores(np.ones(3), samples="a"), Scores(np.ones(3), samples="b")) is None
    assert over_samples(Scores(np.ones(3)), Scores(np.ones(4))) is None
