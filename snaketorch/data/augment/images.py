"""Images and clips: geometry, filters, colour and normalisation, erasing, mixing, in this order."""

import torch
from torch import Tensor

from snaketorch.config.augment import Augment
from snaketorch.data.augment.colour import Colour, ColourMap
from snaketorch.data.augment.constants import Constants
from snaketorch.data.augment.draws import Draws, between, normal_at
from snaketorch.data.augment.filters import blurred
from snaketorch.data.augment.geometry import Geometry, warped
from snaketorch.data.augment.mix import Mix, partners
from snaketorch.data.augment.policy import Policy
from snaketorch.data.augment.rectangles import Erase
from snaketorch.data.augment.shift import shifted
from snaketorch.data.augment.slices import slice_size
from snaketorch.data.augment.subset import changed
from snaketorch.data.loading.samples import Batch

WHITE = 255.0


class ImageAugmentation:
    """Bytes (B, C, H, W), or clips (B, T, C, H, W), to changed and normalised float images.

    A clip has one draw, so its frames stay together. What geometry uncovers is black before colours change.
    """

    def __init__(self, options: Augment, key: str, statistics: dict[str, list[float]], seed: int):
        self.options, self.key = options, key
        self.geometry, self.colour, self.erase = Geometry(options), Colour(options), Erase(options)
        self.policy = Policy(options) if options.rand_augment or options.trivial_augment else None
        self.mix = Mix(options) if options.mixup or options.cutmix else None
        names = [*self.geometry.names, *self.colour.names, *self.erase.names]
        names += ["blur", "blur_sigma"] if options.blur else []
        for part in (self.policy, self.mix):
            names += part.names if part else []
        self.draws = Draws(seed, names)
        mean, std = (torch.tensor(statistics[name], dtype=torch.float64).view(-1, 1) for name in ("mean", "std"))
        constants = {
            "scale": 1 / (WHITE * std),
            "shift": -mean / std,
            "black": -mean / std,
            "white": (1 - mean) / std,
            "deviation": options.noise / std,
        }
        self._constants = Constants(**{name: value.float() for name, value in constants.items()})

    def fetch(self, indices: Tensor, epoch: int, count: int) -> Tensor:
        if self.mix is None:
            return indices
        return torch.cat([indices, partners(self.draws.states(indices, epoch), count)])

    def __call__(self, batch: Batch, epoch: int) -> Batch:
        pixels = batch[self.key]
        channels, height, width = pixels.shape[-3:]
        states = self.draws.states(batch["sample"], epoch)
        drawn = self.draws.uniform(states)
        chosen = self.policy.choose(drawn) if self.policy else None
        # all frames of a clip side by side: what is done to a sample is done to each (B, T * C, H, W)
        images = self._moved(pixels.reshape(len(pixels), -1, height, width), drawn, chosen)
        if self.options.blur:
            sigma = between(drawn["blur_sigma"], *self.options.blur_sigma)
            images = changed(images.float(), drawn["blur"] < self.options.blur, self._blurred, sigma)
        if chosen:
            images = self.policy.filter(images.float(), chosen, channels)
        images = self._coloured(images, channels, states, drawn, chosen)
        if self.options.erase:
            images = self.erase(images, drawn)
        if self.mix is None:
            return {**batch, self.key: images.view(pixels.shape)}
        return self._mixed({**batch, self.key: images}, drawn, pixels.shape[1:])

    def _moved(self, images, drawn, chosen) -> Tensor:
        options, geometry = self.options, self.geometry
        if geometry.exact and not chosen:
            moves, padding = geometry.moves(drawn), options.pad_crop
            return shifted(images, *geometry.flips(drawn), moves, padding, options.padding_mode)
        height, width = images.shape[2:]
        matrices = geometry.matrix(drawn, height, width) if geometry.names else None
        if chosen:
            matrices = self.policy.move(matrices, chosen, height, width)
        flat = not options.perspective
        return warped(images.float(), matrices, options.interpolation, options.padding_mode, flat)

    def _blurred(self, images: Tensor, sigma: Tensor) -> Tensor:
        return blurred(images, sigma, self.options.blur_sigma[1])

    def _coloured(self, images, channels, states, drawn, chosen) -> Tensor:
        """Colours changed, noise added, normalised."""
        constant = self._constants.on(images.device)
        scale, shift = constant["scale"], constant["shift"]
        changes = bool(self.colour.names or chosen)
        size = images.shape
        layers = images.float().view(-1, channels, size[2] * size[3])  # (B * T, C, H * W)
        if changes:
            frames = len(layers) // len(images)
            means = layers.mean(2).view(-1, frames, channels).mean(1)
            colours = ColourMap(means)
            if chosen:
                self.policy.colour(colours, chosen)
            self.colour.change(colours, drawn)
            layers = colours.applied(layers, scale, shift, frames)
        else:
            layers = (layers * scale).add_(shift)
        if self.options.noise:
            size_of_part = slice_size(images)
            parts = layers.view(len(images), -1, *layers.shape[1:]).split(size_of_part)
            for part, state in zip(parts, states.split(size_of_part), strict=True):
                noise = normal_at(state, "noise", size[1:].numel()).reshape(part.shape)
                part.add_(noise.mul_(constant["deviation"]))
        if changes or self.options.noise:
            # clamp is 20 times as slow with a bound for each channel
            layers = torch.maximum(layers, constant["black"], out=layers)
            layers = torch.minimum(layers, constant["white"], out=layers)
        return layers.view(size)

    def _mixed(self, batch: Batch, drawn, shape) -> Batch:
        count = len(batch["sample"]) // 2
        own = {name: value[:count] for name, value in drawn.items()}
        images, share = self.mix(batch[self.key][:count], batch[self.key][count:], own)
        mixed = {name: value[:count] for name, value in batch.items()}
        label = batch["label"][count:]
        return {**mixed, self.key: images.view(count, *shape), "mixed_label": label, "mixed_share": share}
