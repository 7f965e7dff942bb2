"""A test double of the `apptainer` command: writes down its calls, and runs their commands outside any container."""

import json
import os
import sys
from pathlib import Path


def install(programs: Path, calls: Path) -> None:
    """Makes the command in a folder that is on the PATH; its calls go to a file, one a line."""
    command = programs / "apptainer"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" "{calls}" "$@"\n')
    command.chmod(0o755)


def answer(calls: Path, words: list[str]) -> None:
    """Answers ``apptainer WORDS`` as far as Snakemake asks."""
    with calls.open("a") as file:
        file.write(json.dumps(words) + "\n")
    match words:
        case ["--version"]:
            print("apptainer version 1.3.6")
        case ["exec", *_, shell, "-c", command]:
            os.execvp(shell, [shell, "-c", command])
        case _:
            sys.exit(f"the test double of apptainer has no answer to: apptainer {' '.join(words)}")


if __name__ == "__main__":
    answer(Path(sys.argv[1]), sys.argv[2:])
