"""Steps a second of our trainer against a loop by hand, for networks so small that the trainer's own work shows.

Both train the same network from the same weights on the same samples, batches of 64, the samples in memory, in 32 bits,
with the same optimizer and one thread. The loop by hand does nothing else: no metrics, no checkpoints, no seeds. One
epoch is 200 steps; epochs take turns.
"""

import argparse
import csv
import io
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import torch
from machine import described
from torch import nn
from torch.nn import functional as F

from snaketorch.config.specs import PrepareSpec, TrainSpec
from snaketorch.data.manifest import Manifest
from snaketorch.data.prepare import prepare
from snaketorch.hardware.allocator import keep_freed_memory
from snaketorch.journal import Journal, Run
from snaketorch.tasks import build_task, samples_of
from snaketorch.training.fit import fit
from snaketorch.training.session import Session

RESULT = Path(__file__).parent / "results" / "steps.md"
BATCH, STEPS = 64, 200
GOALS = ((0.3e-3, 0.4), (1e-3, 0.6), (5e-3, 0.6), (float("inf"), 0.9))
"""Up to so many seconds a step by hand, at least this share of its steps a second."""


class Case(NamedTuple):
    """What is trained."""

    task: dict
    model: dict
    content: str
    shape: tuple[int, ...]


CLASSIFICATION = {"kind": "sequence_classification"}
IMAGES = {"kind": "image_classification"}
CASES = {
    "MLP 64-32-10": Case(IMAGES, {"kind": "mlp", "hidden": [32]}, "images", (8, 8)),
    "MLP 784-1024-1024-10": Case(IMAGES, {"kind": "mlp", "hidden": [1024, 1024]}, "images", (28, 28)),
    "LSTM 16, 8 steps": Case(CLASSIFICATION, {"kind": "lstm", "hidden": 16}, "sequences", (8, 8)),
    "LSTM 128, 32 steps": Case(CLASSIFICATION, {"kind": "lstm", "hidden": 128}, "sequences", (32, 16)),
    "GAN 100-256-64": Case({"kind": "gan"}, {"kind": "gan"}, "images", (8, 8)),
    "GAN 100-256-784": Case({"kind": "gan"}, {"kind": "gan"}, "images", (28, 28)),
}


def prepared(case: Case, folder: Path) -> Manifest:
    """Random samples of ten classes: what they are does not matter for the time."""
    random = np.random.default_rng(0)
    count = BATCH * STEPS + 40
    whole = random.integers(0, 256, (count, *case.shape)).astype(np.uint8 if case.content == "images" else np.float32)
    folder.mkdir()
    np.savez(folder / "samples.npz", x=whole, y=np.arange(count) % 10)
    source = {"kind": "arrays", "path": str(folder / "samples.npz"), "content": case.content, "samples": "x"}
    split = {"val": 20 / count, "test": 20 / count}
    spec = {"dataset": "samples", "source": {**source, "labels": "y"}, "split": split, "prepare": {}}
    paths = {"preview": folder / "preview.png", "arrays": folder / "arrays"}
    prepare(PrepareSpec.model_validate(spec), manifest=folder / "manifest.json", **paths, code="", source="")
    return Manifest.load(folder / "manifest.json")


def training_spec(case: Case, epochs: int) -> TrainSpec:
    return TrainSpec.model_validate(
        {
            **{name: None for name, field in TrainSpec.model_fields.items() if not field.is_required()},
            **dict.fromkeys(("augment", "early_stopping", "weight_averaging", "transfer")),
            "experiment": "benchmark",
            "seed": 0,
            "data": "samples",
            "task": case.task,
            "model": case.model,
            "optimizer": {"kind": "adam", "lr": 2e-4},
            "lr_scheduler": {"kind": "none"},
            # no validation: the loop by hand has none
            "trainer": {"max_epochs": epochs, "precision": "32-true", "check_val_every_n_epoch": epochs + 1},
            "checkpoint": {"save": "last", "monitor": "val/loss" if case.task["kind"] != "gan" else "val/frechet"},
            "data_loader": {"batch_size": BATCH, "drop_last": True},
        }
    )


def with_snaketorch(spec: TrainSpec, manifest: Manifest, folder: Path) -> list[float]:
    """Seconds of a step in each epoch but the first, which warms up."""
    state = folder / "state"
    state.mkdir()
    run = Run(key="benchmark", name="benchmark", parent="", parent_name="", params={}, tags={})
    fitted = fit(spec, manifest, {}, Session(state, folder / "choices", Journal(folder / "journal", run)))
    rows = list(csv.DictReader(io.StringIO(fitted.history)))[1:]
    return [float(row["seconds"]) / (len(samples_of_train(manifest)) // BATCH) for row in rows]


def samples_of_train(manifest: Manifest) -> np.ndarray:
    return manifest.arrays("train")["label"]


def by_hand(spec: TrainSpec, manifest: Manifest) -> Callable[[], float]:
    """Gives the seconds of a step of one more epoch."""
    task = build_task(spec.task, spec.model, manifest.facts())
    samples = samples_of(task, manifest, "train")
    fields = [field.clone() for field in samples.fields.values()]
    if spec.task.kind == "gan":
        step = gan_step(task.network, spec.optimizer.lr)
    else:
        field = manifest.fields["image" if "image" in manifest.fields else "value"]
        mean, std = (torch.tensor(field["statistics"][name]) for name in ("mean", "std"))
        shape = (-1, 1, 1) if "image" in manifest.fields else (-1,)
        step = classification_step(task.network, mean.view(shape), std.view(shape), spec.optimizer.lr)

    def epoch() -> float:
        began, steps = time.perf_counter(), 0
        for indices in torch.randperm(len(samples)).split(BATCH):
            if len(indices) == BATCH:
                step(*(field[indices] for field in fields))
                steps += 1
        return (time.perf_counter() - began) / steps

    return epoch


def classification_step(network: nn.Module, mean, std, rate: float) -> Callable:
    optimizer = torch.optim.Adam(network.parameters(), rate)

    def step(sample, label) -> None:
        scaled = sample / 255 if sample.dtype == torch.uint8 else sample
        loss = F.cross_entropy(network((scaled - mean) / std), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def gan_step(network: nn.Module, rate: float) -> Callable:
    """The usual alternation: the discriminator on real and generated images, then the generator."""
    generator, discriminator = network.generator, network.discriminator
    optimizers = [torch.optim.Adam(part.parameters(), rate) for part in (generator, discriminator)]

    def step(sample, label) -> None:
        real = sample / 127.5 - 1
        fake = generator(torch.randn(len(real), network.latent), None)
        loss = F.softplus(-discriminator(real, None)).mean() + F.softplus(discriminator(fake.detach(), None)).mean()
        optimizers[1].zero_grad()
        loss.backward()
        optimizers[1].step()
        loss = F.softplus(-discriminator(fake, None)).mean()
        optimizers[0].zero_grad()
        loss.backward()
        optimizers[0].step()

    return step


def measure(repeats: int) -> dict[str, tuple[float, float]]:
    """Seconds of a step, ours and by hand, medians."""
    found = {}
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            manifest = prepared(case, Path(folder) / "data")
            spec = training_spec(case, repeats + 1)
            epoch = by_hand(spec, manifest)
            first = [epoch() for _ in range(repeats // 2 + 1)][1:]
            ours = with_snaketorch(spec, manifest, Path(folder))
            last = [epoch() for _ in range(repeats - len(first))]
            found[name] = median(ours), median(first + last)
    return found


def table(found: dict[str, tuple[float, float]], repeats: int) -> str:
    lines = [
        "# Steps a second of small networks",
        "",
        f"Batches of {BATCH} in memory, 32 bits, CPU, {torch.get_num_threads()} thread, medians of {repeats} epochs of "
        f"{STEPS} steps; half of those by hand before ours, half after (see `benchmarks/steps.py`).",
        "",
        "| network | by hand, ms a step | Snaketorch, ms a step | share of the steps by hand | goal |",
        "|---|---:|---:|---:|---|",
    ]
    for name, (ours, hand) in found.items():
        goal = next(share for limit, share in GOALS if hand <= limit)
        verdict = "met" if hand / ours >= goal else "missed"
        lines.append(f"| {name} | {hand * 1e3:.3f} | {ours * 1e3:.3f} | {hand / ours:.2f} | {goal:g}: {verdict} |")
    return "\n".join([*lines, "", described(["torch", "pytorch-lightning"]), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    keep_freed_memory()  # as `python -m snaketorch train` does
    torch.set_num_threads(1)
    text = table(measure(arguments.repeats), arguments.repeats)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
