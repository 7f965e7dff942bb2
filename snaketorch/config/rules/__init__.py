"""Rules between sections that are right by themselves, one module a subject; each gives what contradicts it."""

from collections.abc import Mapping

Datasets = Mapping[str, str | None]
"""What each dataset gives, by name; None where its file does not say so rightly."""
