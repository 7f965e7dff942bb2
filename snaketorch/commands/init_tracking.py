"""``init-tracking``: the step before all that track."""

import argparse

from snaketorch.commands.inputs import study_name
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    commands.add("init-tracking", init_tracking, "out", spec=False, job=True)


def init_tracking(arguments: argparse.Namespace) -> None:
    """Create the tracking store once, before jobs use it side by side."""
    from snaketorch.tracking.initialise import init_tracking as run

    run(arguments.out, study_name())
