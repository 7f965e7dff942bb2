"""Digests of the code that a step runs.

Snakemake sees a rule's command, not the modules behind it: after an edit of the package it would
serve stale results. So each step carries a digest of the modules that it imports, taken from their
syntax trees without docstrings: another algorithm is another digest, another comment is not.

``snaketorch.config`` is left out: what it decides is in the spec; and ``snaketorch.failures``: no result
depends on how a failure is told.
"""

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = "snaketorch"
ROOT = Path(__file__).parent.parent
LEFT_OUT = (f"{PACKAGE}.config", f"{PACKAGE}.dag", f"{PACKAGE}.failures")


class Module(NamedTuple):
    """What a digest needs to know of a module."""

    imports: frozenset[str]
    """Modules of this package that it imports, at the top or in a function."""
    digest: str


def code_digest(*entry_points: str) -> str:
    """16 hexadecimal digits for the modules of ``entry_points`` and all that they import from this package.

    An entry point is a module, or ``module:attribute``.
    """
    return _digest(frozenset(entry.partition(":")[0] for entry in entry_points))


@cache
def _digest(modules: frozenset[str]) -> str:
    text = "\n".join(f"{name} {_read(name).digest}" for name in sorted(closure(modules)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def closure(modules: Iterable[str]) -> set[str]:
    """``modules`` and every module of this package that they import, at the top or in a function."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or name == PACKAGE or _is_left_out(name):
            continue
        found.add(name)
        waiting.extend(_read(name).imports)
        waiting.append(name.rpartition(".")[0])
    return found


def _is_left_out(name: str) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in LEFT_OUT)


def module_digest(class_path: str, root: Path) -> str | None:
    """16 hexadecimal digits for the user's module that holds ``class_path``, and for the user's modules it imports.

    None when it does not lie under ``root``: of an installed package the version would have to tell, and that is in
    the record.
    """
    shapes = {name: _own_shape(path) for name, path in own_modules(class_path, root).items()}
    return hashlib.sha256(repr(sorted(shapes.items())).encode()).hexdigest()[:16] if shapes else None


def own_modules(class_path: str, root: Path) -> dict[str, Path]:
    """Files under ``root`` by module: of that which holds ``class_path``, and of the user's modules that it imports."""
    found: dict[str, Path] = {}
    waiting = [class_path.rpartition(".")[0]]
    while waiting:
        name = waiting.pop()
        path = _own_path(name, root)
        if path is None or name in found:
            continue
        found[name] = path
        try:
            tree = ast.parse(path.read_bytes(), filename=str(path))
        except (SyntaxError, ValueError):  # Snakemake asks before any job; the job itself says what is wrong
            continue
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                waiting.extend(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = _absolute(node, package)
                waiting.extend([module, *(f"{module}.{alias.name}" for alias in node.names)])
        waiting.append(name.rpartition(".")[0])
    return found


def _own_shape(path: Path) -> str:
    content = path.read_bytes()
    try:
        return repr(_shape(ast.parse(content, filename=str(path))))
    except (SyntaxError, ValueError):
        return hashlib.sha256(content).hexdigest()


def _own_path(name: str, root: Path) -> Path | None:
    """The file of the user's module ``name``; None when there is none under ``root``."""
    base = root.joinpath(*name.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if name and path.is_file()), None)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """The module that a statement inside ``package`` names."""
    parents = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
    return ".".join(filter(None, [*parents, node.module]))


def known_modules() -> dict[str, Any]:
    """All that was read of the modules so far, as JSON: for ``recall``."""
    modules = {name: [stamp, sorted(module.imports), module.digest] for name, (stamp, module) in _seen.items()}
    return {"python": sys.version, "modules": modules}


def recall(known: Mapping[str, Any]) -> None:
    """Believes what another process read (``known_modules``), of files that have not changed since.

    To parse the whole package takes half a second, which who only looks at a study should not wait for.
    """
    if known.get("python") != sys.version:
        return
    for name, (stamp, imports, digest) in known["modules"].items():
        with suppress(OSError):
            if _stamp(_path(name)) == stamp:
                _recalled[name] = Module(frozenset(imports), digest)


_seen: dict[str, tuple[list[int], Module]] = {}
_recalled: dict[str, Module] = {}


def _stamp(path: Path) -> list[int]:
    """Changes whenever a file does."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


@cache
def _read(name: str) -> Module:
    path = _path(name)
    if not path.is_file():
        # never a FileNotFoundError: Snakemake takes that for a missing input, and drops the job without a word
        raise ImportError(f"there is no module {name} ({path})")
    stamp = _stamp(path)
    _seen[name] = stamp, _recalled.get(name) or _parse(path.read_text("utf-8"), str(path))
    return _seen[name][1]


def same_code(name: str, text: str) -> bool:
    """Whether ``text`` is the module ``name`` of this package, but for comments and docstrings."""
    return _parse(text, name).digest == _read(name).digest


def _parse(text: str, filename: str) -> Module:
    tree = ast.parse(text, filename=filename)
    imports: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.update(_imported(node))
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [statement for statement in body if not _is_text(statement)]
    return Module(frozenset(imports), hashlib.sha256(repr(_shape(tree)).encode()).hexdigest())


def _shape(node: Any) -> Any:
    """A syntax tree as nested tuples, without positions.

    Fields that hold nothing are left out: each Python adds some, and ``ast.dump`` writes them differently.
    """
    if isinstance(node, ast.AST):
        fields = ((name, _shape(value)) for name, value in ast.iter_fields(node) if value not in (None, []))
        return (type(node).__name__, *fields)
    return tuple(map(_shape, node)) if isinstance(node, list) else node


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The modules of this package that a statement names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE)
    elif (node.module or "").split(".")[0] == PACKAGE:
        yield node.module
        # `from snaketorch.hardware import precision` names a module
        yield from (name for alias in node.names if _path(name := f"{node.module}.{alias.name}").is_file())


def _path(name: str) -> Path:
    base = ROOT.parent.joinpath(*name.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


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
