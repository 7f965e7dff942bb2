"""One log for all attempts at a job.

Snakemake removes a job's log before each attempt, and with it the reason why there has to be another one.
A second name of the file, a hard link, keeps the bytes, also those of an attempt that was killed.
"""

import logging
import os
import sys
from pathlib import Path

from snaketorch.failures.jobs import Job

log = logging.getLogger(__name__)


def begin_log(job: Job, attempt: int) -> None:
    """Puts what earlier attempts said at the head of the log, which this process writes to.

    On file systems without hard links each attempt has the log to itself.
    """
    if job.log is None:
        return
    path, kept = Path(job.log), job.kept_log
    try:
        earlier = kept.read_bytes() if attempt > 1 and kept.exists() and not kept.samefile(path) else b""
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.unlink(missing_ok=True)
        os.link(path, kept)
    except OSError as error:
        log.debug("The log of earlier attempts cannot be kept: %s", error)
        return
    if earlier:
        sys.stderr.flush()
        sys.stderr.buffer.write(earlier if earlier.endswith(b"\n") else earlier + b"\n")
        sys.stderr.flush()
