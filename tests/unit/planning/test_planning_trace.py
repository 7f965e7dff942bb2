"""A trace without content against the same steps with content, and against Lightning's own training."""

import pytest
import torch
from prepared_by_hand import write_images, write_rows, write_sequences, write_series, write_texts
from small_corpus import prepare_text, rhyme
from torch.nn import functional as F
from training_specs import spec_of
from trainings import train

from snaketorch.data.manifest import Manifest
from snaketorch.planning.as_on_gpu import as_on_gpu
from snaketorch.planning.lifetimes import Lifetimes
from snaketorch.planning.trace import trace

IMAGES = {"kind": "image_classification"}
SEQUENCES = {"kind": "sequence_classification"}
FORECAST = {"kind": "forecasting", "window": 12, "horizon": 2}
ADAMW = {"optimizer": {"kind": "adamw"}}
HALF = {"trainer": {"precision": "bf16-mixed"}}
BOUND = 1.05
"""Of the traced peak, which the true one never exceeds; part of the margin of a safe estimate."""

CASES = {
    "cnn": (write_images, IMAGES, {"kind": "cnn"}, {}),
    "cnn adamw bf16": (write_images, IMAGES, {"kind": "cnn"}, ADAMW | HALF),
    "cnn rmsprop fp64": (
        write_images,
        IMAGES,
        {"kind": "cnn"},
        {"optimizer": {"kind": "rmsprop", "momentum": 0.9}, "trainer": {"precision": "64-true"}},
    ),
    "cnn accumulating, clipped": (
        write_images,
        IMAGES,
        {"kind": "cnn"},
        {**ADAMW, "trainer": {"accumulate_grad_batches": 3, "gradient_clip_val": 1.0}},
    ),
    "cnn recomputed": (write_images, IMAGES, {"kind": "cnn"}, {"trainer": {"gradient_checkpointing": True}}),
    "cnn averaged": (write_images, IMAGES, {"kind": "cnn"}, {"weight_averaging": {"kind": "ema"}}),
    "mlp averaged, frozen base": (
        write_images,
        IMAGES,
        {"kind": "mlp", "hidden": [400, 400, 400]},
        {"weight_averaging": {"kind": "ema"}, "transfer": {"kind": "feature_extraction"}},
    ),
    "cnn augmented": (write_images, IMAGES, {"kind": "cnn"}, {"augment": {"horizontal_flip": 0.5}}),
    "cnn, frozen base": (
        write_images,
        IMAGES,
        {"kind": "cnn"},
        {**ADAMW, "transfer": {"kind": "feature_extraction"}},
    ),
    "mlp of rows": (write_rows, {"kind": "tabular_classification"}, {"kind": "mlp"}, ADAMW),
    "lstm both ways": (write_sequences, SEQUENCES, {"kind": "lstm", "hidden": 128, "bidirectional": True}, ADAMW),
    "gru": (write_series, FORECAST, {"kind": "gru"}, ADAMW),
    "rnn": (write_texts, SEQUENCES, {"kind": "rnn"}, ADAMW),
    "transformer": (write_texts, SEQUENCES, {"kind": "transformer", "layers": 1}, ADAMW),
    "transformer bf16": (
        write_series,
        FORECAST,
        {"kind": "transformer", "layers": 1},
        {"trainer": {"precision": "bf16-mixed"}},
    ),
    "gan": (write_images, {"kind": "gan"}, {"kind": "gan"}, ADAMW),
}


@pytest.fixture
def case(request, tmp_path, monkeypatch):
    write, task, model, changes = CASES[request.param]
    monkeypatch.chdir(tmp_path)
    trainer = {"precision": "32-true", **changes.get("trainer", {})}
    return spec_of(task, model, **{**changes, "trainer": trainer}), write(tmp_path / "small")


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_a_trace_without_content_holds_what_the_step_holds(case):
    spec, path = case
    facts = Manifest.load(path).facts()
    fake, real = (
        trace(spec, facts, 16, spec.trainer.precision, on_gpu=False, is_fake=is_fake, validates=False)
        for is_fake in (True, False)
    )
    for exact in ("weights", "trainable", "parameters", "gradients", "optimizer", "samples", "data"):
        assert getattr(fake, exact) == getattr(real, exact), exact
    assert fake.work.flops == real.work.flops
    assert fake.peak == pytest.approx(real.peak, rel=0.1)
    assert real.peak <= BOUND * fake.peak


@pytest.mark.parametrize(
    "case",
    ["cnn averaged", "mlp averaged, frozen base", "cnn accumulating, clipped", "gru", "gan"],
    indirect=True,
)
def test_a_trace_holds_what_lightning_s_training_holds(case):
    spec, path = case
    manifest = Manifest.load(path)
    traced = trace(spec, manifest.facts(), 16, "32-true", on_gpu=False)
    of_samples = sum(array.bytes for split in manifest.splits.values() for array in split.arrays.values())
    with Lifetimes(is_fake=False) as lifetimes:
        train(spec, path)
    assert lifetimes.peak - of_samples <= BOUND * traced.peak
    assert lifetimes.peak == pytest.approx(traced.peak, rel=0.1, abs=of_samples)


def test_a_language_model_is_traced(tmp_path):
    task = {"kind": "language_modelling", "window": 16, "sampling": {"prompt": "a"}}
    spec = spec_of(task, {"kind": "transformer", "layers": 1}, trainer={"precision": "32-true"})
    facts = Manifest.load(prepare_text(tmp_path / "small", rhyme(500))).facts()
    fake, real = (
        trace(spec, facts, 8, "32-true", on_gpu=False, is_fake=choice, validates=False) for choice in (True, False)
    )
    assert fake.peak == pytest.approx(real.peak, rel=0.1)
    assert fake.gradients == real.gradients == fake.weights * 4


def test_weights_that_get_no_gradient_have_no_state(tmp_path):
    transfer = {"transfer": {"kind": "gradual_unfreezing", "epochs_per_block": 2}, **ADAMW}
    spec = spec_of(IMAGES, {"kind": "cnn"}, trainer={"precision": "32-true"}, **transfer)
    facts = Manifest.load(write_images(tmp_path / "small")).facts()
    of_all = trace(spec_of(IMAGES, {"kind": "cnn"}, **ADAMW), facts, 16, "32-true", on_gpu=False)
    of_some = trace(spec, facts, 16, "32-true", on_gpu=False)
    assert 0 < of_some.gradients < of_all.gradients
    assert 0 < of_some.optimizer < of_all.optimizer
    assert of_some.trainable == of_all.trainable == of_all.weights


def test_more_batches_of_a_step_are_more_work_and_hardly_more_memory(tmp_path):
    facts = Manifest.load(write_images(tmp_path / "small")).facts()
    one, four = (
        trace(spec_of(IMAGES, {"kind": "cnn"}, trainer={"accumulate_grad_batches": count}), facts, 16, "32-true")
        for count in (1, 4)
    )
    assert four.work.flops["fp32"] == 4 * one.work.flops["fp32"]
    assert one.peak <= four.peak < 1.5 * one.peak


def test_recomputed_activations_take_less_memory_and_more_work(tmp_path):
    facts = Manifest.load(write_images(tmp_path / "small", (3, 32, 32))).facts()
    kept, recomputed = (
        trace(spec_of(IMAGES, {"kind": "resnet"}, trainer={"gradient_checkpointing": choice}), facts, 32, "32-true")
        for choice in (False, True)
    )
    assert recomputed.activations < 0.8 * kept.activations
    assert recomputed.work.flops["fp32"] > 1.2 * kept.work.flops["fp32"]


def test_half_of_the_bits_are_counted_as_such(tmp_path):
    facts = Manifest.load(write_images(tmp_path / "small", (3, 32, 32))).facts()
    whole, half = (
        trace(spec_of(IMAGES, {"kind": "cnn"}), facts, 32, precision) for precision in ("32-true", "16-mixed")
    )
    assert half.work.flops == {"fp16": whole.work.flops["fp32"]}
    assert half.activations < 0.8 * whole.activations


def test_operations_are_a_gpu_s_only_while_it_is_asked_for():
    read = torch.randn(2, 3, 8, 4, requires_grad=True)
    before = F.scaled_dot_product_attention(read, read, read)
    with Lifetimes(is_fake=False) as lifetimes, as_on_gpu(lifetimes):
        F.scaled_dot_product_attention(read, read, read).sum().backward()
        torch.nn.LSTM(4, 4)(read[0])
        kept = F.dropout(read, 0.5).grad_fn
    assert "NativeDropout" in type(kept).__name__
    assert torch.equal(F.scaled_dot_product_attention(read, read, read), before)


def test_attention_keeps_no_square_of_the_steps_on_a_gpu(tmp_path):
    facts = Manifest.load(write_series(tmp_path / "small")).facts()
    task = {**FORECAST, "window": 50}
    spec = spec_of(task, {"kind": "transformer", "hidden": 16, "heads": 4, "layers": 1})
    on_cpu, on_gpu = (trace(spec, facts, 8, "32-true", on_gpu=choice, validates=False) for choice in (False, True))
    assert on_gpu.activations < 0.7 * on_cpu.activations


@pytest.mark.parametrize("model", [{"kind": "vit", "num_layers": 1}, {"kind": "convnext"}, {"kind": "googlenet"}])
def test_a_network_that_draws_from_a_truncated_distribution_takes_no_memory(tmp_path, monkeypatch, model):
    facts = Manifest.load(write_images(tmp_path / "small", (3, 32, 32))).facts()
    drawn, init = [], torch.nn.init
    monkeypatch.setattr(init, "trunc_normal_", lambda *_, **__: drawn.append("in earnest"))
    trace(spec_of(IMAGES, model), facts, 2, "32-true", validates=False)
    assert drawn == []
    init.trunc_normal_(torch.empty(1))
    assert drawn == ["in earnest"], "as it was before"
