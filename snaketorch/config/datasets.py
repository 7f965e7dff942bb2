"""A dataset file: where samples come from, how they are split, how they are prepared."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from snaketorch.config.augment import Augment
from snaketorch.config.base import NotNegative, Positive, Section, Seed
from snaketorch.config.resources import PrepareResources
from snaketorch.config.sources import Source

Share = Annotated[float, Field(gt=0, lt=1)]


class Split(Section):
    """Shares held out from training. A series is cut by time: train, then val, then test."""

    val: Share = 0.1
    """Share of all samples for validation; of those for training where the source sets the test apart."""
    test: Share = 0.2
    """Share of all samples for the test; not used where the source sets the test apart."""
    given: bool = True
    """Keep the parts that the source sets apart (a `test` folder, torchvision's test set, a `test_path`); when false,
    all samples are split anew."""
    seed: Seed = 0
    """Which random split; not for a series."""
    stratify: bool = True
    """Keep the balance of the classes in every split; not for a series."""
    classes: Annotated[list[str], Field(min_length=2)] | None = None
    """Classes to keep, in this order, by their names; samples of others are left out. All when absent."""
    samples_per_class: Positive | None = None
    """Training samples to keep of each class, at most, drawn at random; validation and test keep theirs. All when
    absent."""

    @field_validator("classes")
    @classmethod
    def _every_class_once(cls, classes: list[str] | None) -> list[str] | None:
        twice = sorted({name for name in classes or () if classes.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(map(repr, twice))} more than once; allowed: each class once")
        return classes

    @model_validator(mode="after")
    def _leave_something_to_train_on(self) -> Self:
        if self.val + self.test >= 1:
            raise ValueError(
                f"val ({self.val:g}) and test ({self.test:g}) leave nothing to train on; allowed: a sum below 1"
            )
        return self


class Tokenizer(Section):
    """How text becomes tokens. The vocabulary is fitted on the training split only."""

    kind: Literal["character", "word", "bpe"] = "word"
    """A token is a character, a word, or a part of a word (byte-level byte-pair encoding)."""
    vocabulary_size: Annotated[int, Field(ge=4)] = 10000
    """Tokens to know, at most, the padding and unknown tokens included; the most frequent ones are kept."""
    min_count: Positive = 1
    """Occurrences that make a token known."""
    lowercase: bool = False
    """Make all letters small first."""

    @model_validator(mode="after")
    def _holds_all_bytes(self) -> Self:
        if self.kind == "bpe" and self.vocabulary_size < 258:
            raise ValueError(
                f"vocabulary_size: {self.vocabulary_size} does not hold the 256 bytes and two more tokens that bpe "
                "begins with; allowed: at least 258"
            )
        return self


class Prepare(Section):
    """What is done once to every sample, before any training."""

    size: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = None
    """Height and width in pixels to resize images to; as they come when absent."""
    channels: Literal[1, 3] | None = None
    """Grey (1) or colour (3) images; as they come when absent."""
    decoder: Literal["auto", "cpu", "cuda"] = "auto"
    """What decodes JPEG files: the GPU's decoder where there is one (auto), PIL alone (cpu), or the GPU's, and an error
    without one (cuda). Its pixels may differ from PIL's by a few grey levels, and the dataset's digest with them. Files
    that it does not take (PNG, WebP, BMP, CMYK, progressive or turned JPEG) are always PIL's."""
    frames: Positive = 16
    """Frames of each clip, evenly spread over it."""
    missing: Literal["error", "forward_fill", "median"] = "error"
    """What to do with missing values: refuse them, repeat the last known value (series and sequences), or take the
    median of the training split (tables)."""
    tokenizer: Tokenizer | None = None
    """How text becomes tokens; words when absent."""
    max_length: Positive = 256
    """Tokens of a text, at most; what is longer is cut."""
    on_bad_sample: Literal["error", "skip"] = "error"
    """What to do with a sample that cannot be read or is not what it should be."""
    max_bad_share: Annotated[float, Field(ge=0, lt=1)] = 0.01
    """Share of samples that may be skipped; more is an error."""
    copies: NotNegative = 0
    """Augmented copies of each training image to add, made by `augment`."""
    augment: Augment | None = None
    """How those copies are made; keys as in an experiment. To augment anew in every epoch, use the experiment's."""

    @model_validator(mode="after")
    def _copies_differ(self) -> Self:
        if (self.copies > 0) != (self.augment is not None):
            raise ValueError("copies and augment belong together; allowed: both or neither")
        if self.augment is not None and not self.augment.active:
            raise ValueError("augment: nothing in it changes an image; allowed: at least one change, for copies differ")
        if self.augment is not None and self.augment.active & {"mixup", "cutmix"}:
            raise ValueError(
                "augment: mixup and cutmix mix labels too, which a copy has no place for; allowed: in an experiment"
            )
        return self


class DatasetConfig(Section):
    """One file under `config/datasets/`."""

    source: Source
    """Where the samples come from."""
    split: Split = Split()
    """What is held out from training."""
    prepare: Prepare = Prepare()
    """What is done once, before any training."""
    resources: PrepareResources = PrepareResources()
    """What the preparation needs."""
