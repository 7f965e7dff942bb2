"""Writes what is said now into the cases: for new cases, and when an option is added to what is allowed.

    python tests/bad_config/accept.py

Then read every line of `git diff tests/bad_config`: what stands there is what people will see.
"""

import re
import tempfile
from pathlib import Path

from bad_config_cases import HERE, Case, materialise, read_cases

from snaketorch.config.load import load_study
from snaketorch.config.problems import ConfigError


def said(case: Case) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        _, overrides = materialise(case, Path(folder))
        try:
            load_study(Path(folder), overrides)
        except ConfigError as error:
            return [str(problem) for problem in error.problems]
    return []


def accept() -> None:
    cases = {(case.file, case.name): case for case in read_cases()}
    for file in HERE.glob("cases/*.yaml"):
        blocks = re.split(r"\n(?=- case: )", file.read_text("utf-8"))
        for index, block in enumerate(blocks):
            case = cases[file.stem, block.splitlines()[0].removeprefix("- case: ")]
            if file.stem != "good" and "unreadable" not in case.steps:
                body = block.partition("\n  says: |\n")[0].rstrip()
                blocks[index] = "\n".join([body, "  says: |", *(f"    {line}" for line in said(case)), ""])
        file.write_text("\n".join(blocks), "utf-8")


if __name__ == "__main__":
    accept()
