"""The data report: what the manifest and the study page say of the quality of a dataset."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from snaketorch.data.shown_names import writable

MOST_EXAMPLES = 10
"""Samples that a finding names; it counts all."""


@dataclass(frozen=True)
class Finding:
    """Something that its owner should know; nothing that keeps the data from being used."""

    check: str
    """Its name: `leakage`, `duplicates`, `class balance`, ..."""
    severity: Literal["problem", "hint"]
    """A problem makes results wrong or doubtful; a hint may be as it should be."""
    summary: str
    """One sentence, with numbers."""
    count: int
    """Samples, channels or columns that it concerns."""
    examples: tuple[str, ...] = ()
    """The first of them, by name."""


@dataclass(frozen=True)
class Skipped:
    """A bad sample that was left out."""

    sample: str
    why: str


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """All findings, and what is known of the samples as they came."""

    findings: Sequence[Finding] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    """By a name for people, as JSON: sizes, gaps, missing values, what was filled."""
    skipped: Sequence[Skipped] = ()

    def as_json(self) -> dict[str, Any]:
        return writable(
            {
                "findings": [asdict(finding) for finding in self.findings],
                "facts": self.facts,
                "skipped": [asdict(sample) for sample in self.skipped],
            }
        )
