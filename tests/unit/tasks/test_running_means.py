import math

import pytest
import torch

from snaketorch.tasks.base import RunningMeans


def values(loss: float, accuracy: float = 1.0) -> dict[str, torch.Tensor]:
    return {"loss": torch.tensor(loss), "accuracy": torch.tensor(accuracy)}


def test_means_are_over_samples_and_start_over():
    means = RunningMeans(["loss", "accuracy"])
    means.add(values(1.0, 0.5), 3)
    means.add(values(5.0, 0.0), 1)
    assert {name: value.item() for name, value in means.take().items()} == {"loss": 2.0, "accuracy": 0.375}
    assert int(means.count) == 0


@pytest.mark.parametrize("broken", [math.nan, math.inf])
@pytest.mark.parametrize("count", [5, torch.tensor(5)])
def test_batches_without_a_finite_loss_are_left_out_where_that_is_asked_for(broken, count):
    means = RunningMeans(["loss", "accuracy"])
    means.finite_only = True
    means.add(values(3.0, 0.5), 3)
    means.add(values(broken, 0.0), count)
    assert {name: value.item() for name, value in means.take().items()} == {"loss": 3.0, "accuracy": 0.5}
