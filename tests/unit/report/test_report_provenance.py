from types import SimpleNamespace

import pytest

from snaketorch.report.formats import NOTHING
from snaketorch.report.provenance_table import processes


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"processes": 4, "strategy": "ddp", "step_size": 256}, "4, ddp, 256 samples a step"),
        ({"processes": 1, "strategy": None, "step_size": 64}, NOTHING),
        ({}, NOTHING),
    ],
)
def test_processes_that_trained_together_are_told_of(record, told):
    assert processes(SimpleNamespace(record=record)) == told
