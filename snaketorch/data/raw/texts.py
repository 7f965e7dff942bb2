"""Texts as they came."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from snaketorch.data.quality.report import Finding, Skipped
from snaketorch.data.raw.labelled import Labelled


@dataclass(frozen=True, eq=False, kw_only=True)
class RawTexts(Labelled):
    """Labelled texts."""

    texts: Callable[[], Iterator[str]]
    """Reads them all, in order, from the beginning, a few at a time; a text may be empty."""
    skipped: Sequence[Skipped] = ()
    """Bad texts that were left out already."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RawCorpus:
    """Running text."""

    parts: Callable[[], Iterator[str]]
    """Reads it from the beginning in parts of bounded size, which join without anything between."""
    characters: int
    """Length of the whole."""
    findings: Sequence[Finding] = ()
    """What is to be known of the source, as in ``Labelled``."""
