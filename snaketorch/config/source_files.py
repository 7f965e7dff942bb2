"""The user's files that a configuration names: which they are, and whether they are there."""

from collections.abc import Callable, Iterator
from pathlib import Path

from snaketorch.config.models import Network
from snaketorch.config.problems import KeyPath
from snaketorch.config.sources import Source


def files_of(source: Source, root: Path) -> Iterator[tuple[KeyPath, str]]:
    """Each file or folder that ``source`` names, from the folder ``root``, with the key that names it."""
    there = [key for key in source.possible_files if is_seen(root / getattr(source, key), Path.is_dir)]
    for key in (*source.files, *there):
        value = getattr(source, key)
        if isinstance(value, str):
            yield ("source", key), value
        elif value is not None:
            yield from ((("source", key, index), path) for index, path in enumerate(value))


def missing_files(source: Source, root: Path) -> Iterator[tuple[KeyPath, str]]:
    """The key of each file that is not there, and what to say of it."""
    for key, path in files_of(source, root):
        if absent := _absent(root, path, Path.exists):
            yield key, f"{absent}; allowed: a file or folder that exists"


def missing_weights(model: Network, root: Path) -> Iterator[tuple[KeyPath, str]]:
    """The key of a file with weights that is not there, and what to say of it."""
    path = model.weights_file
    if path and (absent := _absent(root, path, Path.is_file, "file ")):
        also = ", or the name of torchvision's weights, such as DEFAULT" if model.hub_weights else ""
        allowed = f"a file that exists, {{from_experiment: NAME}}{also}"
        yield ("model", "pretrained"), f"{absent}; allowed: {allowed}"


def is_seen(path: Path, is_there: Callable[[Path], bool] = Path.exists) -> bool:
    """Whether something is there and can be looked at; in a folder that this user may not enter nothing can."""
    try:
        return is_there(path)
    except OSError:
        return False


def _absent(root: Path, path: str, is_there: Callable[[Path], bool], what: str = "") -> str | None:
    """What to say of ``path``, from ``root``, where it is not there, or cannot be looked at."""
    try:
        return None if is_there(root / path) else f"there is no {what}'{path}'{_start(path)}"
    except OSError as error:
        return f"'{path}' cannot be looked at: {error.strerror}"


def _start(path: str) -> str:
    return "" if Path(path).is_absolute() else "; paths start from the folder that holds config/"
