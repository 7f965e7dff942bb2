"""``models``: what is registered."""

import argparse

from snaketorch.commands.inputs import study_name
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("models", models, spec=False)
    step.add_argument("name", nargs="?", metavar="NAME", help="only this registered model (default: all)")
    step.add_argument("--json", action="store_true", help="all that is known, for programs")


def models(arguments: argparse.Namespace) -> None:
    """List registered models: versions, aliases, and where each comes from."""
    from snaketorch.registry.listing import listing
    from snaketorch.registry.reach import registry

    study_name()  # which also tells the tracking address
    with registry() as (client, address):
        print(listing(client, address, arguments.name, arguments.json))  # noqa: T201
