"""``doctor``: what is wrong with a machine, a folder or a cluster."""

import argparse
from pathlib import Path

from snaketorch.commands.parser import Commands
from snaketorch.errors import UserError


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("doctor", doctor, spec=False)
    step.add_argument("--json", action="store_true", help="for programs")


def doctor(arguments: argparse.Namespace) -> None:
    """Look at this machine, folder or cluster: what is wrong, and what to do about it."""
    from snaketorch.doctor.command import doctor as run

    report = run(Path.cwd(), arguments.json)
    print(report.text, flush=True)  # noqa: T201
    if report.failing:
        raise UserError(f"{report.failing} of what was looked at must be mended before a study can be trusted here")
