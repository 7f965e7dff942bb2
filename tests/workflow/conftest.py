import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "bad_config"))  # for its corpus

from small_study import SmallStudy, Snakemake, copy_repository


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """A copy of the workflow and the package, not to be changed by a test."""
    return copy_repository(tmp_path_factory.mktemp("repository") / "snaketorch")


@pytest.fixture(scope="session")
def snakemake(tmp_path_factory, repository):
    found = Snakemake(tmp_path_factory.mktemp("snakemake"), repository)
    yield found
    found.close()


@pytest.fixture
def new_study(tmp_path, snakemake, repository):
    """A small study of which nothing has run."""
    return SmallStudy.create(tmp_path / "study", snakemake, repository)


@pytest.fixture(scope="session")
def _finished(tmp_path_factory, snakemake, repository):
    study = SmallStudy.create(tmp_path_factory.mktemp("finished") / "study", snakemake, repository)
    outcome = study.run_with_stub()
    assert outcome.code == 0, outcome.stderr
    return study


@pytest.fixture
def finished_study(tmp_path, _finished):
    """A small study of which everything has run, with stand-ins for the results."""
    return _finished.copy(tmp_path / "study")
