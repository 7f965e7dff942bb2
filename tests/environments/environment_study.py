"""A study in a folder of its own, whose jobs find their software in one of the ways of `--sdm`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import yaml

STUDY = {
    "config.yaml": {"study": "environments"},
    "datasets/digits.yaml": {"source": {"kind": "sklearn", "name": "digits"}},
    "experiments/small.yaml": {
        "task": "image_classification",
        "data": "digits",
        "augment": {"rotate": 10},
        "model": {"kind": "cnn", "channels": [4]},
        "optimizer": {"kind": "adamw", "lr": 0.01},
        "trainer": {"max_epochs": 1},
        "seeds": [0],
    },
}


class Process(NamedTuple):
    """A Python that ran in one of the environments."""

    step: str
    """Of the command line, "" for any other."""
    prefix: Path
    files: dict[str, Path]
    """Of each module that it had imported in the end."""


class Study:
    """A folder with ``config/``, in which Snakemake runs with ``programs`` first on the PATH."""

    def __init__(self, folder: Path, repository: Path, programs: Path):
        self.folder, self.repository, self.programs = folder, repository, programs
        for name, content in STUDY.items():
            file = folder / "config" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(yaml.safe_dump(content))

    def snakemake(
        self, *arguments: str, repository: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        # with PYTHONDONTWRITEBYTECODE every process would compile torch anew, for half a minute
        foreign = ("SNAKE", "MLFLOW", "PYTEST", "PYTHONDONT")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        programs = [str(self.programs), str(Path(sys.executable).parent), os.environ["PATH"]]
        repository = repository or self.repository
        # PYTHONPATH: for Snakemake itself; jobs in a conda environment do not inherit it
        ours = {"PATH": os.pathsep.join(programs), "PYTHONPATH": str(repository), "MLFLOW_DISABLE_TELEMETRY": "true"}
        command = [sys.executable, "-m", "snakemake", "-s", repository / "Snakefile", "-c2", "--nocolor"]
        return subprocess.run(
            [*command, "--retries", "0", *arguments],
            cwd=self.folder,
            env=kept | ours | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,  # the first time, some GB of packages come from the index
        )

    def environments(self) -> dict[str, Path]:
        """Folder of each environment that was made, by the name of its file."""
        copies = (self.folder / ".snakemake/conda").glob("*.yaml")
        return {yaml.safe_load(copy.read_text())["name"]: copy.with_suffix("") for copy in copies}

    def processes(self) -> list[Process]:
        said = [json.loads(file.read_text()) for file in self.folder.glob(".snakemake/conda/**/environments_witness/*")]
        return [
            Process(
                words[words.index("snaketorch") + 1] if "snaketorch" in (words := each["words"]) else "",
                Path(each["prefix"]),
                {name: Path(file) for name, file in each["files"].items()},
            )
            for each in said
        ]


def copy_repository(repo: Path, folder: Path) -> Path:
    for part in ("workflow", "profiles", "envs", "snaketorch"):
        shutil.copytree(repo / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(repo / "Snakefile", folder)
    return folder
