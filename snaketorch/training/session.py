"""What a training is told that no result depends on: where its state is, how often it is saved, when to end."""

from dataclasses import dataclass, field
from pathlib import Path

from snaketorch.journal import Journal
from snaketorch.signals import Noted
from snaketorch.training.checkpointing.resume_points import BY_DEFAULT, Every
from snaketorch.training.deadline import Deadline


@dataclass(frozen=True)
class Session:
    """The part of a training that one process does."""

    state: Path
    """The folder of the training's live state."""
    choices: Path
    """The folder that remembers which precision a device does well."""
    journal: Journal
    """What the training tells while it runs."""
    code: str = ""
    """Digest of the modules that the step imports."""
    checkpoint_every: Every = BY_DEFAULT
    """How often the state is saved."""
    signals: Noted = field(default_factory=Noted)
    """What the process is told while it runs."""
    deadline: Deadline | None = None
    """When its time is over."""

    @property
    def samples(self) -> Path:
        """The folder for what the model makes as it learns."""
        return self.state / "samples"
