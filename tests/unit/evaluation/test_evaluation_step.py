import json
import logging
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as parquet
import pytest
import torch
from pydantic import TypeAdapter

from snaketorch.config.models import Model
from snaketorch.config.specs import EvaluateSpec
from snaketorch.config.tasks import Task
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.evaluation.evaluate import evaluate
from snaketorch.journal import Journal, Run, read_artifacts, read_metrics
from snaketorch.provenance import file_sha256
from snaketorch.tasks import build_task
from snaketorch.training.model_file import save_model

HISTORY = """epoch,step,lr,seconds,train/loss,train/accuracy,train/mae,val/loss,val/accuracy,val/mae
1,10,0.1,1,2.0,0.3,9,2.1,0.3,9
2,20,0.1,1,1.0,0.6,8,1.2,0.5,8
"""


class Trained:
    """The files of a training that never took place: a network with fresh weights."""

    def __init__(self, folder: Path, manifest: Path, task: dict, model: dict, break_weights: bool = False):
        dataset = Manifest.load(manifest)
        options, network = TypeAdapter(Task).validate_python(task), TypeAdapter(Model).validate_python(model)
        torch.manual_seed(0)
        weights = build_task(options, network, dataset.facts()).network.state_dict()
        if break_weights:
            next(iter(weights.values())).fill_(torch.nan)
        self.folder, self.manifest, self.data, self.task = folder, manifest, dataset.dataset, options
        self.model, self.record = folder / "model.ckpt", folder / "record.json"
        save_model(self.model, options, network, dataset.facts(), weights)
        (folder / "history.csv").write_text(HISTORY)
        self.journal = Journal(folder / "journal", Run("some/key", "a run")).folder
        self.write_record()

    def write_record(self, **changes):
        content = {
            "inputs": {"manifest": {"digest": Manifest.load(self.manifest).digest}},
            "outputs": {"model": file_sha256(self.model)},
            "steps": 20,
            "best": {"metric": "val/loss", "value": 1.2, "epoch": 2, "kept": True},
            "journal": str(self.journal),
        }
        self.record.write_text(json.dumps(content | changes))

    def evaluate(self, to: str = "test", **options) -> SimpleNamespace:
        """What the step publishes, under the folder ``to``."""
        paths = {
            "metrics": self.folder / to / "metrics.json",
            "predictions": self.folder / to / "predictions.parquet",
            "figures": self.folder / to / "figures",
        }
        evaluate(
            EvaluateSpec(
                experiment="some", seed=3, data=self.data, task=self.task, evaluate={"examples": 2, **options}
            ),
            manifest=self.manifest,
            model=self.model,
            record=self.record,
            history=self.folder / "history.csv",
            code="0" * 16,
            threads=1,
            **paths,
        )
        return SimpleNamespace(**paths, content=json.loads(paths["metrics"].read_text()))


CNN = {"kind": "cnn", "channels": [4], "hidden": 8}
FORECASTING = {"kind": "forecasting", "window": 8, "horizon": 2, "season": 11}


@pytest.fixture
def classifier(tmp_path, digits):
    return Trained(tmp_path, digits, {"kind": "image_classification"}, CNN)


@pytest.fixture
def forecaster(tmp_path, sunspots):
    return Trained(tmp_path, sunspots, FORECASTING, {"kind": "gru", "hidden": 4})


@pytest.fixture(scope="module")
def done(tmp_path_factory, digits):
    """One test of a classifier, for all that look at its outputs."""
    trained = Trained(tmp_path_factory.mktemp("trained"), digits, {"kind": "image_classification"}, CNN)
    return SimpleNamespace(trained=trained, **vars(trained.evaluate()))


def test_a_classifier_is_tested_on_every_sample_of_the_test_split(done, digits):
    content, label = done.content, Manifest.load(digits).arrays("test")["label"]
    table = parquet.read_table(done.predictions).to_pandas()
    assert content["samples"] == len(table) == len(label)
    assert table["label"].tolist() == [str(value) for value in label]
    assert content["metrics"]["test/accuracy"] == pytest.approx((table["label"] == table["predicted"]).mean())
    assert (content["goal"], content["modes"]["test/accuracy"]) == ("test/accuracy", "max")
    assert (content["experiment"], content["seed"], content["data"]) == ("some", 3, "digits")
    assert content["task"]["kind"] == "image_classification"
    assert content["baselines"]["majority_class"]["test/accuracy"] == pytest.approx(0.1, abs=0.01)
    figures = {path.name for path in done.figures.iterdir()}
    assert figures == {f"{name}.svg" for name in ("confusion", "reliability", "worst", "best", "curves")}


def test_a_forecaster_is_tested_beside_its_baselines(forecaster, sunspots):
    done = forecaster.evaluate()
    content, steps = done.content, len(Manifest.load(sunspots).arrays("test")["value"])
    assert content["samples"] == steps - 1
    assert set(content["metrics"]) == set(content["modes"]) == {"test/mae", "test/rmse", "test/mase"}
    assert {name: set(values) for name, values in content["baselines"].items()} == {
        "persistence": set(content["metrics"]),
        "seasonal_naive": set(content["metrics"]),
        "linear": set(content["metrics"]),
    }
    table = parquet.read_table(done.predictions).to_pandas()
    error = (table["truth"] - table["forecast"]).abs().mean()
    assert content["metrics"]["test/mae"] == pytest.approx(error, rel=1e-5)
    figures = {path.name for path in done.figures.iterdir()}
    assert figures == {f"{name}.svg" for name in ("forecast", "error_by_step", "worst", "best", "curves")}


def test_the_record_says_where_the_numbers_come_from(done, digits):
    record = done.content["record"]
    assert record["inputs"] == {
        "model": {"sha256": file_sha256(done.trained.model)},
        "manifest": {"digest": Manifest.load(digits).digest},
    }
    assert record["outputs"] == {"predictions": file_sha256(done.predictions)}
    assert record["spec"]["evaluate"]["examples"] == 2
    assert record["code_digest"] == "0" * 16
    assert record["device"]["threads"] == 1
    assert set(done.content["cost"]) == {"samples_per_second", "latency_ms", "peak_memory_mb", "parameters"}


def test_the_same_test_gives_the_same_bytes(done):
    again = done.trained.evaluate("again")
    assert again.predictions.read_bytes() == done.predictions.read_bytes()
    assert again.content["metrics"] == done.content["metrics"]
    for figure in again.figures.iterdir():
        assert figure.read_bytes() == (done.figures / figure.name).read_bytes()


def test_the_size_of_a_batch_changes_nothing_but_rounding(done):
    smaller = parquet.read_table(done.trained.evaluate("smaller", batch_size=100).predictions).to_pandas()
    expected = parquet.read_table(done.predictions).to_pandas()
    np.testing.assert_allclose(smaller.filter(like="p_"), expected.filter(like="p_"), rtol=1e-4)


def test_only_the_metrics_asked_for_are_measured_and_the_first_ranks_when_the_goal_is_not_there(classifier):
    content = classifier.evaluate(metrics=["f1_macro", "loss"]).content
    assert list(content["metrics"]) == list(content["modes"]) == ["test/f1_macro", "test/loss"]
    assert content["goal"] == "test/f1_macro"


def test_a_metric_that_the_task_lacks_is_refused(classifier):
    with pytest.raises(UserError, match="'image_classification' has no metric mae; allowed: accuracy, f1_macro"):
        classifier.evaluate(metrics=["mae"])


def test_what_was_in_the_folder_of_figures_is_replaced(classifier):
    figures = classifier.folder / "test" / "figures"
    figures.mkdir(parents=True)
    (figures / "old.svg").write_text("old")
    classifier.evaluate()
    assert not (figures / "old.svg").exists() and (figures / "confusion.svg").exists()
    assert {path.name for path in figures.parent.iterdir()} == {"figures", "metrics.json", "predictions.parquet"}


def test_the_run_hears_of_its_test(done):
    journal = done.trained.journal
    told = {line["name"]: (line["value"], line["step"]) for line in read_metrics(journal)}
    assert told == {name: (value, 20) for name, value in done.content["metrics"].items()}
    files = {(Path(entry["path"]).name, entry["folder"]) for entry in read_artifacts(journal)}
    assert files >= {("metrics.json", ""), ("predictions.parquet", ""), ("confusion.svg", "figures")}


def test_a_journal_that_is_gone_costs_a_line_and_no_more(classifier, caplog):
    classifier.write_record(journal="state/tracking/gone")
    with caplog.at_level(logging.INFO):
        assert classifier.evaluate().metrics.exists()
    assert "state/tracking/gone, is gone" in caplog.text
    assert not Path("state/tracking/gone").exists()


def test_a_model_that_is_not_the_one_of_its_record_is_refused(classifier):
    classifier.write_record(outputs={"model": "0" * 64})
    with pytest.raises(UserError, match=r"model\.ckpt is not the model that its record describes"):
        classifier.evaluate()


def test_a_model_of_another_version_of_the_dataset_is_refused(classifier):
    classifier.write_record(inputs={"manifest": {"digest": "0123456789abcdef"}})
    with pytest.raises(UserError, match="trained on a dataset with the digest 0123456789abcdef"):
        classifier.evaluate()


def test_a_model_that_gives_no_numbers_is_refused_and_nothing_is_published(tmp_path, digits):
    broken = Trained(tmp_path, digits, {"kind": "image_classification"}, CNN, break_weights=True)
    with pytest.raises(UserError, match=r"logits is NaN or infinite for 36\d of 36\d test samples"):
        broken.evaluate()
    assert not (tmp_path / "test").exists()


@pytest.mark.parametrize("best", [None, {"metric": "val/loss", "value": 1.2, "epoch": 2, "kept": False}])
def test_a_training_that_kept_no_best_epoch_can_be_tested(classifier, best):
    classifier.write_record(best=best)
    assert "kept" not in (classifier.evaluate(metrics=["loss"]).figures / "curves.svg").read_text()
