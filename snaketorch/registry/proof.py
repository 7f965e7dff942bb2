"""That a packed model can be loaded elsewhere and predicts there what it does here."""

import json
import math
import os
import subprocess
import sys
import tempfile
from numbers import Number
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.utils.proto_json_utils import NumpyEncoder

from snaketorch.errors import UserError

_SECONDS = 600
_TOLERANCE = 1e-4
"""Relative, and absolute: another process may share out the same sums among its threads otherwise."""


def prove(folder: Path, expected: pd.DataFrame) -> None:
    """Loads the packed model in a process that unpickles nothing and has only the package that travels with it.

    Raises:
        UserError: It cannot be loaded so, or does not answer ``expected`` to its own example.
    """
    # standard output may hold what others print; the answer is the last line
    command = [sys.executable, "-EPB", str(Path(__file__).with_name("answer_of.py")), str(folder.resolve())]
    # two samples need one thread
    environment = {**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as scratch:
        try:
            done = subprocess.run(
                command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise UserError(f"the packed model did not answer within {_SECONDS} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UserError(f"the packed model cannot be loaded in a process of its own: {last}")
    answer = json.loads(done.stdout.splitlines()[-1])
    if not Path(answer["package"]).is_relative_to(folder.resolve()):
        raise UserError(f"the packed model runs with {answer['package']} and not with the package that it brings")
    wanted = json.loads(json.dumps(expected.to_dict(orient="records"), cls=NumpyEncoder))
    if not same(json.loads(answer["body"])["predictions"], wanted):
        raise UserError("the packed model does not predict what the trained model does")


def same(one: Any, other: Any) -> bool:
    """Whether two values of JSON are the same but for the last digits of their numbers; NaN is missing, like null."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if _is_missing(one) or _is_missing(other):
        return _is_missing(one) and _is_missing(other)
    if isinstance(one, Number) and isinstance(other, Number):
        return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return one == other


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
