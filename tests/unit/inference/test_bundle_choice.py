"""Which training's model leaves the study, and what the rules' steps publish."""

import json
from pathlib import Path

import pytest
from pyarrow import parquet

from snaketorch import __main__ as command_line
from snaketorch.config.predict import Predictions
from snaketorch.config.specs import BundleSpec, PredictSpec
from snaketorch.errors import DataError, UserError
from snaketorch.inference.batch.dataset import predict_dataset
from snaketorch.inference.bundle import bundle_sha256
from snaketorch.inference.choice import best_seed, bundle_chosen

TASK = {"kind": "image_classification"}


def record(seed: int, value: float | None, metric: str = "val/accuracy") -> dict:
    best = None if value is None else {"metric": metric, "value": value, "epoch": 1, "kept": True}
    return {"seed": seed, "best": best, "spec": {"task": TASK}}


def test_the_best_seed_is_that_of_the_validation():
    assert best_seed([record(3, 0.8), record(5, 0.9), record(7, 0.9), record(9, None)]) == 5
    assert best_seed([record(3, 0.8, "val/loss"), record(5, 0.7, "val/loss")]) == 5
    assert best_seed([record(3, None), record(5, None)]) == 3


def two_seeds(made, folder: Path) -> dict[str, list[Path]]:
    """A model with two records of it, of which the second went better."""
    case = made("images")
    known = json.loads(case.record.read_text())
    records = []
    for seed, value in ((3, 0.8), (5, 0.9)):
        records.append(folder / f"record-{seed}.json")
        records[-1].write_text(json.dumps(known | record(seed, value)))
    return {"models": [case.model, case.model], "records": records}


@pytest.mark.parametrize(("asked", "chosen"), [(None, 5), (3, 3)])
def test_a_bundle_is_of_the_seed_that_was_chosen(made, tmp_path, asked, chosen):
    spec = BundleSpec(experiment="some", data="some", seed=asked)

    bundle_chosen(spec, manifest=made("images").manifest_file, bundle=tmp_path / "bundle", **two_seeds(made, tmp_path))

    assert json.loads((tmp_path / "bundle/bundle.json").read_text())["lineage"]["seed"] == chosen


def test_the_command_bundles(made, tmp_path):
    files = two_seeds(made, tmp_path)
    words = ["bundle", "--spec", '{"experiment":"some","data":"some","seed":null}', "--bundle", str(tmp_path / "out")]
    words += ["--manifest", str(made("images").manifest_file), "--models", *map(str, files["models"])]

    assert command_line.main([*words, "--records", *map(str, files["records"])]) == 0
    assert (tmp_path / "out/bundle.json").is_file()


def test_a_seed_that_is_not_there_is_refused(made, tmp_path):
    spec = BundleSpec(experiment="some", data="some", seed=4)
    with pytest.raises(UserError, match="some has no seed 4; allowed: 3, 5"):
        bundle_chosen(spec, manifest=made("images").manifest_file, bundle=tmp_path, **two_seeds(made, tmp_path))


@pytest.mark.parametrize("bad", [40, 80], ids=["a half", "all"])
def test_bad_rows_end_the_predictions_of_a_dataset_unless_it_is_watched(bad, made, tmp_path, monkeypatch):
    case = made("rows without gaps")
    monkeypatch.chdir(tmp_path)
    header, *rows = (case.folder / "rows.csv").read_text().splitlines()
    place = header.split(",").index("size")
    cells = [row.split(",") for row in rows]
    for row in cells[:bad]:
        row[place] = ""
    Path("new.csv").write_text("\n".join([header, *map(",".join, cells)]) + "\n")
    source = case.spec.source.model_copy(update={"path": "new.csv"})
    values = {"experiment": "some", "dataset": "new", "source": source, "predict": Predictions(on_bad_row="fail")}
    files = {"predictions": Path("new.parquet"), "bad": Path("new.bad.jsonl"), "record": Path("new.json")}
    options = {"bundle": case.bundle, "state": Path("state"), "code": "c", "source": "s", "threads": 1, "gpus": 0}

    with pytest.raises(DataError, match="cannot be predicted"):
        predict_dataset(PredictSpec(**values, is_watched=False), **files, **options)
    assert not files["predictions"].exists()

    predict_dataset(PredictSpec(**values, is_watched=True), **files, **options)
    assert parquet.read_metadata("new.parquet").num_rows == len(rows) - bad
    assert json.loads(files["record"].read_text())["bad"]["count"] == bad


def test_predictions_of_a_dataset_have_the_truth_and_a_record(made, tmp_path, monkeypatch):
    case = made("texts")
    monkeypatch.chdir(tmp_path)
    spec = PredictSpec(
        experiment="some", dataset="new", source=case.spec.source, predict=Predictions(), is_watched=False
    )
    out, bad, told = Path("new.parquet"), Path("new.bad.jsonl"), Path("new.json")

    predict_dataset(
        spec,
        bundle=case.bundle,
        state=Path("state/predict/some/new"),
        predictions=out,
        bad=bad,
        record=told,
        code="c",
        source="s",
        threads=1,
        gpus=0,
    )

    table = parquet.read_table(out)
    assert table.column_names == ["source", "truth", "class", "probability", "probabilities"]
    assert table["truth"].to_pylist()[:2] == ["a", "b"]
    assert bad.read_text() == ""
    content = json.loads(told.read_text())
    assert (content["rows"], content["bad"]) == (len(table), {"count": 0, "first": []})
    assert content["record"]["inputs"]["bundle"]["sha256"] == bundle_sha256(case.bundle)
    assert content["record"]["source_digest"] == "s"
    assert content["lineage"]["experiment"] == "some"
    assert not Path("state/predict/some").exists()
