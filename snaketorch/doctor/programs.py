"""Other programs, asked with a time limit."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

TOOL_SECONDS = 30


class Answer(NamedTuple):
    """What a program said."""

    code: int
    text: str
    error: str

    @property
    def why(self) -> str:
        """In a line: why it failed."""
        lines = (self.error.strip() or self.text.strip()).splitlines()
        return lines[-1] if lines else f"it ended with code {self.code}"


def ask(*command: str, seconds: float = TOOL_SECONDS) -> Answer | None:
    """What a program says; None where it is not installed."""
    path = shutil.which(command[0])
    return None if path is None else _run([path, *command[1:]], seconds)


def ask_python(module: str, *arguments: str, seconds: float) -> Answer:
    """What a module of this package says as a process of its own, which may crash or hang."""
    return _run([sys.executable, "-m", module, *arguments], seconds)


def python_environment() -> dict[str, str]:
    """The environment of such a process: it finds the package that this one runs."""
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}


def _run(command: list[str], seconds: float) -> Answer:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=python_environment())
    except subprocess.TimeoutExpired:
        return Answer(-1, "", f"no answer within {seconds:.0f} s")
    except OSError as error:
        return Answer(-1, "", str(error))
    return Answer(done.returncode, done.stdout, done.stderr)
