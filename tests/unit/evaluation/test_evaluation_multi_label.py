from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics

from snaketorch.evaluation.multi_label import MEASURES, evaluate
from snaketorch.evaluation.outcome import Case

CLASSES = ("red", "round", "ripe")


def make_case(logits, label):
    images = np.zeros((len(label), 1, 4, 4), np.uint8)
    arrays = {"test": {"image": images}, "train": {"label": np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0]])}}
    manifest = SimpleNamespace(classes=CLASSES, arrays=arrays.__getitem__, fields={"image": {}})
    predictions = {"logits": logits.astype(np.float32), "label": label.astype(np.int64)}
    return Case(SimpleNamespace(), manifest, predictions, list(MEASURES), 3, task=None)


def some(samples=200):
    random = np.random.default_rng(0)
    label = random.random((samples, 3)) < [0.5, 0.3, 0.1]
    return random.normal(size=(samples, 3)) + 2 * label - 1, label


def test_metrics_of_several_labels_are_those_of_scikit_learn():
    logits, label = some()
    said, probability = logits > 0, 1 / (1 + np.exp(-logits.astype(np.float32).astype(np.float64)))
    found = evaluate(make_case(logits, label)).metrics
    assert found["f1_micro"] == pytest.approx(metrics.f1_score(label, said, average="micro"))
    assert found["f1_macro"] == pytest.approx(metrics.f1_score(label, said, average="macro"))
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(label, probability))
    assert found["auroc"] == pytest.approx(metrics.roc_auc_score(label, probability))
    assert found["exact_match"] == pytest.approx(metrics.accuracy_score(label, said))
    losses = [metrics.log_loss(label[:, k], probability[:, k]) for k in range(3)]
    assert found["loss"] == pytest.approx(np.mean(losses), rel=1e-6)


def test_the_baseline_says_of_every_sample_what_training_says_of_most():
    logits, label = some()
    same = np.tile([True, False, False], (len(label), 1))
    baseline = evaluate(make_case(logits, label)).baselines["label_shares"]
    assert baseline["f1_micro"] == pytest.approx(metrics.f1_score(label, same, average="micro"))
    assert baseline["auroc"] == pytest.approx(0.5)


def test_a_label_that_never_applies_is_left_out_of_the_means():
    logits, label = some(50)
    label[:, 2], logits[:, 2] = False, -9
    outcome = evaluate(make_case(logits, label))
    assert outcome.metrics["f1_macro"] == pytest.approx(
        metrics.f1_score(label[:, :2], logits[:, :2] > 0, average="macro")
    )
    expected = {"class": "ripe", "precision": None, "recall": None, "f1": None, "average_precision": None, "support": 0}
    assert outcome.details["per_class"][2] == expected


def test_every_label_is_in_the_table_of_predictions():
    logits, label = some(5)
    table = evaluate(make_case(logits, label)).predictions.to_pandas()
    assert table["label_round"].tolist() == label[:, 1].tolist()
    np.testing.assert_allclose(table["p_ripe"], 1 / (1 + np.exp(-logits[:, 2])), rtol=1e-5)
