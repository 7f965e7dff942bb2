"""No file that Snaketorch loads can run a program: models, checkpoints, sweeps, data, bundles."""

import ast
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from snaketorch.data.manifest import Manifest
from snaketorch.data.sources.array_files import ArrayFile
from snaketorch.state.checkpoints import Identity
from snaketorch.training.checkpointing.io import DurableCheckpointIO
from snaketorch.training.checkpointing.store import CheckpointStore
from snaketorch.training.model_file import load_model
from snaketorch.training.weight_files import read_weights
from snaketorch.tuning.donors import DONATED, take_over
from tests.unit.prepared_by_hand import write_images

PACKAGE = Path(__file__).parents[2] / "snaketorch"


class Evil:
    def __reduce__(self):
        return (Path("canary").touch, ())


def torch_file(path):
    torch.save({"state_dict": Evil(), "snaketorch": Evil()}, path)


def old_torch_file(path):
    torch.save(Evil(), path, _use_new_zipfile_serialization=False)


def bare_pickle(path):
    path.write_bytes(pickle.dumps(Evil()))


def numpy_file(path):
    with path.open("wb") as file:
        np.save(file, np.array([Evil()], object), allow_pickle=True)


def numpy_archive(path):
    member = io.BytesIO()
    np.save(member, np.array([Evil()], object), allow_pickle=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", member.getvalue())


def model(path):
    load_model(path)


def checkpoint(path):
    DurableCheckpointIO().load_checkpoint(path, weights_only=False)


def checkpoint_that_is_found(path):
    path.rename(path.with_name("step-000000010.ckpt"))
    CheckpointStore(path.parent, Identity("a", "b", "c"), "start-over").newest()


def another_trials_checkpoint(path):
    path.rename(path.with_name(DONATED))
    take_over(path.parent, Identity("a", "b", "c"), 0.1)


def weights_to_start_from(path):
    read_weights(path)


def arrays_of_a_dataset(path):
    for suffix in (".npy", ".npz", ".pt"):
        named = path.with_suffix(suffix)
        named.write_bytes(path.read_bytes())
        try:
            list(ArrayFile(named).values())
        except Exception as error:
            refused = error
    raise refused


def a_prepared_dataset(path):
    manifest = write_images(path.parent / "images")
    array = next(manifest.parent.rglob("train_image.npy"))
    array.write_bytes(path.read_bytes())
    Manifest.load(manifest).arrays("train")


LOADERS = [
    model,
    checkpoint,
    checkpoint_that_is_found,
    another_trials_checkpoint,
    weights_to_start_from,
    arrays_of_a_dataset,
    a_prepared_dataset,
]


@pytest.mark.parametrize("evil", [torch_file, old_torch_file, bare_pickle, numpy_file, numpy_archive])
@pytest.mark.parametrize("load", LOADERS)
def test_a_pickle_is_refused_and_not_run(load, evil, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evil(tmp_path / "file")
    with pytest.raises(Exception) as refused:  # each in its own words
        load(tmp_path / "file")
    assert not isinstance(refused.value, (AttributeError, NameError, ImportError, AssertionError))
    assert not Path("canary").exists()


def test_a_bundles_weights_are_no_pickle(tmp_path, monkeypatch):
    from snaketorch.inference.bundle import load_bundle

    monkeypatch.chdir(tmp_path)
    for evil in (torch_file, bare_pickle):
        folder = tmp_path / evil.__name__
        folder.mkdir()
        evil(folder / "weights.safetensors")
        (folder / "bundle.json").write_text(json.dumps({"format": 1}))
        with pytest.raises(Exception, match="bundle"):
            load_bundle(folder)
        assert not Path("canary").exists()


def test_the_evil_files_would_run_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for evil in (torch_file, old_torch_file):
        evil(tmp_path / "file")
        torch.load(tmp_path / "file", weights_only=False)
        assert Path("canary").exists()
        Path("canary").unlink()
    for evil, name in ((numpy_file, "file.npy"), (numpy_archive, "file.npz")):
        evil(tmp_path / name)
        loaded = np.load(tmp_path / name, allow_pickle=True)
        loaded if evil is numpy_file else loaded["x"]
        assert Path("canary").exists()
        Path("canary").unlink()


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}, node.lineno


def test_no_module_has_a_way_to_load_a_pickle():
    """Also of what is added after this test: each way would have to be written down here."""
    forbidden = {
        *("pickle.load", "pickle.loads", "pickle.Unpickler", "cloudpickle.load", "cloudpickle.loads", "joblib.load"),
        *("pd.read_pickle", "pandas.read_pickle", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "eval", "exec"),
        *("marshal.loads", "shelve.open", "torch.jit.load", "mlflow.pytorch.load_model", "Tuner.restore"),
    }
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for name, words, line in calls(ast.parse(path.read_text("utf-8"))):
            unsafe_torch = name == "torch.load" and words.get("weights_only") != "True"
            unsafe_numpy = name in ("np.load", "numpy.load") and words.get("allow_pickle") != "False"
            if name in forbidden or unsafe_torch or unsafe_numpy:
                found.append(f"{path.relative_to(PACKAGE)}:{line}: {name}")
    assert found == []
