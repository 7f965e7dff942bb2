"""What the programs of workflow/batch ask other batch systems for; doubles of these say what they would say."""

import json
import os
import shlex
import subprocess
import time
from pathlib import Path

import pytest

OURS = Path(__file__).parents[3] / "workflow/batch"

WILDCARDS = {"experiment": "digits_cnn", "seed": "0"}
TRAINING = {"mem_mb": 12288, "runtime": 150, "gpu": 2, "nodes": 1, "tmpdir": "/tmp"}
SAYS = {
    "lsf": {"bsub": "Job <71> is submitted to queue <normal>."},
    "pbs": {"qsub": "71.pbs01.lab"},
    "sge": {"qsub": "71"},
    "slurm": {"sbatch": "71;big"},
}
"""What each system says of a job that it takes."""
UNTIL_IT_MAY = "n=0; while [ ! -e may ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n+1)); done;"
"""For a shell: waits for a file, and not for ever."""


class Batch:
    """The programs, in a folder with doubles of a batch system's own."""

    def __init__(self, folder: Path):
        self.folder, self.doubles = folder, folder / "bin"
        for each in (self.doubles, folder / ".snakemake"):
            each.mkdir()

    def double(self, name: str, says: str = "", code: int = 0, complains: str = "") -> None:
        """A program that writes down how it was called, and what it read."""
        program = self.doubles / name
        lines = [
            "#!/bin/sh",
            f"printf '%s\\n' \"$@\" > {name}.called",
            f"cat > {name}.read",
            f"printf '%s' {shlex.quote(says)}",
            f"printf '%s' {shlex.quote(complains)} >&2",
            f"exit {code}",
        ]
        program.write_text("\n".join(lines))
        program.chmod(0o755)

    def called(self, name: str) -> list[str]:
        return (self.folder / f"{name}.called").read_text().splitlines()

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(OURS), str(self.doubles), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        # files, since a pipe would be waited for until all who have it are gone
        with (self.folder / "said").open("w+") as said, (self.folder / "told").open("w+") as told:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=told
            )
        words = [(self.folder / name).read_text() for name in ("said", "told")]
        return subprocess.CompletedProcess(command, done.returncode, *words)

    def submit(self, system: str, *site: str, script: str = "exit 0", threads: int = 4, **resources):
        """Submits a training that asks for ``resources``."""
        properties = {
            "type": "single",
            "rule": "train_model",
            "wildcards": WILDCARDS,
            "threads": threads,
            "resources": {name: value for name, value in {**TRAINING, **resources}.items() if value is not None},
        }
        (self.folder / "job.sh").write_text(f"#!/bin/sh\n# properties = {json.dumps(properties)}\n{script}\n")
        return self.call("batch-submit", system, *site, "job.sh")

    def asked(self, system: str, *site: str, **resources) -> str:
        """The options that the batch system was called with, without the place of the log."""
        (program, says) = next(iter(SAYS[system].items()))
        self.double(program, says)
        done = self.submit(system, *site, **resources)
        assert done.returncode == 0, done.stderr
        log = f"{self.folder}/logs/{system}/train_model/train_model-digits_cnn-0.{done.stdout.strip()[-8:]}.log"
        return shlex.join(self.called(program)).replace(log, "LOG")


@pytest.fixture
def batch(tmp_path):
    return Batch(tmp_path)


GPU = {
    "lsf": "-rn -J train_model-digits_cnn-0 -o LOG -n 4 -R 'span[hosts=1] rusage[mem=12288MB]' -W 150 -gpu num=2",
    "pbs": "-V -r n -N train_model-dig -j oe -o LOG -l select=1:ncpus=4:mem=12288mb:ngpus=2 -l walltime=02:30:00",
    "sge": "-terse -V -r n -S /bin/sh -N train_model-digits_cnn-0 -j y -o LOG "
    "-l h_vmem=3072M,h_rt=9000,gpu=2 -pe smp 4",
    "slurm": "--parsable --no-requeue --job-name=train_model-digits_cnn-0 --output=LOG "
    "--time=150 --mem=12288 --nodes=1 --ntasks=1 --cpus-per-task=4 --gpus=2",
}


@pytest.mark.parametrize("system", GPU)
def test_a_training_on_gpus(system, batch):
    assert batch.asked(system) == GPU[system]


CPU = {
    "lsf": "-rn -J train_model-digits_cnn-0 -o LOG -n 1 -R 'span[hosts=1] rusage[mem=1500MB]' -W 5",
    "pbs": "-V -r n -N train_model-dig -j oe -o LOG -l select=1:ncpus=1:mem=1500mb -l walltime=00:05:00",
    "sge": "-terse -V -r n -S /bin/sh -N train_model-digits_cnn-0 -j y -o LOG -l h_vmem=1500M,h_rt=300",
    "slurm": "--parsable --no-requeue --job-name=train_model-digits_cnn-0 --output=LOG --time=5 --mem=1500 --nodes=1 "
    "--ntasks=1 --cpus-per-task=1",
}


@pytest.mark.parametrize("system", CPU)
def test_a_training_on_one_core(system, batch):
    assert batch.asked(system, threads=1, mem_mb=1500, runtime=5, gpu=0, nodes=None) == CPU[system]


SITE = {
    "lsf": (["--memory-of", "slot"], "rusage[mem=3072MB]", "-gpu num=2:gmodel=A100 -q long -P lab -G ours"),
    "pbs": (["--gpu", "gpus", "--gpu-model", "kind"], "gpus=2:kind=A100", "-q long -P lab -A group -G ours"),
    "sge": (
        ["--pe", "threads", "--memory", "mem_free", "--memory-of", "job", "--gpu", "cards", "--gpu-model", "card"],
        "mem_free=12288M,h_rt=9000,cards=2,card=A100 -pe threads 4",
        "-q long -P lab -G ours",
    ),
}


@pytest.mark.parametrize("system", SITE)
def test_names_of_the_site_and_of_the_profile(system, batch):
    site, asked, last = SITE[system]
    profile = {"slurm_partition": "long", "project": "lab", "account": "group", "extra": "-G ours"}
    said = batch.asked(system, *site, gpu_model="A100", **profile)
    assert asked in said
    assert said.endswith(last)


def test_slurms_names_are_those_of_its_plugin(batch):
    site = {"slurm_account": "lab", "slurm_partition": "gpu", "qos": "long", "constraint": "a100&ib"}
    several = {"nodes": 2, "tasks": 8, "cpus_per_task": 3, "gpu": 0, "mpi": "srun"}
    said = batch.asked("slurm", threads=12, **site, **several, slurm_extra="--ntasks-per-node=4 --gpus-per-node=4")
    assert said.partition("--mem=12288 ")[2] == (
        "--nodes=2 --ntasks=8 --cpus-per-task=3 --account=lab --partition=gpu --qos=long '--constraint=a100&ib' "
        "--ntasks-per-node=4 --gpus-per-node=4"
    )
    assert "--gpus=A100:2" in batch.asked("slurm", gpu_model="A100")


def test_a_group_asks_for_one_node_and_what_its_jobs_need_together(batch):
    batch.double("qsub", "71")
    properties = {"type": "group", "groupid": "seeds", "threads": 8, "resources": {**TRAINING, "nodes": 2}}
    (batch.folder / "job.sh").write_text(f"#!/bin/sh\n# properties = {json.dumps(properties)}\n")
    assert batch.call("batch-submit", "pbs", "job.sh").returncode == 0
    assert "select=1:ncpus=8:mem=12288mb:ngpus=2" in batch.called("qsub")


@pytest.mark.parametrize("system", ["lsf", "pbs", "sge"])
def test_several_nodes_are_refused_before_they_are_asked_for(system, batch):
    done = batch.submit(system, nodes=2)
    assert done.returncode != 0
    assert "asks for 2 nodes" in done.stderr


def test_a_model_of_gpu_that_the_profile_has_no_name_for_is_refused(batch):
    done = batch.submit("pbs", gpu_model="A100")
    assert done.returncode != 0
    assert "--gpu-model NAME" in done.stderr


def test_what_a_system_refuses_is_told_with_the_command(batch):
    batch.double("qsub", code=170, complains="qsub: Unknown queue")
    done = batch.submit("pbs", slurm_partition="nowhere")
    assert done.returncode == 170
    assert "Unknown queue" in done.stderr
    assert "-q nowhere" in done.stderr


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", "success"), ("exit 3", "failed"), ("false || exit 1", "failed")]
)
def test_a_job_writes_down_how_it_ended(script, status, batch):
    batch.double("sbatch", "71")
    batch.double("squeue")
    job = batch.submit("slurm", script=script).stdout.strip()
    subprocess.run(["sh"], stdin=(batch.folder / "sbatch.read").open(), cwd="/")
    assert batch.call("batch-status", job).stdout == f"{status}\n"


def test_a_job_that_is_told_to_end_writes_down_how_it_did(batch):
    """The signal goes to all its processes; one needs until it may."""
    batch.double("sbatch", "71")
    batch.double("squeue", "71")
    wait = f"trap '{UNTIL_IT_MAY} exit 7' TERM; touch started; while :; do sleep 0.1; done"
    inner = f"sh -c {shlex.quote(wait)}"
    job = batch.submit("slurm", script=f"cd {batch.folder} && {inner} && exit 0 || exit 1").stdout.strip()
    running = subprocess.Popen(
        ["sh"], stdin=(batch.folder / "sbatch.read").open(), stderr=subprocess.DEVNULL, start_new_session=True
    )
    wait_for(batch.folder / "started")
    os.killpg(running.pid, 15)
    assert batch.call("batch-status", job).stdout == "running\n"
    (batch.folder / "may").touch()
    assert running.wait(300) == 1
    assert batch.call("batch-status", job).stdout == "failed\n"


SGE_QUEUE = """\
job-ID  prior   name       user         state submit/start at     queue                          slots ja-task-ID
-----------------------------------------------------------------------------------------------------------------
     70 0.55500 train_mode ada          qw    11/21/2026 22:00:00                                    4
     71 0.55500 train_mode ada          {}   11/21/2026 22:00:00 gpu.q@n1                           4
"""
RUNNING = {
    "lsf": ("bjobs", "70 PEND\n71 RUN\n"),
    "pbs": ("qselect", "70.pbs01.lab\n71.pbs01.lab\n"),
    "sge": ("qstat", SGE_QUEUE.format("r")),
    "slurm": ("squeue", "70\n71\n"),
}
GONE = {
    "lsf": ("bjobs", "70 PEND\n71 EXIT\n"),
    "pbs": ("qselect", "70.pbs01.lab\n"),
    "sge": ("qstat", ""),
    "slurm": ("squeue", "711\n"),
}


@pytest.fixture
def submitted(batch):
    """Submits a job that never says anything."""

    def submit(system: str) -> str:
        ((program, says),) = SAYS[system].items()
        batch.double(program, says)
        return batch.submit(system).stdout.strip()

    return submit


@pytest.mark.parametrize("system", RUNNING)
def test_a_job_in_the_queue_runs(system, batch, submitted):
    job = submitted(system)
    batch.double(*RUNNING[system])
    assert batch.call("batch-status", "--patience", "0", job).stdout == "running\n"


@pytest.mark.parametrize("system", GONE)
def test_a_job_that_left_the_queue_without_a_word_has_failed(system, batch, submitted):
    job = submitted(system)
    batch.double(*GONE[system])
    done = batch.call("batch-status", "--patience", "0", job)
    assert done.stdout == "failed\n"
    assert "without a word" in done.stderr


def test_such_a_job_is_given_time_to_be_seen(batch, submitted):
    job = submitted("slurm")
    batch.double("squeue")
    assert batch.call("batch-status", "--patience", "60", job).stdout == "running\n"
    (batch.folder / ".snakemake/batch" / job.split(":")[2]).write_text("0\n")
    assert batch.call("batch-status", "--patience", "60", job).stdout == "success\n"


def test_no_answer_of_the_queue_is_no_end(batch, submitted):
    job = submitted("pbs")
    batch.double("qselect", code=1, complains="cannot connect to server")
    done = batch.call("batch-status", "--patience", "0", job)
    assert done.stdout == "running\n"
    assert "cannot connect to server" in done.stderr


def test_no_jobs_are_an_answer_of_lsf(batch, submitted):
    job = submitted("lsf")
    batch.double("bjobs", code=255, complains="No unfinished job found")
    assert batch.call("batch-status", "--patience", "0", job).stdout == "failed\n"


def test_a_job_that_grid_engine_holds_for_an_error_is_cancelled_and_has_failed(batch, submitted):
    job = submitted("sge")
    batch.double("qstat", SGE_QUEUE.format("Eqw"))
    batch.double("qdel")
    assert batch.call("batch-status", job).stdout == "failed\n"
    assert batch.called("qdel") == ["71"]


def test_the_queue_is_asked_once_for_many_jobs(batch, submitted):
    jobs = [submitted("slurm") for _ in range(2)]
    batch.double("squeue", "71\n")
    assert batch.call("batch-status", jobs[0]).stdout == "running\n"
    (batch.folder / "squeue.called").unlink()
    assert batch.call("batch-status", jobs[1]).stdout == "running\n"
    assert not (batch.folder / "squeue.called").exists()


@pytest.mark.parametrize(
    ("system", "program"), [("lsf", "bkill"), ("pbs", "qdel"), ("sge", "qdel"), ("slurm", "scancel")]
)
def test_jobs_are_cancelled_by_one_call(system, program, batch):
    batch.double(program)
    done = batch.call("batch-cancel", f"{system}:71.x:aa", f"{system}:72.x:bb")
    assert (done.returncode, batch.called(program)) == (0, ["71.x", "72.x"])


def test_a_slow_cancel_goes_on_behind_snakemakes_back(batch):
    batch.double("qdel")
    program = batch.doubles / "qdel"
    program.write_text(f"#!/bin/sh\n{UNTIL_IT_MAY} touch cancelled\n")
    assert batch.call("batch-cancel", "pbs:71:aa").returncode == 0
    assert not (batch.folder / "cancelled").exists()
    (batch.folder / "may").touch()
    wait_for(batch.folder / "cancelled")


def wait_for(file: Path) -> None:
    end = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
