"""The decision: whether a model passes the gate, and why."""

from dataclasses import dataclass
from typing import Literal

from snaketorch.config.register import Gate
from snaketorch.registry.comparison import Difference

Decision = Literal["accepted", "refused"]


@dataclass(frozen=True)
class Verdict:
    """What came of a gate."""

    decision: Decision
    reasons: list[str]
    """One for each condition, whether it held or not."""


@dataclass(frozen=True)
class Opponent:
    """The champion, as far as it could be measured on the same test data."""

    version: str
    value: float | None
    """None where it could not be."""
    difference: Difference | None
    """The candidate's less its own; None where ``value`` is."""
    why_not: str = ""
    """Why it could not be measured."""
    is_candidate: bool = False
    """Whether it is the very model that asks."""


def decide(gate: Gate, mode: str, value: float | None, opponent: Opponent | None) -> Verdict:
    """Whether a model may become a candidate.

    The difference itself decides, by the margin; its interval stands beside it. Were the whole interval asked to be
    on the good side, hardly any model as good as the champion would ever pass with a handful of seeds.

    Args:
        gate: With its metric written out.
        mode: Which way the metric is better.
        value: Of the model that would be registered; None where the test could not measure it.
        opponent: The champion; None where there is none.
    """
    if value is None:
        return Verdict("refused", [f"{gate.metric} could not be measured"])
    checks = [*_bounds(gate, value)]
    if gate.not_worse_than:
        checks.append(_against(gate, mode, opponent))
    if not checks:
        checks = [(True, "the gate asks for nothing")]
    decision: Decision = "accepted" if all(held for held, _ in checks) else "refused"
    return Verdict(decision, [reason for _, reason in checks])


def _bounds(gate: Gate, value: float) -> list[tuple[bool, str]]:
    found = []
    if gate.min is not None:
        held = value >= gate.min
        found.append((held, f"{gate.metric} {value:.6g} is {'at least' if held else 'below'} {gate.min:g}"))
    if gate.max is not None:
        held = value <= gate.max
        found.append((held, f"{gate.metric} {value:.6g} is {'at most' if held else 'above'} {gate.max:g}"))
    return found


def _against(gate: Gate, mode: str, opponent: Opponent | None) -> tuple[bool, str]:
    if opponent is None:
        return True, "there is no champion to compare with"
    if opponent.is_candidate:
        return True, f"it is the champion, version {opponent.version}"
    if opponent.difference is None:
        why = f"the champion, version {opponent.version}, cannot be measured on this test data: {opponent.why_not}"
        return False, f"{why}; a gate with not_worse_than: null does without"
    difference = opponent.difference
    gained = difference.value if mode == "max" else -difference.value
    # rounding of sums is no difference
    held = gained >= -gate.margin - 1e-12
    how = "not worse" if held else "worse"
    by = f" by more than {gate.margin:g}" if gate.margin else ""
    interval = ""
    if difference.interval:
        low, high = difference.interval
        interval = f" (95 % interval {low:+.3g} to {high:+.3g}, over {difference.by})"
    return held, (
        f"{gate.metric} is {how}{by} than that of the champion, version {opponent.version}: "
        f"{difference.value:+.3g}{interval}"
    )
