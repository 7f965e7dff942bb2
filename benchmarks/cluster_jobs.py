"""What a cluster job costs that takes a second, alone and in a group.

The same short jobs (the summary of an experiment each, from results that are there) go through profiles/slurm and
profiles/sbatch, each as a job of its own and several in a job; all on the Slurm of the tests, whose nodes are this
machine. Processor time is compared too: on a machine with few cores it is what the jobs wait for.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from machine import described

REPOSITORY = Path(__file__).parent.parent
RESULT = Path(__file__).parent / "results" / "cluster_jobs.md"
RULE = "summarise_experiment"
# without --cores a group asks for the CPUs of all its jobs at once
GROUPED = ["--cores", "2", "--groups", f"{RULE}=short", "--group-components"]

CONFIG = "study: short\ntracking: {enabled: false}\n"
DATASET = "source: {kind: sklearn, name: digits}\n"
EXPERIMENT = """\
task: image_classification
data: digits
model: {kind: mlp, hidden: [8]}
optimizer: {kind: adamw, lr: 0.01}
trainer: {max_epochs: 1}
seeds: [0]
"""
SITE = {
    "# slurm_account: my_lab": "slurm_account: lab",
    "# slurm_partition: gpu": "slurm_partition: cpu",
    "slurm-init-seconds-before-status-checks: 20": "slurm-init-seconds-before-status-checks: 1",
    "seconds-between-status-checks: 20": "seconds-between-status-checks: 1",
}


class Run(NamedTuple):
    """One workflow of all jobs."""

    submitted: int
    seconds: float
    cpu_seconds: float
    """Of Snakemake and of all that its jobs ran."""


@contextmanager
def slurm() -> Iterator[None]:
    """The cluster of the tests, as long as this is open."""
    command = [sys.executable, str(REPOSITORY / "tests/cluster/slurm_server.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        if server.stdout.readline().strip() != "ready":
            raise SystemExit("no Slurm could be started here; what it needs is in tests/cluster/slurm_server.py")
        yield
        server.stdin.close()


def snakemake(folder: Path, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SNAKEMAKE_"))}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "snakemake", "-s", str(REPOSITORY / "Snakefile"), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}:\n{done.stdout.decode()[-3000:]}")


def make_study(folder: Path, size: int) -> list[str]:
    """As many experiments as ``size``, trained and tested: one is, and the others say so. Returns their summaries."""
    experiments, results = folder / "config/experiments", Path("results/experiments")
    experiments.mkdir(parents=True)
    (folder / "config/datasets").mkdir()
    (folder / "config/config.yaml").write_text(CONFIG, "utf-8")
    (folder / "config/datasets/digits.yaml").write_text(DATASET, "utf-8")
    first, *others = [f"mlp_{number:02}" for number in range(size)]
    for name in (first, *others):
        (experiments / f"{name}.yaml").write_text(EXPERIMENT, "utf-8")
    snakemake(folder, "--cores", "2", "--", str(results / first / "seed-0/metrics.json"))
    for name in others:
        shutil.copytree(folder / results / first, folder / results / name)
        for file in (folder / results / name).glob("seed-0/*.json"):
            made = file.stat().st_mtime
            file.write_text(file.read_text("utf-8").replace(first, name), "utf-8")
            os.utime(file, (made, made))  # else Snakemake would test the models again
    for profile in ("slurm", "sbatch"):
        text = (REPOSITORY / "profiles" / profile / "config.yaml").read_text("utf-8")
        for written, wanted in SITE.items():
            text = text.replace(written, wanted)
        (folder / "profiles" / profile).mkdir(parents=True)
        (folder / "profiles" / profile / "config.yaml").write_text(text, "utf-8")
    return [str(results / name / "summary.json") for name in (first, *others)]


def summarise(folder: Path, files: list[str], *arguments: str) -> Run:
    """Makes all summaries anew."""
    for file in files:
        (folder / file).unlink(missing_ok=True)
    before = _jobs()
    started, used = time.perf_counter(), _cpu_of_children()
    snakemake(folder, *arguments, "--rerun-triggers", "mtime", "--", *files)
    seconds, used = time.perf_counter() - started, _cpu_of_children() - used
    time.sleep(3)  # until the last job is in the accounts
    jobs = [cpu_seconds for job, cpu_seconds in _jobs().items() if job not in before]
    return Run(len(jobs), seconds, used + sum(jobs))


def _jobs() -> dict[str, float]:
    """Processor seconds of all jobs that Slurm had, with their steps."""
    command = ["sacct", "--noheader", "-P", "--format=JobIDRaw,TotalCPU", "--starttime=now-1day"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    jobs = dict(line.split("|") for line in lines)
    return {job: _seconds(clock) for job, clock in jobs.items() if "." not in job}


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _seconds(clock: str) -> float:
    """Of Slurm's [DD-[HH:]]MM:SS[.mmm]."""
    days, _, rest = clock.rpartition("-")
    seconds = 0.0
    for part in rest.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds + 86400 * int(days or 0)


def measure(size: int, together: int) -> dict[str, Run]:
    """The runs by what they are called in the table, each after the other in one study."""
    runs = {}
    with tempfile.TemporaryDirectory() as temporary, slurm():
        folder = Path(temporary, "short")
        files = make_study(folder, size)
        ways = {"on this machine, `-c2`": ["--cores", "2"]}
        for profile in ("slurm", "sbatch"):
            ways[f"`profiles/{profile}`"] = ["--profile", f"profiles/{profile}"]
            ways[f"`profiles/{profile}`, {together} in a group"] = [
                *("--profile", f"profiles/{profile}", *GROUPED, f"short={together}")
            ]
        for name, arguments in ways.items():
            runs[name] = summarise(folder, files, *arguments)
            print(f"{name}: {runs[name]}", flush=True)
    return runs


def table(runs: dict[str, Run], size: int) -> str:
    here, alone = list(runs.values())[:2]
    lines = [
        "# Short jobs on a cluster",
        "",
        f"{size} jobs of the rule `{RULE}` on the Slurm of the tests (see `benchmarks/cluster_jobs.py`), which looks",
        "at its queue every second. Overhead is processor time beyond that of the same jobs without a cluster.",
        "Seconds on the clock depend on what else the machine does.",
        "",
        "| way | jobs of Slurm | seconds | of the ungrouped | processor seconds | overhead of a job, s |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, run in runs.items():
        ratio = "" if run is here else f"{run.seconds / alone.seconds:.2f}"
        overhead = "" if run is here else f"{max(0.0, run.cpu_seconds - here.cpu_seconds) / size:.1f}"
        lines.append(
            f"| {name} | {run.submitted or ''} | {run.seconds:.0f} | {ratio} | {run.cpu_seconds:.0f} | {overhead} |"
        )
    packages = ["snakemake", "snakemake-executor-plugin-slurm", "snakemake-executor-plugin-cluster-generic"]
    return "\n".join([*lines, "", f"{described(packages)}", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--together", type=int, default=10, help="jobs in a group")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    text = table(measure(arguments.jobs, arguments.together), arguments.jobs)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
