"""Rows that cannot be used: an error, or left out and listed, as `prepare.on_bad_sample` says."""

import logging

from snaketorch.config.datasets import Prepare
from snaketorch.data.quality.report import Skipped
from snaketorch.errors import DataError

log = logging.getLogger(__name__)

ROWS_TO_NAME = 5


class BadRows:
    """Gathers bad rows, so that one message names them all."""

    def __init__(self, options: Prepare, source: str):
        """``source``: what the rows are of, for messages."""
        self._options, self._source = options, source
        self._found: list[Skipped] = []

    def add(self, row: str, why: str) -> None:
        self._found.append(Skipped(row, why))

    def __len__(self) -> int:
        return len(self._found)

    def settle(self, total: int, hint: str = "") -> tuple[Skipped, ...]:
        """What is left out of ``total`` rows.

        DataError when bad rows are not to be skipped, or are too many; ``hint`` is what might mend them.
        """
        if not self._found:
            return ()
        count, skip = len(self._found), self._options.on_bad_sample == "skip"
        told = "; ".join(f"{bad.sample}: {bad.why}" for bad in self._found[:ROWS_TO_NAME])
        told += f"; and {count - ROWS_TO_NAME} more" if count > ROWS_TO_NAME else ""
        said = f"{self._source}: {count} of {total} rows cannot be used: {told}."
        if not skip:
            raise DataError(f"{said} {hint}Mend them, or leave them out with `prepare: {{on_bad_sample: skip}}`")
        if count > self._options.max_bad_share * total:
            raise DataError(
                f"{said} {hint}prepare.max_bad_share allows {self._options.max_bad_share:.2%} to be skipped"
            )
        log.warning("%s", f"{said} They are left out")
        return tuple(self._found)
