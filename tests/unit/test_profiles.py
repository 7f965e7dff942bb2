"""The profiles are valid, explained, agree with each other, and ask Slurm for what an experiment needs."""

import contextlib
import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
import yte
from snakemake.cli import get_argument_parser, parse_args
from snakemake.utils import available_cpu_count
from snakemake_executor_plugin_slurm.partitions import get_best_partition, read_partition_file
from snakemake_executor_plugin_slurm.submit_string import get_submit_command
from snakemake_executor_plugin_slurm.utils import set_gres_string
from snakemake_executor_plugin_slurm.validation import validate_slurm_extra
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

ROOT = Path(__file__).parents[2]
PROFILES = sorted((ROOT / "profiles").glob("*/config.yaml"))
DEFAULT, SLURM = (ROOT / "profiles" / name / "config.yaml" for name in ("default", "slurm"))

KEY = re.compile(r"^ *([\w-]+):(?: |$)")
OFFERED = re.compile(r"^( *)# ((?:  )*[\w-]+:(?: .*)?)$", re.MULTILINE)
"""A line that a site can take the "#" from."""

EXPERIMENT = """
task: image_classification
data: digits
model: {kind: cnn, channels: [8]}
optimizer: {kind: adamw, lr: 1.0e-3}
trainer: {max_epochs: 1}
seeds: [0]
"""


def settings(path: Path, *arguments: str) -> dict:
    """What a profile sets for ``snakemake ARGUMENTS``."""
    with called_with(*arguments):
        return yte.process_yaml(path.read_text("utf-8"), require_use_yte=True)


def parsed(study: Path, *arguments: str) -> SimpleNamespace:
    """The options of ``snakemake ARGUMENTS`` in ``study``, with those of the profiles that it takes."""
    arguments = ("-s", str(ROOT / "Snakefile"), *arguments)
    with contextlib.chdir(study), called_with(*arguments):
        return parse_args(list(arguments))[1]


@contextlib.contextmanager
def called_with(*arguments: str):
    """A profile may look at the command line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["snakemake", *arguments])
        patch.delenv("SNAKEMAKE_PROFILE", raising=False)
        yield


def all_profiles(test):
    return pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)(test)


class Resources(dict):
    """A job's resources, as the plugin reads them."""

    __getattr__ = dict.get


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder with an experiment on a GPU and one without, and profiles in which a site has filled in its names."""
    folder = tmp_path_factory.mktemp("study")
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    profile = folder / "profiles" / "slurm" / "config.yaml"
    profile.write_text(OFFERED.sub(r"\1\2", profile.read_text("utf-8")), "utf-8")
    for name, text in {
        "config.yaml": "study: tiny",
        "datasets/digits.yaml": "source: {kind: sklearn, name: digits}",
        "experiments/on_gpu.yaml": EXPERIMENT + "resources: {gpus: 1, cpus: 6, memory_gb: 12, hours: 2.5}",
        "experiments/on_cpu.yaml": EXPERIMENT + "resources: {gpus: 0, cpus: 3, memory_gb: 1.5, hours: 0.25}",
    }.items():
        path = folder / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def jobs(study):
    """Threads and resources of every job of a dry-run with the Slurm profile, by rule and wildcards."""
    command = [sys.executable, "-m", "snakemake", "-s", ROOT / "Snakefile", "--profile", "profiles/slurm"]
    result = subprocess.run(
        [*command, "--dry-run", "--cores", "99"], cwd=study, capture_output=True, text=True, timeout=600, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    found = {}
    for rule, lines in re.findall(
        r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?:    .*\n)+)", result.stdout, re.MULTILINE
    ):
        said = dict(line.strip().split(": ", 1) for line in lines.splitlines())
        resources = dict(pair.split("=", 1) for pair in said["resources"].split(", "))
        resources = Resources({name: int(value) if value.isdigit() else value for name, value in resources.items()})
        found[rule, said.get("wildcards")] = SimpleNamespace(
            resources=resources, threads=int(said.get("threads", 1)), is_group=lambda: False
        )
    return found


def sbatch(job: SimpleNamespace, study: Path) -> list[str]:
    """The words of the plugin's call of sbatch that come from the profile, the rule or the experiment."""
    options = parsed(study, "--profile", "profiles/slurm")
    executor = ExecutorPluginRegistry().get_plugin("slurm").get_settings(options)
    validate_slurm_extra(job)
    job_facts = {"run_uuid": "ID", "slurm_logfile": "LOG", "comment_str": "NOTE", "workdir": "DIR"}
    site = {"account": f"-A {job.resources.slurm_account}", "partition": f"-p {job.resources.slurm_partition}"}
    call = get_submit_command(job, job_facts | site, settings=executor) + set_gres_string(job)
    return call.removeprefix("sbatch --parsable --job-name ID --output LOG --export=ALL --comment NOTE ").split()


@all_profiles
def test_every_key_is_an_option_of_snakemake_or_of_its_plugins(path):
    options = {option for action in get_argument_parser()._actions for option in action.option_strings}
    assert {f"--{key}" for key in settings(path)} - options == set()


@all_profiles
def test_every_key_is_explained_on_its_line_or_above_it(path):
    above = ""
    for line in path.read_text("utf-8").splitlines():
        if KEY.match(line) and not line.startswith("__"):
            assert " # " in line or above.startswith("# "), line
        above = line


def test_what_a_site_may_fill_in_is_valid_too():
    offered = yaml.safe_load(OFFERED.sub(r"\1\2", SLURM.read_text("utf-8")))
    assert offered["default-resources"].keys() - settings(SLURM)["default-resources"].keys() == {
        "slurm_account",
        "slurm_partition",
        "qos",
        "slurm_extra",
    }
    rules = re.findall(
        r"^(?:rule|checkpoint) (\w+):",
        "".join(path.read_text("utf-8") for path in ROOT.glob("workflow/rules/*.smk")),
        re.M,
    )
    assert offered["set-resources"].keys() <= set(rules)


def test_the_profile_that_snakemake_always_adds_changes_nothing_of_another():
    """Snakemake sets profiles/default above `--profile`; `cores`, say, would cap the CPUs of cluster jobs."""
    default, slurm = settings(DEFAULT, "--profile", "profiles/slurm"), settings(SLURM)
    assert default == {key: slurm.get(key) for key in default}


@pytest.mark.parametrize(
    "how", [["--profile", "profiles/slurm"], ["--profile=profiles/slurm"], ["--workflow-profile", "slurm"]]
)
def test_every_way_to_name_the_slurm_profile_gives_its_settings(how, study):
    options = parsed(study, *how)
    for key, value in settings(SLURM).items():
        if key != "default-resources":
            assert str(getattr(options, key.replace("-", "_"))) == str(value), key
    assert options.cores is None


def test_a_bare_snakemake_takes_every_core_and_the_command_line_goes_first(study):
    assert settings(DEFAULT)["cores"] == "all"
    assert parsed(study).cores == available_cpu_count()
    assert parsed(study, "-c3").cores == 3
    assert parsed(study, "-c3").executor is None


def test_slurm_never_requeues_and_nothing_known_to_break_is_switched_on():
    slurm = settings(SLURM)
    assert slurm["slurm-no-requeue"] is True
    # only its words are changed to those that the plugin knows, by workflow/slurm/sacct
    assert slurm["slurm-status-command"] == "sacct"
    assert slurm["retries"] >= 1
    # `resources: gpu` caps the whole queue, arrays delete results of neighbours
    assert slurm.keys().isdisjoint({"cores", "resources", "slurm-requeue", "slurm-array-jobs"})
    # these are summed over the jobs of a group, or make CPU jobs ask for a GPU
    assert slurm["default-resources"].keys().isdisjoint({"nodes", "tasks", "mpi", "gpu", "gres"})


def test_a_training_on_a_gpu_asks_for_one_on_one_node(jobs, study):
    job = jobs["train_model", "experiment=on_gpu, seed=0"]
    assert sbatch(job, study) == [
        *("-A", "my_lab", "-p", "gpu", "-t", "150", "--qos=normal", "--mem", "12288", "--nodes=1", "--no-requeue"),
        *("--cpus-per-task=6", "--exclude=n13", "-D", "DIR", "--gpus=1"),
    ]


def test_a_training_without_gpu_asks_for_none(jobs, study):
    job = jobs["train_model", "experiment=on_cpu, seed=0"]
    assert sbatch(job, study) == [
        *("-A", "my_lab", "-p", "gpu", "-t", "15", "--qos=normal", "--mem", "1536", "--no-requeue", "--ntasks=1"),
        *("--cpus-per-task=3", "--exclude=n13", "-D", "DIR"),
    ]


def test_the_limits_of_partitions_choose_one_for_each_job(jobs):
    partitions = read_partition_file(SLURM.with_name("partitions.yaml"))

    def chosen(wildcards: str, **more: int | str) -> str | None:
        job = jobs["train_model", wildcards]
        resources = Resources({**job.resources, **more})
        fake = SimpleNamespace(name="train_model", resources=resources, threads=job.threads)
        return get_best_partition(partitions, fake, logging.getLogger())

    assert chosen("experiment=on_cpu, seed=0") == "cpu"
    assert chosen("experiment=on_gpu, seed=0") == "gpu"
    assert chosen("experiment=on_cpu, seed=0", mem_mb=400_000) == "gpu"
    assert chosen("experiment=on_gpu, seed=0", gpu_model="h100") is None


def test_every_job_names_its_memory_and_time_and_only_gpu_experiments_a_gpu(jobs, study):
    assert {rule for rule, _ in jobs} >= {"prepare_dataset", "train_model", "evaluate_model", "report_study"}
    for (_, wildcards), job in jobs.items():
        words = sbatch(job, study)
        assert {"-t", "--mem"} <= set(words)
        assert any(word.startswith("--gp") for word in words) == ("on_gpu" in (wildcards or "") and "seed" in wildcards)
