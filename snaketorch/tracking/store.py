"""The tracking store: reaching it, and creating what is missing there."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from snaketorch.errors import UserError
from snaketorch.tracking.address import LOCAL_ARTIFACTS, scrub, shown, split, sqlite_file
from snaketorch.tracking.databricks import experiment_name, is_databricks
from snaketorch.tracking.locks import locked

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Set before MLflow is imported, and only where the user has not chosen. With MLflow's own seven
# retries a dead server holds a job for four minutes.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


_KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Tells MLflow's pages that the study holds training runs; else they guess, and may show it as one of chats."""


class TrackingError(UserError):
    """MLflow cannot be reached or refuses; the message holds no secret."""


def connect(uri: str) -> "MlflowClient":
    """A client for ``uri``. Creates the database of a ``sqlite:`` address if there is none.

    Of several processes that open a fresh SQLite file at once all but one would die in MLflow's
    migration, so they take turns. MLflow itself waits 20 s for a locked database; its default journal
    mode is kept, because write-ahead logging loses data on network file systems.

    Raises:
        TrackingError: When MLflow is missing or refuses the address.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with readable_errors(uri):
        from mlflow import MlflowClient

        # their retries, migrations and tracebacks; what matters is in the exceptions
        for name in ("mlflow", "alembic", "urllib3"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        file = sqlite_file(uri)
        if file is None:
            return MlflowClient(_without_credentials(uri))
        with locked(file.with_name(f".{file.name}.lock")):
            _check_database(file)
            return MlflowClient(uri)


def initialise(uri: str, study: str) -> str:
    """Creates the store and the study's MLflow experiment where they are missing; returns its id.

    Raises:
        TrackingError: When the store cannot be reached or the experiment was deleted there.
    """
    client = connect(uri)
    with readable_errors(uri):
        name = experiment_name(uri, study)
        experiment = client.get_experiment_by_name(name) or _create_experiment(client, uri, name)
    if experiment.lifecycle_stage == "deleted":
        number = experiment.experiment_id
        raise TrackingError(
            f"the MLflow experiment {name!r} at {shown(uri)} was deleted; restore it "
            f"(`mlflow experiments restore --experiment-id {number}`) or give the study another name"
        )
    return experiment.experiment_id


@contextmanager
def readable_errors(uri: str, *others: str) -> Iterator[None]:
    """Turns whatever MLflow raises into a TrackingError of one line without secrets.

    Args:
        uri: Which address is asked.
        others: More addresses that may be asked, and have secrets.
    """
    try:
        yield
    except TrackingError:
        raise
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        if "Max retries exceeded" in text:
            asked = next((each for each in others if f"host='{urlsplit(shown(each)).hostname}'" in text), uri)
            text = f"no answer from {shown(asked)}: {text.rpartition('(Caused by ')[2].removesuffix(')')}"
        for each in (uri, *others):
            text = scrub(text, each)
        # the cause is dropped on purpose: a traceback would show the address in full
        raise TrackingError(text) from None


def _check_database(file: Path) -> None:
    """TrackingError where ``file`` is there and is no database: MLflow would try again for a minute and a half."""
    if not file.exists():
        return
    try:
        with closing(sqlite3.connect(file, timeout=0)) as database:
            database.execute("PRAGMA schema_version")
    except sqlite3.OperationalError as error:
        if "unable to open" in str(error):  # one that another has locked is well
            raise TrackingError(f"{file} cannot be opened as a database") from None
    except sqlite3.DatabaseError:
        raise TrackingError(f"{file} is no SQLite database, or it is damaged") from None


def _create_experiment(client: "MlflowClient", uri: str, name: str):
    from mlflow.exceptions import MlflowException

    try:
        client.create_experiment(name, artifact_location=_artifact_location(uri), tags=_KIND)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another process was faster
            raise
    return client.get_experiment_by_name(name)


def _artifact_location(uri: str) -> str | None:
    """Where files go when no server decides: MLflow's own choice would depend on the working directory."""
    file = sqlite_file(uri)
    if file is not None:
        return (file.parent / LOCAL_ARTIFACTS.name).as_uri()
    decides = uri.startswith(("http://", "https://")) or is_databricks(uri)
    return None if decides else Path(LOCAL_ARTIFACTS).resolve().as_uri()


def _without_credentials(uri: str) -> str:
    """The address of a server with user and password moved to the environment.

    MLflow reads them there, and puts the whole address into messages and requests' logs.
    """
    place, credentials = split(uri)
    if not uri.startswith(("http://", "https://")) or not credentials:
        return uri
    user, _, password = credentials.partition(":")
    os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(user)
    os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(password)
    return place
