"""``predict-dataset``: the step that predicts a whole dataset of the study."""

import argparse

from snaketorch.commands.inputs import spec_of
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    files = ("bundle", "state", "predictions", "bad", "record")
    step = commands.add("predict-dataset", predict_dataset, *files, computes=True)
    step.add_argument("--source", default="none", help="digest of the user's files, for the record")


def predict_dataset(arguments: argparse.Namespace) -> None:
    """Predict a dataset of the study, or go on where an earlier attempt was."""
    from snaketorch.config.specs import PredictSpec
    from snaketorch.inference.batch.dataset import predict_dataset as run

    run(
        spec_of(PredictSpec, arguments),
        bundle=arguments.bundle,
        state=arguments.state,
        predictions=arguments.predictions,
        bad=arguments.bad,
        record=arguments.record,
        code=arguments.code,
        source=arguments.source,
        threads=arguments.threads,
        gpus=arguments.gpus,
    )
