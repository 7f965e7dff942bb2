"""`monitor.json` and `alert.json`: all that was measured, and what of it somebody should hear of."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from snaketorch.monitoring.compare import Statistic
from snaketorch.monitoring.words import said

FORMAT = 1
MOST_REASONS = 20


def as_json(statistic: Statistic) -> dict[str, Any]:
    """A statistic of `monitor.json`."""
    return {
        "name": f"{statistic.test}/{statistic.subject}",
        "group": statistic.group,
        "test": statistic.test,
        "subject": statistic.subject,
        "value": _finite(statistic.value),
        "threshold": _finite(statistic.threshold),
        "chance": _finite(statistic.chance),
        "alarm": statistic.alarm,
        "n": statistic.n,
        "reference_n": statistic.reference_n,
    }


def alarms_first(statistics: Sequence[Statistic]) -> list[Statistic]:
    """Those with an alarm, the one that is farthest beyond its threshold first; then the others likewise."""
    return sorted(statistics, key=lambda each: (not each.alarm, -_excess(each)))


def alert_of(statistics: Sequence[Statistic], about: Mapping[str, Any]) -> dict[str, Any]:
    """`alert.json`, which says of what it is (``about``) and why there is an alert."""
    alarms = [each for each in alarms_first(statistics) if each.alarm]
    return {
        "format": FORMAT,
        "alert": bool(alarms),
        "reasons": [said(each) for each in alarms[:MOST_REASONS]],
        "alarms": [f"{each.test}/{each.subject}" for each in alarms],
        "statistics": len(statistics),
        **about,
    }


def metrics_of(statistics: Sequence[Statistic], dataset: str) -> dict[str, float]:
    """What the tracking server hears: the largest of each kind, and how many alarms there are."""
    found: dict[str, float] = {}
    for each in statistics:
        name = f"monitor/{dataset}/{each.test}"
        found[name] = max(found.get(name, -math.inf), float(each.value))
    found[f"monitor/{dataset}/alarms"] = float(sum(each.alarm for each in statistics))
    return {re.sub(r"[^\w/.: -]", "_", name): value for name, value in found.items() if math.isfinite(value)}


def _excess(statistic: Statistic) -> float:
    return float(statistic.value) / float(statistic.threshold) if statistic.threshold else float(statistic.value)


def _finite(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None
