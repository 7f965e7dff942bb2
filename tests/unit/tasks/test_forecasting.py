import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn

from snaketorch.config.models import Model
from snaketorch.config.tasks import Task
from snaketorch.data.manifest import Manifest
from snaketorch.errors import DataError, UserError
from snaketorch.tasks import build_task
from snaketorch.tasks.forecasting import in_order, pinball

NAMES = ["load", "heat", "wind"]
MEAN, STD = [10.0, -5.0, 0.0], [2.0, 0.5, 100.0]
FACTS = {
    "dataset": "power",
    "fields": {"value": {"shape": [3], "names": NAMES, "statistics": {"mean": MEAN, "std": STD}}},
}


def task_of(model=None, **options):
    section = {"kind": "forecasting", "window": 6, "horizon": 4, **options}
    network = TypeAdapter(Model).validate_python({"kind": "mlp", "hidden": [8]} if model is None else model)
    torch.manual_seed(0)
    return build_task(TypeAdapter(Task).validate_python(section), network, FACTS).eval()


def batch(count=5, steps=4):
    random = torch.Generator().manual_seed(1)
    values = torch.randn(count, 6 + steps, 3, generator=random) * torch.tensor(STD) + torch.tensor(MEAN)
    return {"window": values[:, :6], "target": values[:, 6:], "index": torch.arange(count)}


class Doubling(nn.Module):
    """Forecasts that every normalised value doubles."""

    def forward(self, window):
        return window[:, -1]


def test_each_forecast_of_a_recursion_is_known_to_the_next():
    task = task_of(strategy="recursive")
    task.network = Doubling()
    forecast = task.predict(batch())["forecast"]
    last = (batch()["window"][:, -1:] - task.mean) / task.std
    factors = torch.tensor([2.0, 4, 8, 16])[:, None]
    assert torch.allclose(forecast, last * factors * task.std + task.mean, rtol=1e-5)


def test_a_recursion_learns_one_step_and_is_validated_over_the_horizon(sunspots):
    manifest = Manifest.load(sunspots)
    options = TypeAdapter(Task).validate_python(
        {"kind": "forecasting", "window": 6, "horizon": 4, "strategy": "recursive"}
    )
    network = TypeAdapter(Model).validate_python({"kind": "mlp", "hidden": []})
    task = build_task(options, network, manifest.facts())
    steps = {
        split: task.samples(manifest, split).batch(torch.arange(2))["target"].shape[1] for split in ("train", "val")
    }
    assert steps == {"train": 1, "val": 4}
    assert task.num_outputs() == 1
    for split in steps:
        assert torch.isfinite(task.measure(task.samples(manifest, split).batch(torch.arange(2)))["loss"])


def test_only_the_targets_are_forecast_from_all_channels():
    task = task_of(targets=["wind", "load"])
    assert (task.input_shape().features, task.num_outputs()) == (3, 8)
    predicted = task.predict(batch())
    assert torch.equal(predicted["target"], batch()["target"][..., [2, 0]])
    changed = batch()
    changed["window"] = changed["window"].clone()
    changed["window"][:, 0, 1] += 3
    assert not torch.equal(task.predict(changed)["forecast"], predicted["forecast"])
    assert predicted["forecast"].shape == (5, 4, 2)
    nn.init.zeros_(task.network.head.weight)
    nn.init.zeros_(task.network.head.bias)
    known = batch()["window"][:, -1:, [2, 0]].expand(-1, 4, -1)
    assert torch.allclose(task.predict(batch())["forecast"], known, rtol=1e-5, atol=1e-4)


def test_a_channel_that_is_not_there_is_named():
    with pytest.raises(UserError, match=r"task.targets: the series has no wnid; allowed: load, heat, wind"):
        task_of(targets=["wnid"])


def test_quantiles_never_cross_and_the_forecast_is_their_median():
    task = task_of(quantiles=[0.05, 0.1, 0.5, 0.8, 0.99])
    nn.init.normal_(task.network.head.weight, std=30)
    predicted = task.predict(batch(40))
    assert predicted["quantiles"].shape == (40, 4, 3, 5)
    assert (predicted["quantiles"].diff(dim=-1) >= 0).all()
    assert torch.equal(predicted["forecast"], predicted["quantiles"][..., 2])


def test_steps_between_quantiles_are_counted_from_the_median():
    values = torch.tensor([[1.0, 2.0, -7.0, 3.0]])
    step = torch.nn.functional.softplus(values[0]).tolist()
    expected = [-7 - step[1] - step[0], -7 - step[1], -7, -7 + step[3]]
    assert in_order(values, median=2)[0].tolist() == pytest.approx(expected)


def test_the_pinball_loss_is_least_at_the_quantile():
    levels = torch.tensor([0.1, 0.5, 0.9])
    truth = torch.arange(1.0, 1001)
    candidates = torch.arange(0.0, 1002)
    losses = torch.stack([pinball(value.expand(1000, 3), truth, levels).mean(0) for value in candidates])
    assert candidates[losses.argmin(0)].tolist() == pytest.approx([100, 500, 900], abs=1)


def test_training_learns_the_spread_of_noise():
    task = task_of({"kind": "mlp", "hidden": []}, quantiles=[0.1, 0.5, 0.9], horizon=1).train()
    optimizer = torch.optim.Adam(task.parameters(), lr=0.05)
    random = torch.Generator().manual_seed(0)
    for _ in range(400):
        noise = torch.randn(256, 7, 3, generator=random) * task.std + task.mean
        optimizer.zero_grad()
        task.measure({"window": noise[:, :6], "target": noise[:, 6:]})["loss"].backward()
        optimizer.step()
    noise = torch.randn(4000, 7, 3, generator=random) * task.std + task.mean
    predicted = task.predict({"window": noise[:, :6], "target": noise[:, 6:], "index": torch.arange(4000)})
    below = (predicted["target"][..., None] <= predicted["quantiles"]).float().mean((0, 1, 2))
    assert below.tolist() == pytest.approx([0.1, 0.5, 0.9], abs=0.03)


@pytest.mark.parametrize("quantiles", [[], [0.5], [0.1, 0.5], [0.1, 0.9], [0.9, 0.5, 0.1], [0.1, 0.5, 0.5, 0.9]])
def test_quantiles_must_rise_around_the_median(quantiles):
    with pytest.raises(ValidationError, match=r"allowed: rising, with 0\.5 \(the median\)"):
        task_of(quantiles=quantiles)


def test_what_only_the_test_reads_is_not_told_to_the_training():
    with_season, without = task_of(season=4).options, task_of().options
    assert with_season != without
    assert with_season.for_training == without.for_training == without


class Splits:
    """A manifest of a series of one channel, 0, 1, 2, ..., cut into splits of so many steps."""

    dataset = "counts"

    def __init__(self, **steps):
        ends = np.cumsum(list(steps.values()))
        self._values = {
            split: np.arange(end - count, end, dtype=np.float32)[:, None]
            for (split, count), end in zip(steps.items(), ends, strict=True)
        }

    def arrays(self, split):
        return {"value": self._values[split]}


def test_a_split_looks_back_on_as_many_steps_as_its_window_has():
    task, manifest = task_of(), Splits(train=20, val=4, test=9)
    train, val, test = (task.samples(manifest, split) for split in ("train", "val", "test"))
    assert train.series.data_ptr() == manifest.arrays("train")["value"].ctypes.data, "nothing is copied"
    assert (val.series[:, 0].tolist(), val.context) == (list(range(14, 24)), 6)
    assert (test.series[:, 0].tolist(), test.context) == (list(range(18, 33)), 6), "two steps lie before val"
    with pytest.raises(DataError, match="the train split of dataset 'counts' has 9 steps, too few for a window of 6"):
        task.samples(Splits(train=9, val=4, test=9), "train")
