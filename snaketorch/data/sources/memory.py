"""What a source holds in memory all at once: looked at before it is read."""

import logging

from snaketorch.data.loading.host_memory import free_host_memory
from snaketorch.errors import DataError

log = logging.getLogger(__name__)


def check_memory(what: str, needed: int, advice: str = "") -> None:
    """Says when something will hardly fit into the memory. DataError when it will not.

    Args:
        what: For the message: `FILE: 10 rows of 4 columns`.
        needed: Bytes at the peak, roughly.
        advice: How to do with less, besides more memory.
    """
    free = free_host_memory()
    told = (
        f"{what} need about {needed / 1e9:.1f} GB of memory, for they are held there while they are prepared; "
        f"{free / 1e9:.1f} GB are free here"
    )
    if needed > free:
        raise DataError(f"{told}. {f'{advice}, or give' if advice else 'Give'} the job more memory")
    if 2 * needed > free:
        log.warning("%s", told)
