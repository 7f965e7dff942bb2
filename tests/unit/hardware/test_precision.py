import pytest
import torch
from torch import nn

from snaketorch.hardware import precision

CPU = torch.device("cpu")


def choose(
    tmp_path,
    asked="auto",
    network=None,
    key=None,
    step=lambda trial, batch: trial(batch["x"]).mean(),
    memory_format="auto",
):
    network = network or nn.Linear(4, 4)
    return precision.choose(asked, memory_format, CPU, network, step, {"x": torch.randn(2, 4)}, tmp_path, key or {})


def fake_probe(monkeypatch, answers: list[dict[str, float]]) -> None:
    """Lets the probe find the seconds of one answer after another."""
    left = iter(answers)

    def probe(candidates, *_):
        seconds = next(left)
        return {candidate: seconds[candidate[0]] for candidate in candidates}

    monkeypatch.setattr(precision, "_probe", probe)


def test_what_is_asked_for_is_obeyed(tmp_path):
    assert choose(tmp_path, "64-true").precision == "64-true"
    assert choose(tmp_path, "64-true").why == "asked for"


def test_a_device_without_fast_formats_trains_in_32_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "native_precisions", lambda device: [])
    choice = choose(tmp_path)
    assert (choice.precision, choice.memory_format) == ("32-true", "contiguous")


@pytest.mark.parametrize(("speed", "chosen"), [(0.5, "bf16-mixed"), (0.95, "32-true"), (2.0, "32-true")])
def test_a_format_must_be_clearly_faster_to_be_taken(tmp_path, monkeypatch, speed, chosen):
    monkeypatch.setattr(precision, "native_precisions", lambda device: ["bf16-mixed"])
    fake_probe(monkeypatch, [{"32-true": 1.0, "bf16-mixed": speed}])
    assert choose(tmp_path).precision == chosen


def test_a_choice_is_remembered_for_the_next_seed_and_probed_anew_for_another_network(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "native_precisions", lambda device: ["bf16-mixed"])
    fake_probe(monkeypatch, [{"32-true": 1.0, "bf16-mixed": 0.1}, {"32-true": 1.0, "bf16-mixed": 5.0}])
    assert choose(tmp_path, key={"model": "a"}).precision == "bf16-mixed"
    assert choose(tmp_path, key={"model": "a"}).precision == "bf16-mixed"
    assert choose(tmp_path, key={"model": "b"}).precision == "32-true"


def test_a_probe_leaves_the_network_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "native_precisions", lambda device: ["bf16-mixed"])
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    choose(tmp_path, network=network)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())


@pytest.mark.parametrize(
    ("capability", "expected"), [((6, 1), []), ((7, 0), ["16-mixed"]), ((7, 5), ["16-mixed"]), ((8, 0), ["bf16-mixed"])]
)
def test_the_architecture_decides_on_a_gpu(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert precision.native_precisions(torch.device("cuda")) == expected


def test_a_layout_that_is_asked_for_is_obeyed(tmp_path):
    assert choose(tmp_path, "32-true", memory_format="channels_last").memory_format == "channels_last"
    filters = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.Flatten())
    probed = choose(
        tmp_path,
        network=filters,
        step=lambda trial, batch: trial(batch["x"][:, None, None]).mean(),
        memory_format="channels_last",
    )
    assert probed.memory_format == "channels_last"


def test_too_little_memory_for_the_probe_is_no_end(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "native_precisions", lambda device: ["bf16-mixed"])

    def too_large(trial, batch):
        raise torch.OutOfMemoryError

    choice = choose(tmp_path, step=too_large)
    assert choice.precision == "32-true"
    assert "too little memory" in choice.why
