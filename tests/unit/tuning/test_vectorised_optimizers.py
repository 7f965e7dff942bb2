from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from pydantic import TypeAdapter
from torch import nn
from training_specs import spec_of

from snaketorch.config.optimizers import Optimizer
from snaketorch.training.optimization import Optimization
from snaketorch.tuning.vectorised.optimizers import RowOptimizer, clip
from snaketorch.tuning.vectorised.settings import RowSettings

STEPS_AN_EPOCH, EPOCHS = 4, 3

CASES = {
    "sgd": [
        {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
        {"kind": "sgd", "lr": 0.03, "momentum": 0.0},
    ],
    "sgd with nesterov": [
        {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"kind": "sgd", "lr": 0.02, "momentum": 0.5, "nesterov": True, "weight_decay": 0.1},
    ],
    "adam": [
        {"kind": "adam", "lr": 0.01, "weight_decay": 0.1},
        {"kind": "adam", "lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-4},
    ],
    "adamw": [{"kind": "adamw", "lr": 0.01}, {"kind": "adamw", "lr": 0.1, "weight_decay": 0.0, "betas": [0.5, 0.9]}],
    "rmsprop": [
        {"kind": "rmsprop", "lr": 0.01, "momentum": 0.9},
        {"kind": "rmsprop", "lr": 0.003, "alpha": 0.9, "weight_decay": 0.1},
    ],
}
SCHEDULES = {
    "none": {"kind": "none"},
    "cosine": {"kind": "cosine", "warmup_epochs": 1, "min_lr": 1e-3},
    "one_cycle": {"kind": "one_cycle"},
    "step": {"kind": "step", "step_size": 1, "gamma": 0.5},
}


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def by_torch(spec, gradients: list[dict], clipping: float | None) -> list[dict]:
    """The weights after each step of an own training."""
    own = network(0)
    length = SimpleNamespace(estimated_stepping_batches=STEPS_AN_EPOCH * EPOCHS, max_epochs=EPOCHS)
    made = Optimization(spec.optimizer, spec.lr_scheduler, clipping)(own, length)
    optimizer, schedule, found = made["optimizer"], made.get("lr_scheduler"), []
    for step, given in enumerate(gradients, start=1):
        for name, weight in own.named_parameters():
            weight.grad = given[name].clone()
        if clipping is not None:
            nn.utils.clip_grad_norm_(own.parameters(), clipping)
        optimizer.step()
        if schedule and (schedule["interval"] == "step" or step % STEPS_AN_EPOCH == 0):
            schedule["scheduler"].step()
        found.append({name: weight.detach().clone() for name, weight in own.named_parameters()})
    return found


@pytest.mark.parametrize("clips", [False, True], ids=["unbounded", "clipped"])
@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("optimizers", CASES.values(), ids=CASES)
def test_each_row_steps_as_torch_does(optimizers, schedule, clips):
    model, task = {"kind": "mlp"}, {"kind": "image_classification"}
    trainer = {"max_epochs": EPOCHS}
    specs = [spec_of(task, model, optimizer=own, lr_scheduler=schedule, trainer=trainer) for own in optimizers]
    clipping = [0.5, 2.0] if clips else [None, None]
    names = dict(network(0).named_parameters())
    torch.manual_seed(1)
    steps = [
        {name: torch.randn(2, *weight.shape) for name, weight in names.items()} for _ in range(STEPS_AN_EPOCH * EPOCHS)
    ]
    weights = {name: weight.detach().repeat(2, *[1] * weight.ndim) for name, weight in names.items()}
    optimizer = RowOptimizer(optimizers[0]["kind"], weights, optimizers[0].get("nesterov", False))
    settings, found = RowSettings(specs, STEPS_AN_EPOCH), []
    for number, gradients in enumerate(steps, start=1):
        gradients = {name: value.clone() for name, value in gradients.items()}
        if clips:
            clip(gradients, torch.tensor(clipping), "norm")
        optimizer.step(weights, gradients, settings.now)
        settings.step(number)
        found.append({name: value.clone() for name, value in weights.items()})
    for row, spec in enumerate(specs):
        gradients = [{name: value[row] for name, value in step.items()} for step in steps]
        for ours, theirs in zip(found, by_torch(spec, gradients, clipping[row]), strict=True):
            for name, value in theirs.items():
                torch.testing.assert_close(ours[name][row], value, rtol=1e-5, atol=1e-6)
    assert all(not torch.equal(one[name], other[name]) for one, other in pairwise(found) for name in names)


def test_a_schedule_goes_on_from_any_step():
    kind = TypeAdapter(Optimizer).validate_python({"kind": "sgd"}).kind
    specs = [
        spec_of({"kind": "image_classification"}, {"kind": "mlp"}, optimizer={"kind": kind, "lr": lr}, lr_scheduler=own)
        for lr, own in ((0.1, SCHEDULES["one_cycle"]), (0.2, SCHEDULES["cosine"]), (0.3, SCHEDULES["cosine"]))
    ]
    whole, again = RowSettings(specs, STEPS_AN_EPOCH), RowSettings(specs[1:], STEPS_AN_EPOCH)
    for step in range(1, 6):
        whole.step(step)
    whole.keep([1, 2])
    again.forward(5)
    assert torch.equal(whole.now["lr"], again.now["lr"])
    assert not torch.equal(whole.now["lr"], torch.tensor([0.2, 0.3], dtype=torch.float64))


def test_values_are_clipped_row_by_row():
    gradients = {"a": torch.tensor([[3.0, -3.0], [3.0, -3.0]])}
    clip(gradients, torch.tensor([1.0, 2.0]), "value")
    assert gradients["a"].tolist() == [[1, -1], [2, -2]]
