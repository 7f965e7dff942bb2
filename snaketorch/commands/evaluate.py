"""``evaluate``: the step that tests a trained model."""

import argparse
from pathlib import Path

from snaketorch import layout
from snaketorch.commands.inputs import read_record, spec_of
from snaketorch.commands.options import add_uses
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    files = ("manifest", "model", "record", "history", "metrics", "predictions", "figures")
    step = commands.add("evaluate", evaluate, *files, computes=True)
    add_uses(step)


def evaluate(arguments: argparse.Namespace) -> None:
    """Test a trained model: metrics, predictions, figures."""
    from snaketorch.config.specs import EvaluateSpec
    from snaketorch.evaluation.evaluate import evaluate as run
    from snaketorch.state.published import clear_published
    from snaketorch.tracking.sidecar import uploading

    spec = spec_of(EvaluateSpec, arguments)
    # a test begins when the workflow has noted that its training is done
    clear_published(Path(layout.TRAIN_STATE.format(experiment=spec.experiment, seed=spec.seed)))
    with uploading(Path(read_record(arguments.record)["journal"])):
        run(
            spec,
            manifest=arguments.manifest,
            model=arguments.model,
            record=arguments.record,
            history=arguments.history,
            uses=dict(arguments.uses),
            metrics=arguments.metrics,
            predictions=arguments.predictions,
            figures=arguments.figures,
            code=arguments.code,
            threads=arguments.threads,
        )
