from pathlib import Path

import pytest

from snaketorch.config.models import Cnn
from snaketorch.training.model_file import save_model
from tests.unit.prepared_by_hand import write_images
from tests.unit.training.pretrained.small_weights import SMALL, TASK, facts, task_of


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def images(tmp_path) -> Path:
    """The manifest of dark and bright images."""
    return write_images(tmp_path / "images")


@pytest.fixture
def trained(images) -> Path:
    """A model as a training publishes it."""
    task = task_of(SMALL, facts(images), seed=0)
    for buffer in task.network.buffers():
        buffer.add_(1)
    save_model(Path("trained.ckpt"), TASK, Cnn(**SMALL), task.facts, task.network.state_dict())
    return Path("trained.ckpt")
