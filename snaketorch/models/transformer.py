"""A small transformer encoder."""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh

from snaketorch.config.models import Transformer as Options
from snaketorch.models.embedding import check_steps, token_embedding
from snaketorch.models.pooling import Pooling
from snaketorch.models.positions import LearnedPositions, SinusoidalPositions
from snaketorch.models.shapes import SequenceShape, TokensShape


class Readout(nn.Module):
    """States (B, T, D), normalised: one vector of them (B, D) where there is a ``pooling``, else all."""

    def __init__(self, features: int, pooling: Pooling | None):
        super().__init__()
        self.norm = nn.LayerNorm(features)
        self.pooling = pooling

    def forward(self, states: Tensor, length: Tensor | None = None) -> Tensor:
        states = self.norm(states)
        return states if self.pooling is None else self.pooling(states, length)


class Transformer(nn.Module):
    """torch's encoder layers, normalised before attention; what they give, or a mean of it, becomes the output.

    Reads tokens (B, T) or values (B, T, F), gives (B, num_outputs), or (B, T, num_outputs) where each step has
    an output, which then sees that step and those before it.
    """

    def __init__(
        self,
        options: Options,
        input_shape: SequenceShape | TokensShape,
        num_outputs: int,
        each_step: bool = False,
    ):
        super().__init__()
        check_steps(input_shape)
        if isinstance(input_shape, TokensShape):
            embedding = token_embedding(input_shape, options.hidden)
        else:
            embedding = nn.Linear(input_shape.features, options.hidden)
        if options.positions == "learned":
            positions = LearnedPositions(input_shape.steps, options.hidden)
        else:
            positions = SinusoidalPositions(options.hidden)
        entry = {"embedding": embedding, "positions": positions, "dropout": nn.Dropout(options.dropout)}
        self.entry = nn.Sequential(OrderedDict(entry))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                options.hidden,
                options.heads,
                options.feedforward,
                options.dropout,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(options.layers)
        )
        self.each_step = each_step
        self.readout = Readout(options.hidden, None if each_step else Pooling(options.pooling, options.hidden))
        self.dropout = nn.Dropout(options.dropout)
        self.head = nn.Linear(options.hidden, num_outputs)

    def forward(self, sample: Tensor, length: Tensor | None = None) -> Tensor:
        """``length`` (B,): steps of each sample, the rest is padding and has no influence; all steps when absent."""
        states = self.entry(sample)
        steps = torch.arange(states.shape[1], device=states.device)
        ahead = steps > steps[:, None] if self.each_step else None
        # looking back only, no step sees padding: it comes last
        padding = None if length is None or self.each_step else steps >= length[:, None]
        for layer in self.layers:
            states = layer(states, src_mask=ahead, src_key_padding_mask=padding, is_causal=self.each_step)
        return self.head(self.dropout(self.readout(states, length)))

    def blocks(self) -> list[nn.Module]:
        """Its parts with weights, from the input to the head."""
        return [self.entry, *self.layers, self.readout, self.head]

    def parallelize(self, mesh: DeviceMesh) -> None:
        """Leaves this process its part of the layers, of which all processes of ``mesh`` compute each."""
        from snaketorch.models.tensor_parallel import split_encoder_layer  # what it imports, few need

        for layer in self.layers:
            split_encoder_layer(layer, mesh)
