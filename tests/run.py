"""Runs everything that `make test` promises: formatters and linters first, then the tests, tier by tier.

``python tests/run.py`` runs all; ``python tests/run.py lint unit`` only those, in the order of all.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

REPO = Path(__file__).parent.parent

# Two processes share the tests of a file group; a file's tests stay together, for its fixtures.
SIDE_BY_SIDE = ["-n", "2", "--dist", "loadfile"]


def pytest(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", *arguments]


TIERS = {
    "lint": [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["snakefmt", "--check", "Snakefile", "workflow"],
        ["snakemake", "--lint"],
        ["codespell", "."],
    ],
    "unit": [pytest("tests/unit", "tests/bad_config", "tests/bad_data", *SIDE_BY_SIDE)],
    "networks": [pytest("tests/networks", "-n", "2")],
    "distributed": [pytest("tests/distributed")],
    "workflow": [pytest("tests/workflow", *SIDE_BY_SIDE)],
    "tracking": [pytest("tests/tracking_server")],
    "serving": [pytest("tests/serving")],
    "sweeps": [pytest("tests/sweeps")],
    "environments": [pytest("tests/environments")],
    "reliability": [pytest("tests/reliability", *SIDE_BY_SIDE)],
    "e2e": [pytest("tests/e2e", *SIDE_BY_SIDE)],
    "cluster": [pytest("tests/cluster")],
    "browser": [pytest("tests/browser")],
}


LINES_AGAIN = 60
"""How many of its last lines a tier that failed says again at the end."""

BESIDE = {"serving": "tracking", "cluster": "e2e"}
"""Tiers that mostly wait, for servers and for Slurm, and the tier that they run beside."""


class Tier:
    """One tier, from its start to its verdict."""

    def __init__(self, name: str, shown: bool = True):
        """Runs it; what it says is kept for the end unless it is ``shown``."""
        self.name, self.start = name, time.monotonic()
        self.shown, self.said = shown, ""
        # one thread for each process: tests run side by side
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        # where it is set, as in many containers, each of a thousand processes compiles the whole package
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.thread = threading.Thread(target=self._run)
        self.codes: list[int] = []
        self.seconds = 0.0
        if shown:
            print(f"\n== {name}", flush=True)
        self.thread.start()

    def passed(self) -> bool:
        """Waits for its end and says how it ended."""
        self.thread.join()
        if not self.shown:
            print(f"\n== {self.name}, beside {BESIDE[self.name]}\n{self.said}", flush=True)
        passed = not any(self.codes)
        print(f"== {self.name} {'passed' if passed else 'failed'} in {self.seconds:.0f} s", flush=True)
        return passed

    def _run(self) -> None:
        said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8", "errors": "replace"}
        for command in TIERS[self.name]:
            with subprocess.Popen(command, cwd=REPO, env=self.environment, **said) as process:
                for line in process.stdout:
                    self.said += line
                    if self.shown:
                        print(line, end="", flush=True)
            self.codes.append(process.returncode)
        self.seconds = time.monotonic() - self.start


def main(chosen: list[str]) -> int:
    unknown = [name for name in chosen if name not in TIERS]
    if unknown:
        print(f"unknown tier: {', '.join(unknown)}; allowed: {', '.join(TIERS)}")
        return 2
    names = [name for name in TIERS if name in chosen or not chosen]
    beside: dict[str, Tier] = {}
    failed = []
    for name in names:
        for other, host in BESIDE.items():
            if host == name and other in names:
                beside[other] = Tier(other, shown=False)
        tier = beside.get(name) or Tier(name)
        if not tier.passed():
            failed.append(tier)
    for tier in failed:  # again, since many lines of other tiers may lie between
        print(f"\n== how {tier.name} ended\n{''.join(tier.said.splitlines(keepends=True)[-LINES_AGAIN:])}")
    print(f"\n{'FAILED: ' + ', '.join(tier.name for tier in failed) if failed else 'All tiers passed.'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
