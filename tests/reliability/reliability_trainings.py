"""Small trainings of every kind that the promise names, with all that has a state: averages, schedules, stopping."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.specs import TrainSpec
from tests.unit import prepared_by_hand
from tests.unit.small_corpus import prepare_text, rhyme

DATA: dict[str, Callable[[Path], Path]] = {
    "images": partial(prepared_by_hand.write_images, shape=(1, 12, 12)),
    "series": prepared_by_hand.write_series,
    "text": partial(prepare_text, text=rhyme(300)),
}
"""What writes the small datasets."""

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "CNN": (
        "images",
        {
            "task": {"kind": "image_classification"},
            "augment": {"horizontal_flip": 0.5, "translate": 0.1},
            "model": {"kind": "cnn", "channels": [4, 8], "hidden": 16, "dropout": 0.2},
            "optimizer": {"kind": "adamw", "lr": 0.01},
            "lr_scheduler": {"kind": "one_cycle"},
            "weight_averaging": {"kind": "ema", "decay": 0.9},
            "trainer": {"max_epochs": 6},
        },
    ),
    "LSTM": (
        "series",
        {
            "task": {"kind": "forecasting", "window": 8, "horizon": 2},
            "model": {"kind": "lstm", "hidden": 8, "layers": 2, "dropout": 0.2},
            "optimizer": {"kind": "sgd", "lr": 0.3, "momentum": 0.9},
            "lr_scheduler": {"kind": "plateau", "monitor": "val/mae", "patience": 0},
            "early_stopping": {"monitor": "val/mae", "patience": 2},
            "trainer": {"max_epochs": 12, "accumulate_grad_batches": 2, "gradient_clip_val": 1.0},
        },
    ),
    "GAN": (
        "images",
        {
            "task": {"kind": "gan", "features": None},
            "model": {"kind": "gan", "latent": 4, "hidden": [16]},
            "optimizer": {"kind": "adam", "lr": 0.001},
            "lr_scheduler": {"kind": "cosine", "warmup_epochs": 1},
            "weight_averaging": {"kind": "ema", "decay": 0.9},
            "trainer": {"max_epochs": 6, "check_val_every_n_epoch": 2},
        },
    ),
    "language model": (
        "text",
        {
            "task": {"kind": "language_modelling", "window": 8, "stride": 20, "sampling": {"length": 5, "count": 1}},
            "model": {"kind": "lstm", "hidden": 8, "embedding": 4, "dropout": 0.1, "layers": 2},
            "optimizer": {"kind": "adam", "lr": 0.01},
            "weight_averaging": {"kind": "swa", "start": 0.5},
            "trainer": {"max_epochs": 6},
        },
    ),
}

PLACEMENTS = ("device", "memory_map")
"""In memory; and on disk, from where a thread reads the batches ahead, as a loader's worker does."""


class Training(NamedTuple):
    """What to train."""

    name: str
    data: str
    """One of ``DATA``."""
    spec: str
    """JSON."""


def training(kind: str, placement: str = "device", seed: int = 0, **changes: dict[str, Any]) -> Training:
    """One of ``KINDS``, with some keys of its sections changed."""
    data, sections = KINDS[kind]
    merged: dict[str, Any] = {
        "trainer": {"precision": "32-true", "accelerator": "cpu"},
        "data_loader": {"batch_size": 10, "placement": placement},
    }
    for added in (sections, changes):
        for name, section in added.items():
            merged[name] = {**merged.get(name, {}), **section}
    config = ExperimentConfig.model_validate({"data": "small", **merged}).resolved()
    chosen = {name: value for name, value in config if name in TrainSpec.model_fields}
    spec = TrainSpec.model_validate({"experiment": "trial", "seed": seed, **chosen})
    return Training(f"{kind}, {placement}", data, spec.model_dump_json())


def all_trainings() -> list[Training]:
    return [training(kind, placement) for kind in KINDS for placement in PLACEMENTS]
