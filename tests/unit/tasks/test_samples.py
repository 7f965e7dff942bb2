import numpy as np
import torch

from snaketorch.data.manifest import Manifest
from snaketorch.tasks import build_task, samples_of
from tests.unit.example_study import example_spec


def task_of(experiment: str, manifest: Manifest):
    spec = example_spec(experiment)
    return build_task(spec.task, spec.model, manifest.facts())


def test_targets_of_a_split_never_lie_in_another(sunspots):
    manifest = Manifest.load(sunspots)
    task = task_of("sunspots_gru", manifest)
    for split in ("train", "val", "test"):
        rows = manifest.arrays(split)["value"]
        samples = samples_of(task, manifest, split)
        batch = samples.batch(torch.arange(len(samples)))
        for index, target in zip(batch["index"].tolist(), batch["target"].numpy(), strict=True):
            assert index >= 0
            assert np.array_equal(target, rows[index : index + 3].astype("float32"))


def test_a_window_looks_back_on_the_split_before(sunspots):
    manifest = Manifest.load(sunspots)
    samples = samples_of(task_of("sunspots_gru", manifest), manifest, "val")
    first = samples.batch(torch.tensor([0]))
    assert first["index"].tolist() == [0]  # the very first step of the split is forecast
    assert np.array_equal(first["window"][0].numpy(), manifest.arrays("train")["value"][-33:].astype("float32"))


def test_reading_rows_keeps_each_row_as_one_step(digits):
    manifest = Manifest.load(digits)
    task = task_of("digits_lstm", manifest)
    seen = []
    task.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    images = samples_of(task, manifest, "test").batch(torch.arange(4))["image"]
    task(images)
    expected = (images[:, 0].float() / 255 - task.inputs.mean.item()) / task.inputs.std.item()
    assert torch.allclose(seen[0], expected, atol=1e-6)


def test_normalised_training_images_have_mean_zero_and_deviation_one(digits):
    manifest = Manifest.load(digits)
    task = task_of("digits_cnn", manifest)
    seen = []
    task.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    samples = samples_of(task, manifest, "train")
    task(samples.batch(torch.arange(len(samples)))["image"])
    assert abs(seen[0].mean().item()) < 1e-3
    assert abs(seen[0].std().item() - 1) < 1e-3


def test_an_untrained_forecast_with_no_change_is_persistence(sunspots):
    manifest = Manifest.load(sunspots)
    task = task_of("sunspots_gru", manifest).eval()
    torch.nn.init.zeros_(task.network.head.weight)
    torch.nn.init.zeros_(task.network.head.bias)
    batch = samples_of(task, manifest, "test").batch(torch.arange(5))
    predicted = task.predict(batch)
    assert torch.allclose(predicted["forecast"], batch["window"][:, -1:].expand(-1, 3, -1), atol=1e-3)
