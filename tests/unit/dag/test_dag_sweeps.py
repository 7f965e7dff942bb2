"""What the jobs of an experiment with a sweep are told."""

import json
from types import SimpleNamespace

import pytest
import yaml

from snaketorch import layout
from snaketorch.config import specs
from snaketorch.config.load import load_study
from snaketorch.dag.code import closure
from snaketorch.dag.questions import answers
from snaketorch.dag.workflow import Workflow
from snaketorch.provenance import canonical_json
from snaketorch.tuning.search import KINDS

TUNE = {"num_samples": 4, "space": {"optimizer.lr": {"loguniform": [1e-4, 1e-1]}}}


@pytest.fixture
def swept(study_files):
    """Gives the workflow of a study whose experiment `cnn` has a sweep, and perhaps other keys."""

    def read(tune=None, **keys):
        file = study_files / "config/experiments/cnn.yaml"
        content = yaml.safe_load(file.read_text()) | {"tune": TUNE | (tune or {})} | keys
        file.write_text(yaml.safe_dump(content))
        return Workflow(load_study(study_files))

    return read


def test_the_spec_of_a_sweep_is_read_back_as_it_was(swept, cnn):
    text = swept().tune_spec(cnn)

    spec = specs.TuneSpec.model_validate_json(text)
    assert canonical_json(spec.model_dump(mode="json")) == text
    assert (spec.experiment, spec.seed, spec.tune.metric) == ("cnn", 3, "val/accuracy")


def test_the_trainings_of_a_sweep_have_its_seed(swept, cnn):
    assert json.loads(swept({"seed": 11}).tune_spec(cnn))["seed"] == 11


def test_a_sweep_has_its_outputs_and_its_sibling_none(swept):
    workflow = swept()

    assert workflow.experiments == ["cnn", "cnn-default", "gru"]
    assert workflow.sweeps == [pattern.format(experiment="cnn") for pattern in layout.OF_A_SWEEP]
    assert workflow.best_of(SimpleNamespace(experiment="cnn")) == [layout.BEST.format(experiment="cnn")]
    assert workflow.best_of(SimpleNamespace(experiment="cnn-default")) == []


def test_the_code_of_a_sweep_is_that_of_its_search_too(swept, cnn, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(answers, "code_digest", lambda *entries: asked.extend(entries))
    swept().tune_code(cnn)

    known = closure(entry.partition(":")[0] for entry in asked)
    assert known >= {implementation.partition(":")[0] for implementation in KINDS.values()}


def test_the_report_knows_what_belongs_together(swept, cnn):
    spec = json.loads(swept().report_spec(cnn))

    assert (spec["siblings"], spec["matrices"]) == ({"cnn": "cnn-default"}, {})


def test_a_sweep_asks_for_its_own_resources(swept, cnn):
    workflow = swept({"max_concurrent_trials": 4, "resources_per_trial": {"cpu": 0.5, "gpu": 0.25}})

    assert workflow.tune.threads(cnn) == 2
    assert [workflow.trials(name)(cnn) for name in ("at_once", "cpu", "gpu", "num_nodes")] == [4, "0.5", "0.25", 1]
    assert swept().trials("at_once")(cnn) == 0


def test_a_sweep_and_its_trainings_run_the_code_of_all_that_may_be_chosen(swept, cnn):
    before = swept()
    networks = {"model": {"choice": [{"kind": "cnn"}, {"kind": "mlp"}]}}
    after = swept({"space": networks})

    for question in ("train_code", "tune_code", "evaluate_code"):
        assert getattr(before, question)(cnn) != getattr(after, question)(cnn)


def test_other_values_to_choose_are_no_other_code(swept, cnn):
    before = swept({"space": {"model.hidden": {"choice": [8, 16]}}})
    after = swept({"space": {"model.hidden": {"choice": [8, 16, 32]}}})

    for question in ("train_code", "tune_code", "evaluate_code"):
        assert getattr(before, question)(cnn) == getattr(after, question)(cnn)


def test_a_sweep_starts_from_the_weights_that_its_trainings_do(swept, study_files, cnn):
    text = (study_files / "config/experiments/cnn.yaml").read_text()
    (study_files / "config/experiments/first.yaml").write_text(text)

    workflow = swept({"seed": 5}, model={"kind": "cnn", "pretrained": {"from_experiment": "first"}})

    assert workflow.tune_models(cnn) == {"pretrained": layout.MODEL.format(experiment="first", seed=5)}
    assert workflow.tune_uses(cnn) == ["--uses", f"pretrained={layout.MODEL.format(experiment='first', seed=5)}"]
