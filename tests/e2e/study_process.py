"""Runs Snakemake as a user does, in a folder of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parent.parent.parent


def environment() -> dict[str, str]:
    """That of a user's shell with the virtual environment active and tracking on."""
    found = {
        key: value for key, value in os.environ.items() if not key.startswith(("SNAKETORCH_", "MLFLOW_", "PYTEST_"))
    }
    found["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{found['PATH']}"
    found["MLFLOW_DISABLE_TELEMETRY"] = "true"
    return found


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", "-s", str(REPO / "Snakefile"), "-c2", "--nocolor", *arguments]


def run(folder: Path, *arguments: str, timeout: float = 1800) -> subprocess.CompletedProcess[str]:
    """Snakemake's exit code and all that it said."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
    )


def jobs(said: str) -> dict[str, int]:
    """Jobs by rule, as Snakemake counts them before it starts; a dry run says it twice. None where nothing is to do."""
    tables = re.findall(r"\njob +count\n[- ]+\n(.*?)\ntotal", said, flags=re.DOTALL)
    return {rule: int(count) for rule, count in map(str.split, tables[0].splitlines())} if tables else {}


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Snakemake in the background."""
    log = (folder / "snakemake.log").open("a")
    return subprocess.Popen(command(*arguments), cwd=folder, env=environment(), stdout=log, stderr=subprocess.STDOUT)


def processes(folder: Path, words: str) -> list[int]:
    """Process ids of Python processes that work in ``folder`` and whose command line has ``words``."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            is_here = (entry / "cwd").resolve() == folder.resolve()
        except OSError:
            continue
        if is_here and words in line and "python" in line.split()[0]:
            found.append(int(entry.name))
    return found
