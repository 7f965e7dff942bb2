"""`monitor EXPERIMENT DATASET`: the exit code, and what it needs."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from snaketorch.__main__ import main
from snaketorch.config.monitor import Thresholds
from snaketorch.config.sources import SklearnSource
from snaketorch.config.specs import MonitorSpec

FILES = [
    "results/datasets/digits/manifest.json",
    "results/experiments/cnn/bundle/bundle.json",
    "results/experiments/cnn/predictions/new.parquet",
]


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """A study where `cnn` watches `new`; ``alert`` is what comes out."""
    said = SimpleNamespace(alert=False, files={})
    spec = MonitorSpec(
        experiment="cnn",
        dataset="new",
        source=SklearnSource(kind="sklearn", name="digits"),
        max_bad_share=0.05,
        thresholds=Thresholds(),
        false_alarm_rate=0.05,
        webhook_env=None,
    )
    experiments = {
        "cnn": SimpleNamespace(data="digits", monitor=SimpleNamespace(data=["new"])),
        "gru": SimpleNamespace(data="sunspots", monitor=None),
    }
    workflow = SimpleNamespace(monitor_spec=lambda job: spec.model_dump_json(), monitor_code=lambda job: "c0de")

    def run(spec, **files):
        said.files = files
        return said.alert

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("snaketorch.config.load.load_study", lambda root: SimpleNamespace(experiments=experiments))
    monkeypatch.setattr("snaketorch.dag.workflow.Workflow", lambda study: workflow)
    monkeypatch.setattr("snaketorch.monitoring.monitor.monitor", run)
    for file in FILES:
        Path(file).parent.mkdir(parents=True)
        Path(file).write_text("{}")
    return said


@pytest.mark.parametrize(
    ("alert", "words", "code"), [(False, ["--exit-code"], 0), (True, [], 0), (True, ["--exit-code"], 3)]
)
def test_an_alert_is_an_exit_code_for_who_asks(alert, words, code, asked):
    asked.alert = alert

    assert main(["monitor", "cnn", "new", *words]) == code
    assert asked.files["alert"] == Path("results/experiments/cnn/monitor/new/alert.json")
    assert asked.files["bundle"] == Path("results/experiments/cnn/bundle")


def test_data_that_nobody_watches_is_refused_with_what_is_watched(asked, caplog):
    assert main(["monitor", "gru", "new", "--exit-code"]) == 1
    assert "gru does not monitor new; allowed: cnn new" in caplog.text


def test_predictions_that_are_not_there_are_told_how_to_make(asked, caplog):
    Path(FILES[2]).unlink()

    assert main(["monitor", "cnn", "new", "--exit-code"]) == 1
    assert f"snakemake -c1 {FILES[2]}" in caplog.text
