"""Tasks: what is learnt, from which samples, by which loss. They know nothing of a network's layers."""

from typing import Any

from snaketorch.config.models import Model
from snaketorch.config.tasks import Task
from snaketorch.data.loading.samples import Samples
from snaketorch.data.manifest import Manifest
from snaketorch.implementation import resolve
from snaketorch.tasks.base import TaskModule


def build_task(options: Task, model: Model, facts: dict[str, Any]) -> TaskModule:
    """The task that ``options`` names around the network that ``model`` names, with fresh weights.

    ``facts`` are what a trained model must know of its dataset (``Manifest.facts``). UserError when
    the network does not fit the data.
    """
    return resolve(options.implementation)(options, model, facts)


def samples_of(task: TaskModule, manifest: Manifest, split: str) -> Samples:
    """The samples of one split, as ``task`` sees them."""
    return task.samples(manifest, split)
