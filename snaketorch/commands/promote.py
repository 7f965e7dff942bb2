"""``promote``: a version of a registered model becomes the champion."""

import argparse

from snaketorch.commands.inputs import study_name
from snaketorch.commands.parser import Commands

STAGES = ("Production", "Staging", "Archived", "None")


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("promote", promote, spec=False)
    step.add_argument("name", metavar="NAME", help="of the registered model")
    step.add_argument("--version", metavar="N", help="which version (default: the candidate)")
    step.add_argument("--reason", default="", metavar="TEXT", help="why, for the audit")
    step.add_argument(
        "--stage",
        choices=STAGES,
        default="Production",
        help="MLflow's old words: Production is the champion, Staging the candidate; Archived and None are neither",
    )


def promote(arguments: argparse.Namespace) -> None:
    """Make a version of a registered model the champion."""
    from snaketorch.registry.aliases import Model
    from snaketorch.registry.audit import Audit
    from snaketorch.registry.promotion import put_in_stage
    from snaketorch.registry.reach import registry

    study_name()  # which also tells the tracking address
    with registry() as (client, address):
        model = Model(client, arguments.name, address)
        said, _ = put_in_stage(model, Audit(), arguments.stage, arguments.version, arguments.reason)
    print(said)  # noqa: T201
