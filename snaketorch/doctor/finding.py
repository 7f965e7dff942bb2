"""What the doctor finds: what was looked at, how it is, and what to do about it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report."""

    status: Literal["OK", "WARN", "FAIL"]
    about: str
    found: str
    advice: str = ""
    """What to do; empty when all is well."""


def ok(about: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding("OK", about, found)


def warn(about: str, found: str, advice: str) -> Finding:
    """A study runs, and something of it may not."""
    return Finding("WARN", about, found, advice)


def fail(about: str, found: str, advice: str) -> Finding:
    """A study cannot run, or cannot be trusted."""
    return Finding("FAIL", about, found, advice)
