"""``summarise``: the step that puts the seeds of an experiment together."""

import argparse
from pathlib import Path

from snaketorch.commands.inputs import read_record, spec_of
from snaketorch.commands.options import add_best
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("summarise", summarise, "summary", "config")
    step.add_argument("--metrics", type=Path, nargs="+", required=True)
    step.add_argument("--records", type=Path, nargs="+", required=True)
    add_best(step)


def summarise(arguments: argparse.Namespace) -> None:
    """Summarise an experiment over its seeds."""
    from snaketorch.config.specs import SummariseSpec
    from snaketorch.journal import ROOT
    from snaketorch.report.summarise import summarise as run
    from snaketorch.tracking.sidecar import uploading

    with uploading(ROOT / read_record(arguments.records[0])["group_key"]):
        run(
            spec_of(SummariseSpec, arguments),
            metrics=arguments.metrics,
            records=arguments.records,
            summary=arguments.summary,
            config=arguments.config,
            best=arguments.best,
            code=arguments.code,
        )
