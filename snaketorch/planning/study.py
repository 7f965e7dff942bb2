"""The answer of ``python -m snaketorch plan``."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from snaketorch.config.gpus import catalogue
from snaketorch.errors import UserError
from snaketorch.planning.asked import Asked
from snaketorch.planning.facts import facts_of
from snaketorch.planning.planned import planned
from snaketorch.planning.table import table
from snaketorch.planning.unfit import why_on_none, why_unfit

Plan = dict[str, Any]


def plans_of(root: Path, experiments: Iterable[Asked], free_gb: float | None) -> list[Plan]:
    """Plans of experiments of the study in ``root``, prepared or not.

    ``free_gb``: GiB that are free on each GPU, where somebody knows. UserError when a dataset says too little before it
    is prepared.
    """
    known = catalogue(root)
    return [planned(spec, facts_of(dataset, root)[1], known, root, free_gb) for spec, dataset in experiments]


def answer(plans: Sequence[Plan], as_json: bool) -> str:
    """The plans for people, or for programs."""
    if as_json:
        return json.dumps(plans, indent=2, allow_nan=False)
    return "\n\n\n".join(map(table, plans))


def refuse_unfit(plans: Sequence[Plan]) -> None:
    """UserError with every training that may not fit the GPU that is chosen for it, or any, where none is asked for."""
    if problems := [problem for plan in plans if (problem := why_unfit(plan) or why_on_none(plan))]:
        raise UserError("\n".join(problems))
