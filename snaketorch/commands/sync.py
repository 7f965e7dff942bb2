"""``sync``: what the tracking server does not have yet, by hand or beside a job."""

import argparse
import logging
import os
from pathlib import Path

from snaketorch.commands.inputs import study_name
from snaketorch.commands.parser import Commands
from snaketorch.errors import UserError


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("sync", sync, spec=False)
    step.add_argument("journals", type=Path, nargs="*", help="journal folders (default: all)")
    step.add_argument("--follow", type=int, metavar="PID", help="go on until this process ends")


def sync(arguments: argparse.Namespace) -> None:
    """Send to the tracking server what it does not have yet."""
    from snaketorch.tracking.address import tracking_uri

    study, uri = study_name(), tracking_uri()
    if arguments.follow:  # mlflow is imported only when there is something to send
        from snaketorch.tracking.follow import follow

        (folder,) = arguments.journals
        failed = follow(folder, arguments.follow, uri, study).failed
        logging.shutdown()
        os._exit(failed)  # all is sent; mlflow's own teardown takes a second that the job would wait for

    from snaketorch.journal import ROOT
    from snaketorch.tracking.sync import sync_all, sync_journals

    journals = arguments.journals
    summary = sync_journals(journals, uri, study) if journals else sync_all(ROOT, uri, study)
    print(summary)  # noqa: T201
    if not journals and not summary.failed:
        from snaketorch.registry.later import register_waiting
        from snaketorch.registry.watched import tell_watched

        for said in register_waiting():
            print(f"  registry  {said}")  # noqa: T201
        tell_watched(by_hand=True)
    if summary.failed:
        raise UserError("not everything could be sent; nothing is lost, run it again")
