import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_calibration_error, multiclass_calibration_error

from snaketorch.evaluation.calibration import reliability


def test_bins_by_hand():
    confidence, right = np.array([0.05, 0.2, 0.31, 0.4, 0.9]), np.array([False, True, True, False, True])
    bins = reliability(confidence, right, bins=3)
    assert bins.counts.tolist() == [3, 1, 1]
    np.testing.assert_allclose(bins.accuracy, [2 / 3, 0, 1])
    np.testing.assert_allclose(bins.confidence, [0.56 / 3, 0.4, 0.9])
    expected = (3 * (2 / 3 - 0.56 / 3) + 1 * 0.4 + 1 * 0.1) / 5
    assert bins.calibration_error() == pytest.approx(expected)


def test_the_error_is_that_of_torchmetrics():
    generator = torch.Generator().manual_seed(0)
    probability = torch.randn(500, 4, generator=generator).softmax(1).double()
    label = torch.randint(4, (500,), generator=generator)
    confidence, predicted = probability.max(1)
    ours = reliability(confidence.numpy(), (predicted == label).numpy()).calibration_error()
    assert ours == pytest.approx(float(multiclass_calibration_error(probability, label, 4, n_bins=15)))


def test_certainty_belongs_to_the_last_bin():
    bins = reliability(np.array([1.0, 0.99]), np.array([False, True]), bins=10)
    assert bins.counts.tolist() == [0] * 9 + [2]
    assert bins.calibration_error() == pytest.approx(abs(0.5 - 0.995))
    # torchmetrics gives certainty a bin of its own, where errors cannot cancel
    apart = binary_calibration_error(torch.tensor([1.0, 0.99]), torch.tensor([0, 1]), n_bins=10)
    assert float(apart) > bins.calibration_error()


def test_a_perfectly_calibrated_classifier_has_no_error():
    assert reliability(np.full(4, 0.75), np.array([True, True, True, False])).calibration_error() == pytest.approx(0)
