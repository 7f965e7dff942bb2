"""``plan-experiment``: the step that plans a training before it is submitted."""

import argparse

from snaketorch.commands.inputs import spec_of
from snaketorch.commands.options import add_best
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    add_best(commands.add("plan-experiment", plan_experiment, "manifest", "plan"))


def plan_experiment(arguments: argparse.Namespace) -> None:
    """Plan an experiment's training: which GPUs it fits, what it takes, and what its job should ask for."""
    from snaketorch.config.specs import PlanSpec
    from snaketorch.planning.step import plan_experiment as run

    run(
        spec_of(PlanSpec, arguments),
        manifest=arguments.manifest,
        plan=arguments.plan,
        best=arguments.best,
        code=arguments.code,
    )
