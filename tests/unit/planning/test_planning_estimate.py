import json
import math

import pytest
import torch
from prepared_by_hand import COUNTS, write_images, write_series
from training_specs import spec_of

from snaketorch.data.manifest import Manifest
from snaketorch.planning import estimator
from snaketorch.planning.estimate import Estimate, estimate, trace_of
from snaketorch.planning.estimator import Traced
from snaketorch.planning.largest_batch import LargestBatch
from snaketorch.planning.rnn_reserve import Recurrence
from snaketorch.planning.workspaces import CUBLAS, HANDLES

MIB = 2**20
IMAGES = {"kind": "image_classification"}
FORECAST = {"kind": "forecasting", "window": 12, "horizon": 2}


@pytest.fixture
def facts(tmp_path):
    return Manifest.load(write_images(tmp_path / "small", (3, 32, 32))).facts()


def spec_in(**changes):
    return spec_of(
        IMAGES, {"kind": "resnet"}, trainer={"precision": "32-true", **changes.pop("trainer", {})}, **changes
    )


def test_an_estimate_goes_through_json_as_it_is(facts):
    found = estimate(spec_in(), facts)
    assert Estimate.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_the_parts_are_below_the_peak_and_the_peak_is_below_the_bound(facts):
    memory = estimate(spec_in(), facts).memory
    parts = memory.parameters + memory.gradients + memory.optimizer + memory.activations + memory.context + memory.data
    assert memory.gradients == memory.optimizer  # of SGD with momentum
    assert parts < memory.peak < memory.upper_bound
    assert memory.workspace >= HANDLES * CUBLAS


def test_a_cpu_has_no_context_and_no_workspace(facts):
    memory = estimate(spec_in(), facts, on_gpu=False).memory
    assert memory.context == memory.workspace == memory.data == 0
    assert memory.peak == memory.parameters + memory.gradients + memory.optimizer + memory.activations


@pytest.mark.parametrize(("batch_size", "accumulate", "drop_last"), [(16, 1, False), (16, 3, True), (59, 1, False)])
def test_steps_are_those_of_the_training(facts, batch_size, accumulate, drop_last):
    loader = {"batch_size": batch_size, "drop_last": drop_last}
    found = estimate(spec_in(data_loader=loader, trainer={"accumulate_grad_batches": accumulate}), facts)
    whole, rest = divmod(COUNTS["train"], batch_size)
    batches = whole + (rest > 1 and not drop_last)  # a rest of one joins the last batch
    assert found.samples_per_epoch == COUNTS["train"]
    assert found.steps_per_epoch == math.ceil(batches / accumulate)
    assert found.steps == 2 * found.steps_per_epoch


def test_windows_of_a_series_are_counted_as_samples(tmp_path):
    facts = Manifest.load(write_series(tmp_path / "small")).facts()
    found = estimate(spec_of(FORECAST, {"kind": "gru"}), facts, precision="32-true")
    assert found.samples_per_epoch == COUNTS["train"] - 12 - 2 + 1


def test_devices_that_share_weights_each_hold_less(facts):
    alone, shared = (
        estimate(spec_in(trainer={"devices": devices, "strategy": "fsdp", "accelerator": "gpu"}), facts)
        for devices in (1, 4)
    )
    assert shared.memory.parameters == -(-alone.memory.parameters // 4)
    assert shared.samples_per_epoch == COUNTS["train"] // 4


def test_samples_on_the_device_count(facts):
    loader = {"batch_size": 8, "placement": "device"}
    with_data, without = (
        estimate(spec_in(data_loader={**loader, "placement": place}), facts, data_bytes=1000 * MIB).memory
        for place in ("device", "host")
    )
    assert with_data.data == with_data.upper_bound - without.upper_bound == 1000 * MIB
    auto = estimate(spec_in(data_loader={"batch_size": 8}), facts, data_bytes=2000 * MIB).memory
    assert auto.data == 0  # more than half of what such a device has


def sizes_of(spec, facts, **options):
    return LargestBatch(spec, lambda size: estimate(spec, facts, batch_size=size, **options))


def test_the_largest_batch_fits_and_a_much_larger_one_does_not(facts):
    facts = {**facts, "training_samples": 100_000}
    free = 2000 * MIB
    sizes = sizes_of(spec_in(), facts, data_bytes=0)
    largest = sizes.fitting(free)
    assert sizes.needs[largest] <= free
    assert sizes.about(free) == pytest.approx(largest, rel=0.1)
    assert estimate(spec_in(), facts, batch_size=round(1.3 * largest), data_bytes=0).memory.upper_bound > free
    assert sizes.about(100 * MIB) is None


def test_no_batch_is_larger_than_the_data(facts):
    sizes = sizes_of(spec_in(), facts)
    assert sizes.about(2**40) <= sizes.fitting(2**40) == COUNTS["train"]


def test_the_largest_batch_is_never_below_one_that_fits(facts):
    facts = {**facts, "training_samples": 100_000}
    sizes = sizes_of(spec_in(data_loader={"batch_size": 30}), facts, data_bytes=0)
    assert sizes.about(sizes.needs[30]) >= 30
    assert sizes.fitting(sizes.needs[30]) >= 30


def test_samples_that_lie_on_the_device_leave_less_room_for_batches(facts):
    facts = {**facts, "training_samples": 100_000}
    with_data, without = (sizes_of(spec_in(), facts, data_bytes=size) for size in (900 * MIB, 0))
    assert with_data.about(2200 * MIB) == pytest.approx(without.about(1300 * MIB), abs=8), "900 are the samples'"
    assert with_data.about(1500 * MIB) == without.about(1500 * MIB), "there the host has them"


def test_what_has_the_same_trace_is_traced_once(facts, monkeypatch):
    traced = []
    monkeypatch.setattr(estimator, "trace_of", lambda *all_of: traced.append(all_of) or trace_of(*all_of))
    spec = spec_in(trainer={"accelerator": "gpu"})
    once = Traced(spec, facts)
    asked = [once.estimate(precision) for precision in ("16-mixed", "bf16-mixed", "16-mixed")]
    asked.append(once.estimate("bf16-mixed", on_gpu=True))
    shared = once.variant(strategy="fsdp", devices=4)
    of_each = shared.estimate("bf16-mixed")
    assert len(traced) == 1
    assert asked[0] == asked[2] == estimate(spec, facts, precision="16-mixed")
    assert asked[1] == asked[3] == estimate(spec, facts, precision="bf16-mixed")
    assert of_each == estimate(shared.spec, facts, precision="bf16-mixed")
    once.variant(gradient_checkpointing=True).estimate("bf16-mixed")
    assert len(traced) == 2


def test_no_other_size_is_traced_where_the_weights_alone_are_too_large(facts):
    sizes = sizes_of(spec_in(), facts)
    assert sizes.fitting(500 * MIB) is None
    assert len(sizes.needs) == 1


@pytest.mark.parametrize(("kind", "numbers"), [("lstm", 6), ("gru", 5), ("rnn_tanh", 2)])
def test_the_reserve_grows_with_steps_batch_units_layers_and_directions(kind, numbers):
    call = Recurrence(kind, 10, 4, 8, 16, layers=3, directions=2, dropout=False, itemsize=2)
    assert call.reserve == 10 * 4 * 16 * 3 * 2 * numbers * 2
    assert call._replace(dropout=True).reserve > call.reserve
    assert call._replace(steps=20).workspace > call.workspace


def looks_at_values(image: torch.Tensor) -> torch.Tensor:
    return image[image > image.mean().item()]


class Picky(torch.nn.Module):
    """A network of the user's own whose steps depend on values."""

    def __init__(self, options, shape, num_outputs):
        super().__init__()
        self.head = torch.nn.Linear(shape.channels * shape.height * shape.width, num_outputs)

    def forward(self, image):
        return self.head(image.flatten(1)) * (1 + len(looks_at_values(image)) * 0)


def test_a_network_that_looks_at_values_is_tried_on_small_batches(facts, monkeypatch):
    monkeypatch.setattr("snaketorch.models.lenet.Lenet", Picky)
    small, large = (estimate(spec_in(), facts, batch_size=size, data_bytes=0) for size in (8, 32))
    assert large.flops["fp32"] == 4 * small.flops["fp32"]
    assert large.memory.activations > 2 * small.memory.activations
