"""What a dataset can hold, who prepares it, and which keys of a configuration have a meaning for it.

To add one: a constant here and its line in ``CONTENTS``.
"""

from collections.abc import Set
from dataclasses import dataclass

IMAGES = "labelled images"
CLIPS = "labelled clips"
SEQUENCES = "labelled sequences"
TEXTS = "labelled texts"
CORPUS = "running text"
SERIES = "a time series"
ROWS = "rows with a class"
NUMBER_ROWS = "rows with a number"
NUMBER_IMAGES = "images with a number"
NUMBER_SEQUENCES = "sequences with a number"


@dataclass(frozen=True)
class Content:
    """What is known of a kind of content before any data is read."""

    prepared_by: str
    """The function that makes it ready, as ``module:attribute``."""
    split: Set[str] = frozenset({"val", "test", "given", "seed", "stratify", "classes", "samples_per_class"})
    """Keys of `split` that have a meaning."""
    prepare: Set[str] = frozenset()
    """Keys of `prepare` that have a meaning."""
    missing: Set[str] = frozenset({"error"})
    """What `prepare.missing` can be."""
    augment: Set[str] = frozenset()
    """Keys of `augment` that have a meaning."""


_OF_NUMBERS = frozenset({"val", "test", "given", "seed"})
_BAD = {"on_bad_sample", "max_bad_share"}
_GEOMETRY = {
    "horizontal_flip",
    "vertical_flip",
    "rotate",
    "scale",
    "shear",
    "translate",
    "perspective",
    "resized_crop",
    "resized_crop_ratio",
    "pad_crop",
    "padding_mode",
    "interpolation",
}
_COLOUR = {"brightness", "contrast", "saturation", "hue", "grayscale", "blur", "blur_sigma", "noise"}
_ERASE = {"erase", "erase_scale", "erase_ratio"}
_MIX = {"mixup", "cutmix"}
_OF_IMAGES = frozenset({*_GEOMETRY, *_COLOUR, *_ERASE, *_MIX, "rand_augment", "trivial_augment"})
_OF_SEQUENCES = frozenset({"jitter", "amplitude", "time_shift", "time_mask", "channel_dropout"})
_OF_TOKENS = frozenset({"token_dropout", "token_mask"})

CONTENTS: dict[str, Content] = {
    IMAGES: Content(
        "snaketorch.data.images:prepare_images",
        prepare=frozenset({"size", "channels", "decoder", "copies", "augment", *_BAD}),
        augment=_OF_IMAGES,
    ),
    NUMBER_IMAGES: Content(
        "snaketorch.data.images:prepare_images",
        split=_OF_NUMBERS,
        prepare=frozenset({"size", "channels", *_BAD}),
        augment=_OF_IMAGES - _MIX,
    ),
    CLIPS: Content(
        "snaketorch.data.clips:prepare_clips",
        prepare=frozenset({"size", "channels", "frames", *_BAD}),
        augment=_OF_IMAGES,
    ),
    SEQUENCES: Content(
        "snaketorch.data.sequences:prepare_sequences",
        prepare=frozenset({"missing", *_BAD}),
        missing=frozenset({"error", "forward_fill"}),
        augment=_OF_SEQUENCES,
    ),
    NUMBER_SEQUENCES: Content(
        "snaketorch.data.sequences:prepare_sequences",
        split=_OF_NUMBERS,
        prepare=frozenset({"missing", *_BAD}),
        missing=frozenset({"error", "forward_fill"}),
        augment=_OF_SEQUENCES,
    ),
    TEXTS: Content(
        "snaketorch.data.texts:prepare_texts",
        prepare=frozenset({"tokenizer", "max_length", *_BAD}),
        augment=_OF_TOKENS,
    ),
    CORPUS: Content(
        "snaketorch.data.corpus:prepare_corpus",
        split=frozenset({"val", "test"}),
        prepare=frozenset({"tokenizer"}),
        augment=frozenset({"token_mask"}),
    ),
    SERIES: Content(
        "snaketorch.data.series:prepare_series",
        split=frozenset({"val", "test"}),
        prepare=frozenset({"missing"}),
        missing=frozenset({"error", "forward_fill"}),
        augment=_OF_SEQUENCES - {"time_shift"},
    ),
    ROWS: Content(
        "snaketorch.data.rows:prepare_rows",
        prepare=frozenset({"missing", *_BAD}),
        missing=frozenset({"error", "median"}),
    ),
    NUMBER_ROWS: Content(
        "snaketorch.data.rows:prepare_rows",
        split=_OF_NUMBERS,
        prepare=frozenset({"missing", *_BAD}),
        missing=frozenset({"error", "median"}),
    ),
}
