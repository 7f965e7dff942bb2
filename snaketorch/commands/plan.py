"""``plan``: what trainings need, which GPUs they fit, and what they would take there."""

import argparse
from pathlib import Path

from snaketorch.commands.options import gib
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("plan", plan, spec=False)
    step.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help="only these (default: all of the study)")
    which = step.add_mutually_exclusive_group()
    which.add_argument(
        "--gpu",
        action="append",
        default=[],
        metavar="NAME",
        help="compare these; may be repeated (default: the site's)",
    )
    which.add_argument("--all", action="store_true", help="compare every GPU that the catalogue knows")
    step.add_argument(
        "--free-memory", type=gib, metavar="GIB", help="what is free on each GPU (default: nearly all of it)"
    )
    step.add_argument(
        "--strict",
        action="store_true",
        help="fail when a training may not fit the GPU that is chosen, or any that was compared where it asks for none",
    )
    step.add_argument("--json", action="store_true", help="all that is known, for programs")


def plan(arguments: argparse.Namespace) -> None:
    """Say what trainings need, which GPUs they fit, what they take there, and what to ask for; nothing is run."""
    from snaketorch.planning.asked import asked

    experiments = asked(Path.cwd(), arguments.experiments, arguments.gpu, arguments.all)
    # torch is imported for those who asked well
    from snaketorch.planning.study import answer, plans_of, refuse_unfit

    plans = plans_of(Path.cwd(), experiments, arguments.free_memory)
    print(answer(plans, arguments.json))  # noqa: T201
    if arguments.strict:
        refuse_unfit(plans)
