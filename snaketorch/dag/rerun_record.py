"""Inputs that decide how a job runs and nothing of its result, which no rerun may depend on."""

from collections.abc import Collection
from types import ModuleType
from typing import Any


def leave_out(persistence: ModuleType, names: Collection[str]) -> None:
    """Keeps files of these ``names`` out of the inputs that Snakemake remembers of a job.

    It runs a job again when the set of its inputs is another. A plan says what a training asks the cluster for, and
    `resources: auto` in place of numbers must train nothing anew; Snakemake has no word for such an input.

    Args:
        persistence: Snakemake's module of what is remembered. One that works in another way is left as it is, and
            the first plan of an experiment then trains it anew.
        names: Of files, without their folders.
    """
    base = getattr(persistence, "PersistenceBase", None) or getattr(persistence, "Persistence", None)
    remembered = getattr(base, "_input", None)
    if remembered is None or hasattr(remembered, "leaves_out"):
        return

    def of_result(self: Any, job: Any) -> list[str]:
        return [path for path in remembered(self, job) if path.rpartition("/")[2] not in names]

    of_result.leaves_out = names
    base._input = of_result
