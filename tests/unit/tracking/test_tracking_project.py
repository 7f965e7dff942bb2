import pytest

from snaketorch.errors import UserError
from snaketorch.journal import ROOT, Journal, Run
from snaketorch.tracking.project import command, environment
from snaketorch.tracking.store import initialise
from snaketorch.tracking.sync import sync_journal

OF_MLFLOW = {"MLFLOW_RUN_ID": "0a1b", "MLFLOW_EXPERIMENT_ID": "7", "MLFLOW_EXPERIMENT_NAME": "projects"}


def test_the_projects_own_run_is_not_that_of_a_training(tmp_path):
    assert environment({**OF_MLFLOW, "PATH": "/bin"}, tmp_path) == {"PATH": "/bin"}


@pytest.mark.parametrize("made_up", ["sqlite:///{}/mlflow.db", "file://{}/mlruns"])
def test_an_address_that_mlflow_made_up_gives_way_to_the_studys(made_up, tmp_path):
    assert environment({"MLFLOW_TRACKING_URI": made_up.format(tmp_path)}, tmp_path) == {}


@pytest.mark.parametrize("chosen", ["https://mlflow.example.org", "sqlite:////srv/mlflow.db", "databricks"])
def test_an_address_that_somebody_chose_stays(chosen, tmp_path):
    given = {"MLFLOW_TRACKING_URI": chosen}
    assert environment(given, tmp_path) == given


def test_an_experiment_is_chosen_by_name_or_pattern():
    line = command("digits_*", "4")
    assert line[line.index("--cores") + 1] == "4"
    assert line[-2:] == ["--config", 'run=["digits_*"]']
    assert command('x"], "y', "all")[-1] == r'run=["x\"], \"y"]'


@pytest.mark.parametrize("cores", ["0", "-1", "1.5", "two", "$(nproc)", ""])
def test_a_number_of_cores_that_is_none_is_refused(cores):
    with pytest.raises(UserError, match="allowed: a whole number from 1, or all"):
        command("digits_cnn", cores)


def test_a_run_that_the_environment_names_gets_nothing_of_a_journal(uri, client, study, monkeypatch):
    other = client.create_run(initialise(uri, "projects")).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", other)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", initialise(uri, "projects"))
    journal = Journal(ROOT / "a", Run(key="a", name="a", status="FINISHED", params={"p": "1"}))
    journal.log_metrics({"train/loss": 1.0}, 0)
    assert not sync_journal(journal.folder, uri, "digits").failed
    [run] = client.search_runs([initialise(uri, "digits")])
    assert (run.info.run_id != other, run.data.params) == (True, {"p": "1"})
    untouched = client.get_run(other)
    assert (untouched.data.params, untouched.data.metrics, untouched.info.status) == ({}, {}, "RUNNING")
