"""Which modules of a step are others than when a result was made."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snaketorch.dag.code import PACKAGE, ROOT, closure, same_code


def changed_modules(entry_points: Iterable[str], git: dict[str, Any] | None) -> list[str]:
    """The modules of a step that differ from those of the commit in a record; empty when that cannot be told.

    Args:
        entry_points: Modules, or ``module:attribute``, that the step begins with.
        git: ``commit`` and ``dirty`` of the checkout that made the result.
    """
    if not git or not git.get("commit"):
        return []
    try:
        differing = _git("diff", "--name-only", "--no-renames", git["commit"], "--", PACKAGE).split()
        modules = {_module(path): path for path in differing if path.endswith(".py")}
        used = closure({entry.partition(":")[0] for entry in entry_points}) & modules.keys()
        return sorted(name for name in used if not _is_same(name, git["commit"], modules[name]))
    except (OSError, subprocess.SubprocessError, ImportError, SyntaxError, ValueError):
        return []


def _is_same(name: str, commit: str, path: str) -> bool:
    """Whether a module is what it was, but for comments; one that is new is not."""
    try:
        return same_code(name, _git("show", f"{commit}:{path}"))
    except subprocess.CalledProcessError:
        return False


def _git(*arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(ROOT.parent), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout


def _module(path: str) -> str:
    parts = Path(path).with_suffix("").parts
    return ".".join(parts[parts.index(PACKAGE) :]).removesuffix(".__init__")
