"""The proof that no step is lost: the tests in ``tests/reliability`` with the full counts, as a table.

A table is written also when something is wrong; then the exit status says so.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import described

REPOSITORY = Path(__file__).parent.parent
TESTS = REPOSITORY / "tests" / "reliability"
RESULT = Path(__file__).parent / "results" / "reliability.md"
PACKAGES = ("snaketorch", "torch", "pytorch-lightning", "snakemake")


def prove(processes: int, quick: bool) -> tuple[list[dict[str, Any]], int]:
    """One row a figure, and pytest's exit status."""
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary, "figures.jsonl")
        environment = os.environ | {
            "SNAKETORCH_PROVE": "" if quick else "1",
            "SNAKETORCH_FIGURES": str(file),
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-m", "pytest", "-q", str(TESTS), "-n", str(processes), "--dist", "loadfile"]
        code = subprocess.run(command, cwd=REPOSITORY, env=environment).returncode
        rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
    return sorted(rows, key=lambda row: row["number"]), code


def table(rows: list[dict[str, Any]], code: int, minutes: float) -> str:
    lines = [
        "# No step is lost",
        "",
        "Trainings, sweeps, and the workflow that runs them, are killed; trainings are robbed of their disk and given",
        "damaged checkpoints.",
        "Each is started again by the same command and must end with the bits of one that nothing disturbed: weights,",
        "optimizer state, averaged weights, history, samples and journal; a sweep with its trials, curves and best",
        "values (`tests/reliability`, run by `make prove`).",
        "",
        "| figure | must be | found | how |",
        "|---|---|---|---|",
    ]
    for row in rows:
        found = f"**{row['found']}**" if row["wrong"] else row["found"]
        lines.append(f"| {row['figure']} | {row['must']} | {found} | {row['how']} |")
    wrong = [what.splitlines()[0] for row in rows for what in row["wrong"]]
    if wrong:
        lines += ["", "Wrong:", "", *(f"- {what}" for what in wrong)]
    elif code != 0:
        lines += ["", "**Not all was measured: pytest failed.**"]
    lines += ["", f"{described(PACKAGES)}; {minutes:.0f} minutes", ""]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2, help="that share the tests (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="the counts of `make test`")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    start = time.monotonic()
    rows, code = prove(arguments.processes, arguments.quick)
    text = table(rows, code, (time.monotonic() - start) / 60)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text, "utf-8")
    print(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
