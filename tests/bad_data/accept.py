"""Writes what is said now into the cases: for new cases, and when an option is added to what is allowed.

    PYTHONPATH=.:tests/bad_data python tests/bad_data/accept.py

Then read every line of `git diff tests/bad_data`: what stands there is what people will see.
"""

import json
import re
import tempfile
from pathlib import Path

from bad_data_cases import HERE, Case, build, read_cases, spoil
from bad_data_step import RESULTS, message, prepare


def result(case: Case) -> str | None:
    """The last part of a case: `says`, or `skips`; None where there is a traceback in their place."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = spoil(case, build(case.of, folder), folder)
        try:
            status, lines = prepare(dataset, folder)
        except Exception as error:
            print(f"{case}: not accepted, for it ends in a traceback: {type(error).__name__}: {error}")
            return None
        if status:
            return f"  says: |\n    {message(lines, folder)}"
        skipped = json.loads((folder / RESULTS / "manifest.json").read_text("utf-8"))["report"]["skipped"]
    return "\n".join(["  skips:", *(f"    {json.dumps(one['sample'])}: {json.dumps(one['why'])}" for one in skipped)])


def accept() -> None:
    cases = {(case.file, case.name): case for case in read_cases()}
    for file in HERE.glob("cases/*.yaml"):
        blocks = re.split(r"\n(?=- case: )", file.read_text("utf-8"))
        for index, block in enumerate(blocks):
            case = cases[file.stem, block.splitlines()[0].removeprefix("- case: ")]
            if last := result(case):
                body = re.split(r"\n  (?:says|skips):", block)[0].rstrip()
                blocks[index] = f"{body}\n{last}\n"
        file.write_text("\n".join(blocks), "utf-8")


if __name__ == "__main__":
    accept()
