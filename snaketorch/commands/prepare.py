"""``prepare``: the step that makes a dataset."""

import argparse

from snaketorch.commands.inputs import spec_of
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("prepare", prepare, "manifest", "preview", "arrays", computes=True)
    step.add_argument("--source", default="none", help="digest of the user's files, for the record")


def prepare(arguments: argparse.Namespace) -> None:
    """Prepare a dataset: load, convert, split, write arrays and manifest."""
    from snaketorch.config.specs import PrepareSpec
    from snaketorch.data.prepare import prepare as run

    spec = spec_of(PrepareSpec, arguments)
    run(
        spec,
        manifest=arguments.manifest,
        preview=arguments.preview,
        arrays=arguments.arrays,
        code=arguments.code,
        source=arguments.source,
    )
