"""The step from files to files, for every kind of content that a model can be given."""

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from snaketorch.errors import DataError, UserError
from snaketorch.inference.reading.dataset import read_dataset
from snaketorch.journal import ROOT, Journal, Run, read_artifacts, read_metrics
from snaketorch.monitoring.describe import Known
from snaketorch.monitoring.new_data import read_new
from tests.unit.inference.bundles import CASES
from tests.unit.monitoring.watching import changed_rows, dark_images

WATCHED = [name for name in CASES if "generator" not in name]
EXPECTED = {
    "images": {"ks/brightness", "psi/sharpness", "ks/red", "class_shift/classes", "metric_drop/accuracy"},
    "resized images": {"ks/contrast"},
    "images as sequences": {"ks/brightness"},
    "several labels": {"class_shift/classes", "metric_drop/accuracy"},
    "numbers of images": {"ks/sharpness", "metric_drop/mae"},
    "sequences": {"ks/change of channel 1"},
    "sequences of many lengths": {"ks/length", "psi/level of a"},
    "numbers of sequences": {"ks/spread of b", "metric_drop/mae"},
    "texts": {"metric_drop/accuracy"},
    "rows": {"psi/colour", "missing/missing size", "missing/unknown colour", "ks/other", "class_shift/classes"},
    "rows without gaps": {"missing/missing colour"},
    "numbers of rows": {"ks/size", "metric_drop/mae"},
    "a series": {"ks/value of SUNACTIVITY", "psi/change of SUNACTIVITY", "ks/forecast", "metric_drop/mae"},
    "a series step by step": {"metric_drop/mae"},
    "quantiles of a series": {"ks/value of infl", "ks/forecast"},
    "running text": set(),
}


@pytest.mark.parametrize("name", WATCHED)
def test_every_kind_of_content_is_compared_with_its_own_training(name, made, watch):
    found = watch(made(name))

    statistics = found["monitor"]["statistics"]
    assert EXPECTED[name] <= {each["name"] for each in statistics}
    assert all(each["alarm"] == (each["value"] > each["threshold"]) for each in statistics)
    assert all(each["threshold"] >= each["chance"] for each in statistics if each["test"] != "bad_rows")
    assert found["monitor"]["samples"] > 0
    assert found["page"].startswith("<!doctype html>")
    assert found["alert"]["model"]["seed"] == 3


def test_the_documents_say_what_was_measured_and_why(made, watch):
    found = watch(made("images"))

    assert found["monitor"]["thresholds"]["psi"] == 0.2
    assert found["monitor"]["record"]["code_digest"] == "c0de"
    assert found["monitor"]["record"]["inputs"]["manifest"]["digest"] == made("images").manifest.digest
    assert found["alert"]["alert"] is False
    assert found["alert"]["reasons"] == []
    assert found["alert"]["webhook"] == "nobody was to be told"
    assert "Quiet" in found["page"]


def test_dark_images_are_an_alert_on_the_page_in_the_files_and_for_the_server(made, watch, tmp_path):
    Journal(ROOT / "some/seed-3-1", Run("some/seed-3/1", "seed-3"))
    found = watch(made("images"), dark_images(tmp_path))

    assert found["alert"]["alert"] is True
    assert "ks/brightness" in found["alert"]["alarms"]
    assert "Brightness is distributed otherwise than in the training data" in found["page"]
    metrics = {line["name"]: line["value"] for line in read_metrics(ROOT / "some/seed-3-1")}
    assert metrics["monitor/new/ks"] > 0.9
    assert metrics["monitor/new/alarms"] >= 1
    assert {entry["folder"] for entry in read_artifacts(ROOT / "some/seed-3-1")} == {"monitor/new"}
    run = json.loads((ROOT / "some/seed-3-1/run.json").read_text())
    assert run["tags"]["snaketorch.monitor.new"] == "alert"


def test_an_alert_goes_to_the_webhook_and_what_comes_of_it_is_noted(made, watch, tmp_path, monkeypatch):
    sent = []
    monkeypatch.setattr(
        "snaketorch.monitoring.monitor.send", lambda name, alert: sent.append((name, alert["alert"])) or "failed"
    )
    quiet = watch(made("images"), webhook_env="HOOK")
    loud = watch(made("images"), dark_images(tmp_path), webhook_env="HOOK")

    assert sent == [("HOOK", True)]
    assert quiet["alert"]["webhook"] == "nobody was to be told"
    assert loud["alert"]["webhook"] == "failed"


def test_values_that_go_missing_and_categories_that_are_new_are_named(made, watch, tmp_path):
    case = made("rows")

    def change(number, row):
        row["other"] = "" if number % 2 else row["other"]
        row["size"] = "tall" if number == 1 else row["size"]
        row["colour"] = "mauve" if number % 3 else row["colour"]

    found = watch(case, changed_rows(tmp_path, case, change))

    assert {"missing/missing other", "missing/unknown colour", "psi/colour"} <= set(found["alert"]["alarms"])
    assert "missing/missing size" not in found["alert"]["alarms"], "it always was, now and then"
    assert found["monitor"]["bad_rows"] == 1


def test_rows_that_the_model_cannot_read_are_counted_and_are_an_alarm_when_there_are_many(made, watch, tmp_path):
    case = made("rows without gaps")
    source = changed_rows(tmp_path, case, lambda number, row: row.update(size="" if number % 3 == 0 else row["size"]))
    found = watch(case, source)

    assert found["monitor"]["bad_rows"] == 27
    assert {"missing/rows that cannot be read", "bad_rows/bad rows"} <= set(found["alert"]["alarms"])
    assert "27 of 80 rows cannot be read" in found["page"]


def test_more_bad_rows_than_may_be_are_an_alert_whatever_chance_is(made, watch, tmp_path):
    case = made("rows without gaps")
    source = changed_rows(tmp_path, case, lambda number, row: row.update(size="" if number == 0 else row["size"]))

    assert watch(case, source, max_bad_share=0.02)["alert"]["alert"] is False
    found = watch(case, source, max_bad_share=0.01)

    assert found["alert"]["alarms"] == ["bad_rows/bad rows"]
    reason = "1.2% of the rows (1 of 80) cannot be read by the model, and max_bad_share allows 1.0%"
    assert found["alert"]["reasons"] == [reason]
    assert reason in found["page"]


def test_without_labels_nothing_is_said_of_how_right_the_model_is(made, watch):
    found = watch(made("rows"), truth=False)

    assert not {"class_shift", "metric_drop"} & {each["test"] for each in found["monitor"]["statistics"]}
    assert "What is true of the new samples is not known" in found["page"]


def test_data_of_which_nothing_can_be_read_is_an_alert_that_says_so(made, watch, tmp_path):
    case = made("rows without gaps")
    found = watch(case, changed_rows(tmp_path, case, lambda _, row: row.update(size="")))

    assert "bad_rows/bad rows" in found["alert"]["alarms"]
    assert any("100.0% of the rows (80 of 80) cannot be read" in reason for reason in found["alert"]["reasons"])
    assert "The model can read none of the rows" in found["page"]
    assert {each["test"] for each in found["monitor"]["statistics"]} == {"missing", "bad_rows"}


def test_of_a_long_series_no_step_is_left_out(made, watch, monkeypatch):
    monkeypatch.setattr("snaketorch.monitoring.new_data.MOST_SAMPLES", 60)
    found = watch(made("a series"))

    assert found["monitor"]["samples"] > 250
    assert not [name for name in found["alert"]["alarms"] if name.split("/")[1].startswith(("value", "change"))]


def test_of_many_rows_those_that_are_not_even_rows_are_drawn_as_the_others_are(made, watch, tmp_path, monkeypatch):
    case = made("rows without gaps")
    source = changed_rows(tmp_path, case, lambda *_: None)
    lines = Path(source["path"]).read_text().splitlines()
    rows = [f"{line},too,many" if number % 50 == 0 else line for number, line in enumerate(20 * lines[1:])]
    Path(source["path"]).write_text("\n".join([lines[0], *rows]) + "\n")
    monkeypatch.setattr("snaketorch.monitoring.new_data.MOST_SAMPLES", 400)
    found = watch(case, source)

    assert found["monitor"]["bad_rows"] / found["monitor"]["samples"] == pytest.approx(0.02, abs=0.02)
    assert "bad_rows/bad rows" not in found["alert"]["alarms"]


def test_columns_that_are_carried_along_are_no_answers_of_the_model(made):
    case = made("numbers of rows")
    reading = read_dataset("new", case.spec.source, case.predictor, [])
    samples = pd.concat([read().samples for read in reading.parts()], ignore_index=True)
    answers = case.predictor.predict(samples).assign(truth=0.5)
    carried = answers.assign(loss=None, forecast=1.0, probabilities=0.5, labels="a")

    plain, more = (
        read_new(reading, case.predictor, Known.of(case.manifest), table).side.outputs for table in (answers, carried)
    )

    assert list(more.profile.numbers) == list(plain.profile.numbers) == ["predicted value"]
    assert (more.error == plain.error).all()


def test_no_data_at_all_is_an_error(made):
    case = made("rows without gaps")
    nothing = SimpleNamespace(files=[], most_rows=0, parts=lambda: iter(()))

    with pytest.raises(DataError, match="there are no new samples"):
        read_new(nothing, case.predictor, Known.of(case.manifest), pd.DataFrame())


def test_a_bundle_of_other_data_is_refused(made, watch):
    case, other = made("rows"), made("rows without gaps")
    mixed = type("Mixed", (), {**vars(case), "bundle": other.bundle, "predictor": case.predictor})()
    with pytest.raises(UserError, match="was trained on a dataset with the digest"):
        watch(mixed)


def test_names_are_text_on_the_page_whatever_stands_in_them(made, watch):
    found = watch(made("rows"), dataset="new")

    assert "<script" not in found["page"]
    assert "default-src 'none'" in found["page"]
