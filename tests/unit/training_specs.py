"""Trainings of two epochs on the datasets of ``prepared_by_hand``, with numbers that hardly round."""

from pathlib import Path

import torch

from snaketorch.config.specs import TrainSpec


def spec_of(task: dict, model: dict, **changes) -> TrainSpec:
    """Of a training in batches of 16; ``changes`` are sections, and keys of ``trainer``."""
    trainer = {"max_epochs": 2, "precision": "64-true", "accelerator": "cpu", **changes.pop("trainer", {})}
    return TrainSpec.model_validate(
        {
            "experiment": "small",
            "seed": 0,
            "data": "small",
            "task": task,
            "model": model,
            "optimizer": {"kind": "sgd", "lr": 0.05, "momentum": 0.9},
            "lr_scheduler": {"kind": "cosine", "warmup_epochs": 1},
            "trainer": trainer,
            "checkpoint": {"save": "last", "monitor": "val/loss" if task["kind"] != "gan" else "val/frechet"},
            "data_loader": {"batch_size": 16},
            "early_stopping": None,
            **dict.fromkeys(("augment", "transfer", "weight_averaging")),
            **changes,
        }
    )


def weights_of(name: str) -> dict[str, torch.Tensor]:
    """Of the model that the training ``name`` published."""
    return torch.load(Path(name, "model.ckpt"), weights_only=True)["weights"]
