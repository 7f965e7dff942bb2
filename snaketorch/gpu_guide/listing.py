"""The answer of ``python -m snaketorch gpus``."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from snaketorch.config.gpu import Gpu
from snaketorch.config.gpus import catalogue
from snaketorch.gpu_guide.advice import advice, training_precision
from snaketorch.gpu_guide.choice import Choice
from snaketorch.gpu_guide.table import table

WIDTH = 100
MOST_EXPLAINED = 12
"""GPUs; of more, no one reads the sentences."""


def listing(root: Path, choice: Choice, as_json: bool) -> str:
    """The GPUs that are asked for, of the catalogue and of the site under ``root``.

    Those that are named are explained too.

    Raises:
        UserError: a name, vendor or architecture is unknown, or `config/gpus.yaml` is wrong.
    """
    gpus = choice.of(catalogue(root))
    if as_json:
        return json.dumps([_document(gpu) for gpu in gpus], indent=2, ensure_ascii=False)
    if not gpus:
        return "No GPU of the catalogue has all that is asked for."
    parts = [table(gpus)]
    if choice.names and len(gpus) <= MOST_EXPLAINED:
        parts.extend(_explained(gpus))
    elif not choice.names:
        parts.append("`python -m snaketorch gpus NAME` says what matters of one for deep learning.")
    return "\n\n".join(parts)


def _explained(gpus: Sequence[Gpu]) -> list[str]:
    return [
        "\n".join([gpu.name, *textwrap.wrap(advice(gpu), WIDTH - 2, initial_indent="  ", subsequent_indent="  ")])
        for gpu in gpus
    ]


def _document(gpu: Gpu) -> dict:
    return {**asdict(gpu), "training_precision": training_precision(gpu), "advice": advice(gpu)}
