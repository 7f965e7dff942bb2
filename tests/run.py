"""Runs everything that `make test` promises: formatters and linters first, then the tests, tier by tier.

``python tests/run.py`` runs all; ``python tests/run.py lint unit`` only those.
"""

import os
import subprocess
import sys
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
    "workflow": [pytest("tests/workflow", *SIDE_BY_SIDE)],
    "tracking": [pytest("tests/tracking_server")],
    "reliability": [pytest("tests/reliability", *SIDE_BY_SIDE)],
    "e2e": [pytest("tests/e2e", *SIDE_BY_SIDE)],
    "cluster": [pytest("tests/cluster")],
    "browser": [pytest("tests/browser")],
}


def main(chosen: list[str]) -> int:
    unknown = [name for name in chosen if name not in TIERS]
    if unknown:
        print(f"unknown tier: {', '.join(unknown)}; allowed: {', '.join(TIERS)}")
        return 2
    failed = []
    for name in chosen or TIERS:
        print(f"\n== {name}", flush=True)
        start = time.monotonic()
        # one thread for each process: tests run side by side
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        codes = [subprocess.run(command, cwd=REPO, env=environment).returncode for command in TIERS[name]]
        verdict = "failed" if any(codes) else "passed"
        print(f"== {name} {verdict} in {time.monotonic() - start:.0f} s", flush=True)
        if any(codes):
            failed.append(name)
    print(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'All tiers passed.'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
