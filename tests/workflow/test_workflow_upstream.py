"""Models of other experiments are inputs: they are trained first, and who uses them follows their changes."""

import re

import pytest
import yaml
from expected_jobs import ALL, REPORT, from_summarise, from_train

pytestmark = pytest.mark.workflow

TUNED = {"extends": "cnn", "model": {"pretrained": {"from_experiment": "cnn"}}, "seeds": [1, 2]}


def of(experiment: str, *seeds: int) -> set[str]:
    """The jobs of an experiment."""
    runs = {f"{rule} {experiment} {seed}" for seed in seeds for rule in ("train_model", "evaluate_model")}
    return runs | {f"summarise_experiment {experiment}"}


@pytest.fixture
def tuned_study(finished_study):
    """A small study of which everything has run, one experiment starting from another's models too."""
    finished_study.write("experiments/tuned.yaml", TUNED)
    outcome = finished_study.run_with_stub()
    assert outcome.jobs == of("tuned", 1, 2) | REPORT
    return finished_study


def inputs(stdout: str, rule: str, wildcards: str) -> set[str]:
    """The input files of a planned job."""
    pattern = rf"^rule {rule}:\n    input: (.*)\n(?:    .*\n)*?    wildcards: {wildcards}$"
    return set(re.search(pattern, stdout, re.MULTILINE).group(1).split(", "))


def test_a_model_is_an_input_of_the_training_that_starts_from_it(new_study):
    new_study.write("experiments/tuned.yaml", TUNED)
    outcome = new_study.dry_run()

    assert outcome.jobs == ALL | of("tuned", 1, 2)
    manifest = "results/datasets/digits/manifest.json"
    same, first = (f"results/experiments/cnn/seed-{seed}/model.ckpt" for seed in (1, 0))
    assert inputs(outcome.stdout, "train_model", "experiment=tuned, seed=1") == {manifest, same}
    assert inputs(outcome.stdout, "train_model", "experiment=tuned, seed=2") == {manifest, first}, "cnn has no seed 2"
    assert first not in inputs(outcome.stdout, "evaluate_model", "experiment=tuned, seed=2")


def test_every_seed_of_a_task_is_measured_by_the_same_model(new_study):
    new_study.edit("experiments/gan.yaml", {"task.features": {"from_experiment": "cnn"}, "seeds": [0, 1]})
    outcome = new_study.dry_run()

    first, second = (f"results/experiments/cnn/seed-{seed}/model.ckpt" for seed in (0, 1))
    for rule in ("train_model", "evaluate_model"):
        for seed in (0, 1):
            found = inputs(outcome.stdout, rule, f"experiment=gan, seed={seed}")
            assert first in found and second not in found


def test_the_step_is_told_what_its_models_are_for(tuned_study):
    calls = [call for call in tuned_study.calls() if call[2] == "train" and "--uses" in call]

    assert {call[call.index("--uses") + 1] for call in calls} == {
        f"pretrained=results/experiments/cnn/seed-{seed}/model.ckpt" for seed in (0, 1)
    }


def test_an_experiment_that_is_needed_is_trained_though_it_was_not_chosen(new_study):
    new_study.write("experiments/tuned.yaml", TUNED | {"seeds": [0]})
    new_study.edit("config.yaml", {"run": ["tuned"]})

    needed = {"prepare_dataset digits", "train_model cnn 0"}
    assert new_study.dry_run().jobs == {"init_tracking"} | needed | of("tuned", 0) | REPORT


def test_a_change_upstream_trains_again_what_is_downstream(tuned_study):
    tuned_study.edit("experiments/cnn.yaml", {"optimizer.lr": 0.01})
    tuned_study.edit("experiments/tuned.yaml", {"optimizer": {"lr": 0.003}})  # which it does not inherit now

    assert tuned_study.dry_run().jobs == from_train("cnn", "cnn_wide") | of("tuned", 1, 2)


def test_a_change_upstream_of_the_test_alone_trains_nothing_downstream(tuned_study):
    tuned_study.edit("experiments/cnn.yaml", {"description": "Another"})

    assert tuned_study.dry_run().jobs == from_summarise("cnn")


def test_another_model_to_start_from_trains_again(tuned_study):
    tuned_study.write("experiments/tuned.yaml", TUNED | {"model": {"pretrained": {"from_experiment": "other"}}})
    tuned_study.write("experiments/other.yaml", {"extends": "cnn", "seeds": [1]})

    assert tuned_study.dry_run().jobs == of("other", 1) | of("tuned", 1, 2) | REPORT


def test_a_file_with_weights_is_an_input(new_study):
    (new_study.folder / "weights.pt").write_bytes(b"weights")
    new_study.write("experiments/tuned.yaml", TUNED | {"model": {"pretrained": "weights.pt"}, "seeds": [0]})

    assert new_study.run_with_stub().code == 0
    assert new_study.dry_run().jobs == set()
    (new_study.folder / "weights.pt").write_bytes(b"others")
    assert new_study.dry_run().jobs == of("tuned", 0) | REPORT


def test_models_go_on_from_models_in_a_line(new_study):
    new_study.write("experiments/second.yaml", TUNED | {"seeds": [0]})
    third = yaml.safe_load(new_study.file("experiments/second.yaml").read_text("utf-8"))
    third["model"] = {"pretrained": {"from_experiment": "second"}}
    new_study.write("experiments/third.yaml", third)

    jobs = new_study.dry_run("results/experiments/third/seed-0/metrics.json").jobs

    trainings = {f"train_model {name} 0" for name in ("cnn", "second", "third")}
    assert jobs == {"prepare_dataset digits", "evaluate_model third 0"} | trainings
