"""Statistics: known values, quiet on one source at every size, loud on another, whatever the sizes."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from snaketorch.monitoring.dependence import effective_size
from snaketorch.monitoring.ks import ks
from snaketorch.monitoring.psi import psi_of_counts, psi_of_numbers
from snaketorch.monitoring.shares import rise_of_mean, rise_of_share

LEVEL = 0.05


def false_alarms(measure, trials=400) -> float:
    draw = np.random.default_rng(0)
    found = [measure(draw) for _ in range(trials)]
    return float(np.mean([each.value > each.chance for each in found]))


def test_the_index_of_large_samples_is_the_sum_that_books_give():
    before, now = np.array([500_000, 300_000, 200_000]), np.array([400_000, 300_000, 300_000])
    p, q = before / before.sum(), now / now.sum()

    measured = psi_of_counts(before, now, LEVEL)

    assert measured.value == pytest.approx(((p - q) * np.log(p / q)).sum(), abs=1e-5)
    assert measured[2:] == (1_000_000, 1_000_000)


def test_the_distance_is_that_of_scipy():
    draw = np.random.default_rng(1)
    before, now = draw.normal(size=300).round(1), draw.normal(0.3, size=90).round(1)

    assert ks(before, now, LEVEL).value == pytest.approx(ks_2samp(before, now).statistic)


@pytest.mark.parametrize("size", [30, 100, 1000])
@pytest.mark.parametrize("measure", [ks, psi_of_numbers])
def test_one_source_is_beyond_chance_as_rarely_as_asked_for(measure, size):
    rate = false_alarms(lambda draw: measure(draw.gamma(2, size=1500), draw.gamma(2, size=size), LEVEL))

    assert rate <= 0.085  # three standard errors of 5 % above it
    assert rate >= 0.01  # a test that never alarms is none


def test_classes_of_one_source_are_beyond_chance_as_rarely_as_asked_for():
    shares = [0.5, 0.3, 0.1, 0.06, 0.04]

    rate = false_alarms(lambda draw: psi_of_counts(draw.multinomial(1000, shares), draw.multinomial(60, shares), LEVEL))

    assert 0.01 <= rate <= 0.085


def test_the_index_of_a_small_sample_is_not_large_by_itself():
    draw = np.random.default_rng(2)
    found = [psi_of_numbers(draw.normal(size=2000), draw.normal(size=50), LEVEL).value for _ in range(200)]

    assert np.mean(found) < 0.05  # it would be 0.1 with bias, where the rule of thumb begins to worry


def test_a_category_that_was_never_there_counts_and_rare_ones_do_not():
    before = np.array([500, 500, 0, 1])

    assert psi_of_counts(before, np.array([50, 50, 0, 1]), LEVEL).value < 0.05
    new = psi_of_counts(before, np.array([50, 50, 40, 0]), LEVEL)
    assert new.value > max(0.2, new.chance)


@pytest.mark.parametrize(("before", "now"), [(0, 0), (3, 1), (100, 12)])
def test_a_share_that_stays_rises_by_no_more_than_chance(before, now):
    measured = rise_of_share(before, 1000, now, 100, 0.01)

    assert measured.value <= measured.chance


def test_a_share_that_rises_is_seen_and_one_that_falls_is_none():
    assert rise_of_share(10, 1000, 12, 100, 0.001).value > rise_of_share(10, 1000, 12, 100, 0.001).chance
    assert rise_of_share(500, 1000, 0, 100, 0.001).value < 0


def test_errors_of_one_source_rise_beyond_chance_as_rarely_as_asked_for():
    rate = false_alarms(lambda draw: rise_of_mean(draw.exponential(size=300), draw.exponential(size=50), LEVEL))

    assert rate <= 0.085


def test_a_rise_of_a_mean_is_told_as_a_part_of_it():
    measured = rise_of_mean(np.tile([1.0, 3.0], 500), np.tile([2.0, 4.0], 500), LEVEL)

    assert measured.value == pytest.approx(0.5)
    assert measured.value > measured.chance


def test_independent_values_are_worth_their_number_and_a_slow_series_much_less():
    draw = np.random.default_rng(3)
    free = draw.normal(size=2000)
    slow = np.convolve(draw.normal(size=2100), np.ones(50) / 50, "valid")[:2000]

    assert effective_size(free) > 1000
    assert 20 < effective_size(slow) < 150  # 2000 / 50 independent stretches


def test_a_series_that_repeats_one_value_has_no_correlation_to_speak_of():
    assert effective_size(np.ones(50)) == 50
