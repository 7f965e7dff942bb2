"""The jobs of a study, the targets that have names, and what Snakemake shows of them."""

import re
from collections import Counter

import pytest
from expected_jobs import ALL, SEEDS

pytestmark = pytest.mark.workflow

RULES = {
    "init_tracking",
    "prepare_dataset",
    "preview_augmentation",
    "tune_experiment",
    "plan_experiment",
    "train_model",
    "evaluate_model",
    "bundle_model",
    "predict_dataset",
    "settle_model",
    "monitor_dataset",
    "summarise_experiment",
    "register_model",
    "report_study",
}
TARGETS = {
    "all",
    "prepare",
    "tune",
    "plan",
    "train",
    "evaluate",
    "predict",
    "summarise",
    "register",
    "report",
    "monitor",
    "retrain",
}


def of_rules(*rules: str) -> set[str]:
    return {job for job in ALL if job.split()[0] in rules}


def test_every_job_of_a_study_is_planned(new_study):
    jobs = new_study.dry_run().jobs

    assert jobs == ALL
    assert Counter(job.split()[0] for job in jobs) == {
        "init_tracking": 1,
        "prepare_dataset": 3,
        "train_model": 7,
        "evaluate_model": 7,
        "summarise_experiment": 6,
        "report_study": 1,
    }


def test_a_dataset_is_prepared_once_for_all_who_name_it(new_study):
    stdout = new_study.dry_run().stdout

    assert len(re.findall(r"^rule prepare_dataset:$", stdout, re.MULTILINE)) == 3
    assert len(re.findall(r"wildcards: dataset=digits$", stdout, re.MULTILINE)) == 1


@pytest.mark.parametrize(
    ("target", "rules"),
    [
        ("prepare", ["prepare_dataset"]),
        ("train", ["prepare_dataset", "train_model"]),
        ("evaluate", ["prepare_dataset", "train_model", "evaluate_model"]),
        ("summarise", ["prepare_dataset", "train_model", "evaluate_model", "summarise_experiment"]),
        ("report", RULES - {"init_tracking"}),
    ],
)
def test_a_stage_is_a_target(target, rules, new_study):
    assert new_study.dry_run(target).jobs == of_rules(*rules)


def test_one_result_is_a_target(new_study):
    jobs = new_study.dry_run("results/experiments/cnn/seed-1/metrics.json").jobs

    assert jobs == {"prepare_dataset digits", "train_model cnn 1", "evaluate_model cnn 1"}


def test_every_output_of_every_step_is_a_target(new_study):
    """Were one left out, a job that fails could leave an old file that looks current."""
    stdout = new_study.dry_run().stdout
    outputs = {file for line in re.findall(r"^    output: (.*)$", stdout, re.MULTILINE) for file in line.split(", ")}
    (targets,) = re.findall(r"^rule all:\n    input: (.*)$", stdout, re.MULTILINE)

    assert outputs == set(targets.split(", "))


def test_no_job_shares_its_log(new_study):
    logs = re.findall(r"^    log: (.*)$", new_study.dry_run().stdout, re.MULTILINE)

    assert len(set(logs)) == len(logs) == len(ALL)
    assert all(log.startswith("logs/") for log in logs)


def test_resources_of_an_experiment_reach_its_jobs(new_study):
    new_study.edit("experiments/lstm.yaml", {"resources": {"gpus": 1, "cpus": 2, "memory_gb": 1.5, "hours": 0.5}})

    stdout = new_study.dry_run("--cores", "4", "results/experiments/lstm/seed-0/metrics.json").stdout
    asked = re.findall(
        r"wildcards: experiment=lstm, seed=0\n    threads: 2\n    resources: (.*)$", stdout, re.MULTILINE
    )

    assert len(asked) == 2, "training and test"
    for line in asked:
        assert {"mem_mb=1536", "runtime=30", "gpu=1", "nodes=1"} <= set(line.split(", "))


def test_resources_of_a_dataset_reach_its_preparation(new_study):
    new_study.edit("datasets/digits.yaml", {"resources": {"gpus": 1, "cpus": 3, "memory_gb": 1.5, "hours": 0.5}})

    stdout = new_study.dry_run("--cores", "4", "prepare").stdout
    (asked,) = re.findall(r"wildcards: dataset=digits\n    threads: 3\n    resources: (.*)$", stdout, re.MULTILINE)

    assert {"mem_mb=1536", "runtime=30", "gpu=1", "nodes=1"} <= set(asked.split(", "))


@pytest.mark.parametrize(
    ("arguments", "first", "last"),
    [
        (["--dag"], r"digraph snakemake_dag \{", r"\}"),
        (["--rulegraph"], r"digraph snakemake_dag \{", r"\}"),
        (["--filegraph"], r"digraph snakemake_dag \{", r"\}"),
        (["--dag", "mermaid-js"], "---", r"\s*id\d+ --> id\d+"),
        (["--rulegraph", "mermaid-js"], "---", r"\s*id\d+ --> id\d+"),
    ],
)
def test_a_graph_is_all_that_is_printed(arguments, first, last, new_study):
    outcome = new_study.run(*arguments)
    lines = outcome.stdout.strip().splitlines()

    assert outcome.code == 0
    assert re.fullmatch(first, lines[0])
    assert re.fullmatch(last, lines[-1])
    assert "train_model" in outcome.stdout


def test_the_rules_are_listed(new_study):
    outcome = new_study.run("--list-rules")

    assert outcome.code == 0
    assert set(outcome.stdout.split()) == RULES | TARGETS


def test_the_linter_has_nothing_to_say(new_study):
    outcome = new_study.run("--lint")

    assert outcome.code == 0, outcome.stdout + outcome.stderr
    assert "in a good condition" in outcome.stdout + outcome.stderr


def test_seeds_are_told_apart_from_names_that_look_alike(new_study):
    """Names that contain each other, and a name that looks like a seed's folder."""
    for name in ("cnn_wide-seed", "seed-0", "c", "0"):
        new_study.write(f"experiments/{name}.yaml", {"extends": "gru"})

    jobs = new_study.dry_run().jobs

    assert {job for job in jobs if job.startswith("train_model")} == {
        f"train_model {name} {seed}"
        for name, seeds in (SEEDS | {"cnn_wide-seed": [0], "seed-0": [0], "c": [0], "0": [0]}).items()
        for seed in seeds
    }
