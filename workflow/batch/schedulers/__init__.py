"""What each batch system calls things: how a job is submitted, found in the queue and cancelled.

A module for each, with the same names:

- ``options``: what its ``batch-submit`` takes, for what differs from site to site
- ``submission``: the command that takes the job's script on its stdin
- ``number``: the job's number, from what that command said
- ``QUEUE`` and ``waiting``: the command that lists the user's jobs that have not ended, and the numbers that it says
- ``stuck``: those of them that will never start
- ``CANCEL``: the command that ends jobs, by their numbers
"""

from importlib import import_module
from types import ModuleType

NAMES = ("lsf", "pbs", "sge", "slurm")


def scheduler(name: str) -> ModuleType:
    """The module of a batch system."""
    return import_module(f"schedulers.{name}")
