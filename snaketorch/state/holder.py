"""Who works in a state folder: what the process that holds it says of itself, and what to do about it."""

import datetime
import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from snaketorch import parent
from snaketorch.state.batch_job import batch_job
from snaketorch.state.durations import in_words


@dataclass(frozen=True)
class Holder:
    """A process that holds a state folder. One that could not be read has an empty ``host``."""

    host: str = ""
    pid: int = 0
    start: str | None = None
    """When the process started, see ``parent.start_time``: numbers of processes come again."""
    namespace: str | None = None
    """In which its number counts: a container has numbers of its own, and may have its host's name."""
    job: str | None = None
    """Number of the batch job that it is."""
    cancel: str | None = None
    """The command that ends that job."""
    workflow: int | None = None
    """The process that started it, a Snakemake."""
    workflow_start: str | None = None
    since: str = ""
    """When it took the folder, ISO 8601 in UTC."""

    @classmethod
    def of_this_process(cls) -> Self:
        job, workflow = batch_job(), parent.workflow()
        return cls(
            host=socket.gethostname(),
            pid=os.getpid(),
            start=parent.start_time(os.getpid()),
            namespace=_namespace(),
            job=job.number if job else None,
            cancel=job.cancel if job else None,
            workflow=workflow,
            workflow_start=parent.start_time(workflow) if workflow else None,
            since=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What a lock file says; an unknown holder where it says nothing that can be read."""
        try:
            found: dict[str, Any] = json.loads(text)
            return cls(**{name: found[name] for name in cls.__dataclass_fields__ if name in found})
        except (ValueError, TypeError):
            return cls()

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @property
    def is_here(self) -> bool:
        """Whether its number means a process of this machine."""
        return bool(self.host) and (self.host, self.namespace) == (socket.gethostname(), _namespace())

    @property
    def is_gone(self) -> bool:
        """Whether it is known to have ended; of another machine's processes nothing is known."""
        return self.is_here and self.start is not None and not parent.is_running(self.pid, self.start)

    @property
    def is_orphan(self) -> bool:
        """Whether the workflow that started it is known to be gone."""
        known = self.is_here and self.workflow is not None and self.workflow_start is not None
        return known and not parent.is_running(self.workflow, self.workflow_start)

    @property
    def seconds(self) -> float | None:
        """For how long it has held the folder."""
        try:
            since = datetime.datetime.fromisoformat(self.since)
        except ValueError:
            return None
        return max(0.0, (datetime.datetime.now(datetime.UTC) - since).total_seconds())

    @property
    def advice(self) -> str:
        """How it is ended by a person who wants that."""
        if self.cancel:
            return f"`{self.cancel}`"
        if not self.host:
            return "its `kill`"
        return f"`kill {self.pid}`" + ("" if self.is_here else f" on {self.host}")

    def __str__(self) -> str:
        if not self.host:
            return "another process"
        job = f", batch job {self.job}" if self.job else ""
        held = "" if self.seconds is None else f", for {in_words(self.seconds)}"
        return f"process {self.pid} on {self.host}{job}{held}"


def _namespace() -> str | None:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return None
