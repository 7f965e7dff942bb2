"""Random changes of training samples: another draw for each sample in each epoch.

One flat section; ``contents`` says which of its keys have a meaning for which data.
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from snaketorch.config.base import NotNegative, Positive, Section

Chance = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]
Factor = Annotated[float, Field(gt=0)]
Range = Annotated[list[Factor], Field(min_length=2, max_length=2)]
"""From, to."""


class RandAugment(Section):
    """Some operations drawn from a list for each sample, all of one strength (Cubuk et al., arXiv 1909.13719)."""

    num_ops: Positive = 2
    """Operations in a row for each sample."""
    magnitude: Annotated[int, Field(ge=0, le=30)] = 9
    """Strength, of 30."""


class Augment(Section):
    """Random changes of training samples, another draw for each sample in each epoch; nothing when absent."""

    implementation: ClassVar[str] = "snaketorch.data.augment:build_augmentation"
    """Resolved where it is asked for, so that an edit of augmentation code concerns only who augments."""

    horizontal_flip: Chance = 0.0
    """Images: share that is mirrored left to right."""
    vertical_flip: Chance = 0.0
    """Images: share that is mirrored top to bottom."""
    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Images: rotated by up to so many degrees either way."""
    scale: Range | None = None
    """Images: enlarged by a factor in this range, such as `[0.9, 1.1]`."""
    shear: Annotated[float, Field(ge=0, lt=90)] = 0.0
    """Images: sheared by up to so many degrees either way, along x and y."""
    translate: Chance = 0.0
    """Images: moved by up to this share of their width and height either way."""
    perspective: Annotated[float, Field(ge=0, le=0.6)] = 0.0
    """Images: each corner is moved inwards by up to this share of half the side."""
    resized_crop: Range | None = None
    """Images: a part whose area is a share in this range, such as `[0.3, 1.0]`, enlarged to the whole."""
    resized_crop_ratio: Range = Field([0.75, 1.3333])
    """Images: width over height of that part."""
    pad_crop: NotNegative = 0
    """Images: moved by up to so many whole pixels either way; what was outside is filled."""
    padding_mode: Literal["zeros", "border", "reflection"] = "zeros"
    """Images: what is put where nothing was: black, the nearest pixel, the mirrored image."""
    interpolation: Literal["bilinear", "nearest"] = "bilinear"
    """Images: how pixels between pixels are found."""
    brightness: Amount = 0.0
    """Images: brighter or darker by a factor of 1 plus or minus up to this."""
    contrast: Amount = 0.0
    """Images: more or less contrast by a factor of 1 plus or minus up to this."""
    saturation: Amount = 0.0
    """Images: more or less colour by a factor of 1 plus or minus up to this."""
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Images: colours turned by up to this share of the circle either way."""
    grayscale: Chance = 0.0
    """Images: share that loses its colour."""
    blur: Chance = 0.0
    """Images: share that is blurred."""
    blur_sigma: Range = Field([0.1, 2.0])
    """Images: standard deviation of the blur in pixels."""
    noise: Amount = 0.0
    """Images: standard deviation of noise added to each value, where 1 is the step from black to white."""
    erase: Chance = 0.0
    """Images: share in which a rectangle is filled with the mean colour."""
    erase_scale: Range = Field([0.02, 0.33])
    """Images: area of that rectangle as a share of the image."""
    erase_ratio: Range = Field([0.3, 3.3])
    """Images: width over height of that rectangle."""
    rand_augment: RandAugment | None = None
    """Images: operations drawn for each sample."""
    trivial_augment: bool = False
    """Images: one operation of random strength for each sample (Müller and Hutter, arXiv 2103.10158)."""
    mixup: Amount = 0.0
    """Images: two samples and their labels are mixed; parameter of the Beta distribution (arXiv 1710.09412)."""
    cutmix: Amount = 0.0
    """Images: a rectangle comes from another sample; parameter of the Beta distribution (arXiv 1905.04899)."""
    jitter: Amount = 0.0
    """Sequences: standard deviation of noise added to each value, in standard deviations of its channel."""
    amplitude: Range | None = None
    """Sequences: distance from the mean times a factor in this range, one for each sample."""
    time_shift: NotNegative = 0
    """Sequences: moved by up to so many steps either way; the ends are repeated."""
    time_mask: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Sequences: one stretch of up to this share of the steps is set to the mean."""
    channel_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Sequences: share of channels set to the mean; one channel always stays."""
    token_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Texts: share of tokens left out."""
    token_mask: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Texts: share of tokens replaced by the unknown token."""

    @model_validator(mode="after")
    def _ranges_rise(self) -> Self:
        for name in (
            "scale",
            "resized_crop",
            "resized_crop_ratio",
            "blur_sigma",
            "erase_scale",
            "erase_ratio",
            "amplitude",
        ):
            value = getattr(self, name)
            if value is not None and value[0] > value[1]:
                raise ValueError(f"{name}: {value} begins above its end; allowed: [smaller, larger]")
        for name in ("resized_crop", "erase_scale"):
            value = getattr(self, name)
            if value is not None and value[1] > 1:
                raise ValueError(f"{name}: {value[1]:g} is more than the whole image; allowed: shares up to 1")
        return self

    @model_validator(mode="after")
    def _one_policy_alone(self) -> Self:
        if self.rand_augment is not None and self.trivial_augment:
            raise ValueError("rand_augment and trivial_augment are two ways to draw operations; allowed: one of them")
        return self

    @property
    def active(self) -> set[str]:
        """The keys that change samples."""
        return {name for name, field in type(self).model_fields.items() if getattr(self, name) != field.default}
