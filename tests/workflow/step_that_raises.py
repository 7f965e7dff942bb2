"""The real command line with a step that fails, as STUB_HOW says; a line in STUB_CALLS/runs for each time it runs."""

import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from snaketorch import __main__ as command_line
from snaketorch.errors import DataError, UserError

RUNS = Path(os.environ["STUB_CALLS"], "runs")


def fail(arguments) -> None:
    with RUNS.open("a") as file:
        file.write(f"{arguments.step} {arguments.attempt}\n")
    first = len(RUNS.read_text().splitlines()) == 1
    match os.environ["STUB_HOW"]:
        case "bug":
            raise KeyError("not there")
        case "configuration":
            raise UserError("model.hidden: 7 does not go with the data; allowed: 8")
        case "data":
            raise DataError("no rows are left")
        case "killed once" if first:
            print("about to be killed", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        case "interrupted once" if first:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        case "memory":
            raise MemoryError("Unable to allocate 1.00 TiB")
    # what the stub does in place of a step that goes well
    subprocess.run(["python", "-m", "snaketorch", *sys.argv[1:]], env={**os.environ, "STUB_RAISES": ""}, check=True)


step = sys.argv[1].replace("-", "_")
setattr(import_module(f"snaketorch.commands.{step}"), step, fail)
sys.exit(command_line.main())
