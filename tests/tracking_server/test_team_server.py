"""The server that docs/tracking-server.md describes: who may do what, from where, and nobody else."""

import http.client
import os
import signal
import subprocess
from pathlib import Path

import pytest
from documented_commands import block, placed, run
from postgres_cluster import PASSWORD, Cluster
from team_server import ADMIN, TeamServer

from snaketorch.journal import ROOT, Journal, Run
from snaketorch.tracking.store import TrackingError, connect, initialise
from snaketorch.tracking.sync import sync_journal

pytestmark = pytest.mark.tracking


def permit(team: TeamServer, person: str, study: str, permission: str, monkeypatch) -> None:
    from mlflow.server import get_app_client

    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN)
    auth = get_app_client("basic-auth", team.address)
    if auth.get_user_permission(person, "experiment", study).permission != "NO_PERMISSIONS":
        auth.revoke_user_permission(person, "experiment", study)
    auth.grant_user_permission(person, "experiment", study, permission)


def journal_of(folder: Path, key: str) -> Journal:
    journal = Journal(folder / ROOT / key, Run(key=key, name=key.replace("/", "-"), params={"model.kind": "cnn"}))
    for step in range(5):
        journal.log_metrics({"train/loss": 1 / (step + 1)}, step)
    (folder / "history.csv").write_text("epoch\n1\n")
    journal.add_artifact(folder / "history.csv", "tables")
    journal.finish("FINISHED")
    return journal


def status_of(team: TeamServer, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", team.port, timeout=120)
    connection.request("POST", path, b"{}", {"Content-Type": "application/json", **headers})
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("password", "why"), [("", "no default admin password"), ("password1234", "insecure default")])
def test_without_a_password_of_ones_own_the_server_does_not_start(password, why, cluster: Cluster, tmp_path):
    server = TeamServer(cluster, tmp_path)
    for database in ("mlflow", "mlflow_auth"):
        cluster.sql(f"CREATE DATABASE {database}_unused OWNER mlflow")
    for file in ("basic_auth.ini", "serve.sh"):
        text = (tmp_path / file).read_text()
        (tmp_path / file).write_text(text.replace(f"{cluster.port}/mlflow_auth", f"{cluster.port}/mlflow_auth_unused"))
    process = server.launch(MLFLOW_AUTH_ADMIN_PASSWORD=password)
    try:
        assert process.wait(600) != 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        for database in ("mlflow", "mlflow_auth"):
            cluster.sql(f"DROP DATABASE {database}_unused WITH (FORCE)")
    assert why in server.said


def test_only_this_machine_can_reach_the_server_itself(team):
    listening = [line.split() for line in subprocess.check_output(["ss", "-Hltn"], text=True).splitlines()]
    assert [words[3] for words in listening if words[3].endswith(f":{team.port}")] == [team.host]


def test_who_is_not_known_is_refused(team, people, monkeypatch):
    anna = people("anna")
    with pytest.raises(TrackingError, match="not authenticated"):
        initialise(anna.replace("anna:", "annie:"), "refused")
    with pytest.raises(TrackingError, match="not authenticated"):
        initialise(anna.replace("%20", "%21"), "refused")
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME")
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD")
    assert status_of(team, "/api/2.0/mlflow/experiments/search") == 401
    assert status_of(team, "/api/2.0/mlflow-artifacts/artifacts") == 401


def test_a_study_is_its_owners_until_somebody_is_let_in(team, people, tmp_path, monkeypatch):
    owner, guest = people("olga"), people("gustav")
    (tmp_path / "owner").mkdir(), (tmp_path / "guest").mkdir()
    hers, his = journal_of(tmp_path / "owner", "cnn/seed-0/aa"), journal_of(tmp_path / "guest", "cnn/seed-1/aa")
    assert not sync_journal(hers.folder, owner, "owned").failed
    client = connect(owner)
    study = client.get_experiment_by_name("owned").experiment_id
    [run] = client.search_runs([study])

    # no permission
    report = sync_journal(his.folder, guest, "owned")
    assert report.failed
    assert "ermission denied" in report.problems[0]
    assert "a long password" not in str(report)
    client = connect(guest)
    assert client.search_experiments(filter_string="name = 'owned'") == []
    assert client.search_runs([study]) == []
    for ask in (
        lambda: client.get_run(run.info.run_id),
        lambda: client.log_metric(run.info.run_id, "train/loss", 0.0),
        lambda: client.delete_experiment(study),
        lambda: client.download_artifacts(run.info.run_id, "tables/history.csv", str(tmp_path)),
        lambda: client.log_artifact(run.info.run_id, str(tmp_path / "guest/history.csv")),
    ):
        with pytest.raises(Exception, match=r"ermission denied|403"):
            ask()

    # looking is not logging
    permit(team, "gustav", study, "READ", monkeypatch)
    client = connect(guest)
    assert client.get_run(run.info.run_id).data.params == {"model.kind": "cnn"}
    copy = client.download_artifacts(run.info.run_id, "tables/history.csv", str(tmp_path))
    assert Path(copy).read_text() == "epoch\n1\n"
    assert sync_journal(his.folder, guest, "owned").failed
    with pytest.raises(Exception, match="ermission denied"):
        client.log_metric(run.info.run_id, "train/loss", 0.0)

    permit(team, "gustav", study, "EDIT", monkeypatch)
    report = sync_journal(his.folder, guest, "owned")
    assert (report.failed, report.created, report.metrics, report.files) == (False, True, 5, 1)
    assert len(connect(owner).search_runs([study])) == 2
    with pytest.raises(Exception, match="ermission denied"):
        connect(guest).delete_experiment(study)


def test_the_documented_administration_works(team, people, monkeypatch):
    initialise(people("hilde"), "of-hilde")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN)
    names = {"https://mlflow.example.org": team.address, '"digits"': '"of-hilde"', '"anna"': '"anton"'}
    known: dict = {}
    exec(placed(block("python", "6. People"), names), known)  # the page's own lines
    permission = known["auth"].get_user_permission("bert", "experiment", known["study"])
    assert "EDIT" in str(vars(permission))


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example.org"}, {"Host": "evil.example.org:5000"}, {"Origin": "https://evil.example.org"}]
)
def test_a_foreign_host_or_origin_is_refused(headers, team):
    path = "/api/2.0/mlflow/experiments/search"
    assert status_of(team, path, Host=team.host) == 401  # heard, and asked who it is
    assert status_of(team, path, **{"Host": team.host, **headers}) == 403


def test_the_documented_upgrade_leaves_an_up_to_date_server_as_it_is(team):
    places = {name: place for name, place in team.places.items() if name != "/srv/mlflow"}
    lines = placed(block("bash", "9. Upgrade"), places).splitlines()
    databases = "\n".join(line for line in lines if " db upgrade " in line)
    before = [team.cluster.sql("SELECT count(*) FROM runs", "mlflow"), team.cluster.sql("TABLE users", "mlflow_auth")]
    assert len(databases.splitlines()) == 2
    run(databases, team.folder, **team.environment)
    after = [team.cluster.sql("SELECT count(*) FROM runs", "mlflow"), team.cluster.sql("TABLE users", "mlflow_auth")]
    assert after == before


def test_nothing_secret_is_in_the_servers_log_or_among_its_arguments(team):
    said = team.said + subprocess.check_output(["ps", "-ewwo", "args"], text=True)
    assert f"127.0.0.1:{team.cluster.port}/mlflow" in said
    assert [word for word in (PASSWORD, ADMIN, "a long password", "0" * 64) if word in said] == []
