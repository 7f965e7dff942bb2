"""The folder of a training's live state: never an output, so a failed job does not lose it.

Snakemake deletes the declared outputs of a failed job, so what a retry must find lies here, under a
digest of all that the training depends on. Another spec, another dataset or other code is another
folder, and nothing stale is mixed in.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path


def sweep(folder: Path) -> None:
    """Removes the temporary files that killed attempts left; only for who holds the folder's lock."""
    for leftover in [*folder.rglob(".*.tmp-*"), *folder.parent.glob(".*.tmp-*")]:
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def clear(folder: Path) -> None:
    """Removes the state of a training that is published.

    It is gone at once: of a folder that a kill left half empty the next attempt would say that its checkpoints are
    lost, and a successor who waits for the lock could take it while its files vanish.
    """
    aside = folder.with_name(f".{folder.name}.tmp-{os.getpid()}")
    with suppress(OSError):
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    with suppress(OSError):  # other trainings have their state there
        folder.parent.rmdir()
