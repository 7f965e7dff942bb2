"""Names of experiments that no file has: they depend on their own values alone, and are never too long."""

import hashlib
import json
import re
from typing import Any

from snaketorch.config.base import NAME_PATTERN

LONGEST = 64
"""Letters of an experiment's name."""


def derived_name(name: str, suffix: str, value: Any) -> str:
    """``name-suffix``; where that is no name, or too long a one, letters that stand for ``value`` in place of it."""
    full = f"{name}-{suffix}"
    if re.fullmatch(NAME_PATTERN, full):
        return full
    short = fingerprint(value)
    return f"{name[: LONGEST - len(short) - 1]}-{short}"


def slug(value: Any) -> str:
    """A value in the letters that names have. Few values share one, as null and "none" do."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value).replace(".", "_").replace("+", "")
    if isinstance(value, list) and value and all(type(item) is int for item in value):
        return "_".join(map(str, value))
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", value):
        return value
    if isinstance(value, dict) and list(value) == ["kind"]:
        return slug(value["kind"])
    text = value.get("kind", "") if isinstance(value, dict) else value if isinstance(value, str) else ""
    letters = re.sub(r"[^A-Za-z0-9]+", "_", str(text))[:16]
    return "_".join(filter(None, [letters, fingerprint(value)[:6]]))


def fingerprint(value: Any) -> str:
    """8 hexadecimal digits that stand for what a YAML file can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]
