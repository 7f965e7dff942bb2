"""Sending journals to MLflow, as often as one likes: what is there already is not sent again."""

from collections.abc import Sequence
from pathlib import Path

from snaketorch.tracking.address import shown
from snaketorch.tracking.locks import locked
from snaketorch.tracking.report import Report, Summary
from snaketorch.tracking.store import TrackingError, initialise
from snaketorch.tracking.upload import Upload


def sync_journal(folder: Path, uri: str, study: str) -> Report:
    """Sends what is missing of the journal in ``folder``. Does not raise: the report says what failed.

    Args:
        folder: A journal's folder.
        uri: The tracking address.
        study: Name of the MLflow experiment for a run that is not there yet.
    """
    report = Report(folder)
    if not (folder / "run.json").exists():  # a lock in a folder of another name would only make it
        report.problems.append(
            "there is no journal, as run.json is missing; allowed: a folder with one, or none at all for all journals"
        )
        return report
    try:
        # a sidecar and a sync by hand take turns
        with locked(folder / "sync.lock"):
            Upload(folder, uri, study, report).send()
    except TrackingError as error:
        report.problems.append(str(error))
    except (OSError, ValueError, KeyError, TypeError) as error:
        report.problems.append(f"the journal cannot be read: {error!r}")
    return report


def sync_all(root: Path, uri: str, study: str) -> Summary:
    """Sends what is missing of every journal under ``root``."""
    return sync_journals(sorted(path.parent for path in root.rglob("run.json")), uri, study)


def sync_journals(folders: Sequence[Path], uri: str, study: str) -> Summary:
    """Sends what is missing of these journals; stops when the store does not answer any more."""
    summary = Summary(shown(uri))
    for number, folder in enumerate(folders):
        if (number == 0 or summary.reports[-1].failed) and (problem := _problem(uri, study)):
            summary.problem, summary.unreached = problem, list(folders[number:])
            break
        summary.reports.append(sync_journal(folder, uri, study))
    return summary


def _problem(uri: str, study: str) -> str | None:
    try:
        initialise(uri, study)
    except TrackingError as error:
        return str(error)
    return None
