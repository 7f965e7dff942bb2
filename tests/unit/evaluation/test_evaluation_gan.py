import numpy as np
import pyarrow.parquet as parquet
import pytest
import torch
from test_evaluation_step import Trained

from snaketorch.data.manifest import Manifest
from snaketorch.evaluation import gan
from snaketorch.evaluation.outcome import Case
from snaketorch.models.adversaries import Generator
from snaketorch.tasks import build_task
from snaketorch.training.model_file import load_model

METRICS = ("frechet", "precision", "recall", "coverage")


def trained(folder, digits, conditional: bool) -> Trained:
    return Trained(folder, digits, {"kind": "gan"}, {"kind": "gan", "hidden": [8], "conditional": conditional})


@pytest.fixture(scope="module")
def done(tmp_path_factory, digits):
    return trained(tmp_path_factory.mktemp("gan"), digits, conditional=True).evaluate()


def test_a_generator_is_tested_beside_real_images_and_itself_untrained(done):
    content = done.content
    assert set(content["metrics"]) == {f"test/{name}" for name in METRICS}
    assert content["goal"] == "test/frechet"
    real, untrained = (content["baselines"][name] for name in ("real_training_images", "untrained_generator"))
    assert real["test/frechet"] < 0.1 * untrained["test/frechet"]
    assert real["test/precision"] > 0.8 and real["test/coverage"] > 0.9
    # these weights were never trained either
    assert content["metrics"]["test/frechet"] == pytest.approx(untrained["test/frechet"], rel=0.2)


def test_the_collapse_of_a_generator_is_told(done):
    (warning,) = done.content["details"]["warnings"]
    assert warning.startswith("The generator has collapsed: generated images vary")
    assert done.content["details"]["notes"] == [
        "Generated and real images are compared by the pixels, averaged to 8x8."
    ]


def test_each_generated_image_is_listed_with_its_class_and_its_nearest_training_image(done, digits):
    manifest, table = Manifest.load(digits), parquet.read_table(done.predictions).to_pandas()
    assert table["label"].tolist() == [str(label) for label in manifest.arrays("test")["label"]]
    assert table["nearest_training_image"].between(0, manifest.splits["train"].count - 1).all()
    assert (table["distance"] > 0).all()
    assert {path.name for path in done.figures.iterdir()} == {"curves.svg", "generated.svg", "nearest.svg"}


def test_without_classes_none_are_listed(tmp_path, digits):
    table = parquet.read_table(trained(tmp_path, digits, conditional=False).evaluate(metrics=["recall"]).predictions)
    assert table.column_names == ["index", "looks_real", "nearest_training_image", "distance"]


def test_training_images_learnt_by_heart_are_noticed(tmp_path, digits, monkeypatch):
    images = torch.from_numpy(np.array(Manifest.load(digits).arrays("train")["image"])).float() / 127.5 - 1
    calls = []

    def by_heart(self, noise, label=None):
        start = sum(calls) % 1000
        calls.append(len(noise))
        return images[start : start + len(noise)]

    monkeypatch.setattr(Generator, "forward", by_heart)
    content = trained(tmp_path, digits, conditional=False).evaluate().content
    assert any("learnt training images by heart" in warning for warning in content["details"]["warnings"])
    generated, test = content["details"]["nearest_training_image"]
    assert generated["median_distance"] == 0 < test["median_distance"]


@pytest.mark.parametrize("seed", [0, 3])
def test_the_untrained_generator_has_the_weights_that_the_training_began_with(seed, tmp_path, digits):
    files = trained(tmp_path, digits, conditional=True)
    task = load_model(files.model)
    torch.manual_seed(seed)
    fresh = build_task(task.options, task.model_options, task.facts).eval()
    label = torch.arange(6)
    case = Case(task.options, Manifest.load(digits), {"label": label.numpy()}, [], 1, task, seed)
    np.testing.assert_array_equal(gan._untrained(case), fresh.generate(range(6), label, "test").byte())


def test_the_test_knows_the_seed_of_the_training(tmp_path, digits, monkeypatch):
    seeds, real = [], gan._untrained
    monkeypatch.setattr(gan, "_untrained", lambda case: seeds.append(case.seed) or real(case))
    assert trained(tmp_path, digits, conditional=False).evaluate().content["seed"] == seeds[0] == 3


def test_features_beyond_a_batch_are_joined_in_order(digits, monkeypatch):
    class Task:
        device = torch.device("cpu")
        features = staticmethod(lambda image: image.float().flatten(1).mean(1, keepdim=True))

    images = Manifest.load(digits).arrays("test")["image"]
    whole = gan._features(Task, images)
    monkeypatch.setattr(gan, "BATCH", 100)
    torch.testing.assert_close(gan._features(Task, images), whole)
