from types import SimpleNamespace

import pytest
import torch
from torch import nn

from snaketorch.config import optimizers
from snaketorch.training.optimization import OPTIMIZERS, Optimization
from snaketorch.training.transfer import Layer


def trainer(steps: int = 100, epochs: int = 10) -> SimpleNamespace:
    module = SimpleNamespace(mode_of=lambda metric: "min")
    return SimpleNamespace(
        estimated_stepping_batches=steps, max_epochs=epochs, check_val_every_n_epoch=1, lightning_module=module
    )


def configured(optimizer, schedule) -> dict:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 2))
    return Optimization(optimizer, schedule)(network, trainer())


def rates(options, steps: int = 100) -> list[float]:
    found = configured(optimizers.Sgd(kind="sgd", lr=1.0), options)
    values = []
    for _ in range(steps):
        values.append(found["optimizer"].param_groups[0]["lr"])
        found["optimizer"].step()
        found["lr_scheduler"]["scheduler"].step()
    return values


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_only_weights_decay_not_biases_and_normalisation(kind):
    section = {"adamw": optimizers.AdamW, "adam": optimizers.Adam, "sgd": optimizers.Sgd, "rmsprop": optimizers.RmsProp}
    found = configured(section[kind](kind=kind, lr=0.5, weight_decay=0.25), optimizers.NoSchedule(kind="none"))
    weights, others = found["optimizer"].param_groups
    assert isinstance(found["optimizer"], OPTIMIZERS[kind])
    assert [weight.ndim for weight in weights["params"]] == [4, 2]
    assert {weight.ndim for weight in others["params"]} == {1}
    assert (weights["weight_decay"], others["weight_decay"], weights["lr"]) == (0.25, 0.0, 0.5)
    assert "lr_scheduler" not in found


@pytest.mark.parametrize(
    ("schedule", "lowest"),
    [
        (optimizers.OneCycle(kind="one_cycle", pct_start=0.3, div_factor=10), None),
        (optimizers.Cosine(kind="cosine", min_lr=0.1), 0.1),
        (optimizers.Step(kind="step", step_size=3, gamma=0.5), None),
        (optimizers.NoSchedule(kind="none"), None),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_layers_keep_their_share_of_the_rate_under_every_schedule(schedule, lowest):
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    layers = [Layer([*network[1].parameters()], 1.0), Layer([*network[0].parameters()], 0.25)]
    optimization = Optimization(optimizers.Sgd(kind="sgd", lr=1.0), schedule, layers=layers)
    found = optimization(network, trainer())

    seen = []
    for _ in range(100):
        head, base = (found["optimizer"].param_groups[place]["lr"] for place in (0, 2))
        assert base == pytest.approx(0.25 * head, rel=1e-6)
        seen.append(head)
        found["optimizer"].step()
        if "lr_scheduler" in found:
            found["lr_scheduler"]["scheduler"].step()
    assert len(found["optimizer"].param_groups) == 4, "weights and biases of each layer"
    assert max(seen) == pytest.approx(1.0)
    if lowest:
        assert min(seen) == pytest.approx(lowest, abs=1e-3)


def test_the_lowest_rate_of_a_plateau_is_the_heads():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    layers = [Layer([*network[1].parameters()], 1.0), Layer([*network[0].parameters()], 0.25)]
    options = optimizers.Plateau(kind="plateau", monitor="val/loss", min_lr=0.2)
    found = Optimization(optimizers.Sgd(kind="sgd", lr=1.0), options, layers=layers)(network, trainer())

    assert found["lr_scheduler"]["scheduler"].min_lrs == pytest.approx([0.2, 0.2, 0.05, 0.05])


@pytest.mark.parametrize("factor", [0.1, 1.0, 4.0])
def test_one_of_two_networks_keeps_its_factor_down_to_the_lowest_rate(factor):
    section = optimizers.Adam(kind="adam", lr=1e-3)
    network, floor = nn.Linear(2, 2), factor * 5e-4
    plateau = optimizers.Plateau(kind="plateau", monitor="val/loss", min_lr=5e-4)
    found = Optimization(section, plateau)(network, trainer(), factor)
    assert found["lr_scheduler"]["scheduler"].min_lrs == pytest.approx([floor, floor])

    found = Optimization(section, optimizers.Cosine(kind="cosine", min_lr=5e-4))(network, trainer(), factor)
    rates = []
    for _ in range(101):
        rates.append(found["optimizer"].param_groups[0]["lr"])
        found["optimizer"].step()
        found["lr_scheduler"]["scheduler"].step()
    assert rates == sorted(rates, reverse=True)
    assert (rates[0], rates[-1]) == pytest.approx((factor * 1e-3, floor))


def test_cosine_warms_up_and_ends_at_the_lowest_rate():
    found = rates(optimizers.Cosine(kind="cosine", warmup_epochs=2, min_lr=0.1))
    assert found[:3] == pytest.approx([1 / 20, 2 / 20, 3 / 20])
    assert max(found) == pytest.approx(1.0)
    assert found[60] == pytest.approx(0.55, abs=1e-6)  # half-way down from 1.0 to 0.1
    assert found[-1] == pytest.approx(0.1, abs=1e-3)


def test_one_cycle_peaks_where_it_should():
    found = rates(optimizers.OneCycle(kind="one_cycle", pct_start=0.3, div_factor=10))
    assert found[0] == pytest.approx(0.1)
    assert found.index(max(found)) == pytest.approx(29, abs=1)
    assert found[-1] < 1e-3


@pytest.mark.parametrize(("pct_start", "steps"), [(0.5, 2), (0.25, 4), (0.1, 10)])
def test_one_cycle_whose_way_up_is_a_single_step_comes_down(pct_start, steps):
    network, options = nn.Linear(2, 2), optimizers.OneCycle(kind="one_cycle", pct_start=pct_start, div_factor=10)
    found = Optimization(optimizers.Sgd(kind="sgd", lr=1.0), options)(network, trainer(steps))
    rates = []
    for _ in range(steps):
        rates.append(found["optimizer"].param_groups[0]["lr"])
        found["optimizer"].step()
        found["lr_scheduler"]["scheduler"].step()
    assert rates[0] == pytest.approx(0.1)
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert rates[-1] < 1e-3


def test_steps_come_every_so_many_epochs():
    found = configured(optimizers.Sgd(kind="sgd"), optimizers.Step(kind="step", step_size=3, gamma=0.5))
    assert found["lr_scheduler"]["interval"] == "epoch"
    assert rates(optimizers.Step(kind="step", step_size=3, gamma=0.5), 7) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_a_plateau_follows_its_metric():
    options = optimizers.Plateau(kind="plateau", monitor="val/loss", factor=0.5, patience=1)
    found = configured(optimizers.Sgd(kind="sgd", lr=1.0), options)
    schedule = found["lr_scheduler"]
    assert (schedule["monitor"], schedule["interval"]) == ("val/loss", "epoch")
    for loss in (1.0, 1.0, 1.0):
        schedule["scheduler"].step(torch.tensor(loss))
    assert found["optimizer"].param_groups[0]["lr"] == 0.5
