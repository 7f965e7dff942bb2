import json

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter
from sklearn.datasets import load_diabetes

from snaketorch.config.augment import Augment
from snaketorch.config.models import Model
from snaketorch.config.specs import PrepareSpec
from snaketorch.config.tasks import Task
from snaketorch.data.augment import build_augmentation
from snaketorch.data.manifest import Manifest
from snaketorch.data.prepare import prepare
from snaketorch.errors import UserError
from snaketorch.evaluation.linear_rows import linear_rows
from snaketorch.evaluation.outcome import Case
from snaketorch.evaluation.regression import evaluate
from snaketorch.tasks import build_task


@pytest.fixture(scope="module")
def patients(tmp_path_factory) -> Manifest:
    """Rows of nine numbers and one category, that tell how a disease went on."""
    folder = tmp_path_factory.mktemp("patients")
    table = load_diabetes(as_frame=True, scaled=False).frame
    table["sex"] = table["sex"].map({1.0: "one", 2.0: "two"})
    table.to_csv(folder / "patients.csv", index=False)
    source = {"kind": "table", "path": str(folder / "patients.csv"), "target": "target", "predict": "number"}
    return prepared(folder, source)


def prepared(folder, source) -> Manifest:
    section = {"dataset": "some", "source": source, "split": {"val": 0.15, "test": 0.2}, "prepare": {}}
    spec = PrepareSpec.model_validate_json(json.dumps(section))
    paths = {name: folder / name for name in ("manifest.json", "preview.png", "arrays")}
    prepare(spec, *paths.values(), code="0" * 16, source="0" * 16)
    return Manifest.load(paths["manifest.json"])


def task_of(manifest, hidden=(16,), **options):
    torch.manual_seed(0)
    section = TypeAdapter(Task).validate_python({"kind": "regression", **options})
    return build_task(
        section, TypeAdapter(Model).validate_python({"kind": "mlp", "hidden": list(hidden)}), manifest.facts()
    )


def everything(task, manifest, split):
    samples = task.samples(manifest, split)
    return samples.batch(torch.arange(len(samples)))


def trained(manifest, **options):
    task = task_of(manifest, **options)
    batch, optimizer = everything(task, manifest, "train"), torch.optim.Adam(task.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        task.measure(batch)["loss"].backward()
        optimizer.step()
    return task.eval()


def outcome_of(task, manifest, **changes):
    with torch.inference_mode():
        predictions = {name: value.numpy() for name, value in task.predict(everything(task, manifest, "test")).items()}
    return evaluate(Case(task.options, manifest, predictions | changes, list(task.options.metrics), 3, task))


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_it_learns_and_tells_in_the_unit_of_the_data(patients, loss):
    task = trained(patients, loss=loss)
    outcome = outcome_of(task, patients)
    assert outcome.metrics["mae"] < 0.8 * min(
        outcome.baselines[name]["mae"] for name in ("training_mean", "training_median")
    )
    with torch.inference_mode():
        measured = task.measure(everything(task, patients, "test"))
    assert float(measured["mae"]) == pytest.approx(outcome.metrics["mae"], rel=1e-4)


def test_a_network_that_says_nothing_tells_the_mean_of_the_training_split(patients):
    task = task_of(patients, hidden=[])
    torch.nn.init.zeros_(task.network.head.weight)
    torch.nn.init.zeros_(task.network.head.bias)
    outcome = outcome_of(task, patients)
    assert outcome.metrics == pytest.approx(outcome.baselines["training_mean"], rel=1e-4)
    assert outcome.baselines["training_mean"]["r2"] <= 0


def test_metrics_are_those_of_numpy(patients):
    task = task_of(patients)
    truth = patients.arrays("test")["target"]
    outcome = outcome_of(task, patients, predicted=truth + np.float32(3) * (-1) ** np.arange(len(truth)))
    spread = np.square(truth - truth.mean()).mean()
    assert outcome.metrics == pytest.approx({"mae": 3, "rmse": 3, "r2": 1 - 9 / spread}, rel=1e-5)
    assert [row["mae"] for row in outcome.details["per_range"]] == pytest.approx([3] * 5, rel=1e-5)
    assert sum(row["samples"] for row in outcome.details["per_range"]) == len(truth)
    table = outcome.predictions.to_pandas()
    assert np.abs(table["predicted"] - table["target"]).to_numpy() == pytest.approx(3, rel=1e-5)
    assert set(outcome.figures) == {"predicted", "residuals", "worst", "best"}


def test_a_test_split_of_one_number_leaves_r2_undefined(patients):
    task = task_of(patients)
    same = np.full(len(patients.arrays("test")["target"]), 7.0, np.float32)
    outcome = outcome_of(task, patients, target=same, predicted=same + 1)
    assert outcome.metrics == {"mae": 1, "rmse": 1, "r2": None}


def test_the_linear_baseline_is_a_regression_on_numbers_and_categories(patients):
    arrays = {split: patients.arrays(split) for split in ("train", "test")}
    features = {
        split: np.column_stack([found["number"], found["category"] == 1, np.ones(len(found["target"]))])
        for split, found in arrays.items()
    }
    weights, *_ = np.linalg.lstsq(features["train"].astype(np.float64), arrays["train"]["target"], rcond=None)
    told = linear_rows(patients)
    assert np.corrcoef(told, features["test"] @ weights)[0, 1] > 0.99
    truth = arrays["test"]["target"]
    assert np.abs(told - truth).mean() < 0.8 * np.abs(truth - arrays["train"]["target"].mean()).mean()


@pytest.fixture(scope="module")
def squares(tmp_path_factory) -> Manifest:
    """Images with a square each, that tell how large it is."""
    folder, sizes = tmp_path_factory.mktemp("squares"), np.random.default_rng(7).integers(1, 9, 120)
    images = np.zeros((120, 8, 8), np.uint8)
    for image, size in zip(images, sizes, strict=True):
        image[:size, :size] = 255
    np.savez(folder / "squares.npz", image=images, size=sizes / 2)
    source = {"kind": "arrays", "path": str(folder / "squares.npz"), "content": "number_images"}
    return prepared(folder, source | {"samples": "image", "labels": "size"})


@pytest.fixture(scope="module")
def waves(tmp_path_factory) -> Manifest:
    """Sequences of two channels, that tell their height."""
    folder, height = tmp_path_factory.mktemp("waves"), np.random.default_rng(7).uniform(-3, 3, 100)
    values = height[:, None, None] * np.sin(np.arange(10)[:, None] + np.array([0, 1]))
    np.savez(folder / "waves.npz", wave=values, height=height)
    source = {"kind": "arrays", "path": str(folder / "waves.npz"), "content": "number_sequences"}
    return prepared(folder, source | {"samples": "wave", "labels": "height"})


@pytest.mark.parametrize("kind", ["squares", "waves"])
def test_images_and_sequences_tell_numbers_too(kind, request):
    manifest = request.getfixturevalue(kind)
    assert manifest.classes == ()
    assert manifest.splits["train"].class_counts is None
    outcome = outcome_of(trained(manifest), manifest)
    assert outcome.metrics["r2"] > 0.9
    assert set(outcome.baselines) == {"training_mean", "training_median"}
    assert set(outcome.figures) == {"predicted", "residuals", "worst", "best"}


def test_the_number_of_a_sample_is_its_own(waves):
    for split in ("train", "val", "test"):
        arrays = waves.arrays(split)
        assert np.asarray(arrays["value"])[:, 0, 1] == pytest.approx(arrays["target"] * np.sin(1), rel=1e-5)
    statistics = waves.fields["target"]["statistics"]
    assert statistics["mean"] == pytest.approx(waves.arrays("train")["target"].mean(), abs=1e-5)
    assert waves.fields["target"]["name"] == "height"


def test_images_with_a_number_are_changed_like_others(squares):
    options = Augment(rotate=90.0, horizontal_flip=0.5)
    augmentation = build_augmentation(options, squares.provides, squares.fields, seed=0)
    batch = everything(task_of(squares), squares, "train")
    changed = augmentation(dict(batch), 1)
    assert torch.equal(changed["target"], batch["target"])
    assert not torch.equal(changed["image"], batch["image"])
    with pytest.raises(UserError, match="mixup has no meaning for images with a number"):
        build_augmentation(Augment(mixup=0.2), squares.provides, squares.fields, seed=0)
