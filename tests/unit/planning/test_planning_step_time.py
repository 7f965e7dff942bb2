import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from training_specs import spec_of

from snaketorch.config.gpu import Gpu
from snaketorch.config.gpus import catalogue
from snaketorch.planning.cpu_time import STARTED_IN, seconds_per_step_on_cpu
from snaketorch.planning.efficiencies import Efficiencies, efficiencies_of, operation_of, usual_efficiencies
from snaketorch.planning.estimate import Estimate
from snaketorch.planning.memory import Memory
from snaketorch.planning.step_time import BETWEEN_LAUNCHES, LOOP_SECONDS, PASSES, energy_wh, seconds_per_step

GPUS = catalogue(Path("nowhere"))
NOTHING = Memory(0, 0, 0, 0, 0, 0, 0, 0)
SIMPLE = Gpu("Simple", "NVIDIA", "Ampere", 24, 1000.0, {"fp32": 20.0, "bf16": 100.0}, 200.0, chip="GA100")
HALF = dict.fromkeys(("fp64", "fp32", "tf32", "fp16", "bf16"), 0.5)
HALVES = Efficiencies({"matmul": HALF, "conv": HALF, "lstm": HALF}, 0.5, 10.0, "of a test")


def step(flops=None, moved=0, kernels=0, batch_size=64, accumulation=1) -> Estimate:
    return Estimate(batch_size, accumulation, "bf16-mixed", 1, 1, flops or {}, moved, kernels, NOTHING, 640, 10, 1, 10)


def test_a_step_without_memory_takes_the_time_of_its_arithmetic():
    time = seconds_per_step(step({"bf16": 10**13, "fp32": 10**12}), SIMPLE, HALVES)
    assert time.compute == pytest.approx(10 / (100 * 0.5) + 1 / (20 * 0.5))
    assert time.seconds == time.compute == pytest.approx(0.3)
    assert (time.limited_by, time.utilisation) == ("compute", 1.0)
    assert time.why == "it waits for arithmetic; efficiencies of a test"


def test_a_step_without_arithmetic_takes_the_time_of_its_memory():
    time = seconds_per_step(step(moved=10**11), SIMPLE, HALVES)
    assert time.seconds == pytest.approx(PASSES * 100 / (1000 * 0.5))
    assert (time.limited_by, time.compute) == ("memory", 0.0)


def test_arithmetic_hides_the_operands_of_products_and_no_more():
    alone = seconds_per_step(step(moved=3 * 10**11), SIMPLE, HALVES).seconds
    both = seconds_per_step(step({"bf16": 10**14}, moved=3 * 10**11), SIMPLE, HALVES)
    assert both.seconds == pytest.approx(both.compute + alone * 2 / 3)
    little = seconds_per_step(step({"bf16": 10**12}, moved=3 * 10**11), SIMPLE, HALVES)
    assert little.seconds == pytest.approx(alone)


def test_a_tiny_network_waits_for_the_host():
    time = seconds_per_step(step({"bf16": 10**6}, 10**4, kernels=300, accumulation=2), SIMPLE, HALVES)
    assert time.seconds == pytest.approx(300 * 10e-6 * BETWEEN_LAUNCHES + 2 * LOOP_SECONDS)
    assert time.limited_by == "launch"
    assert time.utilisation < 0.01


def test_tensor_cores_take_fp32_where_they_can():
    faster = replace(SIMPLE, tflops={"fp32": 20.0, "tf32": 50.0})
    work = step({"fp32": 10**13})
    times = [seconds_per_step(work, gpu, HALVES).compute for gpu in (SIMPLE, faster)]
    assert times == pytest.approx([1.0, 0.4])


@pytest.mark.parametrize("key", ["flops", "bytes_moved", "kernels"])
def test_more_work_never_takes_less_time(key):
    base = step({"bf16": 10**12}, 10**10, 1000)
    more = {"flops": {"bf16": 10**14}, "bytes_moved": 10**12, "kernels": 10**6}[key]
    for gpu in GPUS.values():
        efficiencies = usual_efficiencies(gpu)
        for changed in (more, {"bf16": 2 * 10**12} if key == "flops" else 2 * getattr(base, key)):
            slower = replace(base, **{key: changed})
            assert (
                seconds_per_step(slower, gpu, efficiencies, "conv").seconds
                >= seconds_per_step(base, gpu, efficiencies, "conv").seconds
            )


def test_a_better_gpu_is_never_slower():
    work = step({"bf16": 10**13}, 10**11, 500)
    quicker = replace(SIMPLE, tflops={"fp32": 40.0, "bf16": 200.0})
    wider = replace(SIMPLE, bandwidth_gbs=2000.0)
    base = seconds_per_step(work, SIMPLE, HALVES).seconds
    assert seconds_per_step(work, quicker, HALVES).seconds < base
    assert seconds_per_step(work, wider, HALVES).seconds < base


@pytest.mark.parametrize("operation", ["matmul", "conv", "lstm"])
@pytest.mark.parametrize("name", ["fp64", "fp32", "fp16", "bf16"])
def test_every_gpu_has_an_answer_for_every_format(operation, name):
    work = step({name: 10**12}, 10**9, 100)
    for gpu in GPUS.values():
        time = seconds_per_step(work, gpu, usual_efficiencies(gpu), operation)
        assert 0 < time.seconds < 300
        assert time.why.startswith("it waits for")
        assert ("no BF16 rate" in time.why) == (name == "bf16" and "bf16" not in gpu.tflops)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tflops": {"fp16": 50.0}}, "the catalogue has no BF16 rate of Simple, so that FP16's is taken"),
        ({"tflops": {"fp32": 20.0}}, "the catalogue has no BF16 rate of Simple, so that FP32's is taken"),
        ({"tflops": {}}, "the catalogue has no rate of Simple, so that only its memory counts"),
        ({"bandwidth_gbs": None}, "the catalogue has no bandwidth of Simple, so that only its arithmetic counts"),
    ],
)
def test_a_missing_figure_is_answered_with_what_is_assumed(changes, said):
    time = seconds_per_step(step({"bf16": 10**13}, 10**10, 10), replace(SIMPLE, **changes), HALVES)
    assert said in time.why.split("; ")
    assert time.seconds > 0


def test_doubles_go_by_the_chip():
    work = step({"fp64": 10**12})
    times = [seconds_per_step(work, GPUS[name], HALVES) for name in ("A100 SXM4 80GB", "GeForce RTX 3090")]
    assert times[0].compute == pytest.approx(1 / (19.5 / 2 * 0.5))
    assert times[1].compute == pytest.approx(1 / (35.6 / 64 * 0.5))
    assert "FP64 is taken to have 1/64 of FP32's rate" in times[1].why


def test_energy_goes_by_the_time_at_work():
    busy = seconds_per_step(step({"bf16": 10**14}), SIMPLE, HALVES)
    half, idle = (replace(busy, compute=part * busy.seconds, launch=busy.seconds) for part in (0.5, 0.0))
    assert energy_wh(SIMPLE, busy, 7200) == pytest.approx(400)
    assert energy_wh(SIMPLE, half, 7200) == pytest.approx(250)
    assert energy_wh(SIMPLE, idle, 7200) == pytest.approx(100)


V100, A100, RTX_3090 = "Tesla V100 SXM2 16GB", "A100 SXM4 80GB", "GeForce RTX 3090"

# Of one image of 224 pixels in a batch of 64 (floating-point operations, bytes), traced by ``planning.trace``.
RESNET50_32, RESNET50_16 = (24.30e9, 796.9e6), (24.30e9, 411.9e6)
RESNET18_16, VGG11_16 = (10.65e9, 101.9e6), (45.48e9, 273.5e6)
VIT_S_16, DENSENET121_16 = (27.84e9, 391.8e6), (16.77e9, 551.2e6)

# Images a second on one GPU. V100 and A100: NVIDIA/DeepLearningExamples, PyTorch/Classification/ConvNets/
# resnet50v1.5/README.md, "Training performance", NHWC and DALI. RTX 3090: huggingface/pytorch-image-models,
# results/benchmark-train-amp-nhwc-pt112-cu113-rtx3090.csv, without loading.
PUBLISHED = [
    ("ResNet-50", V100, "fp32", RESNET50_32, "conv", 256, 367),
    ("ResNet-50", V100, "fp16", RESNET50_16, "conv", 256, 1200),
    ("ResNet-50", A100, "fp32", RESNET50_32, "conv", 256, 938),
    ("ResNet-50", A100, "bf16", RESNET50_16, "conv", 256, 2470),
    ("ResNet-50", RTX_3090, "bf16", RESNET50_16, "conv", 512, 1218),
    ("ResNet-18", RTX_3090, "bf16", RESNET18_16, "conv", 512, 3482),
    ("VGG-11", RTX_3090, "bf16", VGG11_16, "conv", 512, 954),
    ("ViT-S/16", RTX_3090, "bf16", VIT_S_16, "matmul", 384, 1058),
    ("DenseNet-121", RTX_3090, "bf16", DENSENET121_16, "conv", 256, 914),
]


@pytest.mark.parametrize(("network", "gpu", "form", "work", "operation", "batch", "published"), PUBLISHED)
def test_published_trainings_are_met_within_a_quarter(network, gpu, form, work, operation, batch, published):
    """The usual efficiencies are fitted to the rows of ResNet-50; the others check them."""
    flops, moved = work
    estimate = step({form: round(batch * flops)}, round(batch * moved), 1000, batch)
    time = seconds_per_step(estimate, GPUS[gpu], usual_efficiencies(GPUS[gpu]), operation)
    within = 0.08 if network == "ResNet-50" else 0.25
    assert batch / time.seconds == pytest.approx(published, rel=within)


def measured(folder: Path, **changes) -> Path:
    content = {
        "format": 1,
        "device": "NVIDIA A100-SXM4-80GB",
        "gpu": A100,
        "measured": {"launch_us": 4.0, "trained_in": "bf16"},
        "efficiencies": {"matmul": {"bf16": 0.8, "tf32": None}, "conv": 0.7, "lstm": 0.3, "bandwidth": 0.88},
        "when": "2026-01-01T00:00:00+00:00",
        **changes,
    }
    (folder / "state/devices").mkdir(parents=True, exist_ok=True)
    path = folder / f"state/devices/{len(list(folder.rglob('*.json')))}.json"
    path.write_text(json.dumps(content))
    return path


def test_what_was_measured_on_such_a_gpu_goes_before_the_usual(tmp_path):
    measured(tmp_path)
    found, usual = efficiencies_of(GPUS[A100], tmp_path), usual_efficiencies(GPUS[A100])
    assert found.shares["matmul"] == usual.shares["matmul"] | {"bf16": 0.8}
    assert found.shares["conv"] == usual.shares["conv"] | {"bf16": 0.7}  # measured in one format alone
    assert found.shares["lstm"]["bf16"] == 0.3
    assert (found.bandwidth, found.launch_us) == (0.88, 4.0)
    assert found.source == "measured on NVIDIA A100-SXM4-80GB"
    assert efficiencies_of(GPUS[RTX_3090], tmp_path) == usual_efficiencies(GPUS[RTX_3090])


def test_the_newest_measurement_counts(tmp_path):
    measured(tmp_path, efficiencies={"bandwidth": 0.5}, when="2026-03-01T00:00:00+00:00")
    measured(tmp_path)
    assert efficiencies_of(GPUS[A100], tmp_path).bandwidth == 0.5


def test_what_was_not_measured_is_the_usual(tmp_path):
    nulls = {"launch_us": None, "trained_in": None}
    measured(tmp_path, measured=nulls, efficiencies={"conv": None, "bandwidth": None, "matmul": {}})
    found = efficiencies_of(GPUS[A100], tmp_path)
    assert replace(found, source="") == replace(usual_efficiencies(GPUS[A100]), source="")


def test_a_share_above_all_is_all(tmp_path):
    measured(tmp_path, efficiencies={"bandwidth": 1.2})
    assert efficiencies_of(GPUS[A100], tmp_path).bandwidth == 1.0


@pytest.mark.parametrize("content", ["", "[]", '{"format": 2}', "{}"])
def test_a_file_that_is_no_measurement_is_left_aside(tmp_path, caplog, content):
    measured(tmp_path).write_text(content)
    with caplog.at_level(logging.WARNING):
        assert efficiencies_of(GPUS[A100], tmp_path) == usual_efficiencies(GPUS[A100])
    assert "0.json is not used" in caplog.text


def test_a_cpu_that_was_measured_is_no_gpu(tmp_path):
    measured(tmp_path, device="AMD EPYC", gpu=None)
    assert efficiencies_of(GPUS[A100], tmp_path).source == "usual for Ampere"


@pytest.mark.parametrize(
    ("model", "operation"),
    [("lenet", "conv"), ("mlp", "matmul"), ("resnet", "conv"), ("vit", "matmul"), ("transformer", "matmul")],
)
def test_the_network_tells_what_its_arithmetic_is(model, operation):
    assert operation_of(spec_of({"kind": "image_classification"}, {"kind": model}).model) == operation


def test_recurrent_layers_are_of_their_own():
    spec = spec_of({"kind": "sequence_classification"}, {"kind": "gru", "hidden": 4})
    assert operation_of(spec.model) == "lstm"


@pytest.mark.parametrize("work", [{"flops": {"fp32": 10**12}}, {"moved": 10**12}])
def test_processes_on_the_same_cores_divide_them(work):
    estimate = step(kernels=1000, **work)
    alone, four = (seconds_per_step_on_cpu(estimate, 8, processes) for processes in (1, 4))
    starting = 1000 * STARTED_IN
    assert four.seconds - starting == pytest.approx(4 * (alone.seconds - starting))
