"""The user's own network in a bundle: its modules copied, and imported from the copy."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from pathlib import Path

from snaketorch.class_path import code_of_the_user
from snaketorch.dag.code import PACKAGE, own_modules
from snaketorch.errors import UserError


def copy_modules(class_path: str, root: Path, folder: Path) -> None:
    """Copies the module of ``class_path`` and those that it imports, as far as they lie under ``root``."""
    for name, path in own_modules(class_path, root).items():
        if name.partition(".")[0] == PACKAGE:
            continue
        copy = folder / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


@contextmanager
def imported_from(folder: Path, class_path: str) -> Iterator[None]:
    """Inside, the module of ``class_path`` is the copy in ``folder``, whatever else there is of its name.

    Afterwards modules of the same names, which were there before, are back: two versions of a model can be in use at
    once. UserError when it cannot be imported.
    """
    names = {file.relative_to(folder).parts[0].removesuffix(".py") for file in folder.rglob("*.py")}
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in names}
    writes_no_bytecode = sys.dont_write_bytecode
    for name in before:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True  # what travels stays as it was written
    invalidate_caches()
    try:
        module = class_path.rpartition(".")[0]
        with code_of_the_user(f"model.class_path: {module} in {folder} cannot be imported", UserError):
            import_module(module)
        yield
    finally:
        sys.dont_write_bytecode = writes_no_bytecode
        sys.path.remove(str(folder))
        if before:
            for name in [name for name in sys.modules if name.partition(".")[0] in names]:
                del sys.modules[name]
            sys.modules.update(before)
