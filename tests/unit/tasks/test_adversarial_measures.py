"""Measures of generated samples against closed forms, another library, and sets whose relation is known."""

import numpy as np
import pytest
import scipy.linalg
import torch

from snaketorch.tasks.adversarial import neighbours
from snaketorch.tasks.adversarial.comparison import compare
from snaketorch.tasks.adversarial.frechet import Gaussian, frechet_distance


def random_covariance(size: int, rank: int, seed: int) -> np.ndarray:
    factor = np.random.default_rng(seed).normal(size=(size, rank))
    return factor @ factor.T


def test_the_distance_of_gaussians_without_correlations_has_a_closed_form():
    one = Gaussian(np.array([1.0, -2.0, 0.0]), np.diag([1.0, 4.0, 9.0]))
    other = Gaussian(np.array([0.0, 1.0, 0.0]), np.diag([4.0, 4.0, 0.25]))
    assert frechet_distance(one, other) == pytest.approx(1 + 9 + (2 - 1) ** 2 + 0 + (3 - 0.5) ** 2)


def test_the_distance_to_itself_is_zero_and_the_order_has_no_influence():
    one = Gaussian(np.zeros(5), random_covariance(5, 5, 0))
    other = Gaussian(np.ones(5), random_covariance(5, 5, 1))
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(one, other) == pytest.approx(frechet_distance(other, one))


@pytest.mark.parametrize("rank", [40, 6], ids=["full rank", "fewer samples than features"])
def test_the_distance_agrees_with_the_square_root_of_scipy(rank):
    a, b = random_covariance(32, rank, 0), random_covariance(32, 40, 1)
    if rank < 32:  # scipy's root of a singular product is poor: compared a little beside it
        a = a + 1e-9 * np.eye(32)
    root = scipy.linalg.sqrtm(a @ b).real
    expected = np.trace(a) + np.trace(b) - 2 * np.trace(root)
    assert frechet_distance(Gaussian(np.zeros(32), a), Gaussian(np.zeros(32), b)) == pytest.approx(expected, rel=1e-4)


def test_a_gaussian_is_that_of_numpy():
    features = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    found = Gaussian.of(features)
    np.testing.assert_allclose(found.covariance, np.cov(features.T.astype(np.float64)))
    np.testing.assert_allclose(found.mean, features.mean(0), atol=1e-6)


def test_precision_and_recall_tell_poor_samples_from_few_kinds_of_samples():
    draw = torch.Generator().manual_seed(0)
    two_modes = torch.randn(200, 2, generator=draw) + torch.tensor([[0.0, 0], [50, 0]]).repeat(100, 1)
    one_mode = torch.randn(200, 2, generator=draw)
    with_rubbish = torch.cat([one_mode[:100], torch.randn(100, 2, generator=draw) + 500])
    assert neighbours.precision(two_modes, one_mode) > 0.9
    assert neighbours.precision(one_mode, two_modes) == pytest.approx(0.5, abs=0.05)  # recall: half is not made
    assert neighbours.precision(two_modes, with_rubbish) == pytest.approx(0.5, abs=0.05)
    assert neighbours.coverage(two_modes, one_mode) == pytest.approx(0.5, abs=0.05)


def test_the_balls_are_those_of_the_paper():
    line = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    torch.testing.assert_close(neighbours.radii(line, 2).sqrt(), torch.tensor([3.0, 2.0, 3.0, 6.0]).double())
    inside = neighbours.inside(torch.tensor([[4.5], [14.0]]), line, neighbours.radii(line, 2))
    assert inside.tolist() == [True, False]


def test_coverage_between_samples_of_one_distribution_is_as_its_paper_says():
    real, other = torch.randn(2, 1500, 8, generator=torch.Generator().manual_seed(0))
    assert neighbours.coverage(real, other) == pytest.approx(1 - 2**-5, abs=0.02)


def test_many_features_are_compared_in_parts(monkeypatch):
    points, others = torch.randn(2, 50, 3)
    whole = neighbours.nearest(points, others, 2), neighbours.radii(points, 3)
    monkeypatch.setattr(neighbours, "ROWS_AT_ONCE", 7)
    parts = neighbours.nearest(points, others, 2), neighbours.radii(points, 3)
    torch.testing.assert_close(parts, whole)
    expected = torch.cdist(points.double(), others.double()).topk(2, largest=False).values
    torch.testing.assert_close(whole[0][0], expected)


def test_a_generator_of_one_image_is_said_to_have_collapsed_and_a_good_one_is_not():
    real, good = torch.randn(2, 300, 6, generator=torch.Generator().manual_seed(0))
    assert compare(real, good).collapse is None
    assert "vary 0% as much" in compare(real, good[:1].expand(300, 6)).collapse
    few = good[:2].repeat(150, 1) * 1.5 + 0.01 * real
    assert compare(real, few).collapse is not None


def test_features_that_are_no_numbers_give_no_numbers():
    real = torch.randn(10, 3)
    broken = compare(real, torch.full((10, 3), torch.inf))
    assert np.isnan(broken.frechet)
    assert broken.collapse is None
