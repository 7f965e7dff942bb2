"""What MLflow takes in one request, and how anything is made to fit."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

# A request holds at most 1000 metrics, 100 params, 100 tags and a megabyte, which the lengths below
# keep even where each character takes six bytes. Servers older than this client take shorter values.
METRICS = 1000
PARAMS = 100
TAGS = 30
PARAM_LENGTH = 1000
TAG_LENGTH = 5000
_NAME_LENGTH = 250

T = TypeVar("T")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """``items`` in order, in pieces of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def allowed_name(name: str) -> str:
    """``name`` as MLflow allows it: no signs other than ``_ - . : /`` and space, no path that leads out."""
    parts = [part for part in re.sub(r"[^\w.\-: /]", "_", name).split("/") if part.strip(".")]
    return "/".join(parts).lstrip(".")[:_NAME_LENGTH].rstrip("/.") or "_"


def cut(text: str, length: int) -> str:
    """``text``, or as much of its beginning as fits, with a sign that there is more."""
    return text if len(text) <= length else text[: length - 2] + " …"


def json_text(value: object) -> str:
    """One line of JSON with its keys in order."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
