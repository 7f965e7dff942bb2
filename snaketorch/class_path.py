"""The user's own classes, by the names that a configuration gives them."""

import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from typing import Any

from snaketorch.config.problems import did_you_mean, listed
from snaketorch.errors import UserError


def find_class(class_path: str, section: str, error: type[UserError]) -> Any:
    """What ``class_path`` names, in a module beside ``config/`` or an installed one.

    Args:
        class_path: Module and class.
        section: The section of the configuration that names it, for messages.
        error: Raised when there is no such module or class.
    """
    module_name, _, name = class_path.rpartition(".")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)  # `python -m` does this too, the command `snaketorch` does not
    with code_of_the_user(f"{section}.class_path: {module_name} cannot be imported", error):
        try:
            module = import_module(module_name)
        except ModuleNotFoundError as missing:
            if missing.name and (module_name == missing.name or module_name.startswith(f"{missing.name}.")):
                raise error(
                    f"{section}.class_path: there is no module '{missing.name}' for '{class_path}'; allowed: modules "
                    f"in {here}, or installed ones"
                ) from missing
            raise error(
                f"{section}.class_path: {module_name} needs the module '{missing.name}', which is not installed"
            ) from missing
    if not hasattr(module, name):
        values = vars(module).items()
        there = [key for key, value in values if inspect.isclass(value) and value.__module__ == module_name]
        raise error(
            f"{section}.class_path: {module_name} ({module.__file__}) has no class '{name}'"
            f"{did_you_mean(name, there)}; allowed: {listed(there)}"
        )
    return getattr(module, name)


def check_arguments(
    made: Any, class_path: str, arguments: Mapping[str, Any], section: str, error: type[UserError]
) -> None:
    """``error`` when ``made``, which ``class_path`` names, cannot be called with the keyword ``arguments``."""
    signature = inspect.signature(made)
    try:
        signature.bind(**arguments)
    except TypeError as wrong:
        raise error(f"{section}.init_args do not fit {class_path}{signature}: {wrong}") from wrong


@contextmanager
def code_of_the_user(what: str, error: type[UserError]) -> Iterator[None]:
    """Says as an ``error`` what goes wrong inside, and on which line of the user's code."""
    try:
        yield
    except UserError:
        raise
    except Exception as wrong:
        if isinstance(wrong, SyntaxError):
            said, place = wrong.msg, f"{wrong.filename}:{wrong.lineno}"
        else:
            frames = extract_tb(wrong.__traceback__)
            own = [frame for frame in frames if Path(frame.filename).is_relative_to(Path.cwd())]
            last = (own or frames)[-1]
            said, place = str(wrong), f"{last.filename}:{last.lineno}"
        raise error(f"{what}: {place}: {type(wrong).__name__}: {said}") from wrong
