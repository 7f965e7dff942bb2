"""What a sync has done, for people."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Report:
    """What became of one journal."""

    folder: Path
    created: bool = False
    """Whether the run was new at the address."""
    params: int = 0
    tags: int = 0
    metrics: int = 0
    """Values sent; of values that are there already the server keeps one."""
    datasets: int = 0
    files: int = 0
    status: str | None = None
    """The status that was set, None when it was right already."""
    problems: list[str] = field(default_factory=list)
    """What could not be sent, and why."""
    notes: list[str] = field(default_factory=list)
    """What will never be sent, and why; no reason to fail."""

    @property
    def failed(self) -> bool:
        """Whether something is still missing at the address."""
        return bool(self.problems)

    @property
    def sent(self) -> bool:
        """Whether anything went out."""
        counts = (self.params, self.tags, self.metrics, self.datasets, self.files)
        return bool(self.created or any(counts) or self.status)

    def __str__(self) -> str:
        counts = [
            f"{count} {word if count == 1 else word + 's'}"
            for count, word in (
                (self.params, "param"),
                (self.metrics, "value"),
                (self.tags, "tag"),
                (self.datasets, "dataset"),
                (self.files, "file"),
            )
            if count
        ]
        done = ["new run"] * self.created + counts + ([self.status] if self.status else [])
        return f"{self.folder}: {', '.join(done) or 'nothing new'}"


@dataclass
class Summary:
    """What became of all journals."""

    address: str
    """As shown to people."""
    reports: list[Report] = field(default_factory=list)
    unreached: list[Path] = field(default_factory=list)
    """Journals that were not tried, because the store stopped answering."""
    problem: str | None = None
    """Why the store as a whole could not be used."""

    @property
    def failed(self) -> bool:
        """Whether something is still missing at the address."""
        return self.problem is not None or bool(self.unreached) or any(report.failed for report in self.reports)

    def __str__(self) -> str:
        sent = [report for report in self.reports if report.sent]
        complete = sum(1 for report in self.reports if not report.sent and not report.failed)
        lines = [f"MLflow at {self.address}"]
        lines += [f"  sent      {report}" for report in sent]
        if complete:
            lines.append(f"  complete  {complete} {'run' if complete == 1 else 'runs'}, nothing to send")
        for report in self.reports:
            lines += [f"  note      {report.folder}: {note}" for note in report.notes]
            lines += [f"  not sent  {report.folder}: {problem}" for problem in report.problems]
        if self.problem:
            lines.append(f"  not sent  {self.problem}")
        if self.unreached:
            lines.append(f"  not tried {len(self.unreached)} more, as MLflow stopped answering")
        if not self.reports and not self.unreached and not self.problem:
            lines.append("  there is no journal to send")
        return "\n".join(lines)
