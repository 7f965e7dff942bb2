"""Reads the catalogue of GPUs, a table with a row for each."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snaketorch.config.document import Document
from snaketorch.config.explain import schema_of
from snaketorch.config.gpu import GpuEntry
from snaketorch.config.problems import Position, Problem

RATE = "_tflops"
"""How the columns of rates end."""


def read_catalogue(path: Path) -> Document:
    """The catalogue in the shape of `config/gpus.yaml`."""
    shown_as = f"{path.parent.name}/{path.name}"
    document = Document(shown_as, data={"gpus": {}})
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, restkey="")
        for row in rows:
            place = Position(shown_as, rows.line_num)
            name = row.pop("name", None)
            if not name or "" in row or None in row.values():
                count = f"a row has not the {len(rows.fieldnames or ())} cells of the first line"
                what = count if name else "a row has no name"
                document.problems.append(Problem.at(place, (), f"{what}; allowed: a name, and a cell for each column"))
            elif name in document.data["gpus"]:
                message = f"'{name}' has a row above; allowed: one row for each GPU"
                document.problems.append(Problem.at(place, (), message))
            else:
                document.positions["gpus", name] = place
                document.data["gpus"][name] = _nested(row)
    return document


def _nested(row: Mapping[str, str]) -> dict[str, Any]:
    """A row's cells as YAML would give them, without those that are empty."""
    cells = {key: text.strip() for key, text in row.items() if text.strip()}
    entry: dict[str, Any] = {
        "tflops": {key.removesuffix(RATE): _value(cells.pop(key)) for key in [*cells] if key.endswith(RATE)}
    }
    for key, separator in (("native", None), ("also", ";")):
        if key in cells:
            entry[key] = cells.pop(key).split(separator)
    texts = {key for key, field in schema_of(GpuEntry)["properties"].items() if _is_text(field)}
    return entry | {key: text if key in texts else _value(text) for key, text in cells.items()}


def _is_text(schema: Mapping[str, Any]) -> bool:
    return any(option.get("type") == "string" for option in schema.get("anyOf", ()))


def _value(text: str) -> int | float | str:
    """A number where it is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
