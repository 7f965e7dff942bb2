"""``python -m snaketorch STEP``: runs a command, and tells why one failed."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial

from snaketorch import parent, signals
from snaketorch.commands.parser import build_parser
from snaketorch.errors import PeerFailed
from snaketorch.failures.attempt import JobAttempt
from snaketorch.failures.classify import Failure, classify
from snaketorch.failures.jobs import Job
from snaketorch.failures.shown import show
from snaketorch.hardware.leases import lease_gpus
from snaketorch.launch import place as places
from snaketorch.launch.reports import leave
from snaketorch.launch.srun import obey_starter
from snaketorch.threads import use_threads


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one step.

    Returns:
        0 when it is done, 75 when it was told to end or its time was over, else 1. What went wrong is in the
        log and, of a workflow's job, in a note.
    """
    arguments = build_parser().parse_args(argv)
    arguments.is_whole_process = argv is None
    rank = places.rank_so_far()
    logging.basicConfig(
        level=logging.WARNING if rank else logging.INFO,
        format=f"%(asctime)s  {f'rank {rank}: ' if rank else ''}%(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    for library in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "matplotlib", "alembic", "torch"):
        logging.getLogger(library).setLevel(logging.WARNING)
    is_attempt = getattr(arguments, "attempt", None) and not rank and not places.is_started_by_slurm()
    attempt = JobAttempt(Job.of(arguments), arguments.attempt) if is_attempt else None
    arguments.fail = partial(_fail, attempt)
    if attempt and attempt.hopeless:
        attempt.give_up()
        return 1
    try:
        _run(arguments)
    except BaseException as error:
        if isinstance(error, BrokenPipeError) and not attempt:  # as of `status | head`, which has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 128 + signal.SIGPIPE
        return arguments.fail(error)
    if attempt:
        attempt.succeed()
    return 0


def _fail(attempt: JobAttempt | None, error: BaseException) -> int:
    """Tells and notes why a step failed; gives its exit code."""
    failure = classify(error)
    if isinstance(error, PeerFailed):
        failure = Failure(error.kind, str(error), {**failure.details, **error.details})
    code = getattr(error, "exit_code", signals.TRY_AGAIN if failure.kind in ("timeout", "interrupted") else 1)
    if places.is_started_here() or places.is_started_by_slurm():
        leave(failure, code, partial(show, error, failure))
    show(error, failure)
    if attempt:
        attempt.fail(failure)
    return code


def _run(arguments: argparse.Namespace) -> None:
    if arguments.step == "sync":  # which has the end of a killed job to tell
        arguments.run(arguments)
        return
    if places.is_started_here():
        parent.end_with_parent()  # it alone has nothing to save
    elif places.is_beside_starter():
        parent.end_with_parent(signals.are_noted, signals.is_told_to_end)
    if places.is_started_by_slurm():
        obey_starter()
    with signals.ending_at_once() as handlers:
        # both before NumPy and torch are imported, which look only then
        use_threads(getattr(arguments, "threads", 1))
        if not (places.is_started_here() or places.is_started_by_slurm()):  # else they are leased, or given by Slurm
            gpus = getattr(arguments, "gpus", 0)
            if gpus:
                os.environ[places.GPUS_ASKED] = str(gpus)
            lease_gpus(gpus)
        arguments.run(arguments)
        if arguments.is_whole_process and getattr(arguments, "attempt", None):
            handlers.all_is_done()


if __name__ == "__main__":
    sys.exit(main())
