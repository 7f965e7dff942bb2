"""The checkpoints of one training: written, found again, and thrown away when newer ones are there."""

import datetime
import logging
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from snaketorch.errors import CheckpointsLost
from snaketorch.provenance import file_sha256
from snaketorch.state.checkpoints import (
    CHECKPOINTS,
    MANIFEST,
    Entry,
    Identity,
    archive_flaw,
    flaw_of,
    read_manifest,
    write_manifest,
)

log = logging.getLogger(__name__)

NAME = "step-{batches:09d}.ckpt"
KEPT = 2
OWN_KEY = "snaketorch"
"""In a checkpoint: its entry of the manifest but for its sums, for the day on which the manifest is lost."""


class CheckpointStore:
    """The last two checkpoints in a folder.

    A checkpoint counts from the moment the manifest names it; what a kill left between the two is not used. The first
    has its manifest only then: until there is one, a whole file counts.
    """

    def __init__(self, folder: Path, training: Identity, start_over: str):
        """``start_over``: the command that a user begins anew with when all checkpoints are lost."""
        self.folder, self.training, self.start_over = folder, training, start_over
        self.entries: list[Entry] = []

    def newest(self) -> Path | None:
        """The newest checkpoint that is whole and this training's own; None where there is none at all.

        Those that are skipped are named in the log, each with its reason.

        Raises:
            CheckpointsLost: there are some, and none can be used.
            OSError: the same, because the disk does not give them.
        """
        entries = self._entries()
        reasons, unreadable = [], None
        for number in reversed(range(len(entries))):
            entry = entries[number]
            try:
                flaw = flaw_of(self.folder, entry, self.training)
            except OSError as error:
                flaw, unreadable = f"it cannot be read ({error.strerror})", error
            if flaw is None:
                self.entries = entries[: number + 1]
                return self.folder / entry.file
            log.warning("Checkpoint %s is not used: %s", self.folder / entry.file, flaw)
            reasons.append(f"  {self.folder / entry.file}: {flaw}")
        if unreadable:
            raise unreadable
        if reasons:
            raise CheckpointsLost(self._lost(reasons))
        return None

    def facts(self, batches: int, epoch: int) -> dict[str, Any]:
        """What a checkpoint after so many batches and whole epochs says of itself, under ``OWN_KEY``."""
        return {
            "batches": batches,
            "epoch": epoch,
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            **asdict(self.training),
        }

    def path(self, facts: dict[str, Any]) -> Path:
        """Where the checkpoint of these facts is to be written."""
        return self.folder / NAME.format(batches=facts["batches"])

    def add(self, facts: dict[str, Any]) -> None:
        """Counts a checkpoint that was written to its ``path``, and throws away what is not needed any more."""
        entry = _entry(self.path(facts), facts)
        others = [other for other in self.entries if other.batches < entry.batches]
        self.entries = [*others, entry][-KEPT:]
        write_manifest(self.folder, self.entries)
        kept = {entry.file for entry in self.entries}
        for file in self.folder.glob(CHECKPOINTS):
            if file.name not in kept:
                file.unlink()

    def _entries(self) -> list[Entry]:
        entries = read_manifest(self.folder)
        if entries is not None:
            return entries
        files = sorted(self.folder.glob(CHECKPOINTS))
        if files:
            log.warning("%s is lost: the checkpoints are judged by the sums that they hold", self.folder / MANIFEST)
        found, reasons = [], []
        for file in files:
            facts = _facts_in(file)
            if isinstance(facts, str):
                log.warning("Checkpoint %s is not used: %s", file, facts)
                reasons.append(f"  {file}: {facts}")
            else:
                found.append(_entry(file, facts))
        if reasons and not found:
            raise CheckpointsLost(self._lost(reasons))
        return found

    def _lost(self, reasons: list[str]) -> str:
        return (
            "the training cannot go on, for none of its checkpoints can be used. "
            f"Put whole files back, or begin anew with `{self.start_over}`:\n" + "\n".join(reasons)
        )


def _entry(path: Path, facts: dict[str, Any]) -> Entry:
    return Entry.from_json({"file": path.name, "sha256": file_sha256(path), "bytes": path.stat().st_size, **facts})


def _facts_in(path: Path) -> dict[str, Any] | str:
    """What a checkpoint says of itself, or why it cannot be used."""
    if not path.stat().st_size:
        return "it is empty"
    if flaw := archive_flaw(path):
        return flaw
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)[OWN_KEY]
    except (RuntimeError, pickle.UnpicklingError, KeyError, TypeError) as error:
        return f"it is no checkpoint of Snaketorch ({error})"
