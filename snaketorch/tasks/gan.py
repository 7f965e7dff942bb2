"""Images like those of a dataset, made from noise."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from snaketorch.data.loading.samples import ArraySamples, Batch, samples_from
from snaketorch.data.loading.seeds import stable_seed
from snaketorch.data.manifest import Manifest
from snaketorch.data.picture_grid import save_grid
from snaketorch.errors import UserError
from snaketorch.models.shapes import ImageShape
from snaketorch.tasks.adversarial.comparison import compare
from snaketorch.tasks.adversarial.features import ClassifierFeatures, Features, PixelFeatures
from snaketorch.tasks.adversarial.losses import GAMES, gradient_penalty
from snaketorch.tasks.base import RunningMeans, TaskModule
from snaketorch.tasks.parts import in_parts, shares_of, size_of

log = logging.getLogger(__name__)

LARGEST_BYTE = 255
STEP_METRICS = ["generator_loss", "discriminator_loss", "real_score", "fake_score"]
"""Means over the samples of batches."""
WHOLE_METRICS = ["frechet", "precision", "recall", "spread"]
"""Of a whole validation, each an attribute of ``Comparison``."""
GRID_ROWS, GRID_COLUMNS = 6, 10
"""Of the picture of each validation; a conditional generator has a column a class, the first ones of many."""


class Gan(TaskModule):
    """A generator against a discriminator, each batch a step of both.

    A batch holds ``image`` (B, C, H, W), bytes, or floating point where augmentation has normalised them, and
    ``label`` (B,), or (B, K) of several labels, which no conditional generator is given. Both networks work on images
    in [-1, 1]. A step of the generator counts as the training's step, so schedules, and what is told of a training, go
    by it.

    Attributes:
        features: Where generated and real images are compared.
    """

    averaged_part = "generator"
    loss_names = ("generator_loss", "discriminator_loss")

    def __init__(self, options, model, facts):
        super().__init__(options, model, facts)
        if self.network.conditional and facts["fields"]["label"]["shape"]:
            raise UserError(
                f"model.conditional: true needs one class for each image, and dataset '{facts['dataset']}' has any "
                "number of labels for each; allowed: false, or a dataset with one class for each image"
            )
        self.automatic_optimization = False
        self.model_options = model
        self.game = GAMES[options.loss]
        self.features: Features = PixelFeatures(self.input_shape())
        self.train_means, self.val_means = RunningMeans(STEP_METRICS), RunningMeans(STEP_METRICS)
        # until its first good images nothing has collapsed: it has not begun
        self.register_buffer("has_collapsed", torch.tensor(True))
        self.validated: list[tuple[Tensor, Tensor]] = []
        statistics = facts["fields"]["image"]["statistics"]
        for name in ("mean", "std"):
            value = torch.tensor(statistics[name], dtype=torch.float32).view(-1, 1, 1)
            self.register_buffer(name, value, persistent=False)

    def input_shape(self) -> ImageShape:
        return ImageShape(*self.facts["fields"]["image"]["shape"])

    def num_outputs(self) -> int:
        return len(self.facts["classes"])

    def samples(self, manifest: Manifest, split: str) -> ArraySamples:
        return samples_from(manifest.arrays(split))

    def use(self, models: Mapping[str, TaskModule]) -> None:
        if "features" in models:
            name = self.options.features.from_experiment
            self.features = ClassifierFeatures(models["features"], name, self.input_shape())

    def generate(self, numbers: Iterable[int], label: Tensor, purpose: str) -> Tensor:
        """Images (B, C, H, W), whole numbers from 0 to 255 in floating point.

        The same ``numbers`` and ``purpose`` always give the same noise, on every device.
        """
        draws, parts = torch.Generator(), []
        for number in numbers:
            draws.manual_seed(stable_seed(purpose, number))
            parts.append(torch.randn(self.network.latent, generator=draws))
        noise = torch.stack(parts).to(self.device, self.mean.dtype)
        pieces = in_parts({"noise": noise, "label": label}, self.room.validation)
        with torch.autocast(self.device.type, enabled=False):
            image = torch.cat([self.network(piece["noise"], self._label(piece)) for piece in pieces])
        return ((image + 1) / 2 * LARGEST_BYTE).round().clamp(0, LARGEST_BYTE)

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Losses and mean scores; ``loss``, both losses together, has the gradients of one step of each network."""
        real, label = self._real(batch), self._label(batch)
        fake = self.network.generator(self._noise(len(real)), label)
        fake_score = self.network.discriminator(fake, label)
        values = self._of_discriminator(real, fake.detach(), label)
        values["generator_loss"] = self.game.generator(fake_score)
        return values | {"loss": values["generator_loss"] + values["discriminator_loss"]}

    def predict(self, batch: Batch) -> Batch:
        """``generated`` (B, C, H, W), as many images as there are real ones and of their classes, and ``label``."""
        label = batch["label"]
        return {"generated": self.generate(batch["sample"].tolist(), label, "test"), "label": label}

    def configure_optimizers(self) -> Any:
        factor = self.options.discriminator_lr_factor
        both = [
            self.optimization(self.network.generator, self.trainer),
            self.optimization(self.network.discriminator, self.trainer, factor),
        ]
        for one in both:
            # Lightning steps no schedule of a task that steps by itself, and would warn of this key
            one.get("lr_scheduler", {}).pop("monitor", None)
        return both

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        parts = in_parts(batch, self.room.training, self.room.least)
        own = self.share_of_peers(batch, batch_idx)
        for _ in range(self.options.discriminator_steps):
            noises = self._noise(size_of(batch)).split([size_of(part) for part in parts])
            fakes, values = self._improve_discriminator(parts, noises, own)
        loss = self._improve_generator(parts, noises, fakes, own)
        for schedule in self.trainer.lr_scheduler_configs:
            if schedule.interval == "step":
                schedule.scheduler.step()
        self.train_means.add(values | {"generator_loss": loss}, size_of(batch))
        return loss

    def on_train_epoch_end(self) -> None:
        super().on_train_epoch_end()
        for schedule in self.trainer.lr_scheduler_configs:
            if schedule.interval != "epoch" or (self.trainer.current_epoch + 1) % schedule.frequency:
                continue
            if isinstance(schedule.scheduler, ReduceLROnPlateau):
                schedule.scheduler.step(self.trainer.callback_metrics[self.optimization.schedule.monitor])
            else:
                schedule.scheduler.step()

    def on_validation_epoch_start(self) -> None:
        self.validated = []

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        for part in in_parts(batch, self.room.validation):
            self._validate(part)

    def on_validation_epoch_end(self) -> None:
        super().on_validation_epoch_end()
        real, generated = (self.peers.rows(torch.cat(parts)) for parts in zip(*self.validated, strict=True))
        self.validated = []
        found = compare(real, generated)
        self.log_dict({f"val/{name}": getattr(found, name) for name in WHOLE_METRICS})
        epoch, collapse = self.trainer.current_epoch + 1, found.collapse
        if collapse and not self.has_collapsed:
            log.warning("The generator has collapsed by epoch %d: %s", epoch, collapse)
        self.has_collapsed.fill_(bool(collapse))
        if self.samples_folder is not None:
            self._save_grid(epoch)

    def on_train_end(self) -> None:
        if self.has_collapsed:
            log.warning("At the end of the training the generator makes little of the variety of real images")

    def _of_discriminator(self, real: Tensor, fake: Tensor, label: Tensor | None) -> dict[str, Tensor]:
        """Its loss on real and generated images, and its mean scores of both."""
        score = self.network.discriminator
        real_score, fake_score = score(real, label), score(fake, label)
        loss = self.game.discriminator(real_score, fake_score, 1 - self.options.label_smoothing)
        if self.options.loss == "wasserstein_gp" and torch.is_grad_enabled():
            penalty = gradient_penalty(lambda image: score(image, label), real, fake)
            loss = loss + self.options.gradient_penalty * penalty
        return {"discriminator_loss": loss, "real_score": real_score.mean(), "fake_score": fake_score.mean()}

    def _improve_discriminator(
        self, parts: list[Batch], noises: Sequence[Tensor], own: float | Tensor
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Makes a step; gives the generated images of each part, and what was measured of the whole batch.

        ``own``: what this process's loss counts for.
        """
        # not Lightning's wrapper of the optimizer, which would count this as a step of the training
        optimizer = self.trainer.optimizers[1]
        optimizer.zero_grad()
        fakes, values = [], {}
        for part, noise, share in zip(parts, noises, shares_of(parts), strict=True):
            label = self._label(part)
            with torch.set_grad_enabled(len(parts) == 1):  # there is no room for what all parts would keep
                fakes.append(self.network.generator(noise, label))
            measured = self._of_discriminator(self._real(part), fakes[-1].detach(), label)
            self.manual_backward(measured["discriminator_loss"] * (share * own))
            for name, value in measured.items():
                values[name] = values.get(name, 0) + (value * share).detach()
        self.optimization.clip(self.network.discriminator)
        self.trainer.strategy.optimizer_step(optimizer, lambda: None, self)
        return fakes, values

    def _improve_generator(
        self, parts: list[Batch], noises: Sequence[Tensor], fakes: list[Tensor], own: float | Tensor
    ) -> Tensor:
        """Makes a step; gives the loss, without a graph. ``own``: what this process's loss counts for."""
        optimizer, loss = self.optimizers()[0], 0
        optimizer.zero_grad()
        with _frozen(self.network.discriminator):
            for part, noise, fake, share in zip(parts, noises, fakes, shares_of(parts), strict=True):
                label = self._label(part)
                if not fake.requires_grad:
                    fake = self.network.generator(noise, label)
                of_part = self.game.generator(self.network.discriminator(fake, label))
                self.manual_backward(of_part * (share * own))
                loss = loss + of_part.detach() * share
            self.optimization.clip(self.network.generator)
            optimizer.step()
        return loss

    def _validate(self, batch: Batch) -> None:
        label = self._label(batch)
        generated = self.generate(batch["sample"].tolist(), batch["label"], "val")
        real, fake = self._real(batch), self._real({"image": generated.byte()})
        values = self._of_discriminator(real, fake, label)
        values["generator_loss"] = self.game.generator(self.network.discriminator(fake, label))
        self.val_means.add(values, len(real))
        self.validated.append((self.features(batch["image"]), self.features(generated.byte())))

    def _real(self, batch: Batch) -> Tensor:
        image = batch["image"]
        share = image * self.std + self.mean if image.is_floating_point() else image.to(self.mean.dtype) / LARGEST_BYTE
        return (2 * share - 1).clamp(-1, 1)

    def _noise(self, count: int) -> Tensor:
        return torch.randn(count, self.network.latent, device=self.device, dtype=self.mean.dtype)

    def _label(self, batch: Batch) -> Tensor | None:
        return batch["label"] if self.network.conditional else None

    def _save_grid(self, epoch: int) -> None:
        columns = min(GRID_COLUMNS, self.num_outputs()) if self.network.conditional else GRID_COLUMNS
        numbers = range(GRID_ROWS * columns)
        label = torch.tensor([number % columns for number in numbers], device=self.device)
        images = self.generate(numbers, label, "grid").byte().cpu().numpy()
        save_grid(self.samples_folder / f"epoch-{epoch:04d}.png", images, columns)


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Its weights get no gradients: they are not what improves."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
