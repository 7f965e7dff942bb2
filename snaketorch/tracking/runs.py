"""Finding an MLflow run by its key, creating it once, and how a parent run stands."""

from contextlib import AbstractContextManager

from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_USER

from snaketorch.journal import ROOT
from snaketorch.tracking.locks import locked
from snaketorch.tracking.user import user_name

RUN_KEY = "snaketorch.run_key"
HAS_JOURNAL = "snaketorch.kind"
"""Tag of a run that is a parent and more: it has a journal."""


def get_run(client: MlflowClient, run_id: str | None) -> MlflowRun | None:
    """The run with this id; None when there is none, as after the store was deleted or an old backup restored.

    A server with logins forbids what it does not know. Who may really not see the run may not see its experiment.
    """
    if run_id is None:
        return None
    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "PERMISSION_DENIED"):
            return None
        raise


def find_or_create(
    client: MlflowClient, experiment_id: str, key: str, name: str, started: int, tags: dict[str, str]
) -> tuple[MlflowRun, bool]:
    """The run with this key, and whether it was created now.

    Args:
        client: Where.
        experiment_id: The study's experiment.
        key: What makes it this run and no other.
        name: For people; a later change in MLflow's pages is kept.
        started: In ms since 1970.
        tags: For a new run only, which also says who created it.
    """
    # two children of one parent must not both create it
    with _one_at_a_time():
        quote = '"' if "'" in key else "'"
        # should there be several all the same, all agree on the oldest
        found = client.search_runs(
            [experiment_id], f"tags.`{RUN_KEY}` = {quote}{key}{quote}", order_by=["start_time ASC", "run_id ASC"]
        )
        if found:
            return found[0], False
        tags = {RUN_KEY: key, MLFLOW_USER: user_name()} | tags
        return client.create_run(experiment_id, start_time=started, tags=tags, run_name=name), True


def settle_parent(client: MlflowClient, experiment_id: str, parent_id: str, ended: int) -> None:
    """Lets a parent run stand as its children do: running while one runs, failed when one failed.

    One with a journal of its own says itself how it stands.
    """
    with _one_at_a_time():
        parent = get_run(client, parent_id)
        if parent is None or parent.info.lifecycle_stage == "deleted" or HAS_JOURNAL in parent.data.tags:
            return
        children = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{parent_id}' AND attributes.status = "

        def any_child(status: str) -> bool:
            return bool(client.search_runs([experiment_id], f"{children}'{status}'", max_results=1))

        if any_child("RUNNING"):
            status = "RUNNING"
        else:
            status = "FAILED" if any_child("FAILED") or any_child("KILLED") else "FINISHED"
        set_status(client, parent, status, ended)


def set_status(client: MlflowClient, run: MlflowRun, status: str, ended: int) -> bool:
    """Gives a run its status, and its end if that is one; whether anything had to be changed."""
    if run.info.status == status:
        return False
    if status == "RUNNING":
        client.update_run(run.info.run_id, status=status)
    else:
        client.set_terminated(run.info.run_id, status, ended)
    return True


def _one_at_a_time() -> AbstractContextManager[None]:
    return locked(ROOT / ".runs.lock")
