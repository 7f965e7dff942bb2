import pytest
from small_study import Snakemake, SmallStudy


@pytest.fixture(scope="session")
def snakemake(tmp_path_factory):
    server = Snakemake(tmp_path_factory.mktemp("snakemake"))
    yield server
    server.close()


@pytest.fixture
def new_study(tmp_path, snakemake):
    """A small study of which nothing has run."""
    return SmallStudy.create(tmp_path / "study", snakemake)


@pytest.fixture(scope="session")
def _finished(tmp_path_factory, snakemake):
    study = SmallStudy.create(tmp_path_factory.mktemp("finished") / "study", snakemake)
    outcome = study.run_with_stub()
    assert outcome.code == 0, outcome.stderr
    return study


@pytest.fixture
def finished_study(tmp_path, _finished):
    """A small study of which everything has run, with stand-ins for the results."""
    return _finished.copy(tmp_path / "study")
