"""Columns that a user asks for by name."""

from collections.abc import Sequence

from snaketorch.config.problems import did_you_mean, listed
from snaketorch.errors import DataError


def choose_columns(asked: Sequence[str] | None, there: Sequence[str]) -> list[str]:
    """The columns that ``source.columns`` asks for, or all that are ``there``.

    DataError for one that is not there, or is named twice.
    """
    if asked is None:
        return list(there)
    for name in asked:
        check_column("columns", name, there)
        if list(asked).count(name) > 1:
            raise DataError(f"source.columns: '{name}' is listed twice; allowed: each column once")
    return list(asked)


def check_column(key: str, name: str, there: Sequence[str], within: str = "") -> None:
    """DataError when the column that ``source.KEY`` names is not ``there``; ``within``: what holds the columns."""
    if name not in there:
        place = f" in {within}" if within else ""
        raise DataError(
            f"source.{key}: there is no column '{name}'{place}{did_you_mean(name, there)}; allowed: {listed(there)}"
        )
