"""Files with a network's weights, whoever wrote them.

They are read with ``weights_only=True``: no code of theirs runs.
"""

import json
import pickle
import re
import struct
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from snaketorch.errors import UserError

NESTED = ("weights", "state_dict", "model_state_dict", "model", "network")
"""Keys under which checkpoints keep weights: Snaketorch's, Lightning's, and those of many scripts."""


UNREADABLE = (
    *(OSError, RuntimeError, EOFError, ValueError, LookupError, TypeError),
    *(struct.error, pickle.UnpicklingError),
)
"""What `torch.load` makes of a file that it did not write: it takes the letters of a text for what a pickle does."""


class WeightFile(NamedTuple):
    """What a file holds."""

    weights: dict[str, Tensor]
    facts: dict[str, Any]
    """What a model of Snaketorch says of its data; empty for other files."""


def read_weights(path: Path) -> WeightFile:
    """The weights in ``path``: a model of Snaketorch, a checkpoint of Lightning, or a plain ``state_dict``.

    Raises:
        UserError: when the file is none of these.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        raise UserError(
            f"model.pretrained: {path} cannot be read as weights: {_reason(error)}; allowed: what torch.save makes of "
            "a state_dict, a checkpoint of Lightning, a model.ckpt of another study"
        ) from error
    facts = _facts_in(content)
    # beside them a program may keep other tensors, such as the number of an epoch
    while nested := _nested(content):
        content = nested
    if not _are_weights(content):
        raise UserError(
            f"model.pretrained: {path} holds no weights; allowed: a state_dict, by itself or under one of the keys "
            f"{', '.join(NESTED)}"
        )
    return WeightFile({name: value for name, value in content.items() if isinstance(value, Tensor)}, facts)


def without_prefix(weights: Mapping[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
    """``weights`` by the names that a network knows them by: training code puts `network.` or `module.` in front.

    What does not have the prefix that gives most of the ``wanted`` names is left out.
    """
    matches = Counter()
    for name in weights:
        for start in (0, *(place + 1 for place, letter in enumerate(name) if letter == ".")):
            if name[start:] in wanted:
                matches[name[:start]] += 1
    best = max(matches, key=lambda prefix: (matches[prefix], -len(prefix)), default="")
    return {name.removeprefix(best): weight for name, weight in weights.items() if name.startswith(best)}


def _reason(error: Exception) -> str:
    """Why torch did not read a file, without its advice to trust the file."""
    said = str(error)
    if found := re.search(r"Unsupported global: GLOBAL (\S+)", said):
        return f"it holds an object of {found[1]}, which could run code, not weights alone"
    if isinstance(error, pickle.UnpicklingError | LookupError | struct.error):
        return "torch.save did not write it"
    return said.splitlines()[0].partition(". ")[0] if said else "it is empty"


def _facts_in(content: Any) -> dict[str, Any]:
    try:
        return json.loads(content["description"])["facts"]
    except (LookupError, TypeError, ValueError):  # of another program
        return {}


def _nested(content: Any) -> Mapping[Any, Any] | None:
    if not isinstance(content, Mapping):
        return None
    return next((content[key] for key in NESTED if isinstance(content.get(key), Mapping)), None)


def _are_weights(content: Any) -> bool:
    return isinstance(content, Mapping) and any(isinstance(value, Tensor) for value in content.values())
