import pyarrow as pa
import pytest
import torch

from snaketorch.data.decoding.pool import num_threads
from snaketorch.data.threads import VARIABLES, use_threads


@pytest.fixture
def as_before(monkeypatch):
    """Restores the environment and the libraries after a test."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "1")
    before = torch.get_num_threads(), pa.cpu_count()
    yield
    torch.set_num_threads(before[0])
    pa.set_cpu_count(before[1])


@pytest.mark.parametrize("count", [1, 3])
def test_decoding_and_libraries_use_the_threads_of_the_job(as_before, count):
    use_threads(count)
    assert num_threads() == torch.get_num_threads() == pa.cpu_count() == count
