"""A trained model as one file that explains itself.

``model.ckpt`` holds the weights, the task and network that they belong to, and the facts of the data
(classes, statistics): enough to use the model without its dataset. It holds tensors and plain values
only, and is read with ``weights_only=True``: a file from elsewhere cannot run code.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel

from snaketorch.config.models import Model
from snaketorch.config.tasks import Task
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.provenance import canonical_json
from snaketorch.publish import whole_file
from snaketorch.tasks import build_task
from snaketorch.tasks.base import TaskModule
from snaketorch.training.weight_files import UNREADABLE

FORMAT = 1


class Description(BaseModel):
    """What a model file says of itself."""

    format: int
    task: Task
    model: Model
    facts: dict[str, Any]


def save_model(path: Path, task: Task, model: Model, facts: dict[str, Any], weights: dict[str, torch.Tensor]) -> None:
    """Publishes a trained network."""
    description = Description(format=FORMAT, task=task, model=model, facts=facts).model_dump(mode="json")
    with whole_file(path) as temporary, temporary.open("wb") as file:
        # into an open file: given a path, torch writes its name into the archive, and equal models differ
        torch.save({"description": canonical_json(description), "weights": weights}, file)


def load_model(path: Path) -> TaskModule:
    """The task with its trained network, on the CPU, ready to predict.

    Raises:
        UserError: when the file is no model of this format, or damaged.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        description = json.loads(content["description"])
        if description["format"] != FORMAT:
            raise UserError(f"{path} has format {description['format']}; this version reads format {FORMAT}")
        description = Description.model_validate(description)
        task = build_task(description.task, description.model, description.facts)
        task.network.load_state_dict(content["weights"])
    except UNREADABLE as error:
        raise UserError(f"{path} is not a model that Snaketorch saved, or it is damaged: {error}") from error
    return task.eval()


def check_origin(training: Mapping[str, Any], model: Path, sha256: str, dataset: Manifest) -> None:
    """UserError when a model's file is not that of the record ``training``, or was trained on other data."""
    if training["outputs"]["model"] != sha256:
        raise UserError(
            f"{model} is not the model that its record describes (SHA-256); train again, or restore the file"
        )
    trained_on = training["inputs"]["manifest"]["digest"]
    if trained_on != dataset.digest:
        raise UserError(
            f"{model} was trained on a dataset with the digest {trained_on}, but that of {dataset.path} is "
            f"{dataset.digest}: what is test data now may have been training data; train again"
        )
