"""The user's own modules that a configuration names: whether they are there. None is imported."""

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from snaketorch.config.models import Custom, Network
from snaketorch.config.problems import Conflict


def missing_module(model: Network, root: Path) -> Iterator[Conflict]:
    """The key of the user's own network whose module cannot be imported, and why."""
    if isinstance(model, Custom) and (problem := _module_problem(model.class_path, root)):
        yield ("model", "class_path"), problem


def _module_problem(class_path: str, root: Path) -> str | None:
    """What is wrong with the module of ``class_path``, which lies under ``root`` or is installed; None for nothing."""
    module = class_path.rpartition(".")[0]
    base = root.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return _syntax_problem(path, root)
    if _is_installed(module, root):
        return None
    file = base.with_suffix(".py").relative_to(root)
    return (
        f"there is no module '{module}': no {file} in the folder that holds config/, and no installed package of that "
        "name; allowed: a module that can be imported from there"
    )


def _syntax_problem(path: Path, root: Path) -> str | None:
    name = path.relative_to(root)
    try:
        ast.parse(path.read_bytes())  # with a byte order mark, or in the encoding that it names, as Python reads it
    except SyntaxError as error:
        place = f"{name}:{error.lineno}" if error.lineno else f"{name}"
        return f"{place} is not Python: {error.msg}; allowed: a module that can be imported"
    except ValueError as error:
        return f"{name} is not Python: {error}; allowed: a module that can be imported"
    return None


def _is_installed(module: str, root: Path) -> bool:
    """Whether ``module`` may lie in an installed package, as far as that can be told without importing it."""
    package, *rest = module.split(".")
    try:
        spec = find_spec(package)
    except ValueError:  # of a module that is running
        return False
    if spec is None:
        return False
    if spec.origin is None:  # any folder on the path counts as a package without a file
        bases = [Path(place, *rest) for place in spec.submodule_search_locations or []]
        return any(base.with_suffix(".py").is_file() or base.is_dir() for base in bases)
    return Path(spec.origin) not in {root / f"{package}.py", root / package / "__init__.py"}
