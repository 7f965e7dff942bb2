"""Estimates of memory and work against measurements: on the CPU over the table of models, and on a GPU where one is.

On the CPU the training step is run twice, with and without content, and what it holds at its peak is compared. On a GPU
(`--gpu`) the estimate is compared with what torch's allocator says after real steps and a validation.
"""

import argparse
import itertools
import logging
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch
from machine import described

from snaketorch.config.specs import PrepareSpec, TrainSpec
from snaketorch.data.manifest import Manifest
from snaketorch.data.prepare import prepare
from snaketorch.models import build_network
from snaketorch.models.shapes import ImageShape
from snaketorch.planning.estimate import estimate
from snaketorch.planning.fakes import Fakes
from snaketorch.planning.lifetimes import Lifetimes
from snaketorch.planning.loop import Loop, precision_plugin
from snaketorch.planning.shapes_only import samples_of_shapes
from snaketorch.planning.trace import prepare_step, trace
from snaketorch.tasks import build_task

RESULT = Path(__file__).parent / "results" / "planning.md"
MIB = 2**20
SAMPLES = 4000
ADAMW, SGD = {"kind": "adamw"}, {"kind": "sgd", "lr": 0.01, "momentum": 0.9}
PUBLISHED = {
    "ResNet-50": ({"kind": "resnet", "variant": "resnet50"}, 4.09),
    "VGG-16": ({"kind": "vgg", "variant": "vgg16"}, 15.47),
    "AlexNet": ({"kind": "alexnet"}, 0.71),
}
"""10^9 multiplications with an addition, of one image of 224 pixels (torchvision's table of its models)."""
FROZEN = {"transfer": {"kind": "feature_extraction"}}
CLOCK = time.process_time


class Case(NamedTuple):
    """What is trained."""

    data: str
    task: dict[str, Any]
    model: dict[str, Any]
    batches: tuple[int, ...]
    changes: dict[str, Any] | None = None


IMAGES, SEQUENCES = {"kind": "image_classification"}, {"kind": "sequence_classification"}
FORECAST = {"kind": "forecasting", "window": 48, "horizon": 6}
CASES = {
    "CNN": Case("images 32", IMAGES, {"kind": "cnn"}, (16, 64)),
    "LeNet": Case("images 32", IMAGES, {"kind": "lenet"}, (16, 64)),
    "MLP": Case("images 32", IMAGES, {"kind": "mlp", "hidden": [512, 256]}, (16, 64)),
    "AlexNet": Case("images 64", IMAGES, {"kind": "alexnet"}, (4, 16)),
    "VGG-11": Case("images 64", IMAGES, {"kind": "vgg"}, (4, 16)),
    "GoogLeNet": Case("images 64", IMAGES, {"kind": "googlenet"}, (4, 16)),
    "ResNet-18": Case("images 64", IMAGES, {"kind": "resnet"}, (4, 16)),
    "ResNet-50": Case("images 64", IMAGES, {"kind": "resnet", "variant": "resnet50"}, (4, 16)),
    "ResNet-50, frozen base": Case("images 64", IMAGES, {"kind": "resnet", "variant": "resnet50"}, (4, 16), FROZEN),
    "ResNet-18, recomputed": Case(
        "images 64", IMAGES, {"kind": "resnet"}, (4, 16), {"trainer": {"gradient_checkpointing": True}}
    ),
    "ResNet-18, averaged": Case(
        "images 64", IMAGES, {"kind": "resnet"}, (4, 16), {"weight_averaging": {"kind": "ema"}}
    ),
    "ResNet-18, 4 batches a step": Case(
        "images 64", IMAGES, {"kind": "resnet"}, (4, 16), {"trainer": {"accumulate_grad_batches": 4}}
    ),
    "DenseNet-121": Case("images 64", IMAGES, {"kind": "densenet"}, (4, 16)),
    "MobileNet v3": Case("images 64", IMAGES, {"kind": "mobilenet"}, (4, 16)),
    "EfficientNet-B0": Case("images 64", IMAGES, {"kind": "efficientnet"}, (4, 16)),
    "ConvNeXt tiny": Case("images 64", IMAGES, {"kind": "convnext"}, (4, 16)),
    "ViT, 4 layers": Case("images 64", IMAGES, {"kind": "vit", "num_layers": 4}, (4, 16)),
    "RNN": Case("series", FORECAST, {"kind": "rnn", "hidden": 128, "layers": 2}, (16, 64)),
    "LSTM": Case("series", FORECAST, {"kind": "lstm", "hidden": 128, "layers": 2}, (16, 64)),
    "LSTM both ways": Case("rows", SEQUENCES, {"kind": "lstm", "hidden": 128, "bidirectional": True}, (16, 64)),
    "GRU": Case("series", FORECAST, {"kind": "gru", "hidden": 128, "layers": 2}, (16, 64)),
    "Transformer": Case("series", FORECAST, {"kind": "transformer"}, (16, 64)),
    "Language model, transformer": Case("text", {"kind": "language_modelling"}, {"kind": "transformer"}, (8, 32)),
    "Language model, LSTM": Case("text", {"kind": "language_modelling"}, {"kind": "lstm", "hidden": 256}, (8, 32)),
    "GAN": Case("images 32", {"kind": "gan"}, {"kind": "gan"}, (16, 64)),
    "DCGAN": Case("images 32", {"kind": "gan"}, {"kind": "dcgan"}, (16, 64)),
    "DCGAN, Wasserstein": Case("images 32", {"kind": "gan", "loss": "wasserstein_gp"}, {"kind": "dcgan"}, (16, 64)),
}


class Row(NamedTuple):
    """One measurement."""

    case: str
    batch: int
    optimizer: str
    precision: str
    estimated: int
    measured: int
    exact: bool
    """Whether the bytes of parameters, gradients and optimizer are the same."""
    seconds: float
    """Of the processor, for the estimate of a GPU."""

    @property
    def error(self) -> float:
        return self.estimated / self.measured - 1


def facts_of(data: str, folder: Path) -> dict[str, Any]:
    """What a training knows of such a dataset."""
    known = {"dataset": data, "digest": "", "training_samples": SAMPLES, "classes": [str(i) for i in range(10)]}
    known["class_counts"] = [SAMPLES // 10] * 10
    label = {"label": {"dtype": "int64", "shape": []}}
    kind, _, side = data.partition(" ")
    if kind == "images":
        statistics = {"mean": [0.5] * 3, "std": [0.2] * 3}
        field = {"dtype": "uint8", "shape": [3, int(side), int(side)], "statistics": statistics}
        return {**known, "provides": "labelled images", "fields": {"image": field, **label}}
    statistics = {"mean": [0.0] * 4, "std": [1.0] * 4}
    if kind == "rows":
        field = {"dtype": "float32", "shape": [64, 4], "statistics": statistics}
        return {**known, "provides": "labelled sequences", "fields": {"value": field, **label}}
    if kind == "series":
        field = {"dtype": "float32", "shape": [4], "names": list("abcd"), "statistics": statistics}
        return {**known, "provides": "a time series", "fields": {"value": field}, "classes": []}
    return _text(folder)


def _text(folder: Path) -> dict[str, Any]:
    source, manifest = folder / "text.txt", folder / "manifest.json"
    source.write_text("".join(chr(97 + i % 26) + " " * (i % 7 == 0) for i in range(20_000)))
    spec = {"dataset": "text", "source": {"kind": "text", "path": str(source)}, "split": {"val": 0.1, "test": 0.1}}
    spec["prepare"] = {"tokenizer": {"kind": "character"}}
    prepare(PrepareSpec.model_validate(spec), manifest, folder / "preview.png", folder / "arrays", "", "")
    return Manifest.load(manifest).facts()


def spec_of(case: Case, optimizer: dict[str, Any], batch: int) -> TrainSpec:
    """One training."""
    changes = case.changes or {}
    trainer = {"max_epochs": 2, "precision": "32-true", **changes.get("trainer", {})}
    task = case.task
    if task["kind"] == "language_modelling":
        task = {"window": 128, "sampling": {"prompt": "a"}, **task}
    content = {
        **dict.fromkeys(("augment", "early_stopping", "weight_averaging", "transfer")),
        "experiment": "benchmark",
        "seed": 0,
        "data": "data",
        "task": task,
        "model": case.model,
        "optimizer": optimizer,
        "lr_scheduler": {"kind": "none"},
        "data_loader": {"batch_size": batch},
        "checkpoint": {"save": "last", "monitor": "val/loss"},
        **changes,
        "trainer": trainer,
    }
    return TrainSpec.model_validate(content)


def trainings(chosen: list[str]) -> Iterator[tuple[str, Case, int, dict[str, Any], str]]:
    """Every case in batches, optimizers and precisions."""
    for name, case in CASES.items():
        if not chosen or name in chosen:
            for parts in itertools.product(case.batches, (ADAMW, SGD), ("32-true", "bf16-mixed")):
                yield name, case, *parts


def on_cpu(chosen: list[str]) -> list[Row]:
    """What a step holds at its peak beside weights, gradients and the optimizer's state."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        facts = {data: facts_of(data, Path(folder)) for data in {case.data for case in CASES.values()}}
    for name, case, batch, optimizer, precision in trainings(chosen):
        spec, known = spec_of(case, optimizer, batch), facts[case.data]
        began = CLOCK()
        estimate(spec, known, precision=precision)
        seconds = CLOCK() - began
        fake, real = (
            trace(spec, known, batch, precision, on_gpu=False, is_fake=is_fake, validates=False)
            for is_fake in (True, False)
        )
        exact = all(getattr(fake, part) == getattr(real, part) for part in ("parameters", "gradients", "optimizer"))
        rows.append(Row(name, batch, optimizer["kind"], precision, fake.activations, real.activations, exact, seconds))
        logging.info("%s", rows[-1])
    return rows


def on_gpu(chosen: list[str]) -> list[Row]:
    """The point estimate less the context against what torch reserved; memory that did not hold a bound is told."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        facts = {data: facts_of(data, Path(folder)) for data in {case.data for case in CASES.values()}}
    for name, case, batch, optimizer, precision in trainings(chosen):
        spec, known = spec_of(case, optimizer, 16 * batch), facts[case.data]
        began = CLOCK()
        found = estimate(spec, known, precision=precision, data_bytes=0).memory
        seconds = CLOCK() - began
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        _steps_on_gpu(spec, known, precision)
        reserved = torch.cuda.max_memory_reserved()
        is_safe = reserved + found.context <= found.upper_bound
        rows.append(
            Row(name, 16 * batch, optimizer["kind"], precision, found.peak - found.context, reserved, is_safe, seconds)
        )
        logging.info("%s allocated at most %d MiB", rows[-1], torch.cuda.max_memory_allocated() // MIB)
    return rows


def _steps_on_gpu(spec: TrainSpec, facts: dict[str, Any], precision: str) -> None:
    task = build_task(spec.task, spec.model, facts).to("cuda")
    samples, size = samples_of_shapes(task, facts), spec.data_loader.batch_size
    plugin = precision_plugin(precision, "cuda")
    batch = {name: value.to("cuda") for name, value in samples.batch(torch.arange(size) % len(samples)).items()}
    prepare_step(spec, task, batch)
    loop = Loop(spec, task, plugin, in_lists=True)
    for _ in range(3):
        loop.step(loop.accumulate_grad_batches * [batch])
    if task.automatic_optimization:
        loop.validate({name: torch.cat([value, value]) for name, value in batch.items()})


def operations() -> list[tuple[str, float, float]]:
    """10^9 multiplications of a network's prediction, counted and published."""
    found = []
    case = Case("images 64", IMAGES, {}, ())
    for name, (model, published) in PUBLISHED.items():
        options = spec_of(case._replace(model=model), SGD, 1).model
        with Fakes(), Lifetimes(is_fake=True) as lifetimes:
            build_network(options, ImageShape(3, 224, 224), 1000)(torch.empty(1, 3, 224, 224))
        found.append((name, lifetimes.work.flops["fp32"] / 2e9, published))
    return found


def summary(rows: list[Row], exact: str) -> list[str]:
    """Lines over all rows."""
    errors = [abs(row.error) for row in rows]
    worst, lowest = max(rows, key=lambda row: abs(row.error)), min(rows, key=lambda row: row.error)
    return [
        f"{len(rows)} trainings. Error of the peak: mean {statistics.mean(errors):.2%}, worst {worst.error:+.2%} "
        f"({worst.case}, {worst.batch} samples, {worst.precision}), lowest estimate {lowest.error:+.2%}. "
        f"{exact}: {sum(row.exact for row in rows)} of {len(rows)}. Longest estimate for a GPU: "
        f"{max(row.seconds for row in rows):.1f} s of one core.",
        "",
    ]


def table(rows: list[Row], exact: str) -> list[str]:
    """One line for each case and batch, its worst of both optimizers and precisions."""
    lines = [
        f"| network | samples | measured, MiB | error by AdamW 32 / bf16, SGD 32 / bf16 | {exact} | estimate, s |",
        "|---|---:|---:|---:|---|---:|",
    ]
    for (case, batch), group in itertools.groupby(rows, key=lambda row: (row.case, row.batch)):
        of_both = list(group)
        measured = " / ".join(f"{row.measured / MIB:.0f}" for row in of_both)
        errors = " / ".join(f"{row.error:+.1%}" for row in of_both)
        whole = "yes" if all(row.exact for row in of_both) else "no"
        seconds = max(row.seconds for row in of_both)
        lines.append(f"| {case} | {batch} | {measured} | {errors} | {whole} | {seconds:.1f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gpu", action="store_true", help="measure on the GPU that is there")
    parser.add_argument("--only", nargs="*", default=[], help="names of networks")
    parser.add_argument("--out", type=Path, help="file of the table")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    rows = on_gpu(arguments.only) if arguments.gpu else on_cpu(arguments.only)
    where = torch.cuda.get_device_name() if arguments.gpu else "CPU"
    exact = "within the safe bound" if arguments.gpu else "parameters, gradients, optimizer exact"
    what = (
        "torch's reserved memory"
        if arguments.gpu
        else "what a real step holds at its peak beside weights, gradients and state"
    )
    lines = [
        f"# Estimates against measurements ({where})",
        "",
        f"Estimated without content, against {what}; batches, optimizers (AdamW, SGD with momentum) and precisions "
        "(32 bits, bfloat16 mixed) of each network (see `benchmarks/planning.py`).",
        "",
        *summary(rows, exact),
        *table(rows, exact),
        "",
        "Multiplications with an addition, 10^9 for one image of 224 pixels:",
        "",
        "| network | counted | published | difference |",
        "|---|---:|---:|---:|",
        *(f"| {name} | {ours:.3f} | {known} | {ours / known - 1:+.2%} |" for name, ours, known in operations()),
        "",
        described(["torch", "pytorch-lightning"]),
        "",
    ]
    out = arguments.out or (RESULT.with_name("planning-gpu.md") if arguments.gpu else RESULT)
    with suppress(FileExistsError):
        out.parent.mkdir(parents=True)
    out.write_text("\n".join(lines), "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
