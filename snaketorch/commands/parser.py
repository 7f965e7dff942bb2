"""The parser of the command line, to which each command adds its own."""

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from snaketorch.commands import MODULES


class Commands:
    """The commands that a parser knows so far."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._commands = parser.add_subparsers(dest="step", required=True, metavar="STEP")

    def add(
        self,
        name: str,
        run: Callable[[argparse.Namespace], None],
        *paths: str,
        spec: bool = True,
        computes: bool = False,
        job: bool | None = None,
    ) -> argparse.ArgumentParser:
        """A new command, whose own arguments may be added to what is returned.

        Args:
            name: As it is typed.
            run: What it does; its docstring is the help.
            paths: Options that name a file or folder each, all required.
            spec: Whether it is a step that is told its spec, and the digest of its code.
            computes: Whether it takes CPU threads and GPUs.
            job: Whether a rule of the workflow runs it (default: as ``spec``).
        """
        step = self._commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        step.set_defaults(run=run)
        if spec:
            step.add_argument("--spec", required=True, help="what the step depends on, as JSON")
            step.add_argument("--code", default="", help="digest of the step's code, for the record")
        for path in paths:
            step.add_argument(f"--{path}", type=Path, required=True)
        if spec if job is None else job:
            step.add_argument("--attempt", type=int, help="which attempt of a workflow this is, from 1")
            step.add_argument("--log", type=Path, help="the file that a workflow's job writes its log to")
        if computes:
            step.add_argument("--threads", type=int, default=1, help="CPU threads (default: %(default)s)")
            step.add_argument("--gpus", type=int, default=0, help="GPUs to wait for and have alone (default: none)")
        return step


def build_parser() -> argparse.ArgumentParser:
    """The parser with every command."""
    parser = argparse.ArgumentParser(prog="python -m snaketorch", description="The steps of a Snaketorch study.")
    commands = Commands(parser)
    for module in MODULES:
        import_module(f"snaketorch.commands.{module}").add(commands)
    return parser
