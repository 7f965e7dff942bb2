"""The test of a generator: its images against real ones that neither it nor the discriminator has seen."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from matplotlib.figure import Figure
from torch import Tensor

from snaketorch.data.loading.samples import as_tensor
from snaketorch.evaluation.outcome import Case, Outcome, Values
from snaketorch.evaluation.predict import full_float32
from snaketorch.figures.image_table import image_table
from snaketorch.tasks import build_task
from snaketorch.tasks.adversarial.comparison import Comparison, compare
from snaketorch.tasks.adversarial.neighbours import inside, nearest, radii
from snaketorch.tasks.gan import Gan

BATCH = 256
NEIGHBOURS_SHOWN = 3
GRID_COLUMNS, MOST_ROWS = 10, 6
COPIED_BELOW = 0.5
"""Generated images this much nearer to training images than test images are, by their medians, look copied."""


@torch.inference_mode()
def evaluate(case: Case) -> Outcome:
    """Fréchet distance, precision, recall, coverage; the nearest training image of each generated one.

    Two baselines say what the numbers mean: as many training images against the test images, which no generator need
    beat, and the same generator with the weights that the seed of its training gives it.
    """
    task, images = case.task, {split: case.manifest.arrays(split)["image"] for split in ("train", "test")}
    generated = case.predictions["generated"].astype(np.uint8)
    with full_float32():
        train, test, made = (_features(task, array) for array in (images["train"], images["test"], generated))
        untrained = _features(task, _untrained(case))
    found = compare(test, made)
    distance, neighbour = nearest(made, train, NEIGHBOURS_SHOWN)
    of_test, _ = nearest(test, train)
    medians = {"generated": float(distance[:, 0].median()), "test": float(of_test.median())}
    return Outcome(
        metrics=_values(found, case),
        baselines={
            "real_training_images": _values(compare(test, _as_many(train, len(test))), case),
            "untrained_generator": _values(compare(test, untrained), case),
        },
        details={
            "nearest_training_image": [{"images": name, "median_distance": median} for name, median in medians.items()],
            "spread": found.spread,
            "notes": [f"Generated and real images are compared by {task.features.description}."],
            "warnings": list(_warnings(found, medians)),
        },
        predictions=_table(case, distance, neighbour, inside(made, test, radii(test, 3))),
        figures={
            "generated": _generated(case, generated),
            "nearest": _nearest(generated, images["train"], neighbour.numpy(), case.examples),
        },
    )


def _features(task: Gan, images: np.ndarray) -> Tensor:
    parts = [task.features(as_tensor(images[i : i + BATCH]).to(task.device)) for i in range(0, len(images), BATCH)]
    return torch.cat(parts).cpu()


def _untrained(case: Case) -> np.ndarray:
    """What the generator makes of the same noise with the fresh weights of the training's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(case.seed)
        task = build_task(case.options, case.task.model_options, case.task.facts).eval().to(case.task.device)
    label = torch.from_numpy(case.predictions["label"]).to(task.device)
    numbers = torch.arange(len(label))
    parts = [
        task.generate(some.tolist(), label[some.to(label.device)], "test").byte().cpu() for some in numbers.split(BATCH)
    ]
    return torch.cat(parts).numpy()


def _as_many(features: Tensor, count: int) -> Tensor:
    """``count`` of the features, or all where there are fewer; always the same ones."""
    return features[torch.randperm(len(features), generator=torch.Generator().manual_seed(0))[:count]]


def _values(comparison: Comparison, case: Case) -> Values:
    found = asdict(comparison)
    return {name: found[name] for name in case.metrics}


def _warnings(found: Comparison, medians: dict[str, float]) -> Iterator[str]:
    if found.collapse:
        yield f"The generator has collapsed: {found.collapse}."
    if medians["generated"] < COPIED_BELOW * medians["test"]:
        yield (
            f"Generated images lie {medians['generated'] / medians['test']:.0%} as far from their nearest training "
            "image as test images do: the generator may have learnt training images by heart."
        )


def _table(case: Case, distance: Tensor, neighbour: Tensor, looks_real: Tensor) -> pa.Table:
    columns: dict[str, Any] = {"index": np.arange(len(distance))}
    if case.task.network.conditional:
        names = pa.array(case.manifest.classes)
        columns["label"] = pa.DictionaryArray.from_arrays(case.predictions["label"].astype(np.int32), names)
    return pa.table(
        columns
        | {
            "looks_real": looks_real.numpy(),
            "nearest_training_image": neighbour[:, 0].numpy(),
            "distance": distance[:, 0].float().numpy(),
        }
    )


def _generated(case: Case, generated: np.ndarray) -> Figure:
    """The first images, or the first ones of each class where classes are asked for."""
    if not case.task.network.conditional:
        columns = min(GRID_COLUMNS, len(generated))
        rows = min(MOST_ROWS, len(generated) // columns)
        shown = generated[: rows * columns].reshape(rows, columns, *generated.shape[1:])
        return image_table(shown, "Generated images")
    label, classes = case.predictions["label"], case.manifest.classes
    found = [np.flatnonzero(label == number) for number in range(len(classes))]
    shown_classes = [number for number, own in enumerate(found) if len(own)][:GRID_COLUMNS]
    rows = min(MOST_ROWS, *(len(found[number]) for number in shown_classes))
    shown = np.stack([generated[found[number][:rows]] for number in shown_classes], axis=1)
    return image_table(
        shown, "Generated images of each class", column_names=[classes[number] for number in shown_classes]
    )


def _nearest(generated: np.ndarray, train: np.ndarray, neighbour: np.ndarray, examples: int) -> Figure:
    count = min(examples, len(generated))
    shown = np.stack([generated[:count], *(train[rank[:count]] for rank in neighbour.T)])
    ranks = ["nearest", *(f"{rank}." for rank in range(2, len(shown)))]
    return image_table(
        shown,
        "Generated images, and below each the training images nearest to it",
        row_names=["generated", *ranks],
    )
