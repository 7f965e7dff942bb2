"""What trainings ask for by their plan, and what waits for it."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from snaketorch.config.load import load_study
from snaketorch.config.problems import ConfigError
from snaketorch.config.specs import PlanSpec
from snaketorch.dag.rerun_record import leave_out
from snaketorch.dag.workflow import Workflow
from snaketorch.errors import UserError
from snaketorch.provenance import digest

PLAN = "results/experiments/cnn/plan.json"
RECORD = "results/experiments/cnn/seed-3/record.json"
CHOSEN = {"gpu": "A100", "gpu_model": "a100", "partition": "big", "memory_gb": 6.5, "hours": 2.25}
ON_GPU = {"trainer: {max_epochs: 4}": "trainer: {max_epochs: 4, accelerator: gpu}"}
GPUS = "currency: EUR\ngpus: {A100 SXM4 80GB: {price_per_hour: 2, gpu_model: a100, partition: big}, L4: {}}\n"


@pytest.fixture
def study_with(study_files, monkeypatch):
    """A workflow in its folder, with these resources of the experiment `cnn`."""
    monkeypatch.chdir(study_files)

    def build(resources: str, **changes: str) -> Workflow:
        path = Path("config/experiments/cnn.yaml")
        lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("resources")]
        text = "\n".join([*lines, f"resources: {resources}", ""])
        for written, other in changes.items():
            assert written in text
            text = text.replace(written, other)
        path.write_text(text, "utf-8")
        return Workflow(load_study(study_files))

    return build


def write(path: str, content: dict) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(content), "utf-8")


def asked(requests, wildcards, attempt=1, inputs=()):
    """What a job asks for, without what it does not; `<TBD>` where the plan is not there yet."""
    found = {}
    for name, function in requests.resources.items():
        try:
            value = function(wildcards, attempt=attempt, input=list(inputs))
        except FileNotFoundError as error:
            assert error.filename in inputs, "else Snakemake takes it for an error"
            value = "<TBD>"
        if value is not None:
            found[name] = value
    return found


def test_a_training_asks_for_what_its_plan_says_and_more_with_each_attempt(study_with, cnn):
    workflow = study_with("auto", **ON_GPU)
    write(PLAN, {"chosen": CHOSEN})

    first = asked(workflow.train, cnn, inputs=[PLAN])
    third = asked(workflow.train, cnn, attempt=3, inputs=[PLAN])

    assert first == {
        "mem_mb": 6656,
        "runtime": 135,
        "gpu": 1,
        "gpu_model": "a100",
        "nodes": 1,
        "slurm_partition": "big",
    }
    assert third == first | {"mem_mb": 3 * 6656, "runtime": 3 * 135}


def test_before_there_is_a_plan_the_rest_is_known(study_with, cnn):
    workflow = study_with("{memory_gb: auto, hours: 2, cpus: 3}")

    assert workflow.train.threads(cnn) == 3
    assert asked(workflow.train, cnn, inputs=[PLAN]) == {"mem_mb": "<TBD>", "runtime": 120, "gpu": 0}


def test_without_a_gpu_only_memory_and_time_are_planned(study_with, cnn):
    workflow = study_with("auto")
    assert asked(workflow.train, cnn, inputs=[PLAN]) == {"mem_mb": "<TBD>", "runtime": "<TBD>", "gpu": 0}

    write(PLAN, {"chosen": {**CHOSEN, "gpu_model": None, "partition": None}})

    assert asked(workflow.train, cnn, inputs=[PLAN]) == {"mem_mb": 6656, "runtime": 135, "gpu": 0}


def test_what_is_written_goes_before_the_plan(study_with, cnn):
    workflow = study_with("{memory_gb: auto, hours: 5, gpu_model: auto, partition: mine}", **ON_GPU)
    write(PLAN, {"chosen": CHOSEN})

    found = asked(workflow.train, cnn, inputs=[PLAN])

    assert (found["mem_mb"], found["runtime"], found["slurm_partition"]) == (6656, 300, "mine")


def test_several_nodes_ask_for_the_planned_gpu_in_each(study_with, cnn):
    workflow = study_with("auto", **{"max_epochs: 4}": "max_epochs: 4, accelerator: gpu, num_nodes: 2}"})
    write(PLAN, {"chosen": CHOSEN})

    found = asked(workflow.train, cnn, inputs=[PLAN])

    assert found["slurm_extra"] == "--ntasks-per-node=1 --gpus-per-node=a100:1"
    assert (found["nodes"], found["slurm_partition"]) == (2, "big")


def test_a_test_takes_the_plan_where_there_is_one_and_waits_for_none(study_with, cnn):
    workflow = study_with("auto")
    assert asked(workflow.evaluate, cnn) == {"mem_mb": 4096, "runtime": 60, "gpu": 0}

    write(PLAN, {"chosen": CHOSEN})

    assert asked(workflow.evaluate, cnn) == {"mem_mb": 6656, "runtime": 135, "gpu": 0}


def test_a_plan_that_cannot_be_read_is_told(study_with, cnn):
    workflow = study_with("auto")
    Path(PLAN).parent.mkdir(parents=True)
    Path(PLAN).write_text("{", "utf-8")

    with pytest.raises(UserError, match=r"plan\.json is no plan.*delete it"):
        asked(workflow.train, cnn, inputs=[PLAN])


@pytest.mark.parametrize("resources", ["auto", "{hours: auto}", "{strict: true}"])
def test_a_training_waits_for_its_plan_where_something_depends_on_it(study_with, cnn, gru, resources):
    workflow = study_with(resources)

    assert workflow.plan_of(cnn) == workflow.plans == [PLAN]
    assert workflow.plan_of(gru) == []
    assert json.loads(workflow.report_spec(cnn))["planned"] == ["cnn"]


@pytest.fixture
def trained(study_with, cnn):
    """A planned experiment that was trained, and its record."""
    workflow = study_with("auto")
    record = {"spec_digest": digest(json.loads(workflow.train_spec(cnn))), "code_digest": workflow.train_code(cnn)}
    write(RECORD, record)
    return workflow, record


def test_a_training_that_is_done_waits_for_no_plan(trained, cnn):
    """Else a plan that is made anew, or for the first time, would train it anew."""
    workflow, _ = trained
    assert workflow.plan_of(cnn) == []

    write(PLAN, {"chosen": CHOSEN})
    assert workflow.plan_of(cnn) == []


@pytest.mark.parametrize("key", ["spec_digest", "code_digest"])
def test_a_training_that_is_to_be_done_anew_waits_for_its_plan(trained, cnn, key):
    workflow, record = trained
    write(RECORD, record | {key: "another"})

    assert workflow.plan_of(cnn) == [PLAN]


def test_a_sweep_whose_values_no_longer_fit_does_not_keep_the_next_one_from_its_plan(study_with, cnn):
    tune = "{num_samples: 2, resources: {hours: 1}, space: {optimizer.lr: {loguniform: [1.0e-4, 1.0e-2]}}}"
    workflow = study_with(f"auto\ntune: {tune}")
    write(RECORD, {"spec_digest": "another", "code_digest": workflow.train_code(cnn)})
    best = {"format": 1, "experiment": "cnn", "trial": 0, "values": {"model.depth": 1}}
    write("results/experiments/cnn/tune/best.yaml", best)

    assert workflow.plan_of(cnn) == [PLAN]


def test_a_record_that_nobody_can_read_is_for_others_to_judge(trained, cnn):
    Path(RECORD).write_text("[]")

    assert trained[0].plan_of(cnn) == []


def test_the_spec_holds_what_the_site_has(study_with, cnn, study_files):
    (study_files / "config/gpus.yaml").write_text(GPUS)
    workflow = study_with("auto", **ON_GPU)

    spec = PlanSpec.model_validate_json(workflow.plan_spec(cnn))

    assert [gpu.name for gpu in spec.site.gpus] == ["A100 SXM4 80GB", "L4"]
    assert spec.site.gpus[0].price_per_hour == 2
    assert (spec.site.gpus_asked, spec.site.gpu_model, spec.site.trainings, spec.seed) == (1, "auto", 2, 3)


def test_another_price_plans_anew_and_trains_nothing(study_with, cnn, study_files):
    (study_files / "config/gpus.yaml").write_text(GPUS)
    before = study_with("auto", **ON_GPU)
    specs = before.plan_spec(cnn), before.train_spec(cnn)
    (study_files / "config/gpus.yaml").write_text(GPUS.replace("2,", "3,"))

    after = Workflow(load_study(study_files))

    assert after.plan_spec(cnn) != specs[0]
    assert after.train_spec(cnn) == specs[1]


def test_a_wrong_file_of_gpus_is_told_before_anything_begins_where_something_is_planned(study_with, study_files):
    (study_files / "config/gpus.yaml").write_text("gpus: {RTX 3900: {}}\n")
    study_with("{hours: 2}")

    with pytest.raises(ConfigError, match=r"gpus\.yaml:1: gpus.'RTX 3900': is not in the catalogue.*did you mean"):
        study_with("auto")


def test_a_plan_is_no_input_that_a_rerun_depends_on():
    class Base:
        def _input(self, job):
            return job.input

    module = SimpleNamespace(PersistenceBase=Base)
    leave_out(module, {"plan.json"})
    leave_out(module, {"plan.json"})

    assert Base()._input(SimpleNamespace(input=["a/manifest.json", "b/plan.json"])) == ["a/manifest.json"]
    leave_out(SimpleNamespace(), {"plan.json"})  # a Snakemake that remembers in another way
