"""The packages that a model needs where it is served, at the versions that it was tried with."""

import ast
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from snaketorch.config.contents import CLIPS

ALWAYS = (
    *("mlflow", "numpy", "pandas", "pillow", "pyarrow", "pydantic", "pytorch-lightning", "PyYAML", "safetensors"),
    *("tokenizers", "torch", "torchmetrics", "torchvision"),
)
"""What the package imports to load any bundle and to predict."""
BY_KIND = {CLIPS: ("av",)}
"""What it imports besides for raw data of one kind."""


def direct(kind: str, class_path: str | None, own_code: Path) -> list[str]:
    """What is imported, as ``name==version`` of what is installed here.

    Args:
        kind: What the dataset provides.
        class_path: Of a user's own network.
        own_code: The folder of the user's modules that travel with the model; may be missing.
    """
    modules = {class_path.partition(".")[0]} if class_path else set()
    for path in own_code.rglob("*.py"):
        modules |= set(_imported(path))
    own = {path.stem for path in own_code.iterdir()} if own_code.is_dir() else set()
    modules -= {*own, *sys.stdlib_module_names, "snaketorch"}
    of_modules = metadata.packages_distributions() if modules else {}
    theirs = {name for module in modules for name in of_modules.get(module, ())}
    names = {canonicalize_name(name): name for name in (*theirs, *ALWAYS, *BY_KIND.get(kind, ()))}
    return [_pinned(name) for _, name in sorted(names.items()) if _is_installed(name)]


def indirect(requirements: Iterable[str]) -> list[str]:
    """What ``requirements`` need in their turn, all of it, as ``name==version``; without themselves."""
    own = {canonicalize_name(Requirement(text).name) for text in requirements}
    found: dict[str, str] = {}
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        wish = waiting.pop()
        for text in metadata.requires(wish.name) or ():
            need = Requirement(text)
            name = canonicalize_name(need.name)
            extras = ("", *wish.extras)
            applies = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras)
            if applies and name not in found and name not in own and _is_installed(name):
                found[name] = _pinned(need.name)
                waiting.append(need)
    return [text for _, text in sorted(found.items())]


def _pinned(name: str) -> str:
    # without what a build adds, such as +cpu: the index that served it may not be the server's
    return f"{name}=={Version(metadata.version(name)).public}"


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _imported(path: Path) -> Iterator[str]:
    """The first names of the modules that a file imports from elsewhere."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
