import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics

from snaketorch.data.manifest import Manifest
from snaketorch.evaluation.class_scores import MEASURES
from snaketorch.evaluation.classification import evaluate
from snaketorch.evaluation.outcome import Case
from tests.unit.prepared_by_hand import write_sequences

CLASSES = ("cat", "dog", "emu", "fox")
RANDOM = np.random.default_rng(0)


def softmax(logits):
    shares = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def make_case(logits, label, names=tuple(MEASURES), examples=3, classes=CLASSES, top_k=None):
    images = np.arange(len(label), dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 4, 4), np.uint8)
    arrays = {"test": {"image": images}, "train": {"label": np.array([0, 1, 1])}}
    manifest = SimpleNamespace(classes=classes, arrays=arrays.__getitem__, fields={"image": {}})
    predictions = {"logits": logits.astype(np.float32), "label": label.astype(np.int64)}
    return Case(SimpleNamespace(top_k=top_k), manifest, predictions, list(names), examples, task=None)


def some(samples=200, present=4):
    label = RANDOM.integers(0, present, samples)
    return RANDOM.normal(size=(samples, 4)) + 2 * np.eye(4)[label], label


@pytest.fixture(scope="module")
def measured():
    logits, label = some()
    return logits.astype(np.float32), label, evaluate(make_case(logits, label))


def test_metrics_are_those_of_scikit_learn(measured):
    logits, label, outcome = measured
    probability, predicted = softmax(logits), logits.argmax(1)
    assert outcome.metrics["accuracy"] == pytest.approx(metrics.accuracy_score(label, predicted))
    assert outcome.metrics["f1_macro"] == pytest.approx(metrics.f1_score(label, predicted, average="macro"))
    assert outcome.metrics["auroc"] == pytest.approx(metrics.roc_auc_score(label, probability, multi_class="ovr"))
    assert outcome.metrics["loss"] == pytest.approx(metrics.log_loss(label, probability))
    assert 0 < outcome.metrics["calibration_error"] < 1


def test_confusion_and_classes_are_those_of_scikit_learn(measured):
    logits, label, outcome = measured
    predicted = logits.argmax(1)
    assert outcome.details["classes"] == list(CLASSES)
    assert outcome.details["confusion"] == metrics.confusion_matrix(label, predicted).tolist()
    for i, column in enumerate(metrics.precision_recall_fscore_support(label, predicted)):
        name = ("precision", "recall", "f1", "support")[i]
        assert [row[name] for row in outcome.details["per_class"]] == pytest.approx(column.tolist())


def test_every_sample_is_in_the_table_of_predictions(measured):
    logits, label, outcome = measured
    table, probability = outcome.predictions.to_pandas(), softmax(logits)
    assert list(table.columns) == ["index", "label", "predicted", "confidence", *(f"p_{name}" for name in CLASSES)]
    assert table["index"].tolist() == list(range(len(label)))
    assert table["label"].tolist() == [CLASSES[i] for i in label]
    assert table["predicted"].tolist() == [CLASSES[i] for i in logits.argmax(1)]
    np.testing.assert_allclose(table["confidence"], probability.max(1), rtol=1e-6)
    np.testing.assert_allclose(table.filter(like="p_"), probability, rtol=1e-5)


def test_metrics_that_are_not_asked_for_are_not_measured():
    logits, label = some(20)
    assert set(evaluate(make_case(logits, label, ["loss", "accuracy"])).metrics) == {"loss", "accuracy"}


def test_a_class_that_the_test_lacks_is_left_out_of_the_means_without_a_word():
    logits, label = some(present=3)
    logits[:, 3] = -9  # nor is it predicted
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = evaluate(make_case(logits, label))
    probability, predicted = softmax(logits.astype(np.float32)), logits.argmax(1)
    areas = [metrics.roc_auc_score(label == i, probability[:, i]) for i in range(3)]
    assert outcome.metrics["auroc"] == pytest.approx(np.mean(areas))
    assert outcome.metrics["f1_macro"] == pytest.approx(metrics.f1_score(label, predicted, average="macro"))
    absent = outcome.details["per_class"][3]
    assert absent == {"class": "fox", "precision": None, "recall": None, "f1": None, "support": 0}


def test_one_class_alone_has_no_auroc():
    logits, label = some(10, present=1)
    assert evaluate(make_case(logits, label)).metrics["auroc"] is None


def test_the_order_of_near_certain_predictions_is_not_lost_in_rounding():
    # in single precision both are exactly 1; the first is wrong
    logits, label = np.array([[30.0, 0], [31.0, 0]]), np.array([1, 0])
    outcome = evaluate(make_case(logits, label, ["auroc", "loss"], classes=("a", "b")))
    assert outcome.metrics["auroc"] == 1
    assert outcome.metrics["loss"] == pytest.approx(15)


def test_the_worst_examples_are_those_with_the_largest_loss():
    label = np.zeros(5, dtype=int)
    logits = np.zeros((5, 4))
    logits[:, 0] = [3, -2, 9, 1, 0]
    figures = evaluate(make_case(logits, label)).figures
    assert set(figures) == {"confusion", "reliability", "worst", "best"}
    shown = {name: [axes.images[0].get_array()[0, 0] for axes in figures[name].axes] for name in ("worst", "best")}
    assert shown == {"worst": [1, 4, 3], "best": [2, 0, 3]}


def test_fewer_samples_than_examples_are_all_shown():
    logits, label = some(2)
    assert len(evaluate(make_case(logits, label, examples=100)).figures["best"].axes) == 2


@pytest.mark.parametrize("ragged", [True, False], ids=["ragged", "equal"])
def test_sequences_are_shown_as_lines_of_their_own_length(tmp_path, ragged):
    manifest = Manifest.load(write_sequences(tmp_path / "sequences", ragged))
    arrays = manifest.arrays("test")
    logits = np.stack([np.linspace(3, -3, 20), np.zeros(20)], 1)  # of a true class 0 the last is the worst
    label = np.zeros(20, np.int64)
    outcome = evaluate(replace(make_case(logits, label, classes=manifest.classes), manifest=manifest))
    shown = outcome.figures["worst"].axes[0].lines[0].get_ydata()
    expected = arrays["value"][arrays["value_start"][19] :] if ragged else arrays["value"][19]
    np.testing.assert_array_equal(shown, expected[:, 0])
