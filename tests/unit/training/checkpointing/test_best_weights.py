from types import SimpleNamespace

import pytest
import torch

from snaketorch.training.checkpointing.best_weights import BestWeights


def trained(mode: str, values: list[float], **options) -> BestWeights:
    """After epochs whose validations gave ``values``; the weight is the number of the epoch."""
    network = torch.nn.Linear(1, 1)
    callback = BestWeights("val/loss", mode, network.state_dict, **options)
    for epoch, value in enumerate(values):
        torch.nn.init.constant_(network.weight, epoch + 1)
        metrics = {"val/loss": torch.tensor(value)}
        trainer = SimpleNamespace(callback_metrics=metrics, current_epoch=epoch, check_val_every_n_epoch=1)
        callback.on_train_epoch_end(trainer, None)
    return callback


@pytest.mark.parametrize(
    ("mode", "values", "best"),
    [("max", [0.5, 0.7, 0.7, 0.6], 2), ("min", [0.5, 0.4, 0.4], 2), ("min", [float("nan"), 0.9, float("nan")], 2)],
)
def test_the_first_of_the_best_epochs_is_kept_and_nan_never(mode, values, best):
    callback = trained(mode, values)
    assert callback.best["epoch"] == best
    assert callback.kept["weight"].item() == best


def test_weights_that_nobody_publishes_are_not_kept():
    callback = trained("max", [0.5, 0.7], keeps_weights=False)
    assert callback.best["epoch"] == 2
    assert callback.kept is None


def test_what_is_best_goes_on_with_a_training():
    other = trained("max", [])
    assert other.kept is None
    other.load_state_dict(trained("max", [0.5, 0.7]).state_dict())
    assert other.best == {"value": pytest.approx(0.7), "epoch": 2}
    assert other.kept["weight"].item() == 2
