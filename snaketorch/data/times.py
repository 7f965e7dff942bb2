"""Times of a series, as numbers and as people read them."""

from datetime import UTC, datetime, timedelta

import numpy as np

DAYS = "days since 1970-01-01"
SECONDS = "seconds since 1970-01-01"
"""Units of dates. A float64 holds seconds of our age to less than a microsecond, days to less than a millisecond."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))

_SHORTEST_GAP = 1.5
"""Steps; below, months, years and clocks that run unevenly would be gaps."""
_MOST_GAPS = 5


def say_time(time: float, unit: str) -> str:
    """One time: ``2016-07-01 13:00`` where ``unit`` is one of dates, else ``year 1958.35``."""
    if unit not in (DAYS, SECONDS):
        return f"{unit} {time:.10g}"
    seconds = time * 86400 if unit == DAYS else time
    date = _EPOCH + timedelta(microseconds=round(seconds * 1e6))
    text = date.replace(tzinfo=None).isoformat(sep=" ")
    return text.removesuffix(":00").removesuffix(" 00:00")


def say_length(length: float, unit: str) -> str:
    """A stretch of time: ``2 hours`` where ``unit`` is one of dates, else ``0.25 year``."""
    if unit not in (DAYS, SECONDS):
        return f"{length:.6g} {unit}".strip()
    seconds = length * 86400 if unit == DAYS else length
    name, size = next((step for step in _STEPS if seconds >= step[1] * 0.9999), _STEPS[-1])
    count = f"{seconds / size:.6g}"
    return f"{count} {name.removesuffix('s') if count == '1' else name}"


def describe_steps(time: np.ndarray, unit: str) -> dict[str, object]:
    """What the data report says of the steps of a series, as JSON: their length, and where some are left out.

    The length is the most common difference between one row and the next. Where the rows have no
    common step, there are no gaps to speak of.

    Args:
        time: float64, (steps,), rising.
        unit: Of ``time``.
    """
    differences = np.diff(time)
    if not len(differences):
        return {}
    # six digits: what is left of a difference of large numbers
    digits = 5 - np.floor(np.log10(differences))
    lengths, counts = np.unique(np.rint(differences * 10**digits) / 10**digits, return_counts=True)
    step = lengths[counts.argmax()]
    gaps = np.flatnonzero(differences > _SHORTEST_GAP * step)
    if counts.max() < 2 or counts.max() * 2 < len(differences):
        return {"step": f"uneven, {say_length(float(np.median(differences)), unit)} at the median"}
    facts: dict[str, object] = {"step": say_length(float(step), unit), "gaps": len(gaps)}
    if gaps.size:
        longest = gaps[differences[gaps].argmax()]
        facts["longest gap"] = _describe_gap(time, unit, longest)
        facts["first gaps"] = [_describe_gap(time, unit, row) for row in gaps[:_MOST_GAPS]]
    return facts


def _describe_gap(time: np.ndarray, unit: str, row: int) -> str:
    length = say_length(float(time[row + 1] - time[row]), unit)
    return f"{length} after row {row} ({say_time(float(time[row]), unit)})"
