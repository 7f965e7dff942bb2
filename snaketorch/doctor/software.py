"""Python and the packages: whether they are there, new enough, and those that were tested."""

import platform
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from snaketorch.doctor.finding import Finding, fail, ok, warn

ROOT = Path(__file__).parents[2]
INSTALL = f"`pip install -e {ROOT} -c {ROOT / 'constraints.txt'}`"
_BOUND = re.compile(r"([\w.-]+)(?:\[[\w,-]+\])?\s*>=\s*([\d.]+)")


def look_at_software(root: Path = ROOT) -> Iterator[Finding]:
    """Findings about Python, the packages that this version needs, and which of them differ from the tested ones."""
    needed_python, needed = _needed(root)
    yield _python(needed_python)
    installed = {name: _version(name) for name in needed}
    yield _packages(needed, installed)
    yield _tested(root / "constraints.txt", {name: version for name, version in installed.items() if version})
    yield from _snakemake(installed)


def _needed(root: Path) -> tuple[str, dict[str, str]]:
    """The least version of Python and of each package."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
        python, requirements = project["requires-python"], project["dependencies"]
    except (OSError, KeyError):  # installed without the checkout
        python = metadata.metadata("snaketorch")["Requires-Python"]
        requirements = [word for word in metadata.requires("snaketorch") or [] if "extra ==" not in word]
    return python.removeprefix(">="), dict(found.groups() for word in requirements if (found := _BOUND.match(word)))


def _python(needed: str) -> Finding:
    version = platform.python_version()
    if _numbers(version) < _numbers(needed):
        return fail("Python", f"{version}; needed: {needed} or newer", "make a new environment with a newer Python")
    return ok("Python", f"{version} ({sys.executable})")


def _packages(needed: dict[str, str], installed: dict[str, str | None]) -> Finding:
    wrong = [
        f"{name} is missing" if installed[name] is None else f"{name} {installed[name]}, needed: {least} or newer"
        for name, least in needed.items()
        if installed[name] is None or _numbers(installed[name]) < _numbers(least)
    ]
    if wrong:
        return fail("packages", "; ".join(wrong), INSTALL)
    return ok("packages", f"all {len(needed)} are there and new enough")


def _tested(constraints: Path, installed: dict[str, str]) -> Finding:
    about = "tested versions"
    try:
        lines = constraints.read_text("utf-8").splitlines()
    except OSError:
        return ok(about, "not compared: there is no constraints.txt beside the package")
    tested = {_key(name): version for name, sign, version in (line.partition("==") for line in lines) if sign}
    others = [
        f"{name} {version} (tested: {tested[_key(name)]})"
        for name, version in installed.items()
        if tested.get(_key(name), version) != version.partition("+")[0]  # +cu130: where torch was built for
    ]
    if others:
        return warn(about, "; ".join(others), f"to have what the tests had: {INSTALL}")
    return ok(about, "the packages are those of constraints.txt")


def _snakemake(installed: dict[str, str | None]) -> Iterator[Finding]:
    program = shutil.which("snakemake")
    here = Path(sys.executable).parent
    if program is None or Path(program).parent.resolve() != here.resolve():
        found = "not on the PATH" if program is None else f"{program} is of another environment than this Python"
        yield warn("Snakemake", found, f"`source {here / 'activate'}`, or call `{here / 'snakemake'}`")
    else:
        yield ok("Snakemake", f"{installed.get('snakemake')} ({program})")
    plugins = {name: _version(f"snakemake-executor-plugin-{name}") for name in ("slurm", "slurm-jobstep")}
    if None in plugins.values():
        missing = ", ".join(f"snakemake-executor-plugin-{name}" for name, version in plugins.items() if version is None)
        yield warn("Slurm plugin", f"missing: {missing}", f"needed for `--profile profiles/slurm`: {INSTALL}")
    else:
        yield ok("Slurm plugin", f"{plugins['slurm']}, jobstep {plugins['slurm-jobstep']}")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, for comparison; what marks a release before or after it is not looked at."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
