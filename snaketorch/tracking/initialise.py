"""The step that prepares tracking before any job runs."""

import logging
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from snaketorch.publish import write_json
from snaketorch.tracking.address import shown, tracking_uri
from snaketorch.tracking.store import TrackingError, initialise

log = logging.getLogger(__name__)


def init_tracking(out: Path, study: str) -> None:
    """Creates the store and the study's MLflow experiment, and writes to ``out`` what came of it.

    Whatever is wrong with tracking is a warning here and never a failure: jobs keep local journals,
    and ``python -m snaketorch sync`` sends them once the store can be used.
    """
    uri = tracking_uri()
    state: dict[str, Any] = {"study": study, "uri": shown(uri), "experiment_id": None, "reachable": False}
    if os.environ.get("SNAKETORCH_TRACKING") == "off":
        message = "tracking is switched off"
        log.info("%s; runs are kept in local journals only", message)
    elif find_spec("mlflow") is None:
        message = "mlflow is not installed here"
        log.warning("%s; runs are kept in local journals only", message)
    else:
        try:
            state |= {"experiment_id": initialise(uri, study), "reachable": True}
            message = "ready"
            log.info("MLflow experiment %s at %s is ready", study, shown(uri))
        except TrackingError as error:
            message = str(error)
            log.warning(
                "MLflow cannot be used now: %s; runs stay in local journals, `python -m snaketorch sync` sends them",
                message,
            )
    write_json(out, {**state, "message": message})
