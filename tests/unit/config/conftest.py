import shutil
from pathlib import Path

import pytest


@pytest.fixture
def study(repo: Path, tmp_path: Path) -> Path:
    """A folder with the tiny study of the bad configurations, before anything is bad."""
    shutil.copytree(repo / "tests/bad_config/study/config", tmp_path / "config")
    return tmp_path


@pytest.fixture
def experiments(study: Path) -> Path:
    return study / "config/experiments"
