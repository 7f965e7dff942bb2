"""The image networks of torchvision, by its names."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from snaketorch.config.base import Positive, Probability
from snaketorch.config.models.base import IMAGE, Network


class Torchvision(Network):
    """A network of torchvision, for any number of channels and classes."""

    reads: ClassVar[tuple[str, ...]] = (IMAGE,)
    hub_weights: ClassVar[bool] = True

    stem: Literal["auto", "standard", "small"] = "auto"
    """How an image is entered. `standard`: torchvision's own layers, made for 224x224 pixels, which shrink an image
    32-fold. `small`: the first layers keep its size (3x3 filters, no pooling), so it shrinks 8-fold. `auto`: `small`
    for images of up to 64 pixels (the shorter side), else `standard`."""

    @property
    def torchvision_name(self) -> str:
        """What ``torchvision.models.get_model`` calls it."""
        return getattr(self, "variant", self.kind)


class Alexnet(Torchvision):
    """AlexNet (2012): five convolutions and three dense layers, the two hidden ones of 4,096 units."""

    implementation: ClassVar[str] = "snaketorch.models.alexnet:build"

    kind: Literal["alexnet"]
    dropout: Probability = 0.5
    """Share of dense units dropped in training."""


class Vgg(Torchvision):
    """VGG (2014): 3x3 convolutions in five stages and three dense layers, the two hidden ones of 4,096 units.

    With `stem: small`, the first of its five poolings are left out as the image is too small for all.
    """

    implementation: ClassVar[str] = "snaketorch.models.vgg:build"

    kind: Literal["vgg"]
    variant: Literal["vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"] = "vgg11_bn"
    """The layers that have weights; `_bn`: with batch normalisation."""
    dropout: Probability = 0.5
    """Share of dense units dropped in training."""


class Googlenet(Torchvision):
    """GoogLeNet (2014): nine inception modules; without the two auxiliary outputs, which are a matter of the loss."""

    implementation: ClassVar[str] = "snaketorch.models.googlenet:build"

    kind: Literal["googlenet"]
    dropout: Probability = 0.2
    """Share of units dropped before the output in training."""


class Resnet(Torchvision):
    """ResNet (2015), ResNeXt and wide ResNet: four stages of residual blocks."""

    implementation: ClassVar[str] = "snaketorch.models.resnet:build"

    kind: Literal["resnet"]
    variant: Literal[
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "resnext50_32x4d",
        "resnext101_32x8d",
        "resnext101_64x4d",
        "wide_resnet50_2",
        "wide_resnet101_2",
    ] = "resnet18"
    """How many layers, and how wide."""


class Densenet(Torchvision):
    """DenseNet (2016): every layer of a block reads all layers before it."""

    implementation: ClassVar[str] = "snaketorch.models.densenet:build"

    kind: Literal["densenet"]
    variant: Literal["densenet121", "densenet161", "densenet169", "densenet201"] = "densenet121"
    """How many layers."""
    drop_rate: Probability = 0.0
    """Share of units dropped after each layer in training."""


class Mobilenet(Torchvision):
    """MobileNet v2 (2018) and v3 (2019): small and quick, of depthwise convolutions."""

    implementation: ClassVar[str] = "snaketorch.models.mobilenet:build"

    kind: Literal["mobilenet"]
    variant: Literal["mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"] = "mobilenet_v3_small"
    """Which version."""
    dropout: Probability = 0.2
    """Share of units dropped before the output in training."""


class Efficientnet(Torchvision):
    """EfficientNet v1 (2019) and v2 (2021): depth, width and resolution scaled together."""

    implementation: ClassVar[str] = "snaketorch.models.efficientnet:build"

    kind: Literal["efficientnet"]
    variant: Literal[
        "efficientnet_b0",
        "efficientnet_b1",
        "efficientnet_b2",
        "efficientnet_b3",
        "efficientnet_b4",
        "efficientnet_b5",
        "efficientnet_b6",
        "efficientnet_b7",
        "efficientnet_v2_s",
        "efficientnet_v2_m",
        "efficientnet_v2_l",
    ] = "efficientnet_b0"
    """Which size."""
    dropout: Probability | None = None
    """Share of units dropped before the output in training; as the variant has it when absent."""
    stochastic_depth_prob: Probability | None = None
    """Share of residual blocks left out in training, the most at the end; as the variant has it when absent."""


class Convnext(Torchvision):
    """ConvNeXt (2022): a residual network with what transformers taught."""

    implementation: ClassVar[str] = "snaketorch.models.convnext:build"

    kind: Literal["convnext"]
    variant: Literal["convnext_tiny", "convnext_small", "convnext_base", "convnext_large"] = "convnext_tiny"
    """Which size."""
    stochastic_depth_prob: Probability | None = None
    """Share of residual blocks left out in training, the most at the end; as the variant has it when absent."""


class Vit(Torchvision):
    """Vision transformer (2020): attention between patches of the image.

    With `stem: small`, the side of a patch is the largest power of two that is at most an eighth of the image's
    longer side. Images that are no square, or no multiple of a patch, get a border.
    """

    implementation: ClassVar[str] = "snaketorch.models.vit:build"

    kind: Literal["vit"]
    variant: Literal["vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14"] = "vit_b_16"
    """Which size (`b` has 86 million weights), and the side of a patch in pixels."""
    num_layers: Positive | None = None
    """Layers of the encoder; as the variant has it when absent, like the next three."""
    num_heads: Positive | None = None
    """Heads of the attention."""
    hidden_dim: Positive | None = None
    """Width of the encoder, a multiple of `num_heads`."""
    mlp_dim: Positive | None = None
    """Units of the dense layer inside each layer of the encoder."""
    dropout: Probability = 0.0
    """Share of units dropped in training."""
    attention_dropout: Probability = 0.0
    """Share of attention dropped in training."""

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        sizes = VIT_SIZES[self.variant.split("_")[1]]
        heads, width = self.num_heads or sizes["num_heads"], self.hidden_dim or sizes["hidden_dim"]
        if width % heads:
            raise ValueError(f"hidden_dim: {width} cannot be shared by {heads} heads; allowed: a multiple of num_heads")
        return self


VIT_SIZES: dict[str, dict[str, int]] = {
    "b": {"num_layers": 12, "num_heads": 12, "hidden_dim": 768, "mlp_dim": 3072},
    "l": {"num_layers": 24, "num_heads": 16, "hidden_dim": 1024, "mlp_dim": 4096},
    "h": {"num_layers": 32, "num_heads": 16, "hidden_dim": 1280, "mlp_dim": 5120},
}
"""What the letters of the variants stand for."""
