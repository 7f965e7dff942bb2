"""The documented backup, a server that loses everything, and the way back."""

import shutil
from pathlib import Path

import pytest
from documented_commands import block, placed, run

from snaketorch.journal import ROOT, Journal, Run
from snaketorch.tracking.store import TrackingError, connect, initialise
from snaketorch.tracking.sync import sync_all

pytestmark = pytest.mark.tracking


def test_a_restored_backup_has_runs_files_and_logins_and_a_sync_the_rest(team, people, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    address = people("brigitte")
    journals = []
    for number in range(2):
        key = f"kept/seed-{number}/aa"
        journals.append(Journal(ROOT / key, Run(key=key, name=f"seed-{number}", status="FINISHED")))
        journals[number].log_metrics({"test/accuracy": 0.9 + number / 100}, 0)
        (tmp_path / f"{number}.csv").write_text(f"seed\n{number}\n")
        journals[number].add_artifact(tmp_path / f"{number}.csv")

    assert not sync_all(ROOT / "kept/seed-0", address, "kept").failed
    places = {**team.places, "--port 5432": f"--port {team.cluster.port}"}
    del places[":5432"], places["/srv/mlflow/venv/bin/"]
    run(placed(block("bash", "8. Backup", "pg_dump"), places), team.folder, **team.environment)
    assert not sync_all(ROOT, address, "kept").failed  # after the backup

    team.kill()
    for database in ("mlflow", "mlflow_auth"):
        team.cluster.sql(f"DROP DATABASE {database} WITH (FORCE)")
        team.cluster.sql(f"CREATE DATABASE {database} OWNER mlflow")
    shutil.rmtree(team.folder / "artifacts")
    (team.folder / "basic_auth.ini").unlink()
    (team.folder / "secret_key").unlink()

    run(placed(block("bash", "8. Backup", "pg_restore"), places), team.folder, **team.environment)
    team.start()

    client = connect(address)  # the login is back
    study = client.get_experiment_by_name("kept").experiment_id
    [old] = client.search_runs([study])
    assert (old.info.run_name, old.data.metrics) == ("seed-0", {"test/accuracy": 0.9})
    back = tmp_path / "back"
    back.mkdir()
    assert Path(client.download_artifacts(old.info.run_id, "0.csv", str(back))).read_text() == "seed\n0\n"
    with pytest.raises(TrackingError, match="ermission denied"):
        initialise(people("not-brigitte"), "kept")

    summary = sync_all(ROOT, address, "kept")
    assert not summary.failed
    assert [report.created for report in summary.reports] == [False, True]
    assert {run.data.metrics["test/accuracy"] for run in connect(address).search_runs([study])} == {0.9, 0.91}
