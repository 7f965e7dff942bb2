"""Where the results of an experiment come from, one column a seed."""

from dataclasses import dataclass
from typing import Any

from snaketorch.report.formats import NOTHING, duration, moment, number
from snaketorch.report.results import Experiment, Seed


@dataclass(frozen=True)
class Fact:
    """A row of the table: one cell when all seeds agree, else one a seed."""

    label: str
    cells: list[str]
    is_code: bool = False


def provenance(experiment: Experiment) -> list[Fact]:
    """What to know to trust, or to repeat, the trainings."""
    rows = [
        Fact(label, _merged([_cell(read, seed) for seed in experiment.seeds]), is_code)
        for label, read, is_code in (
            ("Configuration (digest)", lambda seed: seed.record["spec_digest"], True),
            ("Training code (digest)", lambda seed: seed.record["code_digest"], True),
            ("Test code (digest)", lambda seed: seed.metrics["record"]["code_digest"], True),
            ("Data (digest)", lambda seed: seed.record["inputs"]["manifest"]["digest"], True),
            ("Model (SHA-256)", lambda seed: seed.record["outputs"]["model"][:16], True),
            ("Git commit", lambda seed: _commit(seed.record["git"]), False),
            ("Machine", lambda seed: machine(seed.record["host"]), False),
            ("Device", _device, False),
            ("Processes", processes, False),
            ("Precision", _precision, False),
            ("Weights", _kept, False),
            ("Started", lambda seed: moment(seed.record["started"]), False),
            ("Wall time", lambda seed: duration(seed.record["wall_seconds"]), False),
            ("Attempts", _attempts, False),
            ("Software", lambda seed: software(seed.record["versions"]), False),
        )
    ]
    return [row for row in rows if row.cells != [NOTHING]]


def _commit(git: dict[str, Any] | None) -> str:
    """A commit in short, and whether files differed from it."""
    if git is None:
        return NOTHING
    return git["commit"][:12] + (", with uncommitted changes" if git["dirty"] else "")


def machine(host: dict[str, Any]) -> str:
    """Name and kind of a machine, and the cluster job on it."""
    job = host.get("slurm", {}).get("SLURM_JOB_ID")
    return f"{host['name']} ({host['system']}, {host['machine']})" + (f", Slurm job {job}" if job else "")


def software(versions: dict[str, str]) -> str:
    """Packages with their versions."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def processes(seed: Seed) -> str:
    """How many trained together, and how; nothing of one alone."""
    record = seed.record
    count = record.get("processes", 1)
    return f"{count}, {record['strategy']}, {record['step_size']} samples a step" if count > 1 else NOTHING


def _device(seed: Seed) -> str:
    device = seed.record["device"]
    threads = device.get("threads")
    return f"{device['type'].upper()}: {device['name']}" + (
        f", {threads} thread{'s' if threads > 1 else ''}" if threads else ""
    )


def _precision(seed: Seed) -> str:
    precision = seed.record["precision"]
    asked = f" (asked for: {precision['asked']})" if precision["asked"] != precision["used"] else ""
    return f"{precision['used']}{asked}" + (f"; {precision['why']}" if precision.get("why") else "")


def _kept(seed: Seed) -> str:
    best, epochs = seed.record["best"], seed.record["epochs"]
    if best is None or not best["kept"]:
        return f"of the last of {epochs} epochs"
    return f"of epoch {best['epoch']} of {epochs}, the best by {best['metric']} ({number(best['value'])})"


def _attempts(seed: Seed) -> str:
    """How many attempts it took, and how those before the last ended."""
    earlier = [failure["kind"].replace("_", " ") for failure in seed.record.get("failures", [])]
    return str(seed.record["attempts"]) + (f" (before: {', '.join(earlier)})" if earlier else "")


def _cell(read, seed: Seed) -> str:
    return read(seed) or NOTHING


def _merged(cells: list[str]) -> list[str]:
    return cells[:1] if len(set(cells)) == 1 else cells
