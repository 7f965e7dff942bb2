"""What every trial of a sweep is told, wherever it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from snaketorch.config.specs import TuneSpec
from snaketorch.training.checkpointing.resume_points import Every
from snaketorch.training.deadline import Deadline
from snaketorch.tuning.room import Room


@dataclass(frozen=True)
class SweepContext:
    """A sweep, as its trials see it. Paths are absolute: processes of Ray's have working directories of their own."""

    spec: TuneSpec
    manifest: Path
    uses: Mapping[str, Path]
    root: Path
    """The folder of the study, in which the step was started."""
    folder: Path
    """Of the sweep's live state."""
    code: str
    room: Room
    checkpoint_every: Every
    deadline: Deadline | None

    @property
    def stop_file(self) -> Path:
        """Is there while the sweep ends: trials save themselves then."""
        return self.folder / "stop"

    def trial_folder(self, key: str) -> Path:
        """A trial's live state, until it is done."""
        return self.folder / "trials" / key

    def log_of(self, number: int) -> Path:
        """What a trial's training says; it stays."""
        return self.folder / "logs" / f"trial-{number}.log"
