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
            "transfer",
            "optimizer",
            "lr_scheduler",
            "trainer",
            "early_stopping",
            "weight_averaging",
            "checkpoint",
            "data_loader",
        },
        "evaluate_spec": {"experiment", "seed", "data", "task", "evaluate"},
        "summarise_spec": {"study", "experiment", "config"},
        "report_spec": {"study", "title", "experiments", "siblings", "matrices", "registered", "planned", "compared"},
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

    assert json.loads(workflow.report_spec(cnn))["title"] == "small"


def test_resources_change_the_summary_only(workflow, study_files, cnn):
    before = answers(workflow, cnn, *SPECS)

    after = answers(changed(study_files, "memory_gb: 1.5", "memory_gb: 8"), cnn, *SPECS)

    assert [question for question in SPECS if before[question] != after[question]] == ["summarise_spec"]


def test_a_gate_changes_what_is_registered_and_shown_and_no_result(workflow, study_files, cnn):
    before = answers(workflow, cnn, *SPECS)

    registered = changed(study_files, "data: digits", "data: digits\nregister: {gate: {min: 0.9}}")
    after = answers(registered, cnn, *SPECS)

    assert [question for question in SPECS if before[question] != after[question]] == ["report_spec"]
    spec = json.loads(registered.register_spec(cnn))
    assert (spec["name"], spec["gate"]["metric"], spec["gate"]["min"]) == ("cnn", "test/accuracy", 0.9)
    assert canonical_json(specs.RegisterSpec.model_validate(spec).model_dump(mode="json")) == canonical_json(spec)
    assert registered.registrations == [layout.REGISTRATION.format(experiment="cnn")]
    assert (workflow.registrations, workflow.bundles) == ([], [])


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


def test_the_code_of_an_own_network_is_part_of_the_training_and_the_test(study_files, cnn, monkeypatch):
    monkeypatch.chdir(study_files)
    (study_files / "nets.py").write_text("class Wide: ...\n")
    workflow = changed(study_files, "model: {kind: cnn}", "model: {kind: custom, class_path: nets.Wide}")
    questions = ["prepare_code", "train_code", "evaluate_code", "summarise_code"]
    before = answers(workflow, cnn, *questions)

    (study_files / "nets.py").write_text("class Wide: ...\nWIDTH = 3\n")

    after = answers(workflow, cnn, *questions)
    assert [question for question in questions if before[question] != after[question]] == [
        "train_code",
        "evaluate_code",
    ]


def test_the_files_of_a_dataset_are_looked_at_once_in_a_process(study_files, cnn, monkeypatch):
    monkeypatch.chdir(study_files)
    (study_files / "photos").mkdir()
    source = "source: {kind: image_folder, path: photos}\n"
    workflow = changed(study_files, "source: {kind: sklearn, name: digits}\n", source, "datasets/digits.yaml")
    first = workflow.source_digest(cnn)

    (study_files / "photos" / "new.png").touch()

    assert workflow.source_digest(cnn) == first
    assert Workflow(load_study(study_files)).source_digest(cnn) != first


def test_each_rule_asks_for_what_its_experiment_or_dataset_says(study_files, cnn):
    old = "name: digits}\n"
    before = answers(Workflow(load_study(study_files)), cnn, *SPECS)
    workflow = changed(study_files, old, old + "resources: {cpus: 8, memory_gb: 16}\n", "datasets/digits.yaml")
    asks = {step: getattr(workflow, step) for step in ("prepare", "train", "evaluate")}

    assert {step: each.threads(cnn) for step, each in asks.items()} == {"prepare": 8, "train": 2, "evaluate": 2}
    memory = {step: each.resources["mem_mb"](cnn, attempt=1) for step, each in asks.items()}
    assert memory == {"prepare": 16384, "train": 1536, "evaluate": 1536}
    assert answers(workflow, cnn, *SPECS) == before


def test_how_often_a_training_saves_its_state_is_in_no_spec_but_the_summarys(study_files, workflow, cnn, gru):
    before = answers(workflow, cnn, *SPECS)
    assert (workflow.checkpoint_epochs(cnn), workflow.checkpoint_seconds(cnn)) == (1, 60)

    often = "checkpoint: {every_n_epochs: 5, every_n_minutes: 0.5}\nmodel: {kind: cnn}"
    after = changed(study_files, "model: {kind: cnn}", often)

    assert (after.checkpoint_epochs(cnn), after.checkpoint_seconds(cnn)) == (5, 30)
    assert after.checkpoint_seconds(gru) == 60
    differing = [question for question, spec in answers(after, cnn, *SPECS).items() if spec != before[question]]
    assert differing == ["summarise_spec"]


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

    assert len(files) == len(set(files)) == 2 * 3 + 3 * 7 + 2 * 2 + 2
    assert [file for file in files if "{" in file or "unused" in file] == []


def with_other(study_files, seeds="[5, 7]"):
    """Experiment `cnn`, with the seeds 3 and 5, starts from `other`."""
    (study_files / "config/experiments/other.yaml").write_text(f"extends: cnn\nseeds: {seeds}\n", "utf-8")
    (study_files / "config/experiments/tuned.yaml").write_text(
        "extends: cnn\nmodel: {pretrained: {from_experiment: other}}\n", "utf-8"
    )


def test_a_model_to_start_from_is_of_the_same_seed_or_else_the_first(study_files):
    with_other(study_files)
    workflow = Workflow(load_study(study_files))
    jobs = {seed: SimpleNamespace(experiment="tuned", seed=seed) for seed in ("3", "5")}

    found = {seed: workflow.train_models(job) for seed, job in jobs.items()}

    assert found == {seed: {"pretrained": "results/experiments/other/seed-5/model.ckpt"} for seed in ("3", "5")}
    assert workflow.train_uses(jobs["3"]) == ["--uses", "pretrained=results/experiments/other/seed-5/model.ckpt"]
    assert workflow.evaluate_models(jobs["3"]) == {}, "a trained model holds all of its weights"


def test_what_a_task_needs_is_of_the_first_seed_so_that_all_seeds_are_measured_alike(study_files):
    (study_files / "config/experiments/fakes.yaml").write_text(
        "task: {kind: gan, features: {from_experiment: cnn}}\ndata: digits\nseeds: [3, 5]\n"
        "model: {kind: gan, pretrained: {from_experiment: start}}\noptimizer: {kind: adam}\ntrainer: {max_epochs: 4}\n",
        "utf-8",
    )
    (study_files / "config/experiments/start.yaml").write_text("extends: fakes\nmodel: {pretrained: null}\n", "utf-8")
    workflow = Workflow(load_study(study_files))
    jobs = {seed: SimpleNamespace(experiment="fakes", seed=seed) for seed in ("3", "5")}

    features = {"features": "results/experiments/cnn/seed-3/model.ckpt"}
    for seed, job in jobs.items():
        start = {"pretrained": f"results/experiments/start/seed-{seed}/model.ckpt"}
        assert workflow.train_models(job) == start | features
        assert workflow.evaluate_models(job) == features


def test_the_spec_holds_the_name_of_a_model_to_start_from_and_not_its_path(study_files):
    with_other(study_files)
    spec = json.loads(Workflow(load_study(study_files)).train_spec(SimpleNamespace(experiment="tuned", seed="3")))

    assert spec["model"]["pretrained"] == {"from_experiment": "other"}


def test_who_is_needed_is_trained_and_no_target(study_files):
    with_other(study_files)
    (study_files / "config/config.yaml").write_text("study: small\nrun: [tuned]\n", "utf-8")
    workflow = Workflow(load_study(study_files))

    assert sorted(workflow.trained) == ["other", "tuned"]
    assert workflow.experiments == ["tuned"]
    assert not any("other" in file for file in workflow.files(*layout.ALL))


def test_an_experiment_alone_uses_no_other(workflow, cnn):
    assert workflow.train_models(cnn) == workflow.evaluate_models(cnn) == {}
    assert workflow.train_uses(cnn) == []
