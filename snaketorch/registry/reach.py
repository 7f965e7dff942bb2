"""The registry of the study: MLflow's at the tracking address, or where ``MLFLOW_REGISTRY_URI`` says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

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
    client = connect(uri)
    try:
        yield client, shown(registry_uri(uri))
    except UserError:
        raise
    except (MlflowException, OSError) as error:  # requests' errors are of the latter kind
        with readable_errors(uri):
            raise error from None
