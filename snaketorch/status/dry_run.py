"""What Snakemake would run, and why, in its own words: the only authority."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from snaketorch.dag.code import ROOT
from snaketorch.errors import UserError

SNAKEFILES = ("Snakefile", "snakefile", "workflow/Snakefile", "workflow/snakefile")
"""Where Snakemake looks for itself."""

_JOB = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?:    .*\n)*)", re.MULTILINE)
_FIELD = re.compile(r"^    (\w+): (.*)$", re.MULTILINE)
_REASON = re.compile(
    r"(?:^|; )(?=Forced execution|Missing output files: |Incomplete output files: |Updated input files: "
    r"|Input files updated by another job: |Set of input files has changed|Code has changed"
    r"|Params have changed|Software environment definition)"
)
_VALUE = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^,'"\[\s]+)"""
_VALUES = rf"(?:<nothing exclusive>|{_VALUE}(?:,{_VALUE})*)"
_CHANGE = re.compile(rf"before: ({_VALUES}) now: ({_VALUES})")


@dataclass(frozen=True)
class Reason:
    """One of the reasons for which Snakemake would run a job."""

    words: str
    """What it calls this: "Params have changed since last execution"."""
    files: tuple[str, ...] = ()
    before: tuple[Any, ...] = ()
    """Parameters that are gone."""
    now: tuple[Any, ...] = ()
    """Parameters that are new."""


@dataclass(frozen=True)
class Planned:
    """A job that would run."""

    rule: str
    wildcards: dict[str, str]
    outputs: tuple[str, ...]
    reasons: tuple[Reason, ...]


def dry_run(snakefile: Path | None = None) -> list[Planned]:
    """The jobs that ``snakemake`` would run in this folder, in its order.

    Raises:
        UserError: No Snakefile, no Snakemake, or it refuses; then with what it says.
    """
    command = [*_snakemake(), "-s", str(snakefile or find_snakefile()), "-n", "--nocolor"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"snakemake -n ends with an error:\n{(done.stderr or done.stdout).strip()}")
    return list(planned(done.stdout + done.stderr))


def find_snakefile() -> Path:
    """The one of this folder, as Snakemake finds it, else the one beside this package. UserError without any."""
    for path in (*map(Path, SNAKEFILES), ROOT.parent / "Snakefile"):
        if path.is_file():
            return path
    raise UserError(f"there is no Snakefile: not in {Path.cwd()}, not in {ROOT.parent}; give it with --snakefile")


def planned(text: str) -> Iterator[Planned]:
    """The jobs that a dry-run tells of; targets, which make nothing, are left out."""
    for rule, lines in _JOB.findall(text):
        fields = dict(_FIELD.findall(lines))
        if "output" in fields:
            wildcards = dict(part.split("=", 1) for part in fields.get("wildcards", "").split(", ") if "=" in part)
            reasons = tuple(_reasons(fields.get("reason", "")))
            yield Planned(rule, wildcards, tuple(fields["output"].split(", ")), reasons)


def _reasons(text: str) -> Iterator[Reason]:
    for part in filter(None, _REASON.split(text)):
        words, _, rest = part.partition(": ")
        if change := _CHANGE.search(rest):
            yield Reason(words, before=_literals(change[1]), now=_literals(change[2]))
        else:
            yield Reason(words, tuple(filter(None, (file.split(" (")[0].strip() for file in rest.split(", ")))))


def _literals(text: str) -> tuple[Any, ...]:
    """Parameters, as Snakemake writes them; those that are JSON as what it says."""
    if text.startswith("<nothing"):
        return ()
    values = [ast.literal_eval(word) if word[0] in "'\"[" else word for word in re.findall(_VALUE, text)]
    return tuple(_from_json(value) for value in values)


def _from_json(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _snakemake() -> Sequence[str]:
    if find_spec("snakemake"):
        return [sys.executable, "-m", "snakemake"]
    if program := shutil.which("snakemake"):
        return [program]
    raise UserError("Snakemake is not installed here; start this where you start `snakemake`")
