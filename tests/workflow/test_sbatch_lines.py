"""What Slurm is told of each job: the real submissions of the plugin, to an ``sbatch`` that only writes them down."""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from small_study import SmallStudy

from snaketorch import layout

pytestmark = pytest.mark.workflow

SITE = {
    r"# slurm_account: .*": "slurm_account: lab",
    r"# slurm_partition: .*": "slurm_partition: short",
    r"# slurm_extra: .*": "slurm_extra: \"'--exclude=n13'\"",
    r"before-status-checks: \d+": "before-status-checks: 1",
}
"""What a site writes into the profile."""

PROGRAMS = {
    "sbatch": 'printf "%s\\0" "$@" > "$(mktemp "$SBATCH_LINES/XXXXXX")"; echo refused >&2; exit 1',
    "sacctmgr": "echo lab",
    "sacct": "echo lab",
    "sinfo": "echo 'short*'",
    "scontrol": "echo 'MinJobAge = 300 sec'",
    "squeue": "exit 0",
    "srun": 'echo "$@" > "$CALL_OF_SRUN"',
}

NUL = "\0"

GPU_DEVICES = {"max_epochs": 1, "accelerator": "gpu"}
BLOCKS = {
    "cpu": {"resources": {"cpus": 3, "memory_gb": 1.5, "hours": 0.25}},
    "gpu": {"resources": {"gpus": 1, "cpus": 6, "memory_gb": 12, "hours": 2.5}},
    "four_gpus": {
        "trainer": GPU_DEVICES | {"devices": 4},
        "resources": {"gpu_model": "a100", "cpus": 32, "memory_gb": 64, "hours": 8},
    },
    "placed": {
        "resources": {
            "constraint": "ib&rack1",
            "partition": "long",
            "qos": "high",
            "extra": ["--exclusive", "--nodelist=n[1-3]"],
        },
    },
    "two_nodes": {
        "trainer": GPU_DEVICES | {"devices": 2, "num_nodes": 2},
        "resources": {"gpu_model": "v100.32", "cpus": 9, "memory_gb": 32, "hours": 4, "extra": "--exclusive"},
    },
    "two_cpu_nodes": {
        "trainer": {"max_epochs": 1, "accelerator": "cpu", "devices": 2, "num_nodes": 2},
        "resources": {"cpus": 4},
    },
    "one_process_a_node": {"trainer": {"max_epochs": 1, "accelerator": "cpu", "num_nodes": 3}},
}

FIRST = {
    "cpu": "-A lab -p short -t 15 --mem 1536 --no-requeue --ntasks=1 --cpus-per-task=3 --exclude=n13",
    "gpu": "-A lab -p short -t 150 --mem 12288 --nodes=1 --no-requeue --cpus-per-task=6 --exclude=n13 --gpus=1",
    "four_gpus": (
        "-A lab -p short -t 480 --mem 65536 --nodes=1 --no-requeue --cpus-per-task=32 --exclude=n13 --gpus=a100:4"
    ),
    "placed": (
        "-A lab -p long -t 60 -C ib&rack1 --qos=high --mem 4096 --no-requeue --ntasks=1 --cpus-per-task=1 "
        "--exclude=n13 --exclusive --nodelist=n[1-3]"
    ),
    "two_nodes": (
        "-A lab -p short -t 240 --mem 32768 --nodes=2 --no-requeue --ntasks=4 --cpus-per-task=4 "
        "--exclude=n13 --exclusive --ntasks-per-node=2 --gpus-per-node=v100.32:2"
    ),
    "two_cpu_nodes": (
        "-A lab -p short -t 60 --mem 4096 --nodes=2 --no-requeue --ntasks=4 --cpus-per-task=2 "
        "--exclude=n13 --ntasks-per-node=2"
    ),
    "one_process_a_node": (
        "-A lab -p short -t 60 --mem 4096 --nodes=3 --no-requeue --ntasks=3 --cpus-per-task=1 "
        "--exclude=n13 --ntasks-per-node=1"
    ),
}
TESTED = {
    **{block: FIRST[block] for block in ("cpu", "gpu", "placed")},
    "four_gpus": (
        "-A lab -p short -t 480 --mem 65536 --nodes=1 --no-requeue --cpus-per-task=8 --exclude=n13 --gpus=a100:1"
    ),
    "two_nodes": (
        "-A lab -p short -t 240 --mem 32768 --nodes=1 --no-requeue --cpus-per-task=4 --exclude=n13 --exclusive "
        "--gpus=v100.32:1"
    ),
    "two_cpu_nodes": "-A lab -p short -t 60 --mem 4096 --no-requeue --ntasks=1 --cpus-per-task=2 --exclude=n13",
    "one_process_a_node": "-A lab -p short -t 60 --mem 4096 --no-requeue --ntasks=1 --cpus-per-task=1 --exclude=n13",
}


class Submission(NamedTuple):
    """A call of sbatch."""

    job: str
    line: str
    """Without what Snakemake and the place of the study make of it."""
    command: str

    @property
    def attempt(self) -> int:
        return int(re.findall(r"--attempt (\d+)", self.command)[0])

    @classmethod
    def read(cls, path: Path) -> "Submission":
        words = path.read_text("utf-8").split(NUL)[:-1]
        values = iter(words[1:])
        kept, said = [], {}
        for word in values:
            if word in ("--job-name", "--output", "--comment", "-D"):
                said[word] = next(values)
            elif word.startswith("--wrap="):
                said["--wrap"] = word
            elif word != "--export=ALL":
                kept.append(word)
        return cls(said["--comment"].removeprefix("rule_"), " ".join(kept), said["--wrap"])


class Slurm:
    """A study, and what a Slurm would be told of it."""

    def __init__(self, study: SmallStudy, folder: Path):
        self.study, self.runs = study, folder / "runs"
        self.programs, self.profile = folder / "programs", folder / "profile"
        for made in (folder, self.runs, self.programs, self.profile):
            made.mkdir()
        for name, text in PROGRAMS.items():
            (self.programs / name).write_text(f"#!/bin/sh\n{text}\n", "utf-8")
            (self.programs / name).chmod(0o755)
        text = (study.repository / "profiles/slurm/config.yaml").read_text("utf-8")
        for written, wanted in SITE.items():
            text, times = re.subn(written, wanted, text)
            assert times == 1, written
        (self.profile / "config.yaml").write_text(text, "utf-8")

    def submissions(self, *arguments: str, edits: Mapping[str, Mapping[str, Any]] | None = None) -> list[Submission]:
        """Of a run with ``arguments``; no job gets beyond that, and what it should make again is lost."""
        number = len(list(self.runs.iterdir()))
        study, lines = self.study.copy(self.runs / str(number)), self.runs / f"{number}-lines"
        lines.mkdir()
        for file, changes in (edits or {}).items():
            study.edit(file, changes)
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        study.environment = {"PATH": path, "SBATCH_LINES": str(lines)}
        outcome = study.run("--profile", str(self.profile), "--scheduler", "greedy", *arguments)
        assert outcome.code == 1, outcome.stdout + outcome.stderr
        return [Submission.read(path) for path in lines.iterdir()]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory, snakemake, repository):
    """A study with an experiment for each block, of which everything has run."""
    folder = tmp_path_factory.mktemp("sbatch")
    study = SmallStudy.create(folder / "study", snakemake, repository)
    for name, block in BLOCKS.items():
        study.write(f"experiments/{name}.yaml", {"extends": "gru", **block})
    study.edit("config.yaml", {"run": list(BLOCKS)})
    study.edit("datasets/sunspots.yaml", {"resources": {"gpus": 1, "gpu_model": "t4", "partition": "long"}})
    study.environment["NODE_RANK"] = "0"  # as if the nodes were at hand
    outcome = study.run_with_stub()
    assert outcome.code == 0, outcome.stderr
    del study.environment["NODE_RANK"]
    return Slurm(study, folder / "slurm")


@pytest.fixture(scope="module")
def trainings(slurm):
    return slurm.submissions("--retries", "1", "--forcerun", "train_model", "--", "train")


@pytest.fixture(scope="module")
def tests_of_models(slurm):
    return slurm.submissions("--retries", "0", "--forcerun", "evaluate_model", "--", "evaluate")


@pytest.mark.parametrize("block", BLOCKS)
def test_a_training_is_submitted_as_its_block_says(block, trainings):
    (first,) = (each for each in trainings if each.job == f"train_model_wildcards_{block}_0" and each.attempt == 1)
    assert first.line == FIRST[block]


def test_a_retry_asks_for_twice_the_memory_and_time_and_the_same_otherwise(trainings):
    lines = {(each.job, each.attempt): each.line for each in trainings}
    assert len(lines) == len(trainings) == 2 * len(BLOCKS)
    for block, first in FIRST.items():
        doubled = re.sub(r"(-t|--mem) (\d+)", lambda found: f"{found[1]} {2 * int(found[2])}", first)
        assert lines[f"train_model_wildcards_{block}_0", 2] == doubled


@pytest.mark.parametrize("block", BLOCKS)
def test_the_test_of_a_model_asks_for_one_node_and_one_gpu_at_most(block, tests_of_models):
    (line,) = (each.line for each in tests_of_models if each.job == f"evaluate_model_wildcards_{block}_0")
    assert line == TESTED[block]


def test_a_preparation_is_submitted_as_its_dataset_says(slurm):
    (preparation,) = slurm.submissions("--retries", "0", "--forcerun", "prepare_dataset", "--", "prepare")
    assert preparation.line == (
        "-A lab -p long -t 60 --mem 4096 --nodes=1 --no-requeue --cpus-per-task=4 --exclude=n13 --gpus=t4:1"
    )


def model_of(block, seed=0):
    return layout.MODEL.format(experiment=block, seed=seed)


def grouped(slurm, block, *arguments):
    """The submission of the trainings of two seeds in one group."""
    targets = [model_of(block, seed) for seed in (0, 1)]
    words = ["--retries", "0", "--groups", "train_model=both", "--group-components", "both=2", *arguments]
    edits = {f"experiments/{block}.yaml": {"seeds": [0, 1]}}
    (submission,) = slurm.submissions(*words, "--forcerun", "train_model", "--", *targets, edits=edits)
    return submission.line


def test_trainings_without_gpu_can_share_a_job(slurm):
    assert grouped(slurm, "cpu") == (
        "-A lab -p short -t 15 --mem 3072 --no-requeue --ntasks=1 --cpus-per-task=6 --exclude=n13"
    )


def test_trainings_on_gpus_can_share_a_job_one_after_another(slurm):
    line = grouped(slurm, "gpu", "--resources", "nodes=1", "--set-resource-scopes", "nodes=local")

    assert line == (
        "-A lab -p short -t 300 --mem 12288 --nodes=1 --no-requeue --cpus-per-task=6 --exclude=n13 --gpus=1"
    )


@pytest.mark.parametrize(
    ("block", "started"),
    [
        ("four_gpus", r"srun -n1 --cpu-bind=q --cpus-per-task=\d+ --gpus=4 --nodes=1 .*"),
        ("two_nodes", r"python -m snaketorch train .* --gpus 0 .*"),
    ],
)
def test_in_its_job_only_a_training_on_one_node_is_started_by_srun(block, started, slurm, trainings, tmp_path):
    """On several nodes nothing may be around the training, which starts its processes there itself."""
    name = f"train_model_wildcards_{block}_0"
    (command,) = (each.command for each in trainings if (each.job, each.attempt) == (name, 1))
    arguments = shlex.split(command.partition(" -m snakemake ")[2])
    # a folder that the Snakemake on the login node keeps while its jobs run
    Path(arguments[arguments.index("--wait-for-files") + 1]).mkdir(exist_ok=True)
    study = slurm.study.copy(tmp_path / "study")
    calls, srun = tmp_path / "calls", tmp_path / "srun"
    calls.mkdir()
    path = f"{slurm.programs}{os.pathsep}{slurm.study.environment['PATH']}"
    study.environment = slurm.study.environment | {"PATH": path, "STUB_CALLS": str(calls), "CALL_OF_SRUN": str(srun)}

    assert study.run(*arguments).code == 0

    said = [f"python {path.read_text('utf-8').replace(NUL, ' ')}" for path in calls.glob("*.arguments")]
    said += [f"srun {srun.read_text('utf-8')}"] if srun.exists() else []
    assert len(said) == 1
    assert re.fullmatch(started, said[0].strip(), re.DOTALL)


def test_on_a_machine_with_fewer_gpus_a_job_gets_those_and_knows_it(slurm, tmp_path):
    """Its processes are as many as ever, so that the training ends, which finds too few GPUs for them."""
    study = slurm.study.copy(tmp_path / "study")

    said = study.dry_run("-c4", "-p", "--resources", "gpu=2", "--forcerun", "train_model", "--", model_of("four_gpus"))

    assert {"gpu=2", "gpu_model=a100"} <= set(re.findall(r"gpu\w*=\w+", said.stdout))
    assert "--gpus 2 " in said.stdout
    assert '"devices":4' in said.stdout
