"""Trainings whose losses do not depend on how many processes share their batches, but for rounding."""

from pathlib import Path

from tests.unit import prepared_by_hand
from tests.unit.small_corpus import prepare_text, rhyme
from tests.unit.training_specs import spec_of

CNN = {"kind": "cnn", "channels": [4], "hidden": 8, "dropout": 0.0, "batch_norm": False}
BLOCKS = CNN | {"channels": [2, 2]}
IMAGES = ({"kind": "image_classification"}, CNN)
EMA = {"weight_averaging": {"kind": "ema", "decay": 0.9}}
GAN = (
    "images",
    {"kind": "gan"},
    {"kind": "gan", "latent": 4, "hidden": [16]},
    {"optimizer": {"kind": "adam", "lr": 0.01}},
)
AVERAGED_GAN = (
    "images",
    {"kind": "gan", "loss": "hinge", "discriminator_steps": 2},
    {"kind": "gan", "latent": 4, "hidden": [8], "conditional": True},
    {**EMA, "optimizer": {"kind": "adam", "lr": 0.01}, "trainer": {"gradient_clip_val": 0.1}},
)
TEXT = {"kind": "language_modelling", "window": 8, "stride": 20, "sampling": {"length": 5, "count": 1}}
LANGUAGE = (
    "text",
    TEXT,
    {"kind": "transformer", "hidden": 8, "heads": 2, "layers": 1, "feedforward": 8, "dropout": 0.0},
    {},
)
POWER_SGD = (
    "images",
    IMAGES[0],
    {"kind": "mlp", "hidden": [32]},  # of larger matrices it sends less
    {"trainer": {"gradient_compression": "powersgd"}},
)
FORECASTING = ({"kind": "forecasting", "window": 8, "horizon": 2}, {"kind": "gru", "hidden": 8})
CASES = {
    "classification": ("images", *IMAGES, {}),
    "class weights": ("images", {"kind": "image_classification", "class_weights": [1.0, 3.0]}, CNN, {}),
    "several labels": (
        "scenes",
        {"kind": "image_classification", "multi_label": True, "class_weights": [0.5, 2.0]},
        {"kind": "mlp", "hidden": [8]},
        {},
    ),
    "augmentation": ("images", *IMAGES, {"augment": {"horizontal_flip": 0.5, "mixup": 0.2}}),
    "accumulation and clipping": (
        "images",
        *IMAGES,
        {"trainer": {"accumulate_grad_batches": 2, "gradient_clip_val": 0.5}},
    ),
    "average of epochs": (
        "images",
        *IMAGES,
        {"weight_averaging": {"kind": "swa", "start": 0.4}, "trainer": {"max_epochs": 3}},
    ),
    "early stopping": (
        "images",
        *IMAGES,
        {"early_stopping": {"monitor": "val/loss", "patience": 1, "min_delta": 10}, "trainer": {"max_epochs": 4}},
    ),
    "slower after a plateau": (
        "images",
        *IMAGES,
        {
            "lr_scheduler": {"kind": "plateau", "monitor": "val/accuracy", "patience": 0, "factor": 0.5},
            "trainer": {"max_epochs": 4},
        },
    ),
    "frozen base": ("images", IMAGES[0], BLOCKS | {"batch_norm": True}, {"transfer": {"kind": "feature_extraction"}}),
    "block after block": (
        "images",
        IMAGES[0],
        BLOCKS,
        {"transfer": {"kind": "gradual_unfreezing", "layer_decay": 0.5}, "trainer": {"max_epochs": 3}},
    ),
    "weights without gradients": (
        "images",
        IMAGES[0],
        {"kind": "custom", "class_path": "small_networks.WithIdleWeights"},
        {"optimizer": {"kind": "adamw", "lr": 0.01, "weight_decay": 0.1}},
    ),
    "activations computed again": ("images", IMAGES[0], BLOCKS, {"trainer": {"gradient_checkpointing": True}}),
    "skipping": ("images", *IMAGES, {"trainer": {"on_non_finite_loss": "skip"}}),
    "restoring": ("images", *IMAGES, {**EMA, "trainer": {"on_non_finite_loss": "restore"}}),
    "recurrent network": ("sequences", {"kind": "sequence_classification"}, {"kind": "lstm", "hidden": 8}, {}),
    # of its 51 windows 9 are left at the end, or one
    "a last batch of an odd number": ("series", *FORECASTING, {"data_loader": {"batch_size": 14}}),
    "a sample too many": ("series", *FORECASTING, {"data_loader": {"batch_size": 10}}),
    "language model": LANGUAGE,
    "recurrent language model": ("text", TEXT, {"kind": "lstm", "embedding": 4, "hidden": 6}, {}),
    "generator and discriminator": GAN,
    "averaged generator": AVERAGED_GAN,
}
BROKEN = {"skipping": [2, 5], "restoring": [2, 5]}
"""Batches, counted over all epochs, whose loss is not a number in the last of the processes."""


def prepare(folder: Path) -> dict[str, Path]:
    """The manifests of their data."""
    return {
        "images": prepared_by_hand.write_images(folder / "images"),
        "scenes": prepared_by_hand.write_scenes(folder / "scenes"),
        "sequences": prepared_by_hand.write_sequences(folder / "sequences"),
        "series": prepared_by_hand.write_series(folder / "series"),
        "text": prepare_text(folder / "text", rhyme(400)),
    }


def spec_on(devices: int, task: dict, model: dict, changes: dict) -> dict:
    """The same global batches, whatever ``devices``."""
    size = changes.get("data_loader", {}).get("batch_size", 16)
    assert size % devices == 0
    trainer = {**changes.get("trainer", {}), "devices": devices}
    spec = spec_of(task, model, **{**changes, "trainer": trainer, "data_loader": {"batch_size": size // devices}})
    return spec.model_dump(mode="json")
