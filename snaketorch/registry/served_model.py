"""A bundle as MLflow's own server, and ``mlflow.pyfunc.load_model``, see it.

MLflow copies this file beside the bundle and runs it where the model is loaded: a model from code, of which
nothing is a pickle. There it finds the copy of this package that travels with the model.
"""

import logging
import threading
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, INVALID_PARAMETER_VALUE, TEMPORARILY_UNAVAILABLE
from mlflow.pyfunc import PythonModel

from snaketorch.errors import OutOfMemory, UserError
from snaketorch.inference.bundle import load_bundle

log = logging.getLogger(__name__)

MOST_PIXELS = 2**26
"""Of an image: who sends one may be a stranger, and a small file can hold a picture that fills the memory."""


class ServedModel(PythonModel):
    """Answers with what the bundle's Predictor says; what is wrong with a request is the client's error."""

    def load_context(self, context: Any) -> None:
        """Reads the bundle; called once, where the model is loaded."""
        self.predictor = load_bundle(Path(context.artifacts["bundle"]), most_pixels=MOST_PIXELS)
        # the server calls from several threads, and full float32 is a setting of the whole process
        self.turn = threading.Lock()

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One row for each row of ``model_input``.

        Raises:
            MlflowException: The server answers 400 to bad rows and parameters, 503 to a request that its memory does
                not hold, and 500 to anything else.
        """
        try:
            with self.turn:
                return _without_gaps(self.predictor.predict(model_input, parameters=params))
        except OutOfMemory as error:
            raise MlflowException(str(error), TEMPORARILY_UNAVAILABLE) from error
        except UserError as error:
            raise MlflowException(str(error), INVALID_PARAMETER_VALUE) from error
        except Exception as error:  # the server would take it for the client's
            log.exception("prediction failed")
            raise MlflowException("prediction failed; the server's log says why", INTERNAL_ERROR) from error


def _without_gaps(rows: pd.DataFrame) -> pd.DataFrame:
    """``rows`` with None for what is missing: JSON knows no NaN."""
    return rows.astype(object).where(rows.notna(), None)


set_model(ServedModel())
