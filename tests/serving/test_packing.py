"""A bundle as a logged, registered MLflow model."""

import json
import os
import pickle
import pickletools
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from snaketorch.errors import UserError
from snaketorch.inference.bundle import bundle_sha256, load_bundle
from snaketorch.registry import package
from snaketorch.registry.package import log_candidate, save
from snaketorch.registry.proof import prove
from snaketorch.tracking.store import connect, initialise
from tests.serving.small_bundles import as_json

REPO = Path(__file__).parents[2]


class Store:
    """A fresh store with one run."""

    def __init__(self, folder):
        self.uri = f"sqlite:///{folder}/mlflow.db"
        experiment = initialise(self.uri, "study")
        self.client = connect(self.uri)
        self.run = self.client.create_run(experiment).info.run_id
        self.experiment = experiment

    def log(self, bundle, **options):
        return log_candidate(self.client, self.run, bundle, "digits", **options)

    def models(self):
        return self.client.search_logged_models([self.experiment])


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture(scope="session")
def bundle(bundles):
    return bundles("images")


@pytest.fixture(scope="session")
def packed(bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed") / "model"
    save(bundle, folder, Model())
    return folder


def files_of(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def is_pickle(path):
    if zipfile.is_zipfile(path):
        return any(name.endswith((".pkl", ".pickle")) for name in zipfile.ZipFile(path).namelist())
    try:
        return len(list(pickletools.genops(path.read_bytes()))) > 1
    except ValueError:
        return False


def test_no_file_of_a_packed_model_is_a_pickle(packed, tmp_path):
    assert not [path for path in files_of(packed) if is_pickle(path)]
    # a pickle would have been found
    (tmp_path / "x").write_bytes(pickle.dumps({"a": 1}))
    assert is_pickle(tmp_path / "x")


def test_a_packed_model_says_nothing_of_this_machine(packed):
    here = [str(REPO), str(Path.home()), str(packed.parent.parent)]
    for path in files_of(packed):
        if not path.is_relative_to(packed / "code"):
            assert not [place for place in here if place.encode() in path.read_bytes()], path


def test_it_loads_without_pickle_and_predicts_the_same(packed, bundle, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    monkeypatch.setattr(sys, "path", list(sys.path))
    predictor = load_bundle(bundle)

    answers = mlflow.pyfunc.load_model(str(packed)).predict(predictor.example)

    pd.testing.assert_frame_equal(answers.astype(object), predictor.predict(predictor.example).astype(object))


def test_it_has_a_signature_and_an_example_that_the_server_takes(packed):
    model = Model.load(str(packed))

    assert [(column.name, str(column.type)) for column in model.signature.inputs] == [("image", "Any")]
    assert [column.name for column in model.signature.outputs] == ["class", "probability", "probabilities"]
    assert json.loads((packed / "serving_input_example.json").read_text())["dataframe_split"]["columns"] == ["image"]


def test_all_that_it_imports_is_pinned_in_its_requirements(packed):
    script = """
import runpy, sys
sys.argv = [sys.argv[1], sys.argv[2]]
runpy.run_path(sys.argv[0], run_name="__main__")
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    command = [sys.executable, "-EPBc", script, str(package.PACKAGE / "registry/answer_of.py"), str(packed)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=packed, check=True)
    imported = set(done.stdout.splitlines()[-1].split()) - {"snaketorch"}
    distributions = metadata.packages_distributions()

    lines = [*(packed / "requirements.txt").read_text().splitlines(), *(packed / "constraints.txt").read_text().split()]
    pinned = {canonicalize_name(Requirement(line).name) for line in lines if line and not line.startswith("-c")}

    needed = {canonicalize_name(name) for module in imported for name in distributions.get(module, ())}
    assert needed - {"snaketorch", "psutil", "dill"} <= pinned  # those that torch and MLflow take where they find them
    assert "-c constraints.txt" in lines
    assert not [line for line in lines if "==" not in line and not line.startswith("-c")]
    assert not {"ray", "snakemake", "optuna"} & pinned


def test_a_bundle_is_registered_with_its_lineage_once_however_often_that_is_asked(store, bundle):
    first = store.log(bundle, tags={"snaketorch.gate": "accepted"})
    again = store.log(bundle)

    assert again == first
    version = store.client.get_model_version("digits", first.version)
    lineage = load_bundle(bundle).lineage
    assert version.tags["snaketorch.bundle_sha256"] == bundle_sha256(bundle)
    assert version.tags["snaketorch.gate"] == "accepted"
    assert {name: version.tags[f"snaketorch.{name}"] for name in lineage} == {
        name: str(value) for name, value in lineage.items()
    }
    assert version.run_id == store.run
    assert [model.model_id for model in store.models()] == [first.model_id]
    assert [model.model_id for model in store.client.get_run(store.run).outputs.model_outputs] == [first.model_id]

    store.client.set_registered_model_alias("digits", "candidate", first.version)
    environment = {**os.environ, "MLFLOW_TRACKING_URI": store.uri, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    script = "import mlflow; m = mlflow.pyfunc.load_model('models:/digits@candidate'); print(m.model_id)"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=bundle, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == first.model_id


def test_what_was_cut_short_is_finished_by_the_next_call(store, bundle, monkeypatch):
    def dies(*_, **__):
        raise MlflowException("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(package, "prove", lambda *_: None)
        patch.setattr(type(store.client), "create_model_version", dies)
        with pytest.raises(MlflowException, match="no answer"):
            store.log(bundle)
    with monkeypatch.context() as patch:
        patch.setattr(package, "save", dies)  # what is logged is not packed again
        registered = store.log(bundle)

    assert [model.model_id for model in store.models()] == [registered.model_id]


def test_a_model_that_was_logged_by_half_is_never_registered(store, bundle, monkeypatch):
    def dies(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(package, "prove", dies)
        with pytest.raises(KeyboardInterrupt):
            store.log(bundle)
    (half,) = store.models()
    monkeypatch.setattr(package, "prove", lambda *_: None)

    registered = store.log(bundle)

    assert half.status == "FAILED"
    assert registered.model_id != half.model_id


def test_a_packed_model_that_predicts_something_else_is_refused(packed, bundle):
    predictor = load_bundle(bundle)
    expected = predictor.predict(predictor.example)

    with pytest.raises(UserError, match="does not predict what the trained model does"):
        prove(packed, expected.assign(probability=0.123))


def test_a_packed_model_that_cannot_be_loaded_is_refused(packed, tmp_path, bundle):
    broken = tmp_path / "model"
    shutil.copytree(packed, broken)
    (broken / "artifacts/bundle/weights.safetensors").write_bytes(b"no")

    with pytest.raises(UserError, match=r"cannot be loaded in a process of its own: .*damaged"):
        prove(broken, pd.DataFrame(as_json(pd.DataFrame())))
