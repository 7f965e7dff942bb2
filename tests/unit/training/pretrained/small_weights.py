"""A small network, its weights as other trainings start from them, and such trainings."""

import json
from pathlib import Path

import torch

from snaketorch.config.models import Cnn
from snaketorch.config.specs import TrainSpec
from snaketorch.config.tasks import ImageClassification
from snaketorch.data.manifest import Manifest
from snaketorch.tasks import build_task
from snaketorch.training.model_file import load_model
from snaketorch.training.pretrained import start_from_trained
from tests.unit.example_study import example_spec

TASK = ImageClassification(kind="image_classification")
SMALL = {"kind": "cnn", "channels": [4, 8], "hidden": 8, "dropout": 0.25}
QUICK = {"trainer": {"max_epochs": 3, "precision": "32-true"}, "data_loader": {"batch_size": 16}}


def facts(manifest: Path, **changes) -> dict:
    return Manifest.load(manifest).facts() | changes


def task_of(model: dict, facts: dict, section=Cnn, seed: int = 1):
    torch.manual_seed(seed)
    return build_task(TASK, section(**model), facts)


def start(path: Path, facts: dict, transfer=None, section=Cnn, base=SMALL, **model):
    """The task after it started from the weights in ``path``, and the record of that."""
    options = {**base, "pretrained": str(path)} | model
    task = task_of(options, facts, section)
    return task, start_from_trained(task, section(**options), transfer, path)


def spec(experiment: str, **changes) -> TrainSpec:
    data = example_spec(experiment, 0, **QUICK).model_dump(mode="json") | changes
    return TrainSpec.model_validate_json(json.dumps(data))


def transfer_spec(trained: Path, **transfer) -> TrainSpec:
    model = Cnn(**SMALL, pretrained=str(trained)).model_dump(mode="json")
    return spec("digits_cnn", model=model, transfer=transfer)


def state(path: Path) -> dict[str, torch.Tensor]:
    return load_model(path).network.state_dict()
