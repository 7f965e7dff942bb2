"""``python -m snaketorch doctor``: all that is looked at, as text or JSON."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from snaketorch.doctor.devices import look_at_devices
from snaketorch.doctor.finding import Finding, warn
from snaketorch.doctor.folder import look_at_folder
from snaketorch.doctor.machine import look_at_machine
from snaketorch.doctor.profile import proposed_profile
from snaketorch.doctor.slurm import Cluster, look_at_slurm
from snaketorch.doctor.software import look_at_software
from snaketorch.doctor.study import look_at_study
from snaketorch.state.batch_job import batch_job


class Report(NamedTuple):
    """What the doctor says."""

    text: str
    failing: int
    """How many findings are a FAIL."""


def doctor(folder: Path, as_json: bool) -> Report:
    """Looks at software, machine, devices, Slurm, ``folder`` and its study."""
    cluster = Cluster()
    looks: Mapping[str, Callable[[], Iterable[Finding]]] = {
        "software": look_at_software,
        "machine": look_at_machine,
        "GPUs": look_at_devices,
        "Slurm": lambda: look_at_slurm(cluster),
        "folder": lambda: look_at_folder(folder),
        "study": lambda: look_at_study(folder),
    }
    findings = {name: list(_looked(name, look)) for name, look in looks.items()}
    all_of_them = [finding for found in findings.values() for finding in found]
    # a profile is for where jobs are submitted
    profile = None if batch_job() else proposed_profile(cluster)
    failing = sum(finding.status == "FAIL" for finding in all_of_them)
    if as_json:
        found = {name: [asdict(finding) for finding in some] for name, some in findings.items()}
        return Report(json.dumps({"findings": found, "profile": profile}, indent=2, ensure_ascii=False), failing)
    return Report("\n".join(_text(findings, all_of_them, profile)), failing)


def _looked(name: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except Exception as error:  # one look that goes wrong must not hide the others
        yield warn(name, f"could not be looked at: {type(error).__name__}: {error}", "please report this as a bug")


def _text(findings: Mapping[str, Iterable[Finding]], every: list[Finding], profile: str | None) -> Iterator[str]:
    for name, found in findings.items():
        yield name
        for finding in found:
            yield f"  {finding.status:4}  {finding.about}: {finding.found}"
            if finding.advice:
                yield f"        -> {finding.advice}"
    counts = {status: sum(finding.status == status for finding in every) for status in ("OK", "WARN", "FAIL")}
    yield ", ".join(f"{count} {status}" for status, count in counts.items())
    if profile is not None:
        yield "\nProposed for profiles/slurm/config.yaml, from what Slurm says of this cluster:\n"
        yield profile.rstrip()
