"""Resources that a plan decides: what waits for it, and that no plan trains anything anew."""

import re

import pytest
from expected_jobs import ALL, from_evaluate, from_summarise, from_train

pytestmark = pytest.mark.workflow

GAN = "experiments/gan.yaml"
PLANNED = {"plan_experiment gan"}
TRAINED = "results/experiments/gan/seed-0/record.json"


@pytest.fixture
def planned_study(finished_study):
    """The finished study, of which one experiment was trained with what its plan says."""
    finished_study.edit(GAN, {"resources": "auto", "trainer.max_epochs": 7})
    outcome = finished_study.run_with_stub()
    assert outcome.jobs == PLANNED | from_train("gan")
    return finished_study


def resources_of(rule: str, text: str) -> list[set[str]]:
    jobs = re.findall(rf"^rule {rule}:\n((?:    .*\n)*)", text, re.MULTILINE)
    return [set(re.search(r"    resources: (.*)", job)[1].split(", ")) for job in jobs if "experiment=gan," in job]


def test_a_dry_run_without_a_plan_shows_what_is_to_be_decided(new_study):
    new_study.edit(GAN, {"resources": "auto"})

    outcome = new_study.dry_run()

    assert outcome.jobs == ALL | PLANNED
    trainings = resources_of("train_model", outcome.stdout)
    assert len(trainings) == 1
    for resources in trainings:
        assert {"mem_mb=<TBD>", "runtime=<TBD>", "gpu=0"} <= resources


def test_a_training_gets_what_its_plan_says(new_study):
    new_study.edit(GAN, {"resources": {"gpus": 1, "memory_gb": "auto", "hours": "auto", "gpu_model": "auto"}})

    outcome = new_study.run_with_stub("--resources", "gpu=1")

    assert outcome.jobs == ALL | PLANNED
    for resources in resources_of("train_model", outcome.stderr):
        assert {"mem_mb=6144", "runtime=120", "gpu_model=a100", "slurm_partition=big", "gpu=1"} <= resources
    calls = [call for call in new_study.calls() if "state/train/gan/seed-0" in call]
    (told,) = {call[call.index("--runtime") + 1] for call in calls}
    assert told == "120"
    assert new_study.dry_run().jobs == set()


@pytest.mark.parametrize("resources", ["auto", {"hours": "auto"}, {"strict": True}])
def test_to_plan_what_was_said_trains_nothing_anew(resources, finished_study):
    finished_study.edit(GAN, {"resources": resources})

    assert finished_study.dry_run().jobs == PLANNED | from_summarise("gan")
    assert finished_study.run_with_stub().jobs == PLANNED | from_summarise("gan")
    assert finished_study.dry_run().jobs == set()


def test_to_say_what_was_planned_trains_nothing_anew(planned_study):
    planned_study.edit(GAN, {"resources": {"memory_gb": 2}})

    assert planned_study.dry_run().jobs == from_summarise("gan")


def test_another_plan_trains_nothing_anew(planned_study):
    planned_study.write("gpus.yaml", {"gpus": {"L4": {"price_per_hour": 2}}})

    assert planned_study.dry_run().jobs == PLANNED | {"report_study"}
    assert planned_study.run_with_stub().jobs == PLANNED | {"report_study"}
    assert planned_study.dry_run().jobs == set()


def test_a_plan_that_nothing_waits_for_is_shown_once_it_is_there(finished_study):
    plan = "results/experiments/gan/plan.json"
    assert finished_study.run_with_stub(plan).jobs == PLANNED

    assert finished_study.dry_run().jobs == {"report_study"}
    assert finished_study.run_with_stub().jobs == {"report_study"}
    assert finished_study.dry_run().jobs == set()


def test_a_lost_plan_trains_nothing_anew(planned_study):
    (planned_study.folder / "results/experiments/gan/plan.json").unlink()

    assert planned_study.dry_run().jobs == PLANNED | {"report_study"}


def test_what_trains_anew_is_planned_anew_before(planned_study):
    planned_study.edit(GAN, {"trainer.max_epochs": 9})

    assert planned_study.dry_run().jobs == PLANNED | from_train("gan")


def test_another_test_needs_no_other_plan(planned_study):
    planned_study.edit(GAN, {"evaluate": {"batch_size": 8}})

    assert planned_study.dry_run().jobs == from_evaluate("gan")


def test_a_plan_that_fails_starts_no_training(new_study):
    new_study.edit(GAN, {"resources": "auto"})

    outcome = new_study.run_with_stub("train", fails="plan-experiment")

    assert outcome.code == 1
    assert not (new_study.folder / TRAINED).exists()


def test_plans_of_all_experiments_are_a_target(new_study):
    jobs = new_study.dry_run("plan").jobs

    assert {job for job in jobs if job.startswith("plan_experiment")} == {
        f"plan_experiment {name}" for name in ("cnn", "cnn_wide", "gru", "gru_slow", "lstm", "gan")
    }
    assert {job.split()[0] for job in jobs} == {"plan_experiment", "prepare_dataset"}
