"""A small study in a folder of its own, and Snakemake to run it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
TIMEOUT = 600

_JOB = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?:    .*\n)*)", re.MULTILINE)


class Outcome(NamedTuple):
    """What a Snakemake said."""

    code: int
    stdout: str
    stderr: str

    @property
    def jobs(self) -> set[str]:
        """The jobs that it ran or would run, by rule and wildcards: "train_model cnn 0".

        In a dry-run Snakemake says so on stdout, else on stderr.
        """
        assert self.code == 0, self.stdout + self.stderr
        found = set()
        for rule, lines in _JOB.findall(self.stdout + self.stderr):
            if "    output: " not in lines:
                continue  # a target only
            values = re.findall(r"=([^,\n]+)", next(iter(re.findall("wildcards: .*", lines)), ""))
            found.add(" ".join([rule, *values]))
        return found


class Snakemake:
    """The real Snakemake, imported once and forked for each run."""

    def __init__(self, folder: Path, repository: Path):
        self.folder = folder
        self.repository = repository
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "SNAKE", "PYTEST"))}
        # nothing is left behind outside of the tests' own folder
        self.environment = kept | {"XDG_CACHE_HOME": str(folder / "cache"), "TMPDIR": str(folder / "tmp")}
        (folder / "tmp").mkdir()
        self._servers: dict[Path | None, subprocess.Popen[str]] = {}

    def run(
        self, folder: Path, repository: Path, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> Outcome:
        """Runs ``snakemake ARGUMENTS`` in ``folder`` with the Snakefile of ``repository``."""
        stdout, stderr = self.folder / "stdout", self.folder / "stderr"
        request = {
            "arguments": ["-s", str(repository / "Snakefile"), *arguments],
            "folder": str(folder),
            "environment": self.environment | dict(environment or {}),
            "stdout": str(stdout),
            "stderr": str(stderr),
            "timeout": TIMEOUT,
        }
        # the package of any other repository is imported by each run for itself
        server = self._server(repository if repository == self.repository else None)
        print(json.dumps(request), file=server.stdin, flush=True)
        code = int(server.stdout.readline())
        return Outcome(code, stdout.read_text("utf-8"), stderr.read_text("utf-8"))

    def _server(self, repository: Path | None) -> "subprocess.Popen[str]":
        if repository not in self._servers:
            self._servers[repository] = subprocess.Popen(
                [sys.executable, HERE / "snakemake_server.py", *([repository] if repository else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=self.environment,
            )
        return self._servers[repository]

    def close(self) -> None:
        for server in self._servers.values():
            server.stdin.close()
            server.wait(TIMEOUT)
            server.stdout.close()


def copy_repository(folder: Path) -> Path:
    """What a workflow needs of this repository, to be edited by tests, and left alone by everyone else."""
    for part in ("workflow", "profiles", "envs", "snaketorch"):
        shutil.copytree(REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(REPOSITORY / "Snakefile", folder)
    return folder


@dataclass
class SmallStudy:
    """A working directory with a configuration, and perhaps results."""

    folder: Path
    snakemake: Snakemake
    repository: Path
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, folder: Path, snakemake: Snakemake, repository: Path) -> "SmallStudy":
        shutil.copytree(HERE / "study", folder)
        return cls(folder, snakemake, repository)

    def copy(self, folder: Path) -> "SmallStudy":
        """The same study with the same results, as old as they are."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return SmallStudy(folder, self.snakemake, self.repository)

    def dry_run(self, *arguments: str) -> Outcome:
        return self.run("-n", *arguments)

    def run(self, *arguments: str) -> Outcome:
        return self.snakemake.run(self.folder, self.repository, *arguments, environment=self.environment)

    def run_with_stub(
        self, *arguments: str, fails: str = "", raises: tuple[str, str] = ("", ""), finds: str = "tune"
    ) -> Outcome:
        """Runs the workflow with a ``python`` that only makes the outputs; the records are Snakemake's own.

        Args:
            arguments: Of Snakemake.
            fails: Steps that fail without a word.
            raises: A step that fails as the real command line does, and how, see ``step_that_raises.py``.
            finds: What a sweep writes for its best values.
        """
        calls, programs = self.folder / "calls", self.folder / "programs"
        calls.mkdir(exist_ok=True)
        programs.mkdir(exist_ok=True)
        shutil.copyfile(HERE / "stub_python.sh", programs / "python")
        (programs / "python").chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self.environment |= {
            "PATH": path,
            "STUB_CALLS": str(calls),
            "STUB_FAILS": fails,
            "STUB_RAISES": raises[0],
            "STUB_HOW": raises[1],
            "STUB_FINDS": finds,
            "STUB_PYTHON": sys.executable,
            "STUB_SCRIPT": str(HERE / "step_that_raises.py"),
        }
        return self.run("-c8", "--scheduler", "greedy", *arguments)

    def calls(self) -> list[list[str]]:
        """The arguments of each call of the stub."""
        return [path.read_text("utf-8").split("\0")[:-1] for path in (self.folder / "calls").glob("*.arguments")]

    def environment_of_jobs(self) -> dict[str, str]:
        """What the last call of the stub found in its environment."""
        items = (self.folder / "calls" / "environment").read_text("utf-8").split("\0")[:-1]
        return dict(item.split("=", 1) for item in items)

    def file(self, name: str) -> Path:
        return self.folder / "config" / name

    def edit(self, file: str, changes: Mapping[str, Any]) -> None:
        """Sets keys of a configuration file, given as "section.key"."""
        data = yaml.safe_load(self.file(file).read_text("utf-8"))
        for path, value in changes.items():
            *sections, key = path.split(".")
            section = data
            for name in sections:
                section = section.setdefault(name, {})
            section[key] = value
        self.write(file, data)

    def write(self, file: str, data: Mapping[str, Any]) -> None:
        self.file(file).write_text(yaml.safe_dump(dict(data), sort_keys=False), "utf-8")

    def touch(self, path: str) -> None:
        """Makes a file newer than everything else, with the content that it has."""
        os.utime(self.folder / path)
