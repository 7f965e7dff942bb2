"""``status``: how a study stands."""

import argparse

from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("status", status, spec=False)
    step.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help="only these (default: all)")
    step.add_argument("--json", action="store_true", help="all that is known, for programs")
    step.add_argument("--verify", action="store_true", help="read every file again, the arrays of datasets too")


def status(arguments: argparse.Namespace) -> None:
    """Say how the study in this folder stands: what is done, runs, waits, failed, or is out of date."""
    from snaketorch.status.command import status as run

    print(run(arguments.experiments, arguments.json, arguments.verify))  # noqa: T201
