"""Sequences, and the windows of a series that are to be forecast."""

import torch
from torch import Tensor

from snaketorch.config.augment import Augment
from snaketorch.data.augment.constants import Constants
from snaketorch.data.augment.draws import Draws, between, bits_at, normal_at, uniform
from snaketorch.data.loading.samples import Batch


class SequenceAugmentation:
    """Values (B, L, C) in the data's units; ``length`` (B,), where a batch has it, says where padding begins.

    Amplitude first, then shift, jitter, dropped channels and masked steps. The mean is that of the channel
    over the training split.

    Args:
        key: The values in a batch.
        target: What follows the values and is to be forecast, if it is: only its amplitude changes.
    """

    def __init__(self, options: Augment, key: str, target: str | None, statistics: dict[str, list[float]], seed: int):
        self.options, self.key, self.target = options, key, target
        names = {"amplitude": ["amplitude"], "time_shift": ["time_shift"], "time_mask": ["mask_length", "mask_start"]}
        self.draws = Draws(seed, [name for name, drawn in names.items() if name in options.active for name in drawn])
        self._constants = Constants(**{name: torch.tensor(statistics[name]).float() for name in ("mean", "std")})

    def fetch(self, indices: Tensor, epoch: int, count: int) -> Tensor:
        return indices

    def __call__(self, batch: Batch, epoch: int) -> Batch:
        original, options = batch[self.key], self.options
        values = original
        steps, channels = values.shape[1:]
        mean, std = self._constants.on(values.device).values()
        states = self.draws.states(batch["sample"], epoch)
        drawn = self.draws.uniform(states)
        length = batch["length"] if "length" in batch else torch.full_like(batch["sample"], steps)
        step = torch.arange(steps, device=values.device)
        changed = {}
        if options.amplitude:
            factor = between(drawn["amplitude"], *options.amplitude).view(-1, 1, 1)
            values = mean + factor * (values - mean)
            if self.target:
                changed[self.target] = mean + factor * (batch[self.target] - mean)
        if options.time_shift:
            shift = (drawn["time_shift"] * (2 * options.time_shift + 1)).long() - options.time_shift
            source = (step - shift.unsqueeze(1)).clamp(min=0).minimum(length.unsqueeze(1) - 1).clamp(min=0)
            values = values.gather(1, source.unsqueeze(2).expand(-1, -1, channels))
        if options.jitter:
            noise = normal_at(states, "jitter", steps * channels).reshape(values.shape)
            values = torch.addcmul(values, noise, options.jitter * std)
        if options.channel_dropout:
            luck = uniform(bits_at(states, "channel_dropout", channels))
            stays = torch.arange(channels, device=values.device) == luck.argmax(1, keepdim=True)
            keep = (luck >= options.channel_dropout) | stays
            values = torch.where(keep.unsqueeze(1), values, mean)
        if options.time_mask:
            longest = (length * options.time_mask).floor()
            masked = (drawn["mask_length"] * (longest + 1)).floor()
            start = (drawn["mask_start"] * (length - masked + 1)).floor()
            hidden = (step >= start.unsqueeze(1)) & (step < (start + masked).unsqueeze(1))
            values = torch.where(hidden.unsqueeze(2), mean, values)
        if "length" in batch:
            values = torch.where((step < length.unsqueeze(1)).unsqueeze(2), values, original)
        return {**batch, **changed, self.key: values}
