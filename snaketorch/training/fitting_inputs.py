"""Whether data mean to trained weights what the data meant that they were trained on, and how they are made to."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from snaketorch.config.contents import SERIES
from snaketorch.errors import UserError
from snaketorch.models.input_map import SCALE, SHIFT

Facts = Mapping[str, Any]
"""Of a dataset, see ``Manifest.facts``; empty where nothing is known."""

NORMALISED = ("image", "value", "number")
"""Fields that a network is given normalised by the statistics of the training split."""


def check_meaning(ours: Facts, theirs: Facts, where: str) -> None:
    """Refuses weights for which the same numbers stood for something else, though they have the right shapes.

    Args:
        ours: Of the dataset to train on.
        theirs: Of the one that the weights were trained on.
        where: What the weights are called in a message.

    Raises:
        UserError: The vocabulary, the columns, their order or the values of a category are others.
    """
    vocabularies = [facts["tokenizer"] for facts in (ours, theirs) if "tokenizer" in facts]
    if len(vocabularies) == 2 and vocabularies[0] != vocabularies[1]:
        raise UserError(
            f"model.pretrained: {where} was trained with another vocabulary than that of dataset '{ours['dataset']}', "
            "so its tokens mean others; allowed: weights of this dataset, or of one with the same prepare.tokenizer "
            "and the same training text"
        )
    for field in ("number", "category"):
        own, other = _field(ours, field), _field(theirs, field)
        if _is_of_rows(ours) and _is_of_rows(theirs) and own.get("names") != other.get("names"):
            raise _other_names("columns", own, other, where)
        for name, values, others in zip(
            own.get("names", ()), own.get("values", ()), other.get("values", ()), strict=False
        ):
            if {*values} != {*others}:
                changed = sorted({*values} ^ {*others})[0]
                raise UserError(
                    f"model.pretrained: {where} was trained on other values of '{name}', in which '{changed}' is "
                    f"{'new' if changed in values else 'missing here'}; allowed: weights of a dataset whose training "
                    "split has the same values, or both without that column"
                )
    own, other = (_field(facts, "value") for facts in (ours, theirs))
    names, others = own.get("names", []), other.get("names", [])
    if names != others and sorted(names) == sorted(others):
        raise _other_names("channels", own, other, where)


def has_other_target(ours: Facts, theirs: Facts) -> bool:
    """Whether an output of 1 means another number: a head learns targets normalised by their statistics."""
    own, other = (_field(facts, "target").get("statistics") for facts in (ours, theirs))
    return bool(theirs) and own != other


def map_to_training(network: nn.Module, ours: Facts, theirs: Facts, own_map: Mapping[str, Tensor | None]) -> str:
    """Sets the map of the network's input: from normalised by our statistics to theirs, then what they mapped.

    Only where both are the same quantities: images, or channels and columns of the same names. A series is
    forecast in units of its own deviation, at both ends of the network, so it is not mapped.

    Args:
        network: Has the buffers of ``models.input_map``.
        ours: Of the dataset to train on.
        theirs: Of the one that the weights were trained on.
        own_map: The buffers of the network that the weights are of; None where it had none.

    Returns:
        `mapped`, `the same`, or why they are not mapped, for the record.
    """
    found, scale, shift = _to_theirs(ours, theirs)
    target = network.get_buffer(SCALE)
    # images that are read as sequences have a feature for each channel and pixel of a row, channel by channel
    scale, shift = (value.repeat_interleave(max(1, target.numel() // len(value))) for value in (scale, shift))
    if own_map[SCALE] is not None:
        before, after = (_as_channels(own_map[name].flatten().double(), target.numel()) for name in (SCALE, SHIFT))
        scale, shift = before * scale, before * shift + after
    target.copy_(scale[: target.numel()].view_as(target))
    network.get_buffer(SHIFT).copy_(shift[: target.numel()].view_as(target))
    return found


def _to_theirs(ours: Facts, theirs: Facts) -> tuple[str, Tensor, Tensor]:
    same = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    names = [name for name in NORMALISED if _field(ours, name) and _field(theirs, name)]
    if not names:
        return "own: those of the weights are not known", *same
    own, other = (_field(facts, names[0]) for facts in (ours, theirs))
    if own["statistics"] == other["statistics"]:
        return "the same", *same
    if SERIES in (ours.get("provides"), theirs.get("provides")):
        return "own: a forecast is in units of its series", *same
    if names[0] != "image" and own.get("names") != other.get("names"):
        return "own: the channels have other names", *same
    (mean, their_mean), (std, their_std) = (
        [
            _as_channels(torch.tensor(field["statistics"][key], dtype=torch.float64), len(own["statistics"]["mean"]))
            for field in (own, other)
        ]
        for key in ("mean", "std")
    )
    return "mapped", std / their_std, (mean - their_mean) / their_std


def _as_channels(values: Tensor, channels: int) -> Tensor:
    """One value for each channel; their mean for all where the numbers of channels differ."""
    return values if len(values) == channels else values.mean().expand(channels)


def _field(facts: Facts, name: str) -> Mapping[str, Any]:
    return facts.get("fields", {}).get(name, {})


def _is_of_rows(facts: Facts) -> bool:
    return bool(_field(facts, "number") or _field(facts, "category"))


def _other_names(what: str, own: Mapping[str, Any], other: Mapping[str, Any], where: str) -> UserError:
    names, others = own.get("names", []), other.get("names", [])
    place = next(
        (place for place, pair in enumerate(zip(names, others, strict=False)) if pair[0] != pair[1]),
        min(len(names), len(others)),
    )
    here, there = (f"'{each[place]}'" if place < len(each) else "none" for each in (names, others))
    return UserError(
        f"model.pretrained: {where} was trained on other {what}: number {place + 1} is {here} here and was {there} "
        f"there; allowed: weights of a dataset with the same {what} in the same order"
    )
