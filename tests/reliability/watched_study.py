"""A study of its own run by Snakemake, whose trainings say when they are there."""

import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import study_process
import yaml

CONFIG = {"study": "reliability", "tracking": {"enabled": False}}
DATASET = {"source": {"kind": "sklearn", "name": "digits"}, "prepare": {"size": [8, 8]}}
EXPERIMENT = {
    "task": "image_classification",
    "data": "digits",
    "model": {"kind": "cnn", "channels": [8, 16], "hidden": 32, "dropout": 0.2},
    "optimizer": {"kind": "adamw", "lr": 1e-3},
    "trainer": {"precision": "32-true"},
    "resources": {"cpus": 1},
}


class WatchedStudy:
    """A working directory with a configuration."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.witnessed = folder / "witness.jsonl"

    @classmethod
    def create(cls, folder: Path, experiments: dict[str, dict[str, Any]]) -> "WatchedStudy":
        """``experiments``: sections of each beside those of ``EXPERIMENT``."""
        study = cls(folder)
        study.write("config.yaml", CONFIG)
        study.write("datasets/digits.yaml", DATASET)
        for name, sections in experiments.items():
            study.write_experiment(name, sections)
        programs = folder / "programs"
        programs.mkdir()
        (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).parent}/witness.py "$@"\n')
        (programs / "python").chmod(0o755)
        return study

    def copy(self, folder: Path) -> "WatchedStudy":
        shutil.copytree(self.folder, folder, symlinks=True)
        return WatchedStudy(folder)

    def write(self, name: str, content: dict[str, Any]) -> None:
        path = self.folder / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content), "utf-8")

    def write_experiment(self, name: str, sections: dict[str, Any]) -> None:
        merged = {**EXPERIMENT}
        for section, value in sections.items():
            merged[section] = {**merged.get(section, {}), **value} if isinstance(value, dict) else value
        self.write(f"experiments/{name}.yaml", merged)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Snakemake in the background; what it says is added to ``snakemake.log``."""
        environment = study_process.environment()
        environment["PATH"] = f"{self.folder / 'programs'}{os.pathsep}{environment['PATH']}"
        environment |= {"RELIABILITY_WITNESS": str(self.witnessed), "OMP_NUM_THREADS": "1"}
        with (self.folder / "snakemake.log").open("ab") as log:
            command = study_process.command(*arguments)
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Snakemake's exit status, and what it said."""
        log = self.folder / "snakemake.log"
        before = len(self.said)
        code = self.start(*arguments).wait(1800)
        return code, log.read_text("utf-8")[before:]

    @property
    def said(self) -> str:
        log = self.folder / "snakemake.log"
        return log.read_text("utf-8") if log.exists() else ""

    def results(self) -> dict[str, str]:
        """What all trainings, and tests where there are some, came to, by file and name."""
        found = {}
        for folder in sorted((self.folder / "results/experiments").glob("*/seed-*")):
            name = folder.relative_to(self.folder / "results/experiments")
            for file in ("model.ckpt", "predictions.parquet"):
                if (folder / file).exists():
                    found[f"{name}/{file}"] = hashlib.sha256((folder / file).read_bytes()).hexdigest()
            if (folder / "metrics.json").exists():
                found[f"{name}/metrics.json"] = json.dumps(json.loads((folder / "metrics.json").read_text())["metrics"])
            rows = csv.DictReader(io.StringIO((folder / "history.csv").read_text("utf-8")))
            for number, row in enumerate(rows, start=1):
                row.pop("seconds")
                found[f"{name}/history.csv, row {number}"] = json.dumps(row)
        return found

    def models(self) -> list[Path]:
        return sorted((self.folder / "results/experiments").glob("*/seed-*/model.ckpt"))

    def meetings(self) -> list[str]:
        """The trainings that found another one in their folder; an overlap, which must never be."""
        return [line for line in self._witnessed() if json.loads(line)["others"]]

    def trainings(self) -> int:
        """How often a training began or went on."""
        return sum(json.loads(line)["event"] == "enters" for line in self._witnessed())

    def processes(self) -> list[int]:
        """Of this study that still run."""
        return study_process.processes(self.folder, "snaketorch")

    def _witnessed(self) -> list[str]:
        return self.witnessed.read_text("utf-8").splitlines() if self.witnessed.exists() else []
