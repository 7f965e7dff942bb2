"""Averages of weights, against averages made by hand."""

from types import SimpleNamespace

import pytest
import torch

from snaketorch.config.averaging import Ema, Swa
from snaketorch.training.averaging import WeightAveraging, moving_mean


def trainer(step: int, epoch: int, is_last: bool) -> SimpleNamespace:
    progress = SimpleNamespace(is_last_batch=is_last)
    loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress))
    return SimpleNamespace(global_step=step, current_epoch=epoch, fit_loop=loop)


def trained(options, weights: list[float], epochs: int = 4) -> tuple[WeightAveraging, torch.nn.Module]:
    """A network whose weight took these values, two steps an epoch."""
    network = torch.nn.Linear(1, 1, bias=False)
    averaging = WeightAveraging(options, network, epochs)
    averaging.on_fit_start(None, None)
    for number, weight in enumerate(weights):
        torch.nn.init.constant_(network.weight, weight)
        averaging.on_train_batch_end(trainer(number + 1, number // 2, number % 2 == 1))
    return averaging, network


def test_a_moving_average_follows_every_step():
    averaging, _ = trained(Ema(kind="ema", decay=0.5), [1.0, 3.0, 7.0])
    assert averaging.weights()["weight"].item() == pytest.approx(0.5 * (0.5 * 1 + 0.5 * 3) + 0.5 * 7)


def test_the_mean_is_of_the_ends_of_the_last_epochs():
    averaging, _ = trained(Swa(kind="swa", start=0.5), [1, 2, 3, 4, 5, 6, 7, 8])
    assert averaging.weights()["weight"].item() == pytest.approx((6 + 8) / 2)


def test_weights_are_the_networks_own_before_anything_is_averaged():
    averaging, _ = trained(Swa(kind="swa", start=0.5), [1, 2, 3])
    assert averaging.weights()["weight"].item() == 3


def test_batches_that_end_no_step_are_not_averaged():
    averaging, network = trained(Ema(kind="ema", decay=0.5), [1.0, 3.0])
    torch.nn.init.constant_(network.weight, 100)
    averaging.on_train_batch_end(trainer(2, 1, False))
    assert averaging.weights()["weight"].item() == pytest.approx(2)


def test_the_average_is_validated_and_the_network_trains_on_as_it_was():
    averaging, network = trained(Ema(kind="ema", decay=0.5), [1.0, 3.0])
    averaging.on_validation_start(None, None)
    assert network.weight.item() == pytest.approx(2)
    averaging.on_validation_end(None, None)
    assert network.weight.item() == 3
    assert averaging.weights()["weight"].item() == pytest.approx(2)


@pytest.mark.parametrize("options", [Ema(kind="ema", decay=0.5), Swa(kind="swa", start=0.0)], ids=["ema", "swa"])
def test_a_mask_of_infinities_stays_as_it_is(options):
    network, mask = torch.nn.Linear(1, 1, bias=False), torch.nn.Transformer.generate_square_subsequent_mask(3)
    network.register_buffer("mask", mask.clone())
    averaging = WeightAveraging(options, network, max_epochs=4)
    averaging.on_fit_start(None, None)
    for number in range(4):
        averaging.on_train_batch_end(trainer(number + 1, number, True))
    assert averaging.weights()["mask"].equal(mask)


@pytest.mark.parametrize("decay", [None, 0.5])
def test_counts_of_batches_are_taken_over_as_they_are(decay):
    averages, values = [torch.tensor(3), torch.tensor([4, 5])], [torch.tensor(7), torch.tensor([8, 9])]
    moving_mean(decay)(averages, values, torch.tensor(2))
    assert [one.tolist() for one in averages] == [7, [8, 9]]
