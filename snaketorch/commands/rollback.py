"""``rollback``: the version that was the champion before is it again."""

import argparse

from snaketorch.commands.inputs import study_name
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("rollback", rollback, spec=False)
    step.add_argument("name", metavar="NAME", help="of the registered model")
    step.add_argument("--reason", default="", metavar="TEXT", help="why, for the audit")


def rollback(arguments: argparse.Namespace) -> None:
    """Make the champion again what was it before."""
    from snaketorch.registry.aliases import Model
    from snaketorch.registry.audit import Audit
    from snaketorch.registry.promotion import rollback as run
    from snaketorch.registry.reach import registry

    study_name()  # which also tells the tracking address
    with registry() as (client, address):
        said, _ = run(Model(client, arguments.name, address), Audit(), arguments.reason)
    print(said)  # noqa: T201
