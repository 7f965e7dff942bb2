"""The specs of the example study, for tests of what its steps do."""

from pathlib import Path
from types import SimpleNamespace

from snaketorch.config.load import load_study
from snaketorch.config.specs import TrainSpec
from snaketorch.dag.workflow import Workflow

REPO = Path(__file__).parent.parent.parent


def example_spec(experiment: str, seed: int = 0, **changes: dict) -> TrainSpec:
    """The spec of an example experiment, with some keys of its sections changed."""
    workflow = Workflow(load_study(REPO, {"experiments": {experiment: changes} if changes else {}}))
    return TrainSpec.model_validate_json(workflow.train_spec(SimpleNamespace(experiment=experiment, seed=seed)))
