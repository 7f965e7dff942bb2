"""The registry of the study: MLflow's at the tracking address, or where ``MLFLOW_REGISTRY_URI`` says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.db.db_types import DATABASE_ENGINES

from snaketorch.errors import UserError
from snaketorch.tracking.address import shown, tracking_uri
from snaketorch.tracking.databricks import registry_uri
from snaketorch.tracking.store import connect, readable_errors


@contextmanager
def registry() -> Iterator[tuple[MlflowClient, str]]:
    """A client, and the registry's address without credentials.

    TrackingError, a line without secrets, when MLflow refuses something or is away; any other error stays what it is.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # hundreds of lines in a log
    uri = tracking_uri()
    place = registry_uri(uri)
    if place != uri and place.startswith(tuple(DATABASE_ENGINES)):
        connect(place)  # as with the tracking store: its tables are made by one process, its errors are readable
    client = connect(uri)
    try:
        yield client, shown(place)
    except UserError:
        raise
    except (MlflowException, OSError) as error:  # requests' errors are of the latter kind
        with readable_errors(uri, place):
            raise error from None
