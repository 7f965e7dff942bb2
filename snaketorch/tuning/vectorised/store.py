"""The state of a group on disk: who is in it, and its last checkpoints."""

import json
import logging
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from snaketorch.publish import write_json
from snaketorch.state.checkpoints import Identity
from snaketorch.training.checkpointing.io import save
from snaketorch.training.checkpointing.resume_points import TIME_SHARE
from snaketorch.training.checkpointing.store import OWN_KEY, CheckpointStore
from snaketorch.tuning.trial import Trial

log = logging.getLogger(__name__)

MEMBERS = "members.json"


@dataclass(frozen=True)
class Members:
    """The trials that a group began with, and its folder.

    All of them train again where it goes on from, those that have ended since too: each ends again where it did, and
    what is left is bit for bit what it would have been.
    """

    folder: Path
    numbers: tuple[int, ...]

    @classmethod
    def begin(cls, folder: Path, trials: list[Trial]) -> Self:
        """Notes a new group."""
        numbers = tuple(trial.number for trial in trials)
        write_json(folder / MEMBERS, list(numbers))
        return cls(folder, numbers)

    def end(self) -> None:
        """Forgets it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def begun(root: Path, trials: Mapping[int, Trial]) -> Iterator[Members]:
    """The groups under ``root`` that an earlier attempt has not brought to their end; what is left of others goes."""
    for path in sorted(root.glob(f"*/{MEMBERS}")):
        members = Members(path.parent, tuple(json.loads(path.read_text("utf-8"))))
        if all(trials[number].is_over for number in members.numbers):
            members.end()
        else:
            yield members


class GroupStore:
    """Saves a group now and then, for at most ``TIME_SHARE`` of its time."""

    def __init__(self, folder: Path, spec_digest: str, code: str, data: str, start_over: str):
        self.checkpoints = CheckpointStore(folder, Identity(spec_digest, code, data), start_over)
        self.saved_at = time.monotonic()
        self.cost = 0.0

    def load(self) -> dict[str, Any] | None:
        """The newest state; None before there is any. CheckpointsLost where none of those can be used."""
        path = self.checkpoints.newest()
        if path is None:
            return None
        log.info("Going on from %s", path)
        return torch.load(path, map_location="cpu", weights_only=True)

    def is_due(self, seconds: float) -> bool:
        """Whether ``seconds`` have passed, and there is time for it."""
        passed = time.monotonic() - self.saved_at
        return passed >= max(seconds, self.cost / TIME_SHARE)

    def save(self, state: Mapping[str, Any], steps: int, epoch: int) -> None:
        """Saves a state after so many steps and whole epochs."""
        start = time.monotonic()
        facts = self.checkpoints.facts(steps, epoch)
        save({**state, OWN_KEY: facts}, self.checkpoints.path(facts))
        self.checkpoints.add(facts)
        self.saved_at = time.monotonic()
        self.cost = self.saved_at - start
