"""Trainings that no GPU is sure to hold."""

from collections.abc import Mapping
from typing import Any


def why_unfit(plan: Mapping[str, Any]) -> str:
    """Why a training that asks for GPUs may run out of memory, and what would make it fit; "" when it does not.

    Args:
        plan: Content of a ``plan.json``.
    """
    chosen = plan["chosen"]
    if chosen["fits"] in (None, True):
        return ""
    (gpu,) = (gpu for gpu in plan["gpus"] if gpu["name"] == chosen["gpu"])
    ways = "; or ".join(f"{item['what']} ({item['why']})" for item in plan["advice"])
    return (
        f"experiment {plan['experiment']} may not fit {gpu['name']}, and {_others(plan)}: it needs {gpu['why']}. "
        f"What would make it fit: {ways}"
    )


def why_on_none(plan: Mapping[str, Any]) -> str:
    """Why a training that asks for no GPU is not sure of any that it was compared on; "" when it is, or of none at all.

    Args:
        plan: Content of a ``plan.json``.
    """
    if plan["chosen"]["gpu"] or not plan["gpus"] or any(gpu["fits"] for gpu in plan["gpus"]):
        return ""
    roomiest = max(plan["gpus"], key=lambda gpu: gpu["usable"])
    return (
        f"experiment {plan['experiment']} asks for no GPU, and is not sure to fit any that was compared: "
        f"on {roomiest['name']} it needs {roomiest['why']}"
    )


def _others(plan: Mapping[str, Any]) -> str:
    count = len(plan["gpus"]) - 1
    return f"none of {count} others" if count > 1 else "neither does the other one" if count else "there is no other"
