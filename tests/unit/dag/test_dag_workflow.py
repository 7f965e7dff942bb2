import json
from types import SimpleNamespace

import pytest

from snaketorch import layout
from snaketorch.config import specs
from snaketorch.config.load import load_study
from snaketorch.config.models import Cnn
from snaketorch.config.sources import SklearnSource
from snaketorch.config.tasks import Forecasting, ImageClassification
from snaketorch.dag.workflow import Workflow
from snaketorch.provenance import canonical_json

SPECS = {
    "prepare_spec": specs.PrepareSpec,
    "train_spec": specs.TrainSpec,
    "evaluate_spec": specs.EvaluateSpec,
    "summarise_spec": specs.SummariseSpec,
    "report_spec": specs.ReportSpec,
}


def changed(study_files, old, new, file="experiments/cnn.yaml"):
    path = study_files / "config" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return Workflow(load_study(study_files))


def answers(workflow, wildcards, *questions):
    return {question: getattr(workflow, question)(wildcards) for question in questions}


@pytest.mark.parametrize(("question", "model"), SPECS.items(), ids=SPECS)
def test_a_spec_is_canonical_and_read_back_as_it_was(question, model, workflow, cnn):
    text = getattr(workflow, question)(cnn)

    assert canonical_json(json.loads(text)) == text
    assert canonical_json(model.model_validate_json(text).model_dump(mode="json")) == text


def test_a_spec_holds_exactly_its_part(workflow, cnn):
    found = {question: set(json.loads(text)) for question, text in answers(workflow, cnn, *SPECS).items()}

    assert found == {
        "prepare_spec": {"dataset", "source", "split", "prepare"},
        "train_spec": {
            "experiment",
            "seed",
            "data",
            "task",
            "augment",
            "model",
            "optimizer",
            "lr_scheduler",
            "trainer",
            "early_stopping",
            "checkpoint",
            "data_loader",
        },
        "evaluate_spec": {"experiment", "seed", "data", "evaluate"},
        "summarise_spec": {"study", "experiment", "config"},
        "report_spec": {"study", "title", "experiments"},
    }


def test_defaults_are_written_out(workflow, cnn):
    spec = json.loads(workflow.train_spec(cnn))

    assert spec["seed"] == 3
    assert spec["model"]["channels"] == [32, 64, 64]
    assert spec["checkpoint"] == {"save": "best", "monitor": "val/accuracy"}


def test_nothing_of_one_job_is_in_the_spec_of_another(workflow, cnn, gru):
    assert "sunspots" not in "".join(answers(workflow, cnn, "prepare_spec", "train_spec", "evaluate_spec").values())
    assert "digits" not in "".join(answers(workflow, gru, "prepare_spec", "train_spec", "evaluate_spec").values())


def test_the_title_of_the_report_is_the_study_where_there_is_none(study_files, cnn):
    workflow = changed(study_files, "report: {title: A small study}\n", "", "config.yaml")

    assert json.loads(workflow.report_spec(cnn)) == {"study": "small", "title": "small", "experiments": ["cnn", "gru"]}


def test_resources_change_the_summary_only(workflow, study_files, cnn):
    before = answers(workflow, cnn, *SPECS)

    after = answers(changed(study_files, "memory_gb: 1.5", "memory_gb: 8"), cnn, *SPECS)

    assert [question for question in SPECS if before[question] != after[question]] == ["summarise_spec"]


def test_the_picture_of_an_augmented_series_depends_on_how_its_task_cuts_it(study_files, gru):
    def spec(old, new):
        return json.loads(changed(study_files, old, new, "experiments/gru.yaml").augmentation_spec(gru))

    text = (study_files / "config/experiments/gru.yaml").read_text("utf-8")
    first = spec(text, "augment: {jitter: 0.1}\n" + text)

    assert set(first) == {"experiment", "seed", "data", "augment", "windows"}
    assert set(first["windows"]) == {"window", "horizon", "stride"}
    assert canonical_json(specs.AugmentationSpec.model_validate(first).model_dump(mode="json")) == canonical_json(first)
    assert spec("kind: forecasting", "kind: forecasting, loss: mae") == first
    assert spec("kind: forecasting", "kind: forecasting, stride: 2")["windows"]["stride"] == 2


def test_a_picture_is_drawn_where_something_is_augmented(study_files, cnn):
    assert changed(study_files, "data: digits", "data: digits\naugment: {}").augmentations == []
    workflow = changed(study_files, "augment: {}", "augment: {rotate: 10}")

    assert workflow.augmentations == [layout.AUGMENTATION.format(experiment="cnn")]
    assert json.loads(workflow.augmentation_spec(cnn))["windows"] is None


def test_codes_differ_by_what_an_experiment_uses(workflow, cnn, gru):
    for question in ("train_code", "evaluate_code", "prepare_code"):
        assert getattr(workflow, question)(cnn) != getattr(workflow, question)(gru)
    for question in ("summarise_code", "report_code"):
        assert getattr(workflow, question)(cnn) == getattr(workflow, question)(gru)


@pytest.mark.parametrize(
    ("section", "name", "value", "changes"),
    [
        (Cnn, "implementation", "snaketorch.models.recurrent:Recurrent", ["train_code", "evaluate_code"]),
        (Cnn, "reads", "a sequence", ["train_code", "evaluate_code"]),
        (ImageClassification, "logged", {"loss": "min"}, ["train_code", "evaluate_code"]),
        (ImageClassification, "metrics", {"accuracy": "max"}, ["evaluate_code"]),
        (ImageClassification, "evaluator", "snaketorch.evaluation.forecasting:evaluate", ["evaluate_code"]),
        (SklearnSource, "implementation", "snaketorch.data.sources.statsmodels:load", ["prepare_code"]),
        (Forecasting, "metrics", {}, []),
    ],
)
def test_what_a_section_says_of_its_implementation_counts(section, name, value, changes, workflow, cnn, monkeypatch):
    questions = ["prepare_code", "train_code", "evaluate_code", "summarise_code", "report_code"]
    before = answers(workflow, cnn, *questions)
    monkeypatch.setattr(section, name, value)

    after = answers(workflow, cnn, *questions)

    assert [question for question in questions if before[question] != after[question]] == changes


def test_a_retry_gets_more_memory_and_time(workflow, cnn):
    assert [workflow.memory_mb(cnn, attempt) for attempt in (1, 2, 3)] == [1536, 3072, 4608]
    assert [workflow.runtime_minutes(cnn, attempt) for attempt in (1, 2, 3)] == [15, 30, 45]
    assert (workflow.cpus(cnn), workflow.gpus(cnn)) == (2, 1)


def test_resources_that_were_not_asked_for_have_defaults(workflow, gru):
    assert (workflow.cpus(gru), workflow.gpus(gru)) == (1, 0)
    assert (workflow.memory_mb(gru, 1), workflow.runtime_minutes(gru, 1)) == (4096, 60)


def test_a_job_has_a_minute_at_least(study_files, cnn):
    assert changed(study_files, "hours: 0.25", "hours: 0.001").runtime_minutes(cnn, 1) == 1


def test_an_experiment_reads_its_dataset(workflow, cnn, gru):
    assert workflow.manifest_of(cnn) == "results/datasets/digits/manifest.json"
    assert workflow.manifest_of(gru) == "results/datasets/sunspots/manifest.json"


def test_files_of_all_seeds_are_in_the_order_of_the_seeds(workflow, cnn):
    assert workflow.of_seeds(layout.METRICS)(SimpleNamespace(experiment="cnn")) == [
        "results/experiments/cnn/seed-3/metrics.json",
        "results/experiments/cnn/seed-5/metrics.json",
    ]


def test_the_files_of_a_study(workflow):
    assert workflow.files(layout.MANIFEST, layout.SUMMARY, layout.MODEL, layout.REPORT) == [
        "results/datasets/digits/manifest.json",
        "results/datasets/sunspots/manifest.json",
        "results/experiments/cnn/summary.json",
        "results/experiments/gru/summary.json",
        "results/experiments/cnn/seed-3/model.ckpt",
        "results/experiments/cnn/seed-5/model.ckpt",
        "results/experiments/gru/seed-0/model.ckpt",
        "results/report.html",
    ]


def test_every_file_of_a_study_is_listed_once(workflow):
    files = workflow.files(*layout.ALL)

    assert len(files) == len(set(files)) == 2 * 3 + 3 * 6 + 2 * 2 + 2
    assert [file for file in files if "{" in file or "unused" in file] == []
