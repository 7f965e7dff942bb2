import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# for their ways to run Snakemake and sweeps
sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("e2e", "sweeps")]

from end_of_training import end_of
from reliability_trainings import DATA, Training
from training_process import TrainingServer, Trial


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[TrainingServer]:
    with TrainingServer(tmp_path_factory.mktemp("disk").resolve()) as found:
        yield found


@pytest.fixture(scope="session")
def manifest_of(tmp_path_factory) -> Callable[[str], Path]:
    """The manifest of one of the small datasets, written once."""
    written: dict[str, Path] = {}

    def of(data: str) -> Path:
        if data not in written:
            written[data] = DATA[data](tmp_path_factory.mktemp("data") / "small")
        return written[data]

    return of


@pytest.fixture
def new_trial(server, manifest_of, tmp_path) -> Callable[..., Trial]:
    """A training of which nothing has run."""
    numbers = iter(range(10**6))

    def new(training: Training, **options: object) -> Trial:
        return Trial(server, training, tmp_path / f"trial-{next(numbers)}", manifest_of(training.data), **options)

    return new


@pytest.fixture(scope="session")
def straight(server, manifest_of, tmp_path_factory) -> Callable[..., tuple[dict[str, str], float, int]]:
    """The end of a training that nothing disturbed, its seconds, and the batches of it; made once."""
    made: dict[tuple, tuple[dict[str, str], float, int]] = {}

    def of(training: Training, save_every: int = 2) -> tuple[dict[str, str], float, int]:
        key = (training, save_every)
        if key not in made:
            folder = tmp_path_factory.mktemp("straight") / "trial"
            trial = Trial(server, training, folder, manifest_of(training.data), save_every)
            attempt = trial.finish()
            made[key] = end_of(trial), attempt.seconds, attempt.batches
            shutil.rmtree(folder)
        return made[key]

    return of
