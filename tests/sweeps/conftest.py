import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sweep_process import SweepProcess, sweep_spec

from tests.unit.prepared_by_hand import write_images


@pytest.fixture(scope="session")
def manifest(tmp_path_factory) -> Path:
    return write_images(tmp_path_factory.mktemp("data") / "small")


@pytest.fixture(scope="module")
def new_sweep(tmp_path_factory, manifest) -> Callable[[], SweepProcess]:
    """Makes folders for sweeps, and ends what is left running in them."""
    made: list[SweepProcess] = []

    def make() -> SweepProcess:
        made.append(SweepProcess(tmp_path_factory.mktemp("sweep"), manifest))
        return made[-1]

    yield make
    for sweep in made:
        for line in sweep.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line.split()[0]), signal.SIGKILL)


@pytest.fixture(scope="session")
def straight(tmp_path_factory, manifest) -> SweepProcess:
    """A sweep that nothing disturbs."""
    return SweepProcess(tmp_path_factory.mktemp("straight"), manifest).run(sweep_spec())
