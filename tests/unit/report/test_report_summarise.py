import json
from pathlib import Path

import pytest
from fabricated_study import (
    dataset_folder,
    edit,
    experiment,
    run_summarise,
    seed_folder,
    sha256_of,
    write_test,
    write_training,
)

from snaketorch.config.yaml_loader import read_yaml
from snaketorch.errors import UserError
from snaketorch.journal import read_artifacts, read_metrics

NAME = "digits_cnn"
FOLDER = seed_folder(NAME, 1)


def summary_of(name):
    return json.loads(Path(f"results/experiments/{name}/summary.json").read_text())


def test_the_summary_says_what_the_seeds_found(page_spec):
    summary = summary_of(NAME)

    accuracy = summary["metrics"]["test/accuracy"]
    assert accuracy["values"] == {"0": 0.9861, "1": 0.9917, "2": 0.9889}
    assert accuracy["mean"] == pytest.approx(0.9889)
    assert accuracy["ci95"] == pytest.approx([0.98194, 0.99586], abs=1e-5)
    assert (summary["goal"], summary["mode"], summary["seeds"]) == ("test/accuracy", "max", [0, 1, 2])
    assert summary["modes"]["test/loss"] == "min"
    assert summary["description"] == "Three convolution blocks on handwritten digits"
    assert (summary["task"], summary["data"], summary["model"]) == ("image_classification", "digits", "cnn")


def test_the_summary_says_what_the_trainings_cost(page_spec):
    cost = summary_of(NAME)["cost"]

    assert cost["train_seconds"] == {"mean": pytest.approx(34.1), "total": pytest.approx(102.3)}
    assert cost["peak_memory_mb"] == 614.5
    assert cost["parameters"] == 73_418
    assert cost["samples_per_second"] == pytest.approx(8_385)
    assert cost["latency_ms"] == pytest.approx(0.75)


def test_the_summary_holds_digests_of_what_it_was_made_from(page_spec):
    inputs = summary_of(NAME)["inputs"]["1"]

    files = {"metrics": "metrics.json", "record": "record.json", "model": "model.ckpt"}
    assert inputs == {key: sha256_of(FOLDER / file) for key, file in files.items()}


def test_baselines_stay_beside_the_metrics(page_spec):
    assert summary_of("sunspots_gru")["baselines"]["persistence"]["test/mae"] == 34.62
    assert summary_of(NAME)["baselines"] == {}


def test_a_baseline_with_chance_in_it_is_the_mean_over_seeds(page_spec):
    for seed, (mae, mase) in enumerate(((600.0, 24.0), (630.0, None), (660.0, 26.0))):
        path = seed_folder("sunspots_gru", seed) / "metrics.json"
        edit(path, "baselines", "untrained", to={"test/mae": mae, "test/rmse": 0.1, "test/mase": mase})
    run_summarise("sunspots_gru", experiment("sunspots_gru"))

    baselines = summary_of("sunspots_gru")["baselines"]
    assert baselines["untrained"] == {"test/mae": 630.0, "test/rmse": 0.1, "test/mase": None}
    assert baselines["persistence"]["test/mae"] == 34.62


def test_one_seed_has_no_interval(page_spec):
    run_summarise(NAME, experiment(NAME, seeds=[1]))

    accuracy = summary_of(NAME)["metrics"]["test/accuracy"]
    assert (accuracy["mean"], accuracy["ci95"], accuracy["n"]) == (0.9917, None, 1)


def test_a_metric_that_one_seed_lacks_has_no_mean(page_spec):
    edit(FOLDER / "metrics.json", "metrics", "test/auroc", to=None)
    run_summarise(NAME, experiment(NAME))

    assert summary_of(NAME)["metrics"]["test/auroc"]["mean"] is None
    assert summary_of(NAME)["metrics"]["test/accuracy"]["mean"] == pytest.approx(0.9889)


def test_the_resolved_configuration_is_written_beside_it(page_spec):
    path = Path(f"results/experiments/{NAME}/config.yaml")

    assert type(experiment(NAME)).model_validate(read_yaml(path, str(path)).data) == experiment(NAME)
    assert summary_of(NAME)["record"]["outputs"] == {"config": sha256_of(path)}


def test_the_parent_run_is_told(page_spec):
    folder = Path(f"state/tracking/{NAME}/00112233aabbccdd")

    run = json.loads((folder / "run.json").read_text())
    assert (run["key"], run["name"], run["parent"], run["status"]) == (
        f"{NAME}/00112233aabbccdd",
        NAME,
        None,
        "FINISHED",
    )
    assert run["params"]["model.kind"] == "cnn"
    metrics = {line["name"]: (line["value"], line["step"]) for line in read_metrics(folder)}
    assert metrics["test/accuracy"] == (pytest.approx(0.9889), 0)
    assert metrics["test/accuracy_ci95_low"][0] < metrics["test/accuracy"][0] < metrics["test/accuracy_ci95_high"][0]
    assert {Path(entry["path"]).name for entry in read_artifacts(folder)} == {"config.yaml", "summary.json"}


def replace(name):
    return lambda: (FOLDER / name).write_bytes(b"other")


def spoil(name, *keys, to):
    return lambda: edit(FOLDER / name, *keys, to=to)


SPOILED = {
    "the model was replaced": (replace("model.ckpt"), "model.ckpt"),
    "the model is gone": (lambda: (FOLDER / "model.ckpt").unlink(), "model.ckpt"),
    "the history was replaced": (replace("history.csv"), "history.csv"),
    "the predictions were replaced": (replace("predictions.parquet"), "predictions.parquet"),
    "the test is of another model": (
        spoil("metrics.json", "record", "inputs", "model", "sha256", to="0" * 64),
        "metrics.json",
    ),
    "the test saw other data": (
        spoil("metrics.json", "record", "inputs", "manifest", "digest", to="0" * 16),
        "metrics.json",
    ),
    "the test measured other things": (
        spoil("metrics.json", "record", "spec", "evaluate", "examples", to=5),
        "metrics.json",
    ),
    "the training had another rate": (spoil("record.json", "spec", "optimizer", "lr", to=0.1), "record.json"),
    "the training had keys of another version": (spoil("record.json", "spec", "speed", to="high"), "record.json"),
    "the training has another seed": (spoil("record.json", "seed", to=9), "record.json"),
    "the seed belongs to another run": (spoil("record.json", "group_key", to=f"{NAME}/ffff"), "record.json"),
    "the metrics are of another format": (spoil("metrics.json", "format", to=2), "metrics.json"),
    "the metrics are cut off": (lambda: (FOLDER / "metrics.json").write_text('{"format": 1,'), "metrics.json"),
    "the record is gone": (lambda: (FOLDER / "record.json").unlink(), "record.json"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_results_that_do_not_belong_together_are_refused(what, page_spec):
    before = summary_of(NAME)
    change, file = SPOILED[what]
    change()

    with pytest.raises(UserError, match=rf"seed-1/{file}: .*snakemake -c1 --forcerun {FOLDER}/") as error:
        run_summarise(NAME, experiment(NAME))
    assert "\n" not in str(error.value)
    assert summary_of(NAME) == before


def test_a_result_of_another_configuration_is_refused(page_spec):
    with pytest.raises(UserError, match=r"seed-0/record.json: was made with another configuration"):
        run_summarise(NAME, experiment(NAME, trainer={"max_epochs": 30}))


def test_seeds_trained_on_different_data_are_refused(page_spec):
    edit(dataset_folder("digits") / "manifest.json", "digest", to="feed" * 4)
    write_training(NAME, experiment(NAME), 1)
    write_test(NAME, experiment(NAME), 1)

    with pytest.raises(UserError, match=r"seed-1/record.json: seed 1 was trained on other data than seed 0"):
        run_summarise(NAME, experiment(NAME))


def test_a_file_for_a_missing_seed_is_asked_for(page_spec):
    write_training(NAME, experiment(NAME), 0)
    with pytest.raises(UserError, match=r"seed-5/metrics.json|seed-5/record.json"):
        run_summarise(NAME, experiment(NAME, seeds=[0, 1, 5]))
