"""Whole comparisons: which statistics there are, one rate for all of them, and what chance and thresholds decide."""

import numpy as np
import pytest

from snaketorch.config.monitor import Thresholds
from snaketorch.monitoring.alert import alert_of, as_json, metrics_of
from snaketorch.monitoring.compare import Side, compare
from snaketorch.monitoring.outputs import Outputs, of_classes, of_numbers
from snaketorch.monitoring.profile import MOST_SAMPLES, Profile, some_of
from snaketorch.monitoring.words import said

CLASSES = ("cat", "dog", "hen")
DEFAULT = Thresholds()


def side(draw, size, shift=0.0, wrong=0.1, prior=(0.4, 0.4, 0.2), columns=20) -> Side:
    label = draw.choice(3, size, p=prior)
    said = np.where(draw.random(size) < wrong, (label + 1) % 3, label)
    logits = draw.normal(size=(size, 3)) + 4 * np.eye(3)[said]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    numbers = {f"x{i}": draw.normal(shift if i == 0 else 0, size=size) for i in range(columns)}
    profile = Profile(
        numbers, {"colour": draw.choice(4, size)}, {"colour": tuple("rgby")}, {"missing x0": draw.random(size) < 0.02}
    )
    return Side(profile, label, of_classes(probabilities, CLASSES, label))


def alarms(reference: Side, new: Side, thresholds=DEFAULT, rate=0.05) -> set[str]:
    return {f"{s.test}/{s.subject}" for s in compare(reference, new, CLASSES, thresholds, rate) if s.alarm}


def test_everything_that_both_sides_know_is_compared():
    draw = np.random.default_rng(0)
    found = compare(side(draw, 500, columns=1), side(draw, 100, columns=1), CLASSES, DEFAULT, 0.05)

    assert {f"{s.test}/{s.subject}" for s in found} == {
        *("ks/x0", "psi/x0", "psi/colour", "missing/missing x0", "class_shift/classes", "metric_drop/accuracy"),
        *("ks/confidence", "prediction_shift/predicted class"),
        *(f"ks/probability of {name}" for name in CLASSES),
    }
    assert all(s.n == 100 and s.reference_n == 500 for s in found)


@pytest.mark.parametrize("size", [50, 500])
def test_batches_from_the_same_source_are_quiet_all_statistics_together(size):
    draw = np.random.default_rng(1)
    noisy = sum(bool(alarms(side(draw, 1000), side(draw, size))) for _ in range(100))

    assert noisy <= 11  # 5 % and three standard errors


def test_a_shift_of_one_column_of_twenty_is_told_and_named():
    draw = np.random.default_rng(2)

    assert alarms(side(draw, 1000), side(draw, 200, shift=1.0)) == {"ks/x0", "psi/x0"}


def test_other_classes_are_told_by_labels_and_by_predictions():
    draw = np.random.default_rng(3)
    found = alarms(side(draw, 1000), side(draw, 300, prior=(0.1, 0.1, 0.8)))

    assert {"class_shift/classes", "prediction_shift/predicted class"} <= found


def test_a_worse_model_is_told_where_labels_come_and_only_there():
    draw = np.random.default_rng(4)
    before, now = side(draw, 1000), side(draw, 300, wrong=0.4)

    assert "metric_drop/accuracy" in alarms(before, now)
    assert "metric_drop/accuracy" not in alarms(
        before, Side(now.profile, None, of_classes(np.full((300, 3), 1 / 3), CLASSES, None))
    )


def test_a_class_that_the_model_does_not_know_is_a_shift():
    draw = np.random.default_rng(5)
    before, now = side(draw, 1000), side(draw, 200)
    now.labels[:60] = len(CLASSES)

    assert "class_shift/classes" in alarms(before, now)


def test_a_difference_that_is_sure_but_small_is_no_alarm_unless_it_matters():
    draw = np.random.default_rng(6)
    before, now = side(draw, 20_000, columns=1), side(draw, 20_000, shift=0.1, columns=1)

    assert "ks/x0" not in alarms(before, now)
    assert "ks/x0" in alarms(before, now, Thresholds(ks=0.0))


def test_few_samples_are_not_judged():
    draw = np.random.default_rng(7)
    found = compare(side(draw, 500), side(draw, 10, shift=5.0), CLASSES, DEFAULT, 0.05)

    assert {s.test for s in found} <= {"missing"}


def test_errors_of_numbers_rise_as_a_part_of_those_of_the_test():
    draw = np.random.default_rng(8)
    truth = draw.normal(size=400)
    before, now = (of_numbers(truth + sigma * draw.normal(size=400), truth) for sigma in (1.0, 2.0))
    nothing = Profile()
    found = compare(Side(nothing, None, before), Side(nothing, None, now), (), DEFAULT, 0.05)

    (drop,) = [s for s in found if s.test == "metric_drop"]
    assert drop.subject == "mae"
    assert drop.value == pytest.approx(1.0, abs=0.25)
    assert drop.alarm


def test_an_alert_gives_its_reasons_in_words_the_largest_first():
    draw = np.random.default_rng(9)
    found = compare(side(draw, 1000), side(draw, 300, shift=2.0, wrong=0.5), CLASSES, DEFAULT, 0.05)
    content = alert_of(found, {"dataset": "new"})

    assert content["alert"] is True
    assert content["dataset"] == "new"
    assert len(content["reasons"]) == len(content["alarms"]) >= 3
    assert any("x0 is distributed otherwise than in the training data" in reason for reason in content["reasons"])
    assert any("accuracy is worse than in the test" in reason for reason in content["reasons"])


def test_quiet_data_has_an_alert_file_too():
    draw = np.random.default_rng(10)
    found = compare(side(draw, 1000), side(draw, 100), CLASSES, DEFAULT, 0.001)

    assert alert_of(found, {}) | {"statistics": 0} == {
        "format": 1,
        "alert": False,
        "reasons": [],
        "alarms": [],
        "statistics": 0,
    }


def test_numbers_for_files_and_servers_are_finite_and_have_names_that_mlflow_takes():
    draw = np.random.default_rng(11)
    found = compare(side(draw, 100), side(draw, 100), CLASSES, DEFAULT, 0.05)

    assert all(isinstance(as_json(s)["value"], float) and as_json(s)["n"] == 100 for s in found)
    assert {"monitor/new_1/ks", "monitor/new_1/psi", "monitor/new_1/alarms"} <= metrics_of(found, "new_1").keys()


def test_every_test_has_a_sentence():
    draw = np.random.default_rng(12)
    found = compare(side(draw, 100), side(draw, 100), CLASSES, DEFAULT, 0.05)

    assert {s.test for s in found} == {"ks", "psi", "class_shift", "prediction_shift", "missing", "metric_drop"}
    assert all(said(s) for s in found)


def test_several_labels_of_a_sample_are_compared_label_by_label():
    draw = np.random.default_rng(13)

    def labelled(size, rates):
        label = draw.random((size, 3)) < rates
        probabilities = np.where(label, 0.9, 0.1) + draw.normal(0, 0.02, label.shape)
        return Side(Profile(), label, of_classes(probabilities, CLASSES, label, True))

    before = labelled(1000, [0.6, 0.3, 0.1])
    assert alarms(before, labelled(300, [0.6, 0.3, 0.1])) == set()
    assert {"class_shift/classes", "prediction_shift/predicted class"} <= alarms(before, labelled(300, [0.1, 0.3, 0.9]))


def test_a_large_dataset_is_looked_at_in_part_the_same_part_every_time():
    assert len(some_of(100)) == 100
    chosen = some_of(10 * MOST_SAMPLES)
    assert len(chosen) == MOST_SAMPLES
    assert (np.diff(chosen) > 0).all()
    assert (chosen == some_of(10 * MOST_SAMPLES)).all()


def test_outputs_without_truth_say_nothing_of_errors():
    outputs = of_numbers(np.arange(5.0), None)

    assert outputs.error is None
    assert isinstance(outputs, Outputs)
