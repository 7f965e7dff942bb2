"""``tune-plan``: what a sweep would try."""

import argparse
from pathlib import Path

from snaketorch.commands.options import count
from snaketorch.commands.parser import Commands
from snaketorch.errors import UserError


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("tune-plan", tune_plan, spec=False)
    step.add_argument("experiment", metavar="EXPERIMENT")
    step.add_argument("--trials", type=count, default=20, metavar="N", help="trials to list (default: %(default)s)")


def tune_plan(arguments: argparse.Namespace) -> None:
    """Say what an experiment's sweep would try, and what it may cost; nothing is run."""
    print(plan_of(arguments.experiment, arguments.trials))  # noqa: T201


def plan_of(name: str, most: int) -> str:
    """What the sweep of an experiment of the study in this folder would try, and what that costs at most.

    Raises:
        UserError: there is no such experiment, or it has no sweep.
    """
    from snaketorch.config.load import load_study
    from snaketorch.config.problems import did_you_mean, listed
    from snaketorch.sweep_plan import Plan

    study = load_study(Path.cwd())
    known = {**study.experiments, **study.needed}
    tuned = [other for other, experiment in known.items() if experiment.tune]
    if name not in tuned:
        what = f"{name} has no sweep" if name in known else f"there is no experiment '{name}'"
        raise UserError(f"{what}; allowed: {listed(tuned) or 'none yet'}{did_you_mean(name, tuned)}")
    return Plan(name, known[name]).text(most)
