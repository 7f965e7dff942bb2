"""A sweep is a job before the trainings of its experiment; a matrix is as many experiments."""

import re

import pytest
from expected_jobs import ALL, REPORT, from_prepare, from_summarise

pytestmark = pytest.mark.workflow

TUNE = {"num_samples": 4, "space": {"optimizer.lr": {"loguniform": [0.0001, 0.1]}}}
SWEPT = {"extends": "cnn_wide", "tune": TUNE, "seeds": [1, 2]}


def of(experiment: str, *seeds: int) -> set[str]:
    """The jobs of an experiment."""
    runs = {f"{rule} {experiment} {seed}" for seed in seeds for rule in ("train_model", "evaluate_model")}
    return runs | {f"summarise_experiment {experiment}"}


OF_SWEEP = {"tune_experiment swept"} | of("swept", 1, 2)
OF_SIBLING = of("swept-default", 1, 2)


@pytest.fixture(scope="module")
def _swept(tmp_path_factory, _finished):
    study = _finished.copy(tmp_path_factory.mktemp("swept") / "study")
    study.write("experiments/swept.yaml", SWEPT)
    outcome = study.run_with_stub()
    assert outcome.jobs == OF_SWEEP | OF_SIBLING | REPORT
    return study


@pytest.fixture
def swept_study(tmp_path, _swept):
    """A small study of which everything has run, a sweep too."""
    return _swept.copy(tmp_path / "study")


def test_the_trainings_wait_for_the_sweep_and_their_sibling_does_not(new_study):
    new_study.write("experiments/swept.yaml", SWEPT)

    outcome = new_study.dry_run()

    assert outcome.jobs == ALL | OF_SWEEP | OF_SIBLING
    best = "results/experiments/swept/tune/best.yaml"
    jobs = re.findall(r"^rule (\w+):\n    input: (.*)$", outcome.stdout, re.MULTILINE)
    waiting = [rule for rule, inputs in jobs if best in inputs.split(", ")]
    once = ["all", "evaluate_model", "evaluate_model", "report_study", "summarise_experiment"]
    assert sorted(waiting) == [*once, "train_model", "train_model"]


def test_a_sweep_that_is_done_is_not_run_again(swept_study):
    assert swept_study.dry_run().jobs == set()


def test_the_step_is_told_all_that_it_needs(swept_study):
    (call,) = [call for call in swept_study.calls() if call[2] == "tune"]
    told = dict(zip(call[3::2], call[4::2], strict=False))

    assert told["--state"] == "state/tune/swept"
    assert told["--best"] == "results/experiments/swept/tune/best.yaml"
    assert told["--figures"] == "results/experiments/swept/tune/figures"
    assert (told["--max-concurrent"], told["--cpu-per-trial"], told["--gpu-per-trial"]) == ("0", "1", "0")
    trainings = [call for call in swept_study.calls() if call[2] == "train" and "swept" in " ".join(call)]
    bests = {call[call.index("--best") + 1] for call in trainings if "swept-default" not in " ".join(call)}
    assert bests == {told["--best"]}


@pytest.mark.parametrize(
    "change",
    [
        {"tune.num_samples": 8},
        {"tune.time_budget_s": 60},
        {"tune.space": {"optimizer.lr": {"loguniform": [0.001, 0.1]}}},
        {"tune.search_alg": {"kind": "random"}},
        {"tune.scheduler": {"kind": "fifo"}},
        {"tune.vectorise": False},
        {"tune.seed": 5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_sweep_trains_again_and_its_sibling_not(swept_study, change):
    swept_study.edit("experiments/swept.yaml", change)

    # the sibling's description and configuration say nothing of the sweep
    assert swept_study.dry_run().jobs == OF_SWEEP | REPORT


def test_a_longer_sweep_that_finds_nothing_better_trains_nothing_again(swept_study):
    swept_study.edit("experiments/swept.yaml", {"tune.num_samples": 8})

    outcome = swept_study.run_with_stub()  # whose sweeps always find the same

    assert outcome.jobs == {"tune_experiment swept", "summarise_experiment swept"} | REPORT
    assert swept_study.dry_run().jobs == set()


def test_a_longer_sweep_that_finds_something_better_trains_again(swept_study):
    swept_study.edit("experiments/swept.yaml", {"tune.num_samples": 8})

    outcome = swept_study.run_with_stub(finds="better")

    assert outcome.jobs == OF_SWEEP | REPORT
    assert swept_study.dry_run().jobs == set()


def test_what_descends_from_the_model_of_a_sweep_is_left_alone_with_it(swept_study):
    start = {"model.pretrained": {"from_experiment": "swept"}, "tune": TUNE, "predict": {"data": ["digits"]}}
    swept_study.write("experiments/heir.yaml", {"extends": "cnn_wide", "seeds": [0]})
    swept_study.edit("experiments/heir.yaml", start)
    after = {"bundle_model heir", "predict_dataset heir digits"}
    first = {"tune_experiment heir"} | of("heir", 0) | of("heir-default", 0) | after | REPORT
    assert swept_study.run_with_stub().jobs == first
    swept_study.edit("experiments/swept.yaml", {"tune.num_samples": 8})

    outcome = swept_study.run_with_stub()

    ran = {job for job in outcome.jobs if job.split()[0] not in ("summarise_experiment", "report_study")}
    assert ran == {"tune_experiment swept"}


def test_a_job_that_failed_is_not_tried_again_when_a_sweep_is_done(new_study):
    new_study.write("experiments/swept.yaml", SWEPT)

    outcome = new_study.run_with_stub("--keep-going", "--retries", "0", fails="init-tracking")

    assert outcome.code == 1
    assert len([call for call in new_study.calls() if call[2] == "init-tracking"]) == 1
    assert (new_study.folder / "results/experiments/swept/summary.json").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"tune.max_concurrent_trials": 2},
        {"tune.resources_per_trial": {"cpu": 0.5}},
        {"tune.resources": {"cpus": 2, "memory_gb": 8}},
        {"tune.num_nodes": 2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_trials_take_of_the_machine_tries_nothing_anew(swept_study, change):
    swept_study.edit("experiments/swept.yaml", change)

    assert swept_study.dry_run().jobs == {"summarise_experiment swept"} | REPORT


def test_other_data_make_another_sweep(swept_study):
    swept_study.edit("datasets/digits.yaml", {"split.seed": 1})

    assert swept_study.dry_run().jobs == from_prepare("digits") | OF_SWEEP | OF_SIBLING


def test_a_sweep_whose_result_is_lost_is_made_again(swept_study):
    (swept_study.folder / "results/experiments/swept/tune/best.yaml").unlink()

    assert swept_study.dry_run().jobs == OF_SWEEP | REPORT


def test_a_sweep_that_fails_stops_its_trainings_alone(new_study):
    new_study.write("experiments/swept.yaml", SWEPT)

    outcome = new_study.run_with_stub("--keep-going", fails="tune")

    assert outcome.code == 1
    made = {path.parent.name for path in (new_study.folder / "results/experiments").glob("*/summary.json")}
    assert "swept-default" in made and "cnn" in made and "swept" not in made
    assert not list((new_study.folder / "results/experiments/swept").glob("seed-*/model.ckpt"))


def test_only_sweeps_can_be_asked_for(new_study):
    new_study.write("experiments/swept.yaml", SWEPT)

    assert new_study.dry_run("tune").jobs == {"prepare_dataset digits", "tune_experiment swept"}


def test_a_matrix_is_as_many_experiments_and_another_value_runs_alone(finished_study):
    matrix = {"optimizer.lr": [0.001, 0.003], "data_loader.batch_size": [32]}
    finished_study.write("experiments/grid.yaml", {"extends": "cnn_wide", "matrix": matrix})
    first = of("grid-0_001-32", 0) | of("grid-0_003-32", 0)
    assert finished_study.run_with_stub().jobs == first | REPORT

    matrix["optimizer.lr"].insert(0, 0.0005)
    finished_study.write("experiments/grid.yaml", {"extends": "cnn_wide", "matrix": matrix})

    assert finished_study.dry_run().jobs == of("grid-0_0005-32", 0) | REPORT


def test_a_sweep_takes_the_place_of_a_training_without_one(finished_study):
    finished_study.edit("experiments/cnn_wide.yaml", {"tune": TUNE})

    jobs = finished_study.dry_run().jobs

    runs = {
        f"{rule} {name} 0" for name in ("cnn_wide", "cnn_wide-default") for rule in ("train_model", "evaluate_model")
    }
    assert jobs == {"tune_experiment cnn_wide"} | runs | from_summarise("cnn_wide", "cnn_wide-default")
