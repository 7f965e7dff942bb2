import pytest
import torch

from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.tasks import build_task
from snaketorch.training.model_file import load_model, save_model
from tests.unit.example_study import example_spec


@pytest.fixture
def saved(digits, tmp_path):
    spec, facts = example_spec("digits_cnn"), Manifest.load(digits).facts()
    task = build_task(spec.task, spec.model, facts).eval()
    save_model(tmp_path / "model.ckpt", spec.task, spec.model, facts, task.network.state_dict())
    return task, tmp_path / "model.ckpt"


def test_a_model_comes_back_as_it_was_without_its_dataset(saved):
    task, path = saved
    image = torch.randint(0, 256, (3, 1, 16, 16), dtype=torch.uint8)
    loaded = load_model(path)
    assert torch.equal(loaded(image), task(image))
    assert loaded.facts["classes"] == [str(digit) for digit in range(10)]
    assert not loaded.training


def test_equal_models_are_equal_files(saved, tmp_path):
    task, path = saved
    save_model(
        tmp_path / "again.ckpt", task.options, example_spec("digits_cnn").model, task.facts, task.network.state_dict()
    )
    assert (tmp_path / "again.ckpt").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "other", "pickle"])
def test_what_is_not_a_model_is_named(saved, damage):
    _, path = saved
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "text":
        path.write_text("epoch,loss")
    elif damage == "other":
        torch.save({"state_dict": {}}, path)
    else:
        torch.save({"description": "{}", "weights": print}, path)
    with pytest.raises(UserError, match=r"model\.ckpt is not a model"):
        load_model(path)
