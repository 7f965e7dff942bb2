"""Prepared samples, of a dataset on disk or just prepared for a prediction, as a profile."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from snaketorch.config import contents
from snaketorch.data.manifest import Manifest
from snaketorch.monitoring.descriptors.images import describe_clips, describe_images
from snaketorch.monitoring.descriptors.rows import describe_rows
from snaketorch.monitoring.descriptors.sequences import describe_sequences
from snaketorch.monitoring.descriptors.series import describe_series
from snaketorch.monitoring.descriptors.texts import describe_running_text, describe_texts
from snaketorch.monitoring.profile import Profile, some_of

Fields = Mapping[str, np.ndarray | Sequence[np.ndarray]]
"""By name: an array with a row a sample, or an array for each sample where they have lengths of their own."""


@dataclass(frozen=True, eq=False)
class Known:
    """What describing needs to know of the training data."""

    fields: Mapping[str, Mapping[str, Any]]
    """As the manifest has them."""
    usual: np.ndarray | None = None
    """(vocabulary,) occurrences of each token in the training split; None where there are no tokens."""

    @classmethod
    def of(cls, manifest: Manifest) -> "Known":
        if "token" not in manifest.fields:
            return cls(manifest.fields)
        size = manifest.fields["token"]["vocabulary_size"]
        return cls(manifest.fields, np.bincount(manifest.arrays("train")["token"], minlength=size))


def _sequences(fields: Fields, known: Known) -> Profile:
    told = known.fields["value"]
    found = describe_sequences(fields["value"], told["names"])
    if told["shape"][0] is None:
        return found
    return Profile({name: values for name, values in found.numbers.items() if name != "length"})


def _texts(fields: Fields, known: Known) -> Profile:
    return describe_texts(fields["token"], known.usual, known.fields["token"]["unknown"])


def _running_text(fields: Fields, known: Known) -> Profile:
    return describe_running_text(np.concatenate(fields["token"]), known.usual, known.fields["token"]["unknown"])


DESCRIBERS: dict[str, Callable[[Fields, Known], Profile]] = {
    contents.IMAGES: lambda fields, _: describe_images(fields["image"]),
    contents.NUMBER_IMAGES: lambda fields, _: describe_images(fields["image"]),
    contents.CLIPS: lambda fields, _: describe_clips(fields["image"]),
    contents.SEQUENCES: _sequences,
    contents.NUMBER_SEQUENCES: _sequences,
    contents.TEXTS: _texts,
    contents.CORPUS: _running_text,
    contents.SERIES: lambda fields, known: describe_series(fields["value"], known.fields["value"]["names"]),
    contents.ROWS: lambda fields, known: describe_rows(fields, known.fields),
    contents.NUMBER_ROWS: lambda fields, known: describe_rows(fields, known.fields),
}

IN_ORDER = {contents.SERIES, contents.CORPUS}
"""Contents that are one stream, whose samples follow each other."""


def describe(kind: str, fields: Fields, known: Known) -> Profile:
    """The profile of prepared samples of a kind of ``snaketorch.config.contents``, with their answers if there are."""
    found = DESCRIBERS[kind](fields, known)
    return found if kind in IN_ORDER else found.with_others(_answers(fields, known))


def _answers(fields: Fields, known: Known) -> Profile:
    if "target" in fields:
        name = known.fields.get("target", {}).get("name") or "target"
        return Profile({f"true {name}": np.asarray(fields["target"], np.float64)})
    return Profile()


def splits_to_compare(manifest: Manifest) -> list[str]:
    """The splits that stand for the source of a dataset.

    Those that were held out where the training split is no fair sample of it: copies were added to it, classes were
    thinned out, or a vocabulary was fitted to it, which then knows it better than any other text.
    """
    spec = manifest.spec
    is_changed = spec.get("prepare", {}).get("copies") or spec.get("split", {}).get("samples_per_class")
    return ["val", "test"] if is_changed or "token" in manifest.fields else ["train"]


def profile_of_dataset(manifest: Manifest) -> Profile:
    """What new samples are compared with."""
    known, kind = Known.of(manifest), manifest.provides
    splits = splits_to_compare(manifest)
    if kind in IN_ORDER:
        return Profile.joined(describe(kind, _whole(manifest.arrays(split)), known) for split in splits)
    profile = Profile.joined(describe(kind, _some(manifest.arrays(split)), known) for split in splits)
    if profile.flags:  # a category's values are those of the training split: there, none is unknown
        held_out = [describe(kind, _some(manifest.arrays(split)), known).flags for split in ("val", "test")]
        flags = {name: np.concatenate([part[name] for part in held_out]) for name in profile.flags}
        profile = Profile(profile.numbers, profile.categories, profile.names, flags)
    return profile


def labels_of_dataset(manifest: Manifest) -> np.ndarray | None:
    """The labels of the splits that new ones are compared with; None where there are none."""
    parts = [manifest.arrays(split).get("label") for split in splits_to_compare(manifest)]
    return np.concatenate(parts) if all(part is not None for part in parts) else None


def _some(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray | list[np.ndarray]]:
    chosen = some_of(len(arrays.get("label", arrays.get("target"))))
    return {name: _rows(arrays, name, chosen) for name in arrays if not name.endswith("_start")}


def _rows(arrays: Mapping[str, np.ndarray], name: str, chosen: np.ndarray) -> np.ndarray | list[np.ndarray]:
    if f"{name}_start" not in arrays:
        return arrays[name][chosen]
    starts = arrays[f"{name}_start"]
    return [np.asarray(arrays[name][starts[row] : starts[row + 1]]) for row in chosen]


def _whole(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray | list[np.ndarray]]:
    return {name: [np.asarray(array)] if name == "token" else array for name, array in arrays.items()}
