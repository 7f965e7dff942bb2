"""``report``: the step that writes the study page."""

import argparse

from snaketorch.commands.inputs import spec_of
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    commands.add("report", report, "results", "out")


def report(arguments: argparse.Namespace) -> None:
    """Write the study page."""
    from snaketorch.config.specs import ReportSpec
    from snaketorch.report.study import report as run

    run(
        spec_of(ReportSpec, arguments),
        results=arguments.results,
        out=arguments.out,
        code=arguments.code,
    )
