"""Brings the pins of the conda environments up to date: ``python envs/pins.py`` after ``make freeze``.

What the steps import is listed by hand, with or without a version: those come from ``constraints.txt``. Below it
follows what those packages require, so that an environment made next year holds what the tests ran with.
"""

import re
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).parent
CONSTRAINTS = FOLDER.parent / "constraints.txt"
IMPORTED = "      # what the steps import\n"
REQUIRED = "      # what these require\n"

# A requirement of one platform only, such as torch's CUDA libraries, is left to the package that has it:
# so the file serves every platform, and every build of torch.
NO_PLATFORM = {"sys_platform": "", "platform_system": "", "platform_machine": ""}


def constraints() -> dict[str, str]:
    """Each pinned requirement as it is written, by its canonical name."""
    lines = CONSTRAINTS.read_text("utf-8").splitlines()
    return {canonicalize_name(line.partition("==")[0]): line for line in lines if line and not line.startswith("#")}


def required(names: Iterable[str]) -> set[str]:
    """The installed packages ``names``, such as ``ray[tune]``, and all that they require, by their canonical names."""
    found: set[str] = set()
    wishes = [Requirement(name) for name in names]
    waiting = [(canonicalize_name(wish.name), frozenset(wish.extras)) for wish in wishes]
    seen = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) not in seen:
            seen.add((name, extras))
            found.add(name)
            waiting.extend((canonicalize_name(wish.name), frozenset(wish.extras)) for wish in _wishes(name, extras))
    return found


def _wishes(name: str, extras: Iterable[str]) -> Iterator[Requirement]:
    for wish in map(Requirement, metadata.requires(name) or ()):
        if wish.marker is None or any(wish.marker.evaluate({**NO_PLATFORM, "extra": extra}) for extra in ("", *extras)):
            yield wish


def pinned(environment: str) -> str:
    """The text of an environment file with its pins as they should be."""
    head, imported = environment.split(IMPORTED)
    names = re.findall(r"- ([^=\s]+)", imported.partition(REQUIRED)[0])
    by_hand = {canonicalize_name(Requirement(name).name): frozenset(Requirement(name).extras) for name in names}
    pins = constraints()
    # not among the constraints: what conda-forge's pip brings along (setuptools)
    others = (required(names) & pins.keys()) - by_hand.keys()
    first = (_with_extras(pins[name], extras) for name, extras in by_hand.items())
    return head + IMPORTED + _lines(first) + REQUIRED + _lines(pins[name] for name in others)


def _with_extras(pin: str, extras: Iterable[str]) -> str:
    name, _, version = pin.partition("==")
    return f"{name}[{','.join(sorted(extras))}]=={version}" if extras else pin


def _lines(pins: Iterable[str]) -> str:
    return "".join(f"      - {pin}\n" for pin in sorted(pins, key=str.lower))


if __name__ == "__main__":
    for path in sorted(FOLDER.glob("*.yaml")):
        path.write_text(pinned(path.read_text("utf-8")), "utf-8")
