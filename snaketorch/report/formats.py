"""Numbers, times and sizes as people read them; each is a filter of the page's templates."""

import math
from datetime import datetime
from typing import Any

ABBREVIATIONS = {"auroc", "f1", "mae", "mase", "mse", "rmse"}
NAMES = {"frechet": "Fréchet distance", "r2": "R²"}
"""Of metrics that are written otherwise than their keys."""

NOTHING = "–"
"""Shown where there is no value."""
SMALLEST = 1e-4
"""Below it a number is written with a power of ten."""


def number(value: float | None, digits: int = 4) -> str:
    """Four significant digits: 0.9861, 17.32, 1,204."""
    if value is None:
        return NOTHING
    if isinstance(value, int):
        return _written(value, 0)
    if value and not SMALLEST <= abs(value) < 1e9:
        return f"{value:.{digits - 1}e}"
    return _written(value, _decimals(value, digits))


def aligned(value: float | None, like: float | None) -> str:
    """A number with the decimals that ``number`` gives ``like``, so that a row of them can be compared."""
    if not isinstance(value, float) or not like or not SMALLEST <= abs(like) < 1e9:
        return number(value)
    return _written(value, _decimals(like, 4))


def signed(value: float | None, like: float | None) -> str:
    """A difference with its sign, and decimals that show two digits of ``like``, where six are enough: +0.0065."""
    if value is None:
        return NOTHING
    decimals = _decimals(like, 2) if like else None
    text = number(abs(value)) if decimals is None or decimals > 6 else _written(abs(value), decimals)
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{text}"


def estimate(metric: dict[str, Any]) -> str:
    """Mean and half the width of its interval, to two digits of the latter: 0.9861 ± 0.0054.

    An interval that ends where the metric does has no such half, and is written out: 0.988 (0.962 to 1.000).
    """
    mean, interval = metric["mean"], metric["ci95"]
    if mean is None or not interval:
        return number(mean)
    below, above = mean - interval[0], interval[1] - mean
    half = max(below, above)
    is_even = math.isclose(below, above, rel_tol=1e-6, abs_tol=1e-12 * abs(mean))
    if 0 < max(abs(mean), half) < SMALLEST:  # six decimals would show nothing of it
        return f"{number(mean)} ± {half:.1e}" if is_even else f"{number(mean)} ({' to '.join(map(number, interval))})"
    decimals = min(_decimals(half, 2), 6) if half else _decimals(mean, 4)
    if not is_even:
        return f"{_written(mean, decimals)} ({_written(interval[0], decimals)} to {_written(interval[1], decimals)})"
    return f"{_written(mean, decimals)} ± {_written(half, decimals)}"


def duration(seconds: float | None) -> str:
    """0.4 s, 38 s, 4 min 12 s, 2 h 05 min, 3 d 4 h."""
    if seconds is None:
        return NOTHING
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def mebibytes(value: float | None) -> str:
    """Memory: 412 MiB, 11.8 GiB."""
    if value is None:
        return NOTHING
    return f"{value:,.0f} MiB" if value < 1000 else f"{value / 1024:,.1f} GiB"


def milliseconds(value: float | None) -> str:
    """A latency: 0.83 ms."""
    return NOTHING if value is None else f"{number(value, 3)} ms"


def moment(iso: str) -> str:
    """A time stamp: 21 Nov 2026, 09:43 UTC."""
    return datetime.fromisoformat(iso).strftime("%-d %b %Y, %H:%M %Z").strip()


def plain(name: str) -> str:
    """A name of the configuration as words: image_classification is image classification."""
    return name.replace("_", " ")


def metric_name(name: str) -> str:
    """A metric without its split, as it is usually written: test/f1_macro is F1 macro."""
    name = name.rpartition("/")[2]
    words = NAMES.get(name, name).split("_")
    return " ".join(word.upper() if word in ABBREVIATIONS else word for word in words)


def sentence(text: str) -> str:
    """``text`` with a capital first letter; the rest stays, unlike with ``str.capitalize``."""
    return text[:1].upper() + text[1:]


def _written(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}".replace("-", "−")


def _decimals(value: float, digits: int) -> int:
    """Decimals that show ``digits`` significant digits of ``value``."""
    return max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else digits - 1
