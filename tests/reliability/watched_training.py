"""What a training's process does so that a test knows where it is, and can end it exactly there."""

import mmap
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer

from snaketorch.training import train as step
from snaketorch.training.callbacks import StepSeeds
from snaketorch.training.checkpointing import resume_points
from snaketorch.training.checkpointing.resume_points import Every, ResumePoints

PHASES = ("starting", "between saves", "in a save", "publishing")
STARTING, BETWEEN_SAVES, IN_A_SAVE, PUBLISHING = range(4)

KEPT = "kept"
"""The folder with what a finished training's state was."""

_FIELDS = ("phase", "began_at", "saves_begun", "saves", "batches", "save_microseconds", "operations")
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink"}


class Seen:
    """Where a training is, in memory that it shares with who watches it."""

    def __init__(self, shared: mmap.mmap):
        object.__setattr__(self, "_shared", shared)

    def __getattr__(self, name: str) -> int:
        return struct.unpack_from("i", self._shared, 4 * _FIELDS.index(name))[0]

    def __setattr__(self, name: str, value: int) -> None:
        struct.pack_into("i", self._shared, 4 * _FIELDS.index(name), value)

    def all(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _FIELDS} | {"phase": PHASES[self.phase]}


def watch(seen: Seen, request: Mapping[str, Any]) -> None:
    """Changes the training in this process: it saves often, tells where it is, and dies where ``request`` says."""
    _save_every(request["save_every"])
    _tell_saves(seen, request)
    _tell_the_beginning(seen)
    _keep_the_end(seen, Path(request["state"]))
    _count_operations(seen, request["kill_at_operation"])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _save_every(batches: int) -> None:
    """After so many batches, where the training could go on from there, and at the ends of epochs."""
    resume_points.TIME_SHARE = 1e9
    real = ResumePoints.on_train_batch_end

    def on_train_batch_end(self, trainer, *arguments):
        self.every = Every(epochs=1, seconds=0.0 if _batches(trainer) % batches == 0 else 1e9)
        real(self, trainer, *arguments)

    ResumePoints.on_train_batch_end = on_train_batch_end


def _tell_saves(seen: Seen, request: Mapping[str, Any]) -> None:
    real = ResumePoints._save

    def save(self, trainer):
        seen.phase, seen.saves_begun = IN_A_SAVE, seen.saves_begun + 1
        start = time.perf_counter()
        real(self, trainer)
        seen.save_microseconds = int(1e6 * (time.perf_counter() - start))
        seen.phase, seen.saves, seen.batches = BETWEEN_SAVES, seen.saves + 1, _batches(trainer)
        if request["kill_after_batches"] == seen.batches:
            die()
        if request["after_save"] and request["after_save"][0] == seen.saves:
            subprocess.run(request["after_save"][1], shell=True, check=True)

    ResumePoints._save = save


def _tell_the_beginning(seen: Seen) -> None:
    real = StepSeeds.on_train_batch_start

    def on_train_batch_start(self, trainer, *arguments):
        if seen.phase == STARTING:
            seen.phase, seen.began_at = BETWEEN_SAVES, _batches(trainer)
        real(self, trainer, *arguments)

    StepSeeds.on_train_batch_start = on_train_batch_start


def _keep_the_end(seen: Seen, state: Path) -> None:
    """The last checkpoint, with the optimizers' state, goes to ``KEPT``."""
    real = step.fit

    def fit(*arguments, **options):
        fitted = real(*arguments, **options)
        seen.phase = PUBLISHING
        shutil.rmtree(KEPT, ignore_errors=True)
        shutil.copytree(state, KEPT)
        return fitted

    step.fit = fit


def _count_operations(seen: Seen, kill_at: int | None) -> None:
    """Counts what changes names in the working directory; dies just before operation ``kill_at``, from 1."""
    here = Path.cwd()

    def on_event(event: str, arguments: tuple) -> None:
        if event == "open":
            path, _, flags = arguments
            changes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        else:
            changes = event in _CHANGES
            path = arguments[0] if changes else None
        if not changes or not isinstance(path, str | os.PathLike):
            return
        full = here / path
        if full.is_relative_to(here) and not full.is_relative_to(here / KEPT):
            seen.operations += 1
            if seen.operations == kill_at:
                die()

    sys.addaudithook(on_event)


def _batches(trainer: Trainer) -> int:
    return trainer.fit_loop.epoch_loop.batch_progress.total.processed
