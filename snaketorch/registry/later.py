"""Registrations that had to wait for the registry."""

import logging
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from snaketorch import layout
from snaketorch.config.specs import RegisterSpec
from snaketorch.errors import UserError
from snaketorch.freshness import read_json

log = logging.getLogger(__name__)


def waiting() -> list[Path]:
    """The registrations in this folder that say that they were not made."""
    found = []
    for path in sorted(Path().glob(layout.REGISTRATION.format(experiment="*"))):
        try:
            content, _ = read_json(path)
        except UserError:  # the workflow says what is wrong with it
            continue
        if content.get("decision") == "unregistered":
            found.append(path)
    return found


def register_waiting() -> Iterator[str]:
    """Makes the registrations that wait, and says of each what came of it.

    One whose files have changed since is left to the workflow, which makes it anew.
    """
    if not (paths := waiting()):
        return
    # torch, which most calls do without
    from snaketorch.registry.register import register

    for path in paths:
        record = read_json(path)[0]["record"]
        files = {name: Path(record["paths"][name]) for name in ("summary", "manifest", "bundle")}
        try:
            spec = RegisterSpec.model_validate(record["spec"])
            found = register(spec, **files, registration=path, code=record["code_digest"], by_hand=True)
        except (UserError, ValidationError) as error:
            yield f"{path}: is left to the next `snakemake` ({' '.join(str(error).split())})"
            continue
        yield f"{path}: {found['decision']}: {'; '.join(found['reasons'])}"
