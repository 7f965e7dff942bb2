"""Configurations that must be refused, and with which words: cases as data, one runner.

``study/`` is a tiny study without problems, and each case in ``cases/*.yaml`` a change of it::

    - case: text where a number belongs            # a name, for people
      change: {experiments/cnn.yaml: {"lr: 1e-3": "lr: fast"}}
      says: |
        config/experiments/cnn.yaml:8: optimizer.lr: 'fast' (text) is not possible; allowed: ...

What a case can do, with paths below ``config/``:

    change      text by other text, which must stand in the file exactly once
    add         text to the end of a file
    write       a whole file; parts of a text may be repeated: ["seeds: [", ["0, ", 1000], "0]"]
    bytes       a whole file, a character for each byte
    rename, remove, folder, link, unreadable
    config      arguments of ``snakemake --config``

and what must come of it: every line of ``says``, in this order, and nothing else; or, for a study that
is fine, ``gives``: some of its values.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    name: str
    file: str
    steps: Mapping[str, Any]

    @property
    def lines(self) -> list[str]:
        """The problems that must be shown; none for a study that is fine."""
        return self.steps.get("says", "").splitlines()

    @property
    def gives(self) -> Mapping[str, Any]:
        return self.steps.get("gives", {})

    @property
    def arguments(self) -> list[str]:
        """For the command line of ``snakemake``."""
        return ["--config", *self.steps["config"]] if "config" in self.steps else []

    @property
    def overrides(self) -> dict[str, Any]:
        """What Snakemake makes of the arguments."""
        from snakemake.cli import parse_config

        return parse_config(self.steps.get("config"))

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def read_cases() -> list[Case]:
    return [
        Case(steps.pop("case"), path.stem, steps)
        for path in sorted(HERE.glob("cases/*.yaml"))
        for steps in yaml.safe_load(path.read_text("utf-8"))
    ]


CASES = read_cases()


def materialise(case: Case, folder: Path) -> tuple[list[str], dict[str, Any]]:
    """Makes ``folder / "config"`` as ``case`` has it.

    Returns:
        The lines that must be shown, and the overrides for ``load_study``.
    """
    config = folder / "config"
    shutil.copytree(HERE / "study" / "config", config)
    steps = case.steps
    for file, name in steps.get("rename", {}).items():
        (config / file).rename(config / name)
    for name in steps.get("remove", []):
        shutil.rmtree(config / name) if (config / name).is_dir() else (config / name).unlink()
    for file, changes in steps.get("change", {}).items():
        _rewrite(config / file, changes)
    for file, text in steps.get("add", {}).items():
        with (config / file).open("a", encoding="utf-8") as end:
            end.write(_text(text))
    for file, text in steps.get("write", {}).items():
        (config / file).write_text(_text(text), "utf-8")
    for file, text in steps.get("bytes", {}).items():
        (config / file).write_bytes(text.encode("latin-1"))
    for name in steps.get("folder", []):
        (config / name).mkdir()
    for name, target in steps.get("link", {}).items():
        (config / name).symlink_to(target)
    for name in steps.get("unreadable", []):
        (config / name).chmod(0)
    return case.lines, case.overrides


def _rewrite(file: Path, changes: Mapping[str, Any]) -> None:
    text = file.read_text("utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, f"{old!r} must stand in {file.name} once"
        text = text.replace(old, _text(new))
    file.write_text(text, "utf-8")


def _text(parts: str | list[str | list[Any]]) -> str:
    if isinstance(parts, str):
        return parts
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)
