"""Nothing old poses as current: results are believed only when they are those that their makers told of.

Every result says what it was made from: a spec, code, files by their digests. These functions compare that with what
there is now. The summary and the study page refuse what is out of date; ``python -m snaketorch status`` shows it.
"""

import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from snaketorch.errors import UserError
from snaketorch.provenance import canonical_json, digest
from snaketorch.spec_differences import differences

FORMAT = 1
OUTPUTS = {"model": "model.ckpt", "history": "history.csv", "predictions": "predictions.parquet"}
"""Names of outputs in records, and their files beside them."""
OF_A_SUMMARY = {"metrics": "metrics.json", "record": "record.json", "model": "model.ckpt"}
"""What a summary is made from, of each seed."""

OTHER_CODE = "was made by other code than this step has now"
HEAD_LETTERS = 2_000_000
"""Of a page: within these it says what it was made from, with some 100 letters for each experiment."""

Sha256 = Callable[[Path], str]
"""Gives the digest of a file, by reading it or from memory."""


@dataclass(frozen=True)
class Outdated:
    """A result that is not what would be made now."""

    path: Path
    why: str
    keys: tuple[str, ...] = ()
    """Where the specs differ: "optimizer.lr: 0.001 -> 0.002"."""

    def error(self) -> UserError:
        """For who cannot use it."""
        return stale(self.path, self.why)


@dataclass(frozen=True)
class Now:
    """What a step would be given now. What is None is not compared."""

    spec: Mapping[str, Any] | None = None
    code: str | None = None
    """Digest of the step's modules."""
    data: str | None = None
    """Digest of the prepared dataset."""
    models: Mapping[str, str] | None = None
    """SHA-256 of trained models and weights, by what they are for."""


def outdated_training(path: Path, record: Mapping[str, Any], now: Now, sha256: Sha256) -> Iterator[Outdated]:
    """Why the model beside the ``record`` at ``path`` is not what would be trained now, or not what the record says."""
    yield from _other_spec(path, record, now)
    model = path.with_name(OUTPUTS["model"])
    if now.data not in (None, record["inputs"]["manifest"]["digest"]):
        yield Outdated(model, f"was trained on another version of the data '{record['spec']['data']}'")
    yield from _other_models(model, record["inputs"], now)
    yield from _other_outputs(path, record["outputs"], sha256)


def outdated_sweep(path: Path, record: Mapping[str, Any], now: Now) -> Iterator[Outdated]:
    """Why the ``record`` of a sweep at ``path`` is not of the one that would be made now."""
    yield from _other_spec(path, record, now)
    if now.data not in (None, record["inputs"]["manifest"]["digest"]):
        yield Outdated(path, f"was made with another version of the data '{record['spec']['data']}'")


def outdated_test(
    path: Path, metrics: Mapping[str, Any], record: Mapping[str, Any], now: Now, sha256: Sha256
) -> Iterator[Outdated]:
    """Why the ``metrics`` at ``path`` are not those that a test of the model of ``record`` would give now."""
    test = metrics["record"]
    yield from _other_spec(path, test, now)
    if test["inputs"]["model"]["sha256"] != record["outputs"]["model"]:
        yield Outdated(path, "tells of another model than the one beside it, which was trained since")
    if test["inputs"]["manifest"]["digest"] != record["inputs"]["manifest"]["digest"]:
        why = f"the test and the training saw different versions of the data '{metrics['data']}'"
        yield Outdated(path, why)
    yield from _other_models(path, test["inputs"], now)
    yield from _other_outputs(path, test["outputs"], sha256)


def outdated_summary(path: Path, summary: Mapping[str, Any], now: Now, sha256: Sha256) -> Iterator[Outdated]:
    """Why the ``summary`` at ``path`` is not that of the files in the folders of its seeds."""
    for problem in _other_spec(path, summary["record"], now):
        # of a summary's spec the experiment's configuration is a part; keys are shown as the user writes them
        yield replace(problem, keys=tuple(key.removeprefix("config.") for key in problem.keys))
    told = {path.with_name("config.yaml"): summary["record"]["outputs"]["config"]}
    for seed, digests in summary["inputs"].items():
        told |= {path.parent / f"seed-{seed}" / file: digests[name] for name, file in OF_A_SUMMARY.items()}
    for file, expected in told.items():
        if not file.exists():
            yield Outdated(file, "is missing")
        elif sha256(file) != expected:
            yield Outdated(path, f"was made before {file} changed")


def page_is_made_from(spec: Mapping[str, Any], code: str, summaries: Mapping[str, Path], sha256: Sha256) -> str:
    """What a study page says in its head: digests of its spec, its code and the ``summaries``, as JSON."""
    digests = {name: sha256(path)[:16] for name, path in summaries.items()}
    return canonical_json({"spec": digest(spec), "code": code, "summaries": digests})


def outdated_page(path: Path, made_from: str) -> Iterator[Outdated]:
    """Why the study page at ``path`` is not the one that says ``made_from`` of itself."""
    with path.open(encoding="utf-8") as file:
        said = re.search(r'<meta name="made-from" content="([^"]*)">', file.read(HEAD_LETTERS))
    try:
        before, now = json.loads(html.unescape(said[1]) if said else "{}"), json.loads(made_from)
    except ValueError:
        before, now = {}, json.loads(made_from)
    if not isinstance(before, dict) or before.keys() != now.keys():
        yield Outdated(path, "does not say what it was made from")
        return
    if before["spec"] != now["spec"]:
        yield Outdated(path, "was made with another title, study or choice of experiments")
    if before["code"] != now["code"]:
        yield Outdated(path, OTHER_CODE)
    for name, sha256 in now["summaries"].items():
        if before["summaries"].get(name) != sha256:
            yield Outdated(path, f"was made before the summary of {name} changed")


def refuse(found: Iterable[Outdated]) -> None:
    """UserError for the first thing that is out of date."""
    for problem in found:
        raise problem.error()


def read_json(path: Path) -> tuple[dict[str, Any], str]:
    """The content of a result file and its SHA-256. UserError when it is missing, damaged or of another version."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {make_again(path)}") from error
    try:
        content = json.loads(raw)
    except ValueError as error:
        raise UserError(f"{path}: is no JSON ({error}); {make_again(path)}") from error
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise UserError(f"{path}: has format {found}, this version reads format {FORMAT}; {make_again(path)}")
    return content, hashlib.sha256(raw).hexdigest()


def stale(path: Path, why: str) -> UserError:
    """The error for a file that does not belong to the files beside it."""
    return UserError(f"{path}: {why}; {make_again(path)}")


def make_again(path: Path) -> str:
    """What to do about a file that cannot be used."""
    return f"make it again: snakemake -c1 --forcerun {path}"


def _other_spec(path: Path, record: Mapping[str, Any], now: Now) -> Iterator[Outdated]:
    if now.spec is not None and (keys := differences(record["spec"], now.spec)):
        yield Outdated(path, "was made with another configuration than the experiment has now", tuple(keys))
    if now.code not in (None, record["code_digest"]):
        yield Outdated(path, OTHER_CODE)


def _other_models(path: Path, inputs: Mapping[str, Any], now: Now) -> Iterator[Outdated]:
    for name, sha256 in (now.models or {}).items():
        if inputs.get(name, {}).get("sha256") != sha256:
            yield Outdated(path, f"was made with another '{name}' model than there is now")


def _other_outputs(path: Path, outputs: Mapping[str, str], sha256: Sha256) -> Iterator[Outdated]:
    for name, told in outputs.items():
        file = path.with_name(OUTPUTS[name])
        if not file.exists():
            yield Outdated(file, "is missing")
        elif sha256(file) != told:
            yield Outdated(file, f"is not the file that {path.name} tells of")
