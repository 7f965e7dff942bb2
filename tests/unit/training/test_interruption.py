"""A training that is told to end, or whose time is over: it saves, and ends with the same bits when it goes on."""

import json
import logging
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from snaketorch.errors import Interrupted, OutOfTime
from snaketorch.signals import Noted
from snaketorch.tasks.peers import ALONE
from snaketorch.training import interruption
from snaketorch.training import train as step
from snaketorch.training.callbacks import History
from snaketorch.training.deadline import Deadline
from snaketorch.training.interruption import Interruption
from snaketorch.training.meetings import Meetings
from tests.unit.example_study import example_spec
from tests.unit.prepared_by_hand import write_images
from tests.unit.trainings import rows, train

CHANGES = {
    "model": {"channels": [4, 8], "hidden": 16},
    "trainer": {"max_epochs": 3, "precision": "32-true"},
    "data_loader": {"batch_size": 8},
}
BATCHES = 8
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    return write_images(tmp_path_factory.mktemp("images") / "digits")


@pytest.fixture(scope="module")
def straight(images, tmp_path_factory) -> Path:
    """The folder of trainings that nothing disturbed, by their number of accumulated batches."""
    folder = tmp_path_factory.mktemp("straight")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for accumulated in (1, 3):
            train(spec(accumulated), images, str(accumulated))
    return folder


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _handlers_are_as_before():
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    assert [signal.getsignal(number) for number in SIGNALS] == before


def spec(accumulated: int = 1):
    return example_spec(
        "digits_cnn", 0, **{**CHANGES, "trainer": {**CHANGES["trainer"], "accumulate_grad_batches": accumulated}}
    )


def once(patch, hook: str, happens, when) -> None:
    """Lets something happen before a hook of the training, the first time that ``when(trainer)`` says so."""
    real, done = getattr(History, hook, None), []

    def hooked(self, trainer, *arguments, **named):
        if not done and when(trainer, *arguments):
            done.append(True)
            happens()
        if real:
            real(self, trainer, *arguments, **named)

    patch.setattr(History, hook, hooked, raising=False)


def batch(number: int):
    """The ``number``-th batch of the training, from 1; for ``on_train_batch_end``."""
    return lambda trainer, *_: trainer.fit_loop.epoch_loop.batch_progress.total.processed == number


def send(number: int):
    return lambda: os.kill(os.getpid(), number)


def assert_as_straight(name: str, straight: Path, accumulated: int = 1) -> None:
    assert Path(name, "model.ckpt").read_bytes() == (straight / str(accumulated) / "model.ckpt").read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        mine = rows(name)
        patch.chdir(straight)
        assert mine == rows(str(accumulated))


def checkpoints(name: str) -> list[str]:
    return sorted(path.name for path in Path("state/train", name).rglob("step-*.ckpt"))


@pytest.mark.parametrize(
    ("number", "at", "accumulated", "saved"),
    [
        (signal.SIGINT, 11, 1, 11),
        (signal.SIGTERM, 8, 1, 8),  # the last batch of an epoch: saved at the end of it
        (signal.SIGHUP, 10, 3, 11),  # in the middle of an optimizer step: saved at its end
    ],
)
def test_a_training_told_to_end_saves_at_the_next_place_and_goes_on_from_there(
    number, at, accumulated, saved, images, straight, monkeypatch
):
    with monkeypatch.context() as patch:
        once(patch, "on_train_batch_end", send(number), batch(at))
        with pytest.raises(Interrupted, match=f"told to end by {signal.Signals(number).name}; saved after "):
            train(spec(accumulated), images, "out")
    assert checkpoints("out")[-1] == f"step-{saved:09d}.ckpt"
    assert not Path("out").exists()
    assert json.loads(next(Path("state/tracking").rglob("run.json")).read_text())["status"] == "KILLED"

    record = train(spec(accumulated), images, "out")

    assert record["attempts"] == 2
    assert_as_straight("out", straight, accumulated)


def test_under_slurm_a_signal_reaches_the_training_alone_and_no_job_is_requeued(images, straight, monkeypatch):
    for name, value in {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "1", "SLURM_JOB_NAME": "x", "SLURM_PROCID": "0"}.items():
        monkeypatch.setenv(name, value)
    handlers = []
    with monkeypatch.context() as patch:
        once(
            patch,
            "on_train_batch_end",
            lambda: handlers.extend(signal.getsignal(number) for number in SIGNALS),
            batch(3),
        )
        train(spec(), images, "out")
    assert [type(handler.__self__) for handler in handlers] == [Noted] * len(SIGNALS)
    assert_as_straight("out", straight)


def test_sigusr1_saves_and_goes_on(images, straight, monkeypatch, caplog):
    with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
        once(patch, "on_train_batch_end", send(signal.SIGUSR1), batch(11))
        train(spec(), images, "out")
    assert "Saved after batch 3 of 8 in epoch 2 of 3, as a signal asked" in caplog.messages
    assert_as_straight("out", straight)


@pytest.mark.parametrize(("patience", "saved"), [(60.0, 2 * BATCHES), (0.0, BATCHES)])
def test_in_a_validation_its_end_is_waited_for_only_as_long_as_there_is_time(
    patience, saved, images, straight, monkeypatch
):
    monkeypatch.setattr(interruption, "PATIENCE_SECONDS", patience)
    with monkeypatch.context() as patch:
        once(patch, "on_validation_start", send(signal.SIGTERM), lambda trainer, *_: trainer.current_epoch == 1)
        with pytest.raises(Interrupted, match="saved after epoch 2 of 3" if patience else "in the validation of"):
            train(spec(), images, "out")
    assert checkpoints("out")[-1] == f"step-{saved:09d}.ckpt"
    train(spec(), images, "out")
    assert_as_straight("out", straight)


def test_a_training_told_to_end_while_it_publishes_is_published_by_the_next_attempt(images, straight, monkeypatch):
    with monkeypatch.context() as patch:
        real, told = step.save_model, []

        def told_to_end(*arguments):
            if not told:
                told.append(send(signal.SIGTERM)())
            return real(*arguments)

        patch.setattr(step, "save_model", told_to_end)
        with pytest.raises(Interrupted, match="the training is done and saved"):
            train(spec(), images, "out")
    assert checkpoints("out")[-1] == f"step-{3 * BATCHES:09d}.ckpt"
    with monkeypatch.context() as patch:
        once(patch, "on_train_batch_end", lambda: pytest.fail("it trained again"), lambda *_: True)
        train(spec(), images, "out")
    assert_as_straight("out", straight)
    assert not list(Path("out").glob(".*"))


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def test_a_training_whose_time_is_over_saves_and_ends_before_it_is(images, straight, monkeypatch, caplog):
    clock = Clock()
    monkeypatch.setattr(step, "deadline_of_job", lambda minutes: Deadline(0, 600, enforced=True, clock=clock))
    with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
        once(patch, "on_train_start", lambda: clock.advance(60), lambda *_: True)
        once(patch, "on_train_batch_end", lambda: clock.advance(511), batch(11))
        with pytest.raises(OutOfTime) as ended:
            train(spec(), images, "out")
    assert "9 min of 10 min are left; 30 s before the end the training saves itself" in caplog.text
    assert "the time of this job is over (10 min" in str(ended.value)
    assert "saved after batch 3 of 8 in epoch 2 of 3, in state/train/out/seed-0/" in str(ended.value)
    assert checkpoints("out")[-1] == "step-000000011.ckpt"
    clock.now = 0.0
    train(spec(), images, "out")
    assert_as_straight("out", straight)


def test_where_nobody_enforces_the_time_a_training_only_says_that_it_is_over(images, straight, monkeypatch, caplog):
    monkeypatch.setattr(step, "deadline_of_job", lambda minutes: Deadline(0, 600, enforced=False, clock=lambda: 601))
    train(spec(), images, "out")
    assert sum("The training takes longer than the 10 min of its `resources`" in line for line in caplog.messages) == 1
    assert_as_straight("out", straight)


class Points:
    """Stands for ``ResumePoints``."""

    def __init__(self, cost: float = 1.0):
        self.cost, self.finished, self.saved, self.store = cost, False, 0, SimpleNamespace(folder=Path("state"))
        self.meetings = Meetings(ALONE)

    def save_now(self, trainer) -> bool:
        self.saved += 1
        return True


def trainer_at(epoch: int = 0, every: int = 1) -> SimpleNamespace:
    return SimpleNamespace(
        accumulate_grad_batches=1,
        num_training_batches=10,
        num_val_batches=[10],
        current_epoch=epoch,
        max_epochs=5,
        check_val_every_n_epoch=every,
    )


@pytest.mark.parametrize(
    ("left", "every", "ends"),
    [
        (139, 1, True),  # a batch, the validation, and the margin do not fit
        (145, 1, False),
        (139, 2, False),  # no validation in this epoch
    ],
)
def test_a_validation_that_no_longer_fits_is_not_begun(left, every, ends):
    clock, points = Clock(), Points()
    callback = Interruption(points, Noted(), Deadline(0, 3600, enforced=True, clock=clock), clock)
    callback.on_validation_start(None, None)
    clock.advance(100)
    callback.on_validation_end(None, None)
    callback.is_warm = True
    clock.now = 3600 - left - 5
    callback.on_train_epoch_start(None, None)
    clock.advance(5)
    if ends:
        with pytest.raises(OutOfTime, match="saved after batch 9 of 10 in epoch 1 of 5"):
            callback.on_train_batch_end(trainer_at(0, every), None, None, None, 8)
    else:
        callback.on_train_batch_end(trainer_at(0, every), None, None, None, 8)
    assert points.saved == ends


def test_a_validation_that_turns_out_too_long_is_given_up_before_the_end():
    clock, points = Clock(), Points()
    callback = Interruption(points, Noted(), Deadline(0, 3600, enforced=True, clock=clock), clock)
    clock.now = 3500
    callback.on_validation_start(None, None)
    clock.advance(8)
    callback.on_validation_batch_end(trainer_at(), None, None, None, 0)  # 72 s more of 92
    clock.advance(14)
    with pytest.raises(OutOfTime, match="in the validation of epoch 1 of 5; the next attempt goes on from the last"):
        callback.on_validation_batch_end(trainer_at(), None, None, None, 1)  # 88 s more of 78
    assert not points.saved


def test_a_long_optimizer_step_is_not_begun_when_it_would_end_too_late():
    clock, points = Clock(), Points()
    callback = Interruption(points, Noted(), Deadline(0, 3600, enforced=True, clock=clock), clock)
    callback.is_warm = True
    clock.now = 3200
    callback.on_train_epoch_start(None, None)
    clock.advance(200)
    with pytest.raises(OutOfTime, match="saved after batch 1 of 10"):
        callback.on_train_batch_end(trainer_at(), None, None, None, 0)
    assert points.saved == 1


def test_a_first_batch_that_compiles_says_nothing_of_the_next():
    clock, points = Clock(), Points()
    callback = Interruption(points, Noted(), Deadline(0, 900, enforced=True, clock=clock), clock)
    clock.advance(480)
    callback.on_train_batch_end(trainer_at(), None, None, None, 0)
    clock.advance(1)
    callback.on_train_batch_end(trainer_at(), None, None, None, 1)
    assert callback.batch_seconds == 1
    assert not points.saved


def test_a_training_that_is_done_is_published_however_late_it_is():
    points = Points()
    points.finished = True
    callback = Interruption(points, Noted(), Deadline(0, 3600, enforced=True, clock=lambda: 3599))
    callback.on_train_epoch_end(trainer_at(4), None)
    assert not points.saved
