"""Two specs of one step, compared key by key."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

MOST = 40
"""Letters of a value that are shown."""

_ABSENT = object()


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The keys whose values differ, such as ``optimizer.lr: 0.001 -> 0.002``, in the order of the present spec.

    Of a section that is of another `kind` now only that is said: its keys are others.
    """
    return list(_differences(before, now, ""))


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str) -> Iterator[str]:
    if before.get("kind") != now.get("kind"):
        yield _change(f"{prefix}kind", before.get("kind", _ABSENT), now.get("kind", _ABSENT))
        return
    for key in [*now, *(key for key in before if key not in now)]:
        old, new = before.get(key, _ABSENT), now.get(key, _ABSENT)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differences(old, new, f"{prefix}{key}.")
        elif old is _ABSENT or new is _ABSENT or json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True):
            yield _change(f"{prefix}{key}", old, new)


def _change(key: str, old: Any, new: Any) -> str:
    return f"{key}: {_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    """A value as it may stand in YAML, in one line."""
    if value is _ABSENT:
        return "(absent)"
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | dict):
        text = text.replace('"', "")
    return text if len(text) <= MOST else text[: MOST - 3] + "..."
