"""What a training is told that no result depends on: where its state is, how often it is saved, when to end."""

from dataclasses import dataclass, field
from pathlib import Path

from pytorch_lightning import Callback

from snaketorch.journal import Journal
from snaketorch.launch.place import ALONE, Place
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
    journal: Journal | None
    """What the training tells while it runs; the first of several processes alone tells it."""
    code: str = ""
    """Digest of the modules that the step imports."""
    checkpoint_every: Every = BY_DEFAULT
    """How often the state is saved."""
    signals: Noted = field(default_factory=Noted)
    """What the process is told while it runs."""
    deadline: Deadline | None = None
    """When its time is over."""
    place: Place = ALONE
    """Which process of the training this is."""
    also: tuple[Callback, ...] = ()
    """Called after all others."""
    sharing: int = 1
    """Trainings that share the memory of the machine with this one."""

    @property
    def samples(self) -> Path:
        """The folder for what the model makes as it learns."""
        return self.state / "samples"
