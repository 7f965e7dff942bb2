"""Digests of the code that a step runs.

Snakemake sees a rule's command, not the modules behind it: after an edit of the package it would
serve stale results. So each step carries a digest of the modules that it imports, taken from their
syntax trees without docstrings: another algorithm is another digest, another comment is not.

``snaketorch.config`` is left out: what it decides is in the spec.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGE = "snaketorch"
ROOT = Path(__file__).parent.parent
LEFT_OUT = (f"{PACKAGE}.config", f"{PACKAGE}.dag")


def code_digest(*entry_points: str) -> str:
    """16 hexadecimal digits for the modules of ``entry_points`` and all that they import from this package.

    An entry point is a module, or ``module:attribute``.
    """
    return _digest(frozenset(entry.partition(":")[0] for entry in entry_points))


@cache
def _digest(modules: frozenset[str]) -> str:
    text = "\n".join(f"{name} {_tree_digest(name)}" for name in sorted(closure(modules)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def closure(modules: Iterable[str]) -> set[str]:
    """``modules`` and every module of this package that they import, at the top or in a function."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or name == PACKAGE or name.startswith(LEFT_OUT):
            continue
        found.add(name)
        waiting.extend(_imports(name))
        waiting.append(name.rpartition(".")[0])
    return found


@cache
def _imports(name: str) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            found.add(node.module)
            # `from snaketorch.hardware import precision` names a module
            found.update(
                f"{node.module}.{alias.name}" for alias in node.names if _exists(f"{node.module}.{alias.name}")
            )
    return frozenset(found)


@cache
def _tree_digest(name: str) -> str:
    tree = _tree(name)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [statement for statement in body if not _is_text(statement)]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _tree(name: str) -> ast.Module:
    path = _path(name)
    if not path.is_file():
        # never a FileNotFoundError: Snakemake takes that for a missing input, and drops the job without a word
        raise ImportError(f"there is no module {name} ({path})")
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def _path(name: str) -> Path:
    base = ROOT.parent.joinpath(*name.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _exists(name: str) -> bool:
    return _path(name).is_file()


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring: a text that nothing uses."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def files_digest(folder: Path) -> str:
    """16 hexadecimal digits for the bytes of all files in ``folder``, such as page templates."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        total.update(f"{path.relative_to(folder)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]
