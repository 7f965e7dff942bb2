"""Meters of AMD's GPUs: ``amd-smi``, or ``rocm-smi`` which came before it."""

import json
from collections.abc import Mapping
from typing import Any

from snaketorch.hardware.gpus import said_by
from snaketorch.hardware.meters.reading import Reading, reading


def amd_smi(bus: str) -> Reading | None:
    """The GPU at the PCI address ``bus`` (`0000:03:00.0`) by today's tool."""
    said = _json(said_by("amd-smi", "metric", "--gpu", bus, "--usage", "--power", "--json"))
    found = said.get("gpu_data") if isinstance(said, dict) else said  # newer releases have the list in an object
    if not (isinstance(found, list) and found and isinstance(found[0], dict)):
        return None
    usage, power = _mapping(found[0].get("usage")), _mapping(found[0].get("power"))
    watts = power.get("socket_power", power.get("average_socket_power"))
    return reading(_value(usage.get("gfx_activity")), _value(watts))


def rocm_smi(bus: str) -> Reading | None:
    """The GPU at the PCI address ``bus`` by the older tool, which tells of all GPUs at once."""
    said = _json(said_by("rocm-smi", "--showuse", "--showpower", "--showbus", "--json"))
    cards = [card for card in _mapping(said).values() if isinstance(card, dict)]
    for card in cards:
        if str(card.get("PCI Bus", "")).lower() == bus.lower():
            power = [value for name, value in card.items() if "Power (W)" in name and "Max" not in name]
            return reading(card.get("GPU use (%)"), power[0] if power else None)
    return None


def _json(text: str) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _value(quantity: Any) -> Any:
    """The number of `{"value": 45, "unit": "%"}`; older releases write it alone."""
    return quantity.get("value") if isinstance(quantity, dict) else quantity
