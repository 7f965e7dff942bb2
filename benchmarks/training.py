"""One epoch of a small CNN on JPEGs in class folders: Snaketorch, the usual script, and a loop by hand.

All train the same network (three blocks of 32, 64, 64 filters with batch norm) on the same images, mirrored
at random and moved by up to 4 pixels, with the same optimizer and batch size. The loop by hand has the
images in memory and takes Snaketorch's precision, layout and augmentation: what it is faster by is the price of
Lightning and of all that is recorded. It shares Snaketorch's process and so its setting of the allocator; the
usual script has a process of its own. Preparation, which happens once for all trainings, is timed apart.

All run on one device. On a GPU the usual script pins its batches and sends them without waiting, and the loop by hand
has the images in the GPU's memory, where Snaketorch puts them too.
"""

import argparse
import csv
import io
import logging
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
from devices import add_arguments, result_file, shown, wait_for
from machine import described
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from snaketorch.config.models import Cnn
from snaketorch.config.specs import PrepareSpec, TrainSpec
from snaketorch.data.augment import build_augmentation
from snaketorch.data.loading.batches import TrainingBatches
from snaketorch.data.loading.samples import ArraySamples, samples_from
from snaketorch.data.manifest import Manifest
from snaketorch.data.prepare import prepare
from snaketorch.hardware.allocator import keep_freed_memory
from snaketorch.hardware.precision import AUTOCAST
from snaketorch.journal import Journal, Run
from snaketorch.models import build_network
from snaketorch.models.shapes import ImageShape
from snaketorch.training.fit import fit
from snaketorch.training.session import Session

BATCH, WORKERS, RATE = 256, 2, 1e-3
MODEL = Cnn(kind="cnn")
GOALS = {"usual": 4.0, "by hand": 0.9, "data": 0.05}


class Epoch(NamedTuple):
    """What one training epoch took."""

    images: int
    seconds: float


def chosen_images(source: Path, target: Path, count: int) -> None:
    """Links ``count`` training images, as many of each class, and all test images under ``target``."""
    classes = sorted(folder.name for folder in (source / "train").iterdir())
    for split, most in (("train", count // len(classes)), ("test", None)):
        for name in classes:
            (target / split / name).mkdir(parents=True)
            for file in islice(sorted((source / split / name).iterdir()), most):
                (target / split / name / file.name).symlink_to(file.resolve())


def prepared(images: Path, folder: Path) -> Manifest:
    spec = {"dataset": "images", "source": {"kind": "image_folder", "path": str(images)}, "split": {}, "prepare": {}}
    paths = {"preview": folder / "preview.png", "arrays": folder / "arrays"}
    prepare(PrepareSpec.model_validate(spec), manifest=folder / "manifest.json", **paths, code="", source="")
    return Manifest.load(folder / "manifest.json")


def training_spec(epochs: int, device: torch.device) -> TrainSpec:
    return TrainSpec.model_validate(
        {
            "experiment": "benchmark",
            "seed": 0,
            "data": "images",
            "task": {"kind": "image_classification"},
            "augment": {"horizontal_flip": 0.5, "pad_crop": 4},
            "model": MODEL.model_dump(),
            "transfer": None,
            "optimizer": {"kind": "adamw", "lr": RATE},
            "lr_scheduler": {"kind": "none"},
            # no validation: the others have none
            "trainer": {
                "max_epochs": epochs,
                "accelerator": "gpu" if device.type == "cuda" else "cpu",
                "precision": "auto",
                "check_val_every_n_epoch": epochs + 1,
            },
            "early_stopping": None,
            "weight_averaging": None,
            "checkpoint": {"save": "last", "monitor": "val/accuracy"},
            "data_loader": {"batch_size": BATCH},
        }
    )


def with_snaketorch(spec: TrainSpec, manifest: Manifest, folder: Path) -> tuple[list[Epoch], dict]:
    """All epochs but the first, which warms up, and what the record says."""
    state = folder / "state"
    state.mkdir()
    run = Run(key="benchmark", name="benchmark", parent="", parent_name="", params={}, tags={})
    fitted = fit(spec, manifest, {}, Session(state, folder / "choices", Journal(folder / "journal", run)))
    rows = list(csv.DictReader(io.StringIO(fitted.history)))[1:]
    return [Epoch(manifest.splits["train"].count, float(row["seconds"])) for row in rows], fitted.facts


def new_network(manifest: Manifest, device: torch.device) -> nn.Module:
    shape = ImageShape(*manifest.fields["image"]["shape"])
    return build_network(MODEL, shape, len(manifest.classes)).to(device)


def in_memory(manifest: Manifest, device: torch.device) -> dict[str, Tensor]:
    """The training samples, in the device's memory."""
    fields = samples_from(manifest.arrays("train")).fields
    return {name: value.clone() if device.type == "cpu" else value.to(device) for name, value in fields.items()}


def by_hand(spec: TrainSpec, manifest: Manifest, facts: dict, device: torch.device) -> Callable[[], Epoch]:
    """A loop over tensors in memory, in the same precision and layout."""
    fields = in_memory(manifest, device)
    augmentation = build_augmentation(spec.augment, manifest.provides, manifest.fields, 0)
    network = new_network(manifest, device)
    if facts["memory_format"] == "channels_last":
        network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), RATE)
    dtype, count = AUTOCAST.get(facts["precision"]["used"]), len(fields["label"])
    scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)
    number = 0

    def epoch() -> Epoch:
        nonlocal number
        number += 1
        wait_for(device)
        began = time.perf_counter()
        for indices in torch.randperm(count).split(BATCH):
            rows = augmentation.fetch(indices, number, count).to(device, non_blocking=True)
            batch = {name: field.index_select(0, rows) for name, field in fields.items()} | {"sample": rows}
            batch = augmentation(batch, number)
            with torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None):
                loss = F.cross_entropy(network(batch["image"]), batch["label"])
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        wait_for(device)
        return Epoch(count, time.perf_counter() - began)

    return epoch


@contextmanager
def in_its_own_process(images: Path, manifest: Path, device: torch.device) -> Iterator[Callable[[], Epoch]]:
    """The usual script as its user starts it: nothing that Snaketorch sets up reaches it."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    arguments = (there, images, manifest, device, torch.get_num_threads())
    child = spawn.Process(target=serve_usual_script, args=arguments)
    child.start()
    try:
        yield lambda: (here.send("epoch"), here.recv())[1]
    finally:
        here.send("end")
        child.join()


def serve_usual_script(asked: Connection, images: Path, manifest: Path, device: torch.device, threads: int) -> None:
    torch.set_num_threads(threads)
    epoch = usual_script(images, Manifest.load(manifest), device)
    while asked.recv() == "epoch":
        asked.send(epoch())


def usual_script(images: Path, manifest: Manifest, device: torch.device) -> Callable[[], Epoch]:
    """Files decoded and transformed one by one in workers, and a plain loop in 32 bits."""
    statistics = manifest.fields["image"]["statistics"]
    transform = v2.Compose(
        [
            v2.ToImage(),
            v2.RandomHorizontalFlip(),
            v2.RandomCrop(32, padding=4),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(statistics["mean"], statistics["std"]),
        ]
    )
    dataset = ImageFolder(images / "train", transform)
    workers = {"num_workers": WORKERS, "persistent_workers": True, "pin_memory": device.type == "cuda"}
    loader = torch.utils.data.DataLoader(dataset, BATCH, shuffle=True, **workers)
    network = new_network(manifest, device)
    optimizer = torch.optim.AdamW(network.parameters(), RATE)

    def epoch() -> Epoch:
        wait_for(device)
        began = time.perf_counter()
        for batch, label in loader:
            batch, label = batch.to(device, non_blocking=True), label.to(device, non_blocking=True)
            loss = F.cross_entropy(network(batch), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        wait_for(device)
        return Epoch(len(dataset), time.perf_counter() - began)

    return epoch


def data_alone(spec: TrainSpec, manifest: Manifest, device: torch.device) -> Callable[[], Epoch]:
    """Snaketorch's augmented batches with nothing done to them."""
    samples = ArraySamples(in_memory(manifest, device))
    augmentation = build_augmentation(spec.augment, manifest.provides, manifest.fields, 0)
    batches = TrainingBatches(samples, BATCH, 0, lambda: 0, augmentation=augmentation)

    def epoch() -> Epoch:
        wait_for(device)
        began = time.perf_counter()
        for _ in batches:
            pass
        wait_for(device)
        return Epoch(len(batches.samples), time.perf_counter() - began)

    return epoch


def rate(epochs: list[Epoch]) -> float:
    """Median images a second."""
    return median(epoch.images / epoch.seconds for epoch in epochs)


def measure(source: Path, images: int, repeats: int, device: torch.device) -> str:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        chosen_images(source, base / "images", images)
        began = time.perf_counter()
        manifest = prepared(base / "images", base / "dataset")
        preparation = time.perf_counter() - began
        spec = training_spec(repeats + 1, device)
        with in_its_own_process(base / "images", base / "dataset" / "manifest.json", device) as usual:
            # ours trains in one piece, as a user would; the others take turns, and their first round warms up
            ours, facts = with_snaketorch(spec, manifest, base)
            others = {
                "usual": usual,
                "data": data_alone(spec, manifest, device),
                "by hand": by_hand(spec, manifest, facts, device),
            }
            found = {name: [] for name in others}
            for turn in range(repeats + 1):
                for name, epoch in others.items():
                    took = epoch()
                    if turn:
                        found[name].append(took)
        found["ours"] = ours
    rates = {name: rate(epochs) for name, epochs in found.items()}
    return table(rates, facts, images, repeats, preparation, device)


def table(
    rates: dict[str, float], facts: dict, images: int, repeats: int, preparation: float, device: torch.device
) -> str:
    ours = rates["ours"]
    precision = f"{facts['precision']['used']}, {facts['memory_format']}"
    lines = [
        "# Training a small CNN",
        "",
        f"An epoch on {images:,} colour images of 32x32 pixels, batches of {BATCH}, {shown(device)}, "
        f"medians of {repeats} epochs "
        "(see `benchmarks/training.py`).",
        "",
        "| training | images/s | Snaketorch against it | goal |",
        "|---|---:|---:|---:|",
        f"| Snaketorch, {precision} | {ours:,.0f} | 1.00 | |",
        f"| the usual script: ImageFolder, v2 transforms, {WORKERS} workers, 32-true | {rates['usual']:,.0f} | "
        f"{ours / rates['usual']:.2f} | >= {GOALS['usual']:g} |",
        f"| a loop by hand over tensors, {precision} | {rates['by hand']:,.0f} | {ours / rates['by hand']:.2f} | "
        f">= {GOALS['by hand']:g} |",
        "",
        f"Data and augmentation alone: {rates['data']:,.0f} images/s, {ours / rates['data']:.1%} of a step; "
        f"goal: <= {GOALS['data']:.0%}. Preparation, not counted above: {preparation:.1f} s for all images, "
        "those of the test included.",
        "",
        f"{torch.get_num_threads()} threads; {described(['torch', 'torchvision', 'pytorch-lightning'])}",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="holds train/CLASS/*.jpg and test/CLASS/*.jpg")
    parser.add_argument("--images", type=int, default=10_000, help="training images to use")
    parser.add_argument("--repeats", type=int, default=3)
    add_arguments(parser, "training")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    keep_freed_memory()  # these two as `python -m snaketorch train` does
    torch.set_float32_matmul_precision("high")
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    text = measure(arguments.folder, arguments.images, arguments.repeats, arguments.device)
    result_file(arguments, "training").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
