import pytest

from snaketorch.journal import ROOT, Journal, Run
from snaketorch.tracking.store import connect


@pytest.fixture
def client(uri):
    return connect(uri)


@pytest.fixture
def new_journal(study):
    """Makes a journal; keyword arguments go to its run."""

    def make(key="digits_cnn/seed-0/0123456789abcdef", **more):
        return Journal(ROOT / key, Run(key=key, name="digits_cnn-seed-0", **more))

    return make
