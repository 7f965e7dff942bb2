"""`python -m snaketorch explain`: what would run again of an experiment, and because of which key."""

import json
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from snaketorch.config.load import load_study
from snaketorch.config.problems import listed
from snaketorch.dag.workflow import Workflow
from snaketorch.errors import UserError
from snaketorch.spec_differences import differences
from snaketorch.status.changed_code import changed_modules
from snaketorch.status.dry_run import Planned, Reason, dry_run
from snaketorch.status.steps import STEPS, Step
from snaketorch.status.study import check_names

WIDTH = 100
DETAIL = "    "
MOST_MODULES = 4
MOST_FILES = 6
MAKERS_OF_MODELS = ("tune_experiment", "train_model")
"""Of an experiment whose model is needed."""


def explain(name: str, seed: int | None = None, snakefile: Path | None = None) -> str:
    """What a dry-run says of an experiment and of all that it is made from, with the keys that changed.

    Args:
        name: An experiment of the study in this folder.
        seed: Only this training of it.
        snakefile: The workflow; the one that `snakemake` would find, or that of this package, when absent.

    Raises:
        UserError: for an unknown experiment or seed, and what Snakemake refuses.
    """
    workflow = Workflow(load_study(Path.cwd()))
    check_names(workflow, [name])
    seeds = workflow.trained[name].seeds
    if seed is not None and seed not in seeds:
        raise UserError(f"{name} has no seed {seed}; allowed: {listed(map(str, seeds))}")
    jobs = dry_run(snakefile)
    chosen = [job for job in jobs if _concerns(job, name, seed, _lineage(workflow, name), workflow)]
    subject = name if seed is None else f"{name}, seed {seed}"
    others = _others(len(jobs) - len(chosen))
    if not chosen:
        return f"Nothing would run again for {subject}: it is up to date.{others and f' {others}'}"
    makers = {output: job for job in jobs for output in job.outputs}
    paragraphs = _merged((job, _why(job, workflow, makers)) for job in chosen)
    heading = f"For {subject}, {_count(len(chosen), 'job')} would run:"
    return "\n".join([heading, *paragraphs, *(["", others] if others else [])])


def _lineage(workflow: Workflow, name: str) -> list[str]:
    """The experiment and those whose models it needs, directly or through others."""
    found = [name]
    for one in found:
        experiment = workflow.trained[one]
        upstream = [experiment.model.upstream, *experiment.task.upstream.values()]
        found.extend(other for other in upstream if other and other not in found)
    return found


def _concerns(job: Planned, name: str, seed: int | None, lineage: Sequence[str], workflow: Workflow) -> bool:
    """Whether a job makes something of the experiment, or something that it is made from, or the page that shows it."""
    if "dataset" in job.wildcards and "experiment" not in job.wildcards:
        return job.wildcards["dataset"] in {workflow.trained[one].data for one in lineage}
    experiment = job.wildcards.get("experiment")
    if experiment is None:
        return job.rule == "report_study"
    if experiment != name:
        return experiment in lineage and job.rule in MAKERS_OF_MODELS
    return seed is None or job.wildcards.get("seed", str(seed)) == str(seed)


def _why(job: Planned, workflow: Workflow, makers: Mapping[str, Planned]) -> list[str]:
    """The lines beneath a job: Snakemake's reasons, and what each of them stands for."""
    asked = SimpleNamespace(**job.wildcards)
    step = STEPS.get(job.rule)
    record = step.record(asked) if step else None
    lines: list[str] = []
    for reason in job.reasons:
        files = _of_files(reason, job, makers)
        details = list(_of_parameters(reason, step, asked, workflow, record))
        lines.append(_in_words(reason) + (f": {_listed(files)}" if files else ":" if details else ""))
        lines.extend(DETAIL + detail for detail in details)
    # Snakemake is content with one reason: of what else changed only the record tells
    if step and record and not any(reason.before or reason.now for reason in job.reasons):
        keys = differences(record["spec"], json.loads(step.spec(workflow, asked)))
        more = [*_of_user(keys), *_of_code(step, asked, workflow, record)]
        lines.extend(["besides:", *(DETAIL + detail for detail in more)] if more else [])
    return lines


def _of_files(reason: Reason, job: Planned, makers: Mapping[str, Planned]) -> list[str]:
    """The files of a reason; of those that other jobs will change, the jobs, seeds together."""
    if not reason.words.endswith("by another job"):
        return sorted(reason.files)
    found: dict[str, set[int]] = {}
    for file in reason.files:
        name, seed = _title(makers[file]) if file in makers else (file, None)
        found.setdefault(name, set()).update([] if seed is None else [seed])
    own = job.wildcards.get("seed")
    return [_with_seeds(name, seeds, own) for name, seeds in sorted(found.items())]


def _listed(files: Sequence[str]) -> str:
    left = len(files) - MOST_FILES
    return "; ".join([*files[:MOST_FILES], *([f"and {left} more"] if left > 0 else [])])


def _with_seeds(name: str, seeds: Collection[int], own: str | None = None) -> str:
    if not seeds:
        return name
    if own is not None and set(seeds) == {int(own)}:
        return f"{name}, its seed"
    return f"{name}, seed{'' if len(seeds) == 1 else 's'} {', '.join(map(str, sorted(seeds)))}"


def _of_user(keys: Iterable[str]) -> Iterator[str]:
    """Keys as the user writes them: the configuration of an experiment is a part of a summary's spec."""
    yield from (key.removeprefix("config.") for key in keys)


def _of_parameters(
    reason: Reason, step: Step | None, asked: SimpleNamespace, workflow: Workflow, record: Mapping[str, Any] | None
) -> Iterator[str]:
    specs = [
        next((value for value in values if isinstance(value, dict)), None) for values in (reason.before, reason.now)
    ]
    if None not in specs:
        yield from _of_user(differences(*specs))
    for value in reason.now:
        if isinstance(value, list):
            yield f"the models that it uses: {' '.join(value).replace('--uses ', '') or 'none'}"
        elif isinstance(value, str) and step and value == step.code(workflow, asked):
            yield from _of_code(step, asked, workflow, record, changed=True)
        elif isinstance(value, str) and step and value == step.source(workflow, asked):
            yield "the files that it is made from"


def _of_code(
    step: Step, asked: SimpleNamespace, workflow: Workflow, record: Mapping[str, Any] | None, changed: bool = False
) -> Iterator[str]:
    if not changed and (record is None or record["code_digest"] == step.code(workflow, asked)):
        return
    git = (record or {}).get("git")
    modules = changed_modules(step.modules(workflow, asked), git)
    if not modules:
        own = step.own_modules(workflow, asked)
        yield "the code of this step" + (f", or of your own module {' or '.join(own)}" if own else "")
        return
    dirty = ", which had changes that were not committed" if git["dirty"] else ""
    yield f"the code of this step; since commit {git['commit'][:10]}{dirty}: {listed(modules, MOST_MODULES)}"


def _in_words(reason: Reason) -> str:
    words = reason.words[:1].lower() + reason.words[1:]
    return words.replace("code has changed", "the rule's command has changed")


def _merged(jobs: Iterable[tuple[Planned, list[str]]]) -> Iterator[str]:
    """A paragraph a job; seeds of an experiment that run for the same reasons share one."""
    found: dict[tuple[str, ...], set[int]] = {}
    for job, why in jobs:
        name, seed = _title(job)
        found.setdefault((name, *why), set()).update([] if seed is None else [seed])
    for (name, *why), seeds in found.items():
        yield ""
        yield _with_seeds(name, seeds)
        for line in why:
            indent = "    " + line[: len(line) - len(line.lstrip())]
            yield textwrap.fill(
                line.strip(),
                WIDTH,
                initial_indent=indent,
                subsequent_indent=indent + "  ",
                break_on_hyphens=False,
                break_long_words=False,
            )


def _title(job: Planned) -> tuple[str, int | None]:
    """A job as people call it, "train_model digits_cnn", and its seed."""
    subjects = [job.wildcards[name] for name in ("experiment", "dataset") if name in job.wildcards]
    seed = job.wildcards.get("seed")
    return " ".join([job.rule, *subjects]), None if seed is None else int(seed)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _others(number: int) -> str:
    return f"{_count(number, 'other job')} would run, of the rest of the study." if number else ""
