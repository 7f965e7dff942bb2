"""What monitoring found, told at the version of the model that was watched.

Monitoring and registration are steps that do not wait for each other. Each publishes its file first and then looks for
the other's, so that the later one of them tells.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from snaketorch import layout
from snaketorch.errors import UserError
from snaketorch.freshness import read_json

log = logging.getLogger(__name__)

WATCHED = "snaketorch.monitor."
"""Begins the names of a version's tags that say of each dataset ``ok`` or ``alert``."""
TIME = ".time"
"""Ends the names of those that say when. A dataset's name has no dot."""


@dataclass(frozen=True)
class Watched:
    """A version, and what it is to be tagged with."""

    name: str
    version: str
    registry: str | None
    tags: Mapping[str, str]


def tell_watched(experiment: str = "*", by_hand: bool = False) -> None:
    """Tags the registered versions of an experiment, or of all in this folder, with what monitoring found of them.

    May be repeated: what is there already is not sent again. A registry that is away is a warning, and
    ``python -m snaketorch sync`` makes up for it.

    Args:
        experiment: Its name.
        by_hand: Whether somebody asks for it, though tracking may be switched off.
    """
    is_off = os.environ.get("SNAKETORCH_TRACKING") == "off" and not by_hand
    if is_off or find_spec("mlflow") is None:
        return
    if not (found := list(_found(experiment))):
        return
    # mlflow, which is slow to import
    from snaketorch.registry.aliases import Model
    from snaketorch.registry.reach import registry
    from snaketorch.tracking.store import TrackingError

    try:
        with registry() as (client, address):
            for each in found:
                if each.registry != address:
                    log.info("%s version %s is in another registry: %s", each.name, each.version, each.registry)
                    continue
                model = Model(client, each.name, address)
                try:
                    there = model.version(each.version).tags
                except TrackingError:
                    raise
                except UserError as error:  # somebody deleted it
                    log.warning("Nobody was told what monitoring found of %s: %s", each.name, error)
                    continue
                new = {tag: value for tag, value in each.tags.items() if there.get(tag) != value}
                for tag, value in new.items():
                    model.tag(each.version, tag, value)
                if new:
                    verdicts = {data: found["result"] for data, found in of_tags(each.tags).items()}
                    said = ", ".join(f"{data}: {result}" for data, result in verdicts.items())
                    log.info("%s version %s is tagged with what monitoring found: %s", each.name, each.version, said)
    except UserError as error:
        log.warning("The registry was not told what monitoring found; `python -m snaketorch sync` tells it: %s", error)


def of_tags(tags: Mapping[str, str]) -> dict[str, dict[str, str | None]]:
    """What a version's tags say of each dataset: ``result`` and ``time``."""
    data = [tag.removeprefix(WATCHED) for tag in sorted(tags) if tag.startswith(WATCHED) and not tag.endswith(TIME)]
    return {name: {"result": tags[f"{WATCHED}{name}"], "time": tags.get(f"{WATCHED}{name}{TIME}")} for name in data}


def _found(experiment: str) -> Iterator[Watched]:
    """The versions that are registered and watched, as the files of both steps have it."""
    for path in sorted(Path().glob(layout.REGISTRATION.format(experiment=experiment))):
        entered = _read(path)
        if entered is None or entered["version"] is None:
            continue
        tags = {}
        for monitored in sorted(Path().glob(layout.MONITOR.format(experiment=path.parent.name, dataset="*"))):
            seen = _read(monitored)
            if seen is None or seen["record"]["inputs"]["bundle"]["sha256"] != entered["bundle_sha256"]:
                continue  # of another model
            tag = f"{WATCHED}{seen['dataset']}"
            tags |= {tag: "alert" if seen["alert"] else "ok", f"{tag}{TIME}": seen["made"]}
        if tags:
            yield Watched(entered["name"], entered["version"], entered.get("registry"), tags)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return read_json(path)[0]
    except UserError:  # the workflow says what is wrong with it
        return None
