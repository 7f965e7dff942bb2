"""What the record of a training says of its machine."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from snaketorch.hardware.meters.reading import Reading
from snaketorch.hardware.meters.sampler import Load
from snaketorch.journal import Journal, Run, read_metrics
from snaketorch.training.checkpointing.resume_points import ResumePoints
from snaketorch.training.train import _tell_usage
from snaketorch.training.usage import watch
from snaketorch.training.usage.record import system_metrics, usage_of
from tests.unit.example_study import example_spec
from tests.unit.trainings import Killed, save_everywhere, train

SPEC = {"model": {"channels": [4], "hidden": 8}, "trainer": {"max_epochs": 3, "precision": "32-true"}}
NOTHING = Load()


def process(load: Load = NOTHING, **changes) -> dict:
    """What one process measured."""
    return {
        "peak_memory_mb": 500.0,
        "host_memory_mb": 900.0,
        "reserved_memory_mb": 600.0,
        "device_memory_mb": 8000.0,
        "seconds": 3600.0,
        "load": asdict(load),
        "host": "n1",
        "wait_share": 0.1,
        "median": 0.02,
        "p90": 0.03,
        **changes,
    }


def test_several_gpus_are_put_together():
    one, two = Load(30.0, 40.0, 4000.0, 40.0), Load(10.0, 40.0, 8000.0, 40.0)
    usage = usage_of([process(one), process(two, host="n2", peak_memory_mb=700.0, wait_share=0.4, median=9.0)])
    assert usage == {
        "peak_memory_mb": 700.0,
        "reserved_memory_mb": 600.0,
        "device_memory_mb": 8000.0,
        "host_memory_mb": 900.0,
        "utilisation": 0.5,
        "power_w": 300.0,
        "energy_wh": 300.0,
        "data_wait_share": 0.4,
        "step_seconds": {"median": 0.02, "p90": 0.03},
    }
    assert usage_of([process(), process(host_memory_mb=100.0)])["host_memory_mb"] == 1000.0


def test_what_one_gpu_does_not_tell_is_not_told_of_all():
    usage = usage_of([process(Load(30.0, 40.0, 4000.0, 40.0)), process(Load(30.0, 40.0))])
    assert usage["utilisation"] == 0.75
    assert usage["power_w"] is None and usage["energy_wh"] is None


@pytest.fixture(scope="module")
def record(digits, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("training"))
        record = train(example_spec("digits_cnn", 0, **SPEC), digits)
        yield record, read_metrics(Path(record["journal"]))


def test_a_training_on_a_cpu_tells_its_memory_and_steps_and_knows_nothing_of_power(record):
    usage = dict(record[0]["usage"])
    unknown = ("reserved_memory_mb", "device_memory_mb", "utilisation", "power_w", "energy_wh")
    assert {name: usage.pop(name) for name in unknown} == dict.fromkeys(unknown)
    assert usage["peak_memory_mb"] == usage["host_memory_mb"] > 100
    assert 0 <= usage["data_wait_share"] < 1
    steps = usage["step_seconds"]
    assert 0 < steps["median"] <= steps["p90"]
    assert steps["median"] * record[0]["steps"] / 2 < record[0]["wall_seconds"], "half of them took as long, or longer"


def test_the_run_has_them_as_system_metrics(record):
    last = {line["name"]: line for line in record[1] if line["name"].startswith("system/")}
    assert {name: line["value"] for name, line in last.items()} == system_metrics(record[0]["usage"])
    assert {line["step"] for line in last.values()} == {record[0]["steps"]}
    assert "system/gpu_power_usage_watts" not in last


def test_usage_goes_on_where_a_killed_training_was(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_everywhere(monkeypatch)
    spec = example_spec("digits_cnn", 0, **SPEC)
    saved, measured = [], []

    def kill(self, trainer) -> None:
        original(self, trainer)
        saved.append(trainer.global_step)
        if len(saved) == 30:
            raise Killed

    original = ResumePoints._save
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(ResumePoints, "_save", kill)
        train(spec, digits)
    monkeypatch.setattr(watch.UsageWatch, "load_state_dict", seen(watch.UsageWatch.load_state_dict, measured))
    record = train(spec, digits)

    (state,) = measured
    assert sum(state["steps"]["durations"].values()) == saved[-1] - 1
    assert state["seconds"] > 0
    assert record["usage"]["step_seconds"]["median"] > 0


def seen(load, states: list):
    def load_state_dict(self, state_dict) -> None:
        states.append(json.loads(json.dumps(state_dict)))
        load(self, state_dict)

    return load_state_dict


def test_a_gpu_is_read_while_it_trains(monkeypatch):
    gpu = torch.device("cuda", 0)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 300 * 2**20)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda device: 400 * 2**20)
    monkeypatch.setattr(watch.UsageWatch, "_device_memory_mb", lambda self: 8192.0)
    monkeypatch.setattr(watch, "meter_of", lambda device: lambda: Reading(0.5, 100.0))
    one = watch.UsageWatch(gpu)
    one.on_train_start(None, None)
    one.sampler._load = Load(5.0, 10.0, 1000.0, 10.0)
    one.on_exception(None, None, KeyboardInterrupt())
    assert one.sampler._ended.is_set()

    other = watch.UsageWatch(gpu)
    other.load_state_dict(one.state_dict() | {"seconds": 36.0})
    other.on_train_start(None, None)
    other.on_train_end(None, None)
    measured = other.measured()
    usage = usage_of([measured])
    assert usage["utilisation"] == 0.5 and usage["power_w"] == 100.0
    assert measured["seconds"] > 36.0, "the time of both"
    assert usage["energy_wh"] == pytest.approx(measured["seconds"] * 100.0 / 3600, abs=1e-3)
    assert usage["peak_memory_mb"] == 300.0 and usage["reserved_memory_mb"] == 400.0


def test_a_run_hears_of_its_usage_once_though_an_attempt_was_killed_after_it_told(tmp_path):
    journal = Journal(tmp_path, Run(key="a/seed-0/1", name="a"))
    for median in (0.02, 0.03):
        _tell_usage(journal, {"usage": usage_of([process(median=median)]), "steps": 40})
    told = [line for line in read_metrics(tmp_path) if line["name"] == "system/step_seconds_median"]
    assert [(line["value"], line["step"]) for line in told] == [(0.02, 40)]
