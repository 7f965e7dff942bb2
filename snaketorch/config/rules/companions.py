"""Keys that do nothing by themselves: each says how another key of its section is done."""

from collections.abc import Iterator, Mapping

from snaketorch.config.base import Section
from snaketorch.config.problems import Conflict

_MOVES = ("rotate", "scale", "shear", "translate", "perspective")
_POLICIES = ("rand_augment", "trivial_augment")

AUGMENT: Mapping[str, tuple[str, ...]] = {
    "resized_crop_ratio": ("resized_crop",),
    "padding_mode": (*_MOVES, "pad_crop", *_POLICIES),
    "interpolation": (*_MOVES, "resized_crop", *_POLICIES),
    "blur_sigma": ("blur",),
    "erase_scale": ("erase",),
    "erase_ratio": ("erase",),
}
"""Keys of `augment`, and those that each belongs to: one of them has to be there."""


def without_companions(section: Section, companions: Mapping[str, tuple[str, ...]]) -> Iterator[Conflict]:
    """Each key that was written without any of the keys that it belongs to, and what to say of it.

    A companion with the value that switches it off is one: the two may be switched together elsewhere.
    """
    written = section.model_fields_set
    for key, others in companions.items():
        if key in written and written.isdisjoint(others):
            yield (key,), f"has no effect without {' or '.join(others)}; allowed: with it, or not at all"
