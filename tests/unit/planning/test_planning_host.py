from dataclasses import replace

import pytest
from training_specs import spec_of

from snaketorch.data.manifest import SplitFiles
from snaketorch.planning.estimate import Estimate
from snaketorch.planning.facts import Counts
from snaketorch.planning.host import COMPILER, CUDA, FILES, GIB, MIB, PROCESS, disk_bytes, host_bytes
from snaketorch.planning.memory import Memory
from snaketorch.planning.sketch import HEADER_BYTES, Sketch, sketched_array

IMAGE = 3 * 32 * 32
MEMORY = Memory(0, 0, 0, 0, 0, 0, peak=40 * MIB, upper_bound=60 * MIB)
ESTIMATE = Estimate(64, 1, "bf16-mixed", 1_000_000, 600_000, {}, 0, 0, MEMORY, 8_000, 125, 2, 250)


def counts(train=8_000, val=2_000, test=1_000) -> Counts:
    splits = {
        split: SplitFiles(count, {"image": sketched_array(split, "image", (count, 3, 32, 32), "uint8")})
        for split, count in (("train", train), ("val", val), ("test", test))
    }
    fields = {"image": {"dtype": "uint8", "shape": [3, 32, 32]}}
    sketch = Sketch("manifest.json", "small", "labelled images", "", fields, splits, {}, classes=("cat", "dog"))
    return Counts(sketch, "files", "")


def training(*, placement="auto", save="last", **changes):
    loader = {"batch_size": 64, "placement": placement}
    monitored = {"save": save, "monitor": "val/loss"}
    trainer = {"accelerator": "auto", "precision": "auto", **changes.pop("trainer", {})}
    task, model = {"kind": "image_classification"}, {"kind": "lenet"}
    return spec_of(task, model, data_loader=loader, checkpoint=monitored, trainer=trainer, **changes)


LOADED = 10_000 * IMAGE + 2 * HEADER_BYTES
BATCHES = round(2 * 4 * 64 * LOADED / 10_000)
BARE = PROCESS + 2 * 4_000_000 + 24 * 8_000  # of it: the weights as made and as written, the order of an epoch


@pytest.mark.parametrize(
    ("placement", "device_free", "samples"),
    [
        ("device", None, 0),
        ("memory_map", None, 0),
        ("host", None, LOADED),
        ("auto", None, 2 * LOADED),  # so that they are half of what is free
        ("auto", 2 * LOADED, 0),  # on the GPU
        ("auto", 2 * LOADED - 2, 2 * LOADED),
    ],
)
def test_samples_are_counted_where_they_lie(placement, device_free, samples):
    found = host_bytes(training(placement=placement), ESTIMATE, counts(), device_free=device_free)
    assert found == BARE + CUDA + BATCHES + samples


def test_on_the_cpu_samples_and_tensors_are_in_the_same_memory():
    spec = training(placement="device")
    assert host_bytes(spec, ESTIMATE, counts(), on_gpu=False) == BARE + LOADED + 60 * MIB


def test_samples_that_no_node_should_hold_are_read_from_the_disk():
    many = counts(train=30_000_000)
    found = host_bytes(training(), ESTIMATE, many)
    assert found < 10 * GIB
    assert host_bytes(training(placement="host"), ESTIMATE, many) > 85 * GIB


def test_each_process_of_a_node_has_all_samples():
    one, four = (host_bytes(training(trainer={"devices": number}), ESTIMATE, counts()) for number in (1, 4))
    assert four == 4 * one
    assert host_bytes(training(trainer={"devices": 4, "num_nodes": 3}), ESTIMATE, counts()) == four


def test_what_a_training_keeps_of_its_weights_is_counted():
    least = host_bytes(training(), ESTIMATE, counts())
    assert host_bytes(training(save="best"), ESTIMATE, counts()) == least + 4_000_000
    restores = training(trainer={"on_non_finite_loss": "restore"})
    kept = 4_000_000 + 600_000 * 4  # the weights, and what SGD keeps of those that learn
    assert host_bytes(restores, ESTIMATE, counts()) == least + 2 * kept, "of two epochs while the later is copied"
    averaged = training(weight_averaging={"kind": "ema"}, trainer={"on_non_finite_loss": "restore"})
    assert host_bytes(averaged, ESTIMATE, counts()) == least + 2 * (kept + 4_000_000)
    doubles = replace(ESTIMATE, precision="64-true")
    assert host_bytes(training(), doubles, counts()) == least + 2 * 4_000_000


def test_compiling_and_an_offloaded_optimizer_take_memory():
    least = host_bytes(training(), ESTIMATE, counts())
    assert host_bytes(training(trainer={"compile": True}), ESTIMATE, counts()) == least + COMPILER
    offloading = {"strategy": "deepspeed", "devices": 2, "deepspeed": {"offload_optimizer": True}}
    moved = host_bytes(training(trainer=offloading), ESTIMATE, counts())
    assert moved == 2 * (least + 600_000 * 4 // 2)  # SGD keeps one number a weight


def test_the_disk_holds_data_checkpoints_model_and_predictions():
    spec, weights, gradients = training(), 4_000_000, 2_400_000
    data = 11_000 * IMAGE + 3 * HEADER_BYTES
    predictions = 1_000 * 4 * (12 + 2)
    one = 3 * (weights + gradients) + weights + predictions + FILES
    assert disk_bytes(spec, ESTIMATE, counts()) == data + one
    assert disk_bytes(spec, ESTIMATE, counts(), trainings=5) == data + 5 * one


def test_checkpoints_hold_what_is_kept_of_weights():
    least, weights = disk_bytes(training(), ESTIMATE, counts()), 4_000_000
    assert disk_bytes(training(save="best"), ESTIMATE, counts()) == least + 3 * weights
    averaged = training(weight_averaging={"kind": "ema"})
    assert disk_bytes(averaged, ESTIMATE, counts()) == least + 3 * weights
    adam = training(optimizer={"kind": "adamw", "lr": 0.001})
    assert disk_bytes(adam, ESTIMATE, counts()) == least + 3 * 2_400_000
    restores = training(trainer={"on_non_finite_loss": "restore"})
    assert disk_bytes(restores, ESTIMATE, counts()) == least + 3 * (weights + 2_400_000)


def test_predictions_of_a_series_have_a_row_for_each_step_ahead():
    fields = {"value": {"dtype": "float32", "shape": [3], "names": ["a", "b", "c"]}}
    whole = counts()
    series = replace(whole, manifest=replace(whole.manifest, fields=fields, classes=()))
    task = {"kind": "forecasting", "window": 8, "horizon": 6}
    spec = spec_of(task, {"kind": "gru", "hidden": 4})
    shorter = spec_of(task | {"horizon": 5}, {"kind": "gru", "hidden": 4})
    more = disk_bytes(spec, ESTIMATE, series) - disk_bytes(shorter, ESTIMATE, series)
    assert more == 1_000 * 3 * 4 * 12
