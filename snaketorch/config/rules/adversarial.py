"""Rules of adversarial training: what does not fit a generator and a discriminator that learn in turn."""

from collections.abc import Iterator

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.models import DcGan
from snaketorch.config.problems import Conflict
from snaketorch.config.tasks import Gan

WITHOUT_TARGETS = ("hinge", "wasserstein_gp")
"""Losses that have no target for the score of a real image."""


def loss_uses_its_keys(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """Keys of the task that its loss has no use for."""
    task = experiment.task
    if not isinstance(task, Gan):
        return
    if "gradient_penalty" in task.model_fields_set and task.loss != "wasserstein_gp":
        yield (
            ("task", "gradient_penalty"),
            f"has no meaning for loss '{task.loss}'; allowed: with wasserstein_gp, or not at all",
        )
    if task.label_smoothing and task.loss in WITHOUT_TARGETS:
        yield (
            ("task", "label_smoothing"),
            f"has no meaning for loss '{task.loss}'; allowed: with non_saturating, least_squares, or not at all",
        )


def penalty_is_of_single_images(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """A gradient penalty over scores that depend on the other images of a batch."""
    task, model = experiment.task, experiment.model
    has_penalty = isinstance(task, Gan) and task.loss == "wasserstein_gp"
    if has_penalty and isinstance(model, DcGan) and model.discriminator_norm == "batch":
        yield (
            ("model", "discriminator_norm"),
            "'batch' makes an image's score depend on the others of its batch, which the gradient penalty of loss "
            "'wasserstein_gp' does not allow; allowed: none, spectral",
        )


def turns_can_be_taken(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """Keys of the trainer that are for one loss and one optimizer."""
    task, trainer = experiment.task, experiment.trainer
    if not isinstance(task, Gan):
        return
    if trainer.accumulate_grad_batches > 1:
        yield (
            ("trainer", "accumulate_grad_batches"),
            f"{trainer.accumulate_grad_batches} is not possible with task '{task.kind}', where two networks take turns "
            "in each batch; allowed: 1 (data_loader.batch_size makes batches larger)",
        )
    if trainer.precision == "16-mixed":
        yield (
            ("trainer", "precision"),
            f"16-mixed scales one loss, and task '{task.kind}' has two; allowed: auto, bf16-mixed, 32-true, 64-true",
        )
    for key in ("compile", "gradient_checkpointing"):
        if getattr(trainer, key):
            yield ("trainer", key), f"true is for one network, and task '{task.kind}' trains two; allowed: false"


def images_stay_whole(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """Augmentation that makes two images one, which the generator would learn to make."""
    if not isinstance(experiment.task, Gan) or experiment.augment is None:
        return
    for key in ("mixup", "cutmix"):
        if getattr(experiment.augment, key):
            yield (
                ("augment", key),
                f"shows mixtures of images to task '{experiment.task.kind}' as real ones; allowed: 0",
            )
