"""Datasets under `predict:` are predicted by the bundle of the experiment's best model."""

import json
import os
import re

import pytest
from expected_jobs import ALL, from_evaluate, from_train

from snaketorch import layout

pytestmark = pytest.mark.workflow

NEW = {"source": {"kind": "sklearn", "name": "digits"}}
PREDICT = {"data": ["new", "digits"]}
PREDICTED = {"predict_dataset cnn new", "predict_dataset cnn digits"}
BUNDLE = {"bundle_model cnn"}


@pytest.fixture(scope="module")
def _predicting(tmp_path_factory, _finished):
    study = _finished.copy(tmp_path_factory.mktemp("predicting") / "study")
    study.write("datasets/new.yaml", NEW)
    study.edit("experiments/cnn.yaml", {"predict": PREDICT})
    study.edit("experiments/cnn_wide.yaml", {"predict": None})  # which would inherit it
    outcome = study.run_with_stub()
    assert outcome.jobs == BUNDLE | PREDICTED
    return study


@pytest.fixture
def predicting(tmp_path, _predicting):
    """A small study of which everything has run, predictions of two datasets too."""
    return _predicting.copy(tmp_path / "study")


def test_a_dataset_is_predicted_from_its_source_and_never_prepared(new_study):
    new_study.write("datasets/new.yaml", NEW)
    new_study.edit("experiments/gru.yaml", {"predict": {"data": ["sunspots"]}})
    new_study.edit("experiments/cnn_wide.yaml", {"predict": {"data": ["new"]}})

    outcome = new_study.dry_run()

    expected = {"bundle_model gru", "predict_dataset gru sunspots", "bundle_model cnn_wide"}
    assert outcome.jobs == ALL | expected | {"predict_dataset cnn_wide new"}
    inputs = dict(re.findall(r"^rule (predict_dataset|bundle_model):\n    input: (.*)$", outcome.stdout, re.MULTILINE))
    assert re.fullmatch(r"results/experiments/\w+/bundle", inputs["predict_dataset"])


def test_predictions_that_are_done_are_not_made_again(predicting):
    assert predicting.dry_run().jobs == set()


def test_the_steps_are_told_all_that_they_need(predicting):
    calls = {call[2]: call for call in predicting.calls() if "new" in " ".join(call) or call[2] == "bundle"}
    words = calls["bundle"]
    predict = dict(zip(calls["predict-dataset"][3::2], calls["predict-dataset"][4::2], strict=False))
    models = words[words.index("--models") + 1 : words.index("--records")]

    assert words[words.index("--bundle") + 1] == predict["--bundle"] == "results/experiments/cnn/bundle"
    assert models == [f"results/experiments/cnn/seed-{seed}/model.ckpt" for seed in (0, 1)]
    assert predict["--predictions"] == "results/experiments/cnn/predictions/new.parquet"
    assert predict["--bad"] == "results/experiments/cnn/predictions/new.bad.jsonl"
    assert predict["--state"] == "state/predict/cnn/new"
    assert predict["--source"] == "none", "which is no file of the user's"


@pytest.mark.parametrize(
    "edit", [{"predict.batch_size": 8}, {"predict.on_bad_row": "fail"}, {"predict.max_bad_share": 0.5}]
)
def test_other_options_predict_again_and_bundle_nothing(edit, predicting):
    predicting.edit("experiments/cnn.yaml", edit)

    assert predicting.dry_run().jobs == PREDICTED


def test_another_dataset_is_predicted_alone(predicting):
    predicting.write("datasets/newer.yaml", NEW)
    predicting.edit("experiments/cnn.yaml", {"predict.data": ["new", "digits", "newer"]})

    assert predicting.dry_run().jobs == {"predict_dataset cnn newer"}


def test_another_source_predicts_its_dataset_again(predicting):
    source = {"kind": "custom", "class_path": "my_lab.data.Leaves", "content": "images"}
    predicting.write("datasets/new.yaml", {"source": source})

    assert predicting.dry_run().jobs == {"predict_dataset cnn new"}


def test_how_the_new_data_would_be_split_and_prepared_does_not_matter(predicting):
    predicting.write("datasets/new.yaml", NEW | {"split": {"seed": 5}, "prepare": {"size": [4, 4]}})

    assert predicting.dry_run().jobs == set()


def test_new_files_are_predicted_and_files_that_are_gone_are_not_missed(new_study):
    data = new_study.folder / "data"
    data.mkdir()
    (data / "a.png").write_bytes(b"not looked at")
    new_study.write("datasets/new.yaml", {"source": {"kind": "image_folder", "path": "data"}})
    new_study.edit("experiments/cnn_wide.yaml", {"predict": {"data": ["new"]}})
    predicted = layout.PREDICTED.format(experiment="cnn_wide", dataset="new")
    assert new_study.run_with_stub(predicted).code == 0
    record = new_study.folder / layout.PREDICTED_RECORD.format(experiment="cnn_wide", dataset="new")
    (call,) = [call for call in new_study.calls() if call[2] == "predict-dataset"]
    times = record.stat()
    record.write_text(json.dumps({"record": {"source_digest": call[call.index("--source") + 1]}}))
    os.utime(record, ns=(times.st_atime_ns, times.st_mtime_ns))

    (data / "a.png").rename(new_study.folder / "elsewhere.png")
    data.rmdir()
    assert new_study.dry_run(predicted).jobs == set()

    data.mkdir()
    (data / "b.png").write_bytes(b"another")
    assert new_study.dry_run(predicted).jobs == {"predict_dataset cnn_wide new"}


def test_a_new_seed_may_be_the_best(predicting):
    predicting.edit("experiments/cnn.yaml", {"seeds": [0, 1, 2]})

    jobs = predicting.dry_run().jobs

    assert BUNDLE | PREDICTED | {"train_model cnn 2"} <= jobs
    assert "train_model cnn 0" not in jobs


def test_a_change_of_the_training_predicts_again(predicting):
    predicting.edit("experiments/cnn.yaml", {"optimizer.lr": 0.01})
    predicting.edit("experiments/cnn_wide.yaml", {"optimizer": {"kind": "adamw", "lr": 0.003}})

    assert predicting.dry_run().jobs == from_train("cnn") | BUNDLE | PREDICTED


def test_a_change_of_the_test_alone_predicts_nothing_again(predicting):
    predicting.edit("experiments/cnn.yaml", {"evaluate": {"examples": 5}})
    predicting.edit("experiments/cnn_wide.yaml", {"evaluate": {"examples": 12}})

    assert predicting.dry_run().jobs == from_evaluate("cnn")


def test_predictions_are_a_target(new_study):
    new_study.edit("experiments/gru_slow.yaml", {"predict": {"data": ["sunspots"]}})

    jobs = new_study.dry_run("predict").jobs

    expected = {"prepare_dataset sunspots", "train_model gru_slow 0", "bundle_model gru_slow"}
    assert jobs == expected | {"predict_dataset gru_slow sunspots"}
