"""What a command was given, read and checked: specs, records of trainings, the study."""

import argparse
import json
import os
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from snaketorch.errors import UserError

S = TypeVar("S", bound=BaseModel)


def spec_of(model: type[S], arguments: argparse.Namespace) -> S:
    """What the step was told. UserError when it is no spec of this step."""
    try:
        return model.model_validate_json(arguments.spec)
    except ValidationError as error:
        raise UserError(f"--spec is not a spec of step {arguments.step}: {error}") from error


def read_record(path: Path) -> dict[str, Any]:
    """A training's record. UserError when there is none."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not the record of a training: {error}") from error


def study_name() -> str:
    """The study's name: of the workflow that runs this job, or of the configuration here."""
    if "SNAKETORCH_STUDY" not in os.environ:
        from snaketorch.config.load import load_study
        from snaketorch.dag.environment import variables

        os.environ.update(variables(load_study(Path.cwd()).config))
    return os.environ["SNAKETORCH_STUDY"]
