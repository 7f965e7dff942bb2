"""``settle``: the step that lets a promoted model stay, or takes it back."""

import argparse
from pathlib import Path

from snaketorch.commands.inputs import spec_of
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("settle", settle, "registration", "settlement")
    step.add_argument("--alerts", type=Path, nargs="+", required=True, help="alert.json of each watched dataset")


def settle(arguments: argparse.Namespace) -> None:
    """Go back to the champion before when new data raised an alert."""
    from snaketorch.config.specs import SettleSpec
    from snaketorch.registry.automation import settle as run

    run(
        spec_of(SettleSpec, arguments),
        registration=arguments.registration,
        alerts=arguments.alerts,
        settlement=arguments.settlement,
        code=arguments.code,
    )
