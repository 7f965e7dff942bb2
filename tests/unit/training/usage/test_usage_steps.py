"""What steps take: by the host's clock, or by marks that a GPU passes later."""

from types import SimpleNamespace

import pytest

from snaketorch.training.usage import marks as module
from snaketorch.training.usage.durations import Durations
from snaketorch.training.usage.marks import Batch, GpuMarks, HostMarks
from snaketorch.training.usage.steps import FetchProfiler, Steps, ends_step


class Time:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def one_batch(steps: Steps, clock: Time, waits: float, computes: float, ends: bool = True) -> None:
    profiler = FetchProfiler(steps.marks)
    profiler.start("[_TrainingEpochLoop].train_dataloader_next")
    clock.now += waits
    profiler.stop("[_TrainingEpochLoop].train_dataloader_next")
    clock.now += computes
    steps.batch_is_done(ends)
    clock.now += 100.0  # a validation, a checkpoint


def test_quantiles_are_right_to_a_hundredth():
    durations = Durations()
    assert durations.quantile(0.5) is None
    for milliseconds in range(1, 1001):
        durations.add(milliseconds / 1000)
    assert durations.quantile(0.5) == pytest.approx(0.5, rel=0.011)
    assert durations.quantile(0.9) == pytest.approx(0.9, rel=0.011)
    assert Durations(dict(durations.counts)).quantile(0.9) == durations.quantile(0.9)
    durations.add(0.0)


def test_steps_are_timed_without_what_lies_between_them_and_without_the_first():
    clock = Time()
    steps = Steps(HostMarks(clock))
    one_batch(steps, clock, waits=50.0, computes=9.0)
    assert steps.wait_share is None
    for _ in range(4):
        one_batch(steps, clock, waits=0.01, computes=0.03)
    assert steps.wait_share == pytest.approx(0.25)
    assert steps.durations.quantile(0.5) == pytest.approx(0.04, rel=0.011)
    assert steps.durations.counts.total() == 4


def test_a_step_of_several_batches_is_one():
    clock = Time()
    steps = Steps(HostMarks(clock))
    for number in range(6):
        one_batch(steps, clock, waits=0.0, computes=1.0, ends=number % 3 == 2)
    assert steps.durations.counts.total() == 1
    assert steps.stepped == pytest.approx(3.0)


def test_the_weights_change_at_the_end_of_an_epoch_too():
    trainer = SimpleNamespace(accumulate_grad_batches=4, num_training_batches=6)
    assert [ends_step(trainer, number) for number in range(6)] == [False, False, False, True, False, True]


def test_other_things_that_lightning_profiles_are_no_waiting():
    clock = Time()
    marks = HostMarks(clock)
    profiler = FetchProfiler(marks)
    profiler.start("[_TrainingEpochLoop].train_dataloader_next")
    profiler.stop("[_TrainingEpochLoop].train_dataloader_next")
    clock.now = 1.0
    profiler.start("[_EvaluationLoop].val_next")
    profiler.stop("[_EvaluationLoop].val_next")
    marks.done(True)
    assert list(marks.measured()) == [Batch(0.0, 1.0, True)]
    assert list(marks.measured()) == []


def test_what_was_measured_goes_on_in_another_process():
    clock = Time()
    steps = Steps(HostMarks(clock))
    for _ in range(3):
        one_batch(steps, clock, waits=1.0, computes=1.0)
    other = Steps(HostMarks(clock))
    other.load_state_dict(steps.state_dict())
    for _ in range(3):
        one_batch(other, clock, waits=0.0, computes=2.0)
    assert other.wait_share == pytest.approx(0.25)
    assert other.durations.counts.total() == 4


class Gpu:
    """A queue of work of which a test says how far it is."""

    def __init__(self):
        self.queue, self.passed = [], 0.0

    def event(self) -> "Event":
        return Event(self)


class Event:
    """As torch's: its time is that at which all before it was done, or at which it was set if that is later."""

    def __init__(self, gpu: Gpu):
        self.gpu = gpu

    def record(self) -> None:
        self.time = max(self.gpu.host, self.gpu.busy_until)

    def query(self) -> bool:
        return self.time <= self.gpu.passed

    def elapsed_time(self, other: "Event") -> float:
        return 1000 * (other.time - self.time)


def test_a_gpu_that_is_behind_the_host_did_not_wait_for_data_which_came_in_time():
    gpu = Gpu()
    gpu.host = gpu.busy_until = 0.0
    steps = Steps(GpuMarks(gpu.event))
    for _ in range(5):  # the host takes 0.1 s for a batch and is far ahead, the GPU computes 1 s
        steps.marks.asked()
        gpu.host += 0.1
        steps.marks.arrived()
        gpu.busy_until = max(gpu.busy_until, gpu.host) + 1.0
        steps.batch_is_done(True)
    assert steps.stepped == 0.0, "nothing is waited for"
    gpu.passed = 2.5
    steps.add_measured()
    assert steps.durations.counts.total() == 1
    gpu.passed = 10.0
    steps.add_measured()
    assert steps.durations.quantile(0.5) == pytest.approx(1.0, rel=0.011)
    assert steps.wait_share == pytest.approx(0.0)


def test_a_gpu_that_is_faster_than_its_data_waits():
    gpu = Gpu()
    gpu.host = gpu.busy_until = 0.0
    gpu.passed = 1e9
    steps = Steps(GpuMarks(gpu.event))
    for _ in range(5):
        steps.marks.asked()
        gpu.host += 1.0
        steps.marks.arrived()
        gpu.busy_until = gpu.host + 0.25
        gpu.host += 0.25
        steps.batch_is_done(True)
    assert steps.wait_share == pytest.approx(0.8)


def test_marks_that_fail_are_given_up_and_no_training_hears_of_it(monkeypatch):
    def broken():
        raise RuntimeError("CUDA error: device-side assert triggered")

    steps = Steps(GpuMarks(broken))
    for _ in range(2):
        steps.marks.asked()
        steps.marks.arrived()
        steps.batch_is_done(True)
    assert steps.wait_share is None

    gpu = Gpu()
    gpu.host = gpu.busy_until = 0.0
    monkeypatch.setattr(module, "MOST_PENDING", 3)
    steps = Steps(GpuMarks(gpu.event))
    gpu.passed = -1.0
    for _ in range(9):
        steps.marks.asked()
        steps.marks.arrived()
        steps.batch_is_done(True)
    assert len(steps.marks._pending) == 3
    monkeypatch.setattr(Event, "query", lambda self: broken())
    steps.add_measured()
    assert not steps.marks._pending
