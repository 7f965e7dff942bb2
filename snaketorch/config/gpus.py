"""The catalogue of GPUs, and what a site adds to it.

The figures of ``snaketorch/hardware/gpus.csv`` are facts with a source and a certainty. `config/gpus.yaml` says what a
site has: prices, Slurm's names, GPUs of its own.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from snaketorch.config.document import Document
from snaketorch.config.explain import allowed, explain, schema_of
from snaketorch.config.gpu import Gpu, GpuEntry, GpuFile, Tflops
from snaketorch.config.gpu_csv import read_catalogue
from snaketorch.config.gpu_names import SITE_FILE, matching, meant, name_key, name_keys
from snaketorch.config.problems import ConfigError, KeyPath, Problem, listed
from snaketorch.config.yaml_loader import read_yaml

CATALOGUE = Path(__file__).parents[1] / "hardware/gpus.csv"
NEEDED = ("vendor", "architecture", "memory_gb", "bandwidth_gbs", "tflops.fp32", "watts")
"""Of every GPU: without them nothing can be reckoned."""
NEEDED_OF_CATALOGUE = (
    *(*NEEDED, "chip", "compute_capability", "year", "made_for", "memory_type", "cores", "matrix_cores"),
    *("certainty", "source"),
)
TRAINED_IN = ("tf32", "fp16", "bf16")
"""Reduced precisions of which the rate is asked for."""


def catalogue(root: Path | None = None) -> dict[str, Gpu]:
    """Every GPU by name: those of the catalogue, and those of `config/gpus.yaml` under ``root``.

    Raises:
        ConfigError: with everything that is wrong with the files.
    """
    problems: list[Problem] = []
    gpus = with_site(root, problems) if root else dict(built_in())
    if problems:
        raise ConfigError(problems)
    return gpus


@cache
def built_in(path: Path = CATALOGUE) -> Mapping[str, Gpu]:
    """The GPUs of the catalogue by name, in its order. ConfigError when a row cannot be used."""
    file = _File(read_catalogue(path))
    gpus: dict[str, Gpu] = {}
    for name, entry in file.entries().items():
        if same := _same(name, gpus.values()):
            file.problem((name,), f"is the same GPU as '{same.name}'; allowed: one row for each")
        elif gpu := file.complete(name, name, entry, None, NEEDED_OF_CATALOGUE):
            gpus[name] = gpu
    if file.problems:
        raise ConfigError(file.problems)
    return gpus


def with_site(root: Path, problems: list[Problem]) -> dict[str, Gpu]:
    """The catalogue with what `config/gpus.yaml` says; what is wrong with that file is added to ``problems``."""
    gpus = dict(built_in())
    if not (root / SITE_FILE).exists():
        return gpus
    file = _File(read_yaml(root / SITE_FILE, SITE_FILE))
    seen: dict[str, str] = {}
    for written, entry in file.entries().items():
        base, message = _base(written, entry)
        name = base.name if base and not entry.extends else written
        if not message and (first := seen.setdefault(name_key(name), written)) != written:
            message = (
                f"is the same GPU as '{first}' in line {file.document.position(('gpus', first)).line}; allowed: each "
                f"GPU once, and more under names of their own, with 'extends: {base.name if base else name}'"
            )
        if message:
            file.problem((written,), message)
        elif gpu := file.complete(written, name, entry, base, NEEDED):
            currency = file.document.data.get("currency") if gpu.price_per_hour is not None else None
            gpus[name] = replace(gpu, of_site=True, currency=currency)
    problems.extend(file.problems)
    return gpus


class _File:
    """A file of GPUs, and what is wrong with it."""

    def __init__(self, document: Document):
        self.document = document
        self.problems = list(document.problems)

    def entries(self) -> dict[str, GpuEntry]:
        """Its GPUs as they are written; none when there are problems."""
        if self.document.data is None:
            return {}
        try:
            return GpuFile.model_validate(self.document.data).gpus
        except ValidationError as error:
            self.problems.extend(explain(error, self.document, GpuFile))
            return {}

    def problem(self, path: KeyPath, message: str) -> None:
        """Notes what is wrong with the entry, or the key of it, at ``path``."""
        place = self.document.position(("gpus", *path))
        self.problems.append(Problem.at(place, ("gpus", *path), message))

    def complete(self, written: str, name: str, entry: GpuEntry, base: Gpu | None, needed: Iterable[str]) -> Gpu | None:
        """The GPU ``name`` of an entry and what it starts from; None, and problems, when figures are missing."""
        missing = [] if base else list(_lacking(entry, needed))
        for key in missing:
            allowed_here = allowed(_schema(key), schema_of(GpuEntry))
            self.problem((written, *key.split(".")), f"is missing; allowed: {allowed_here}")
        if missing:
            return None
        native, tflops = _rates(entry, base)
        unrated = [precision for precision in TRAINED_IN if precision in native and precision not in tflops]
        for precision in unrated:
            number = allowed(_schema(f"tflops.{precision}"), schema_of(Tflops))
            message = f"is missing, and native names {precision}; allowed: {number}, or neither"
            self.problem((written, "tflops", precision), message)
        if unrated:
            return None
        given = entry.model_dump(exclude_none=True, exclude={"extends", "tflops", "native"})
        given |= {"name": name, "tflops": tflops, "native": native, "also": tuple(given.get("also", ()))}
        if base:
            given["also"] = given["also"] or (() if entry.extends else base.also)
            return replace(base, **given)
        return Gpu(**{"source": SITE_FILE, **given})


def _rates(entry: GpuEntry, base: Gpu | None) -> tuple[tuple[str, ...], dict[str, float]]:
    """The native precisions, and the rates of those that have one."""
    own = entry.tflops.model_dump(exclude_none=True) if entry.tflops else {}
    listed_ones = base.native if base and entry.native is None else entry.native or ()
    native = tuple(dict.fromkeys(precision for precision in (*listed_ones, *own) if precision != "fp32"))
    rates = {**(base.tflops if base else {}), **own}
    return native, {precision: rate for precision, rate in rates.items() if precision in ("fp32", *native)}


def _base(name: str, entry: GpuEntry) -> tuple[Gpu | None, str]:
    """The GPU of the catalogue that an entry of the site speaks of, or else what is wrong with it."""
    known = built_in()
    if not name_key(name):
        return None, "is no name of a GPU; allowed: letters and digits"
    found = matching(entry.extends or name, known)
    if entry.extends:
        if (taken := _same(name, known.values())) is not None:
            return None, f"is '{taken.name}' of the catalogue; allowed: no 'extends' there, or another name"
        if len(found) == 1:
            return found[0], ""
        what = f"can be one of several: {listed(gpu.name for gpu in found)}" if found else "is not in the catalogue"
        which = "allowed: one of them" if found else f"allowed: a GPU that it has{meant(entry.extends, known)}"
        return None, f"extends '{entry.extends}', which {what}; {which}"
    if len(found) == 1:
        return found[0], ""
    lacks = list(_lacking(entry, NEEDED))
    if not lacks:
        return None, ""
    if found:
        return None, f"can be one of several GPUs; allowed: {listed(gpu.name for gpu in found)}"
    return None, (
        f"is not in the catalogue and lacks {listed(lacks)}; allowed: a name that `python -m snaketorch gpus` lists, "
        f"'extends:' with one, or all of {listed(NEEDED)}{meant(name, known)}"
    )


def _lacking(entry: GpuEntry, needed: Iterable[str]) -> Iterator[str]:
    """The keys of ``needed`` that an entry has not."""
    for key in needed:
        section, _, part = key.partition(".")
        value = getattr(entry, section)
        if (value is None) or (part and getattr(value, part) is None):
            yield key


def _schema(key: str) -> dict[str, Any]:
    section, _, part = key.partition(".")
    return schema_of(Tflops)["properties"][part] if part else schema_of(GpuEntry)["properties"][section]


def _same(name: str, gpus: Iterable[Gpu]) -> Gpu | None:
    """The GPU that is called ``name``, however it is written."""
    return next((gpu for gpu in gpus if name_key(name) in name_keys(gpu)), None)
