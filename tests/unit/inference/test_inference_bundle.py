"""What travels with a model: whole, the same every time, safe to load."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from snaketorch.errors import UserError
from snaketorch.inference.bundle import bundle_sha256, load_bundle, write_bundle
from tests.unit.inference.bundles import CASES, Case, Made, write_arrays


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def copy(made, tmp_path) -> Path:
    """A bundle to damage."""
    return Path(shutil.copytree(made("images").bundle, tmp_path / "bundle"))


@pytest.mark.parametrize("name", CASES)
def test_the_examples_in_a_bundle_are_answered_as_it_says(made, name):
    predictor = made(name).predictor
    assert len(predictor.example) == len(predictor.example_outputs) == 2
    answers = predictor.predict(predictor.example, parameters=predictor.example_parameters)
    for found, told in zip(answers.to_dict("records"), predictor.example_outputs, strict=True):
        for column, value in found.items():
            if isinstance(value, str) or (isinstance(value, list) and value and isinstance(value[0], str)):
                assert value == told[column]
            else:
                np.testing.assert_allclose(np.array(value), np.array(told[column]), rtol=1e-5)


def test_examples_are_training_samples(made):
    case = made("images")
    fields, _ = case.predictor.fields(case.predictor.example)
    train = case.manifest.arrays("train")["image"]
    np.testing.assert_array_equal(fields["image"], train[[0, len(train) // 2]])


@pytest.mark.parametrize("name", ["images", "rows", "running text"])
def test_equal_inputs_give_equal_bytes(made, name, tmp_path):
    made(name).write(tmp_path / "again")
    assert files(tmp_path / "again") == files(made(name).bundle)
    assert set(files(tmp_path / "again")) == {"bundle.json", "weights.safetensors"}


def test_a_bundle_says_where_it_comes_from_and_nothing_of_the_machine(made):
    case = made("rows")
    content = json.loads((case.bundle / "bundle.json").read_text())
    assert content["lineage"] == {
        "experiment": "some",
        "seed": 3,
        "spec_digest": "5" * 16,
        "data": "some",
        "data_digest": case.manifest.digest,
        "code_digest": "c" * 16,
        "run_key": "some/seed-3/1",
        "model_sha256": json.loads(case.record.read_text())["outputs"]["model"],
        "git_commit": "abc",
        "slurm_job": "17",
    }
    assert content["prepare"]["source"]["path"] == "rows.csv"
    assert str(case.folder) not in json.dumps(content)
    assert case.predictor.facts == json.loads(json.dumps(case.manifest.facts()))
    assert bundle_sha256(case.bundle) != bundle_sha256(made("images").bundle)


def test_a_model_that_does_not_belong_to_its_record_is_refused(made, tmp_path):
    case = made("images")
    model = tmp_path / "model.ckpt"
    model.write_bytes(made("resized images").model.read_bytes())
    with pytest.raises(UserError, match="is not the model that its record describes"):
        write_bundle(tmp_path / "bundle", model, case.record, case.manifest_file)
    with pytest.raises(UserError, match="was trained on a dataset with the digest"):
        write_bundle(tmp_path / "bundle", case.model, case.record, made("rows").manifest_file)
    assert not (tmp_path / "bundle").exists()


def damage(folder: Path, how: str) -> None:
    description = folder / "bundle.json"
    content = json.loads(description.read_text())
    match how:
        case "cut weights":
            (folder / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes()[:-1])
        case "no weights":
            (folder / "weights.safetensors").unlink()
        case "no description":
            description.unlink()
        case "no JSON":
            description.write_text("{")
        case "a list":
            description.write_text("[]")
        case "another format":
            description.write_text(json.dumps(content | {"format": 2}))
        case "another network":
            content["model"]["channels"] = [5]
            description.write_text(json.dumps(content))
        case "no facts":
            del content["facts"]["fields"]
            description.write_text(json.dumps(content))
        case "unknown task":
            content["task"]["kind"] = "magic"
            description.write_text(json.dumps(content))
        case "code that nobody wrote":
            (folder / "code").mkdir()
            (folder / "code" / "torch.py").write_text("raise SystemExit")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("cut weights", r"weights\.safetensors is not the file that was written \(SHA-256\)"),
        ("no weights", r"weights\.safetensors is not there"),
        ("no description", "No such file"),
        ("no JSON", "is not a bundle"),
        ("a list", "is not a bundle"),
        ("another format", "has format 2; this version reads format 1"),
        ("another network", "is not a bundle that Snaketorch wrote, or it is damaged"),
        ("no facts", "is not a bundle"),
        ("unknown task", "is not a bundle"),
        ("code that nobody wrote", r"code/torch\.py does not belong to it"),
    ],
)
def test_a_damaged_bundle_is_refused(copy, how, why):
    damage(copy, how)
    with pytest.raises(UserError, match=why):
        load_bundle(copy)


def test_nothing_is_unpickled(copy, monkeypatch):
    def refuse(*arguments, **named):
        raise AssertionError("unpickled")

    for owner, name in ((torch, "load"), (np, "load")):
        monkeypatch.setattr(owner, name, refuse)
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(f"pickle.{name}", refuse)
    predictor = load_bundle(copy, torch.device("cpu"))
    assert len(predictor.predict(predictor.example)) == 2


NETWORK = """
import torch
from torch import nn
from {package}.parts import FACTOR

class Own(nn.Module):
    def __init__(self, num_outputs, width=4):
        super().__init__()
        self.entry = nn.LazyLinear(width)
        self.head = nn.Linear(width, num_outputs)
        self.head.weight = nn.Parameter(self.head.weight * FACTOR)

    def forward(self, image):
        return self.head(self.entry(image.flatten(1))) * FACTOR
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A model whose network is the user's own."""
    package = "lab_of_a_bundle"
    study = tmp_path / "study"
    (study / package).mkdir(parents=True)
    (study / package / "nets.py").write_text(NETWORK.format(package=package))
    (study / package / "parts.py").write_text("FACTOR = 2.0\n")
    (study / package / "unused.py").write_text("")
    monkeypatch.chdir(study)
    monkeypatch.setattr(sys, "path", [*sys.path])
    model = {"kind": "custom", "class_path": f"{package}.nets.Own"}
    yield Made(study, Case(lambda folder: write_arrays(folder, "images"), {"kind": "image_classification"}, model))
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


def test_the_users_own_modules_travel_and_are_used_elsewhere(own, tmp_path, monkeypatch):
    expected = own.predictor.predict(own.rows())
    bundle = tmp_path / "elsewhere" / "bundle"
    shutil.copytree(own.bundle, bundle)
    assert set(files(bundle)) == {
        *("bundle.json", "weights.safetensors"),
        *("code/lab_of_a_bundle/nets.py", "code/lab_of_a_bundle/parts.py"),
    }
    before = files(bundle)
    # the study has gone on
    Path("lab_of_a_bundle/parts.py").write_text("FACTOR = 3.0\n")
    found = load_bundle(bundle, torch.device("cpu")).predict(own.rows())
    pd.testing.assert_frame_equal(found, expected)
    assert sys.modules["lab_of_a_bundle.parts"].__file__ == str(Path.cwd() / "lab_of_a_bundle/parts.py")
    for name in [name for name in sys.modules if name.partition(".")[0] == "lab_of_a_bundle"]:
        del sys.modules[name]
    shutil.rmtree("lab_of_a_bundle")
    monkeypatch.chdir(tmp_path)
    pd.testing.assert_frame_equal(load_bundle(bundle, torch.device("cpu")).predict(own.rows()), expected)
    assert files(bundle) == before


def test_own_code_is_not_imported_where_no_network_names_it(own, made):
    bundle = own.bundle
    (bundle / "code" / "lab_of_a_bundle" / "nets.py").write_text("raise SystemExit('ran')")
    with pytest.raises(UserError, match=r"code/lab_of_a_bundle/nets\.py is not the file that was written"):
        load_bundle(bundle)
