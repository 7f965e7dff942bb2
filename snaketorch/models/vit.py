"""Vision transformer."""

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import VisionTransformer

from snaketorch.config.models import Vit
from snaketorch.config.models.torchvision import VIT_SIZES
from snaketorch.models.shapes import ImageShape
from snaketorch.models.stem import first_convolution
from snaketorch.models.torchvision_network import TorchvisionNetwork, entered_small, refuse_image


class Patches(nn.Module):
    """(B, C, H, W) -> (B, 1 + patches, hidden_dim): a token for the class, then one for each patch, with its place.

    A border of zeros, the mean of normalised images, makes any image a square of patches.
    """

    def __init__(self, network: VisionTransformer, shape: ImageShape):
        super().__init__()
        self.class_token = network.class_token
        self.conv_proj = network.conv_proj
        self.pos_embedding = network.encoder.pos_embedding
        self.dropout = network.encoder.dropout
        missing = [network.image_size - side for side in (shape.width, shape.height)]
        # as F.pad has it: left, right, top, bottom
        self.border = [part for pixels in missing for part in (pixels // 2, pixels - pixels // 2)]

    def forward(self, image: Tensor) -> Tensor:
        patches = self.conv_proj(F.pad(image, self.border)).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(image), -1, -1), patches], dim=1)
        return self.dropout(tokens + self.pos_embedding)


class ClassToken(nn.Module):
    """(B, 1 + patches, hidden_dim) -> (B, hidden_dim): the token for the class, normalised."""

    def __init__(self, ln: nn.LayerNorm):
        super().__init__()
        self.ln = ln

    def forward(self, tokens: Tensor) -> Tensor:
        return self.ln(tokens[:, 0])


def build(options: Vit, input_shape: ImageShape, num_outputs: int) -> TorchvisionNetwork:
    """The patches, the layers of the encoder, the token for the class, and the head."""
    channels, height, width = input_shape
    _, letter, patch_of_variant = options.variant.split("_")
    patch = int(patch_of_variant)
    if entered_small(options, input_shape):
        patch = 1 << max(1, max(height, width) // 8).bit_length() - 1  # the largest power of two up to an eighth
    elif min(height, width) < patch:
        refuse_image(options, input_shape, patch)
    asked = options.model_dump(include=set(VIT_SIZES[letter]), exclude_none=True)
    network = VisionTransformer(
        image_size=math.ceil(max(height, width) / patch) * patch,
        patch_size=patch,
        **VIT_SIZES[letter] | asked,
        dropout=options.dropout,
        attention_dropout=options.attention_dropout,
        num_classes=num_outputs,
    )
    initialise = partial(nn.init.trunc_normal_, std=math.sqrt(1 / (channels * patch**2)))
    network.conv_proj = first_convolution(network.conv_proj, channels, False, initialise)
    layers = dict(network.encoder.layers.named_children())
    parts = {"patches": Patches(network, input_shape), **layers, "class_token": ClassToken(network.encoder.ln)}
    return TorchvisionNetwork(network, parts, network.heads.head)
