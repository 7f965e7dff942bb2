"""When a training saves its state."""

import logging
from types import SimpleNamespace

import pytest

from snaketorch.state.checkpoints import Identity
from snaketorch.training.checkpointing import resume_points
from snaketorch.training.checkpointing.resume_points import Every, ResumePoints
from snaketorch.training.checkpointing.store import CheckpointStore


class Clock:
    """Time that passes when it is told to."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Training:
    """What a callback sees of a trainer, with 8 batches an epoch, of which 3 make a step."""

    accumulate_grad_batches, max_epochs, should_stop = 3, 9, False

    def __init__(self, clock: Clock, cost: float):
        self.clock, self.cost, self.saved = clock, cost, []
        self.current_epoch = 0
        self.fit_loop = SimpleNamespace(
            epoch_loop=SimpleNamespace(batch_progress=None),
            epoch_progress=SimpleNamespace(current=None, total=SimpleNamespace(processed=0)),
        )

    def save_checkpoint(self, path, weights_only):
        self.clock.now += self.cost
        self.saved.append(int(path.stem.removeprefix("step-")))

    def at_batch_end(self, batch: int) -> None:
        self._progress(batch, completed=batch - 1, epochs=(self.current_epoch, self.current_epoch), is_last=batch == 8)

    def at_validation(self) -> None:
        self._progress(8, completed=8, epochs=(self.current_epoch, self.current_epoch), is_last=True)

    def at_epoch_end(self) -> None:
        self._progress(8, completed=8, epochs=(self.current_epoch + 1, self.current_epoch), is_last=True)

    def _progress(self, batch, completed, epochs, is_last) -> None:
        processed, completed_epochs = epochs
        self.fit_loop.epoch_loop.batch_progress = SimpleNamespace(
            current=SimpleNamespace(ready=batch, processed=batch, completed=completed),
            total=SimpleNamespace(processed=8 * self.current_epoch + batch),
            is_last_batch=is_last,
        )
        self.fit_loop.epoch_progress.current = SimpleNamespace(processed=processed, completed=completed_epochs)


@pytest.fixture
def training(tmp_path, monkeypatch):
    """Gives the callback and the training, a checkpoint of which takes ``cost`` seconds."""
    clock = Clock()
    monkeypatch.setattr(resume_points, "time", clock)
    monkeypatch.setattr(CheckpointStore, "add", lambda self, facts: None)

    def make(every: Every, cost: float = 0.0):
        store = CheckpointStore(tmp_path, Identity("spec", "code", "data"), "start over")
        return ResumePoints(store, every), Training(clock, cost)

    return make


def train(points: ResumePoints, trainer: Training, epochs: int, seconds_a_batch: float = 1.0) -> list[int]:
    """The batches after which there is a checkpoint."""
    for epoch in range(epochs):
        trainer.current_epoch = epoch
        for batch in range(1, 9):
            trainer.clock.now += seconds_a_batch
            trainer.at_batch_end(batch)
            points.on_train_batch_end(trainer)
        trainer.at_epoch_end()
        points.on_train_epoch_end(trainer, None)
    return trainer.saved


def test_checkpoints_are_made_at_the_ends_of_epochs(training):
    assert train(*training(Every(1, 1000)), epochs=3) == [8, 16, 24]


def test_only_so_many_epochs_end_with_a_checkpoint(training):
    assert train(*training(Every(2, 1000)), epochs=4) == [16, 32]


def test_the_end_of_the_training_is_always_saved(training):
    points, trainer = training(Every(100, 1000), cost=10.0)
    assert train(points, trainer, epochs=9) == [72]
    assert points.finished


def test_inside_an_epoch_only_places_where_a_step_is_done_are_saved(training):
    assert train(*training(Every(1, 0.0)), epochs=2) == [3, 6, 8, 11, 14, 16]


def test_time_decides_inside_an_epoch(training):
    assert train(*training(Every(100, 10.0)), epochs=3) == [11, 22]


def test_checkpoints_that_take_long_are_made_rarely_and_that_is_said_once(training, caplog):
    points, trainer = training(Every(1, 0.0), cost=2.0)
    with caplog.at_level(logging.INFO):
        saved = train(points, trainer, epochs=8)
    assert saved == [3, 43]  # 40 seconds of training for 2 of saving, at least
    assert caplog.messages == [
        "Checkpoints are made at most every 40 s, rarer than `checkpoint` asks for: "
        "one takes 2 s, and all of them no more than 5 % of the time"
    ]


def test_others_may_ask_for_a_checkpoint_where_a_training_can_go_on_from_it(training):
    points, trainer = training(Every(100, 1000))
    answers = {}
    for batch in (2, 3, 8):
        trainer.at_batch_end(batch)
        answers[batch] = points.save_now(trainer), points.save_now(trainer)
    trainer.at_validation()
    answers["validation"] = points.save_now(trainer), None
    trainer.at_epoch_end()
    answers["epoch"] = points.save_now(trainer), points.save_now(trainer)
    no, yes = (False, False), (True, True)
    assert answers == {2: no, 3: yes, 8: no, "validation": (False, None), "epoch": yes}
    assert trainer.saved == [3, 8], "once for each place"


def test_the_time_of_earlier_attempts_counts(training):
    points, trainer = training(Every())
    points.load_state_dict({"seconds": 100.0, "finished": False})
    trainer.clock.now += 5
    assert points.seconds == 105
    assert points.state_dict() == {"seconds": 105.0, "finished": False}
