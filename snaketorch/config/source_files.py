"""The user's files that a configuration names: which they are, and whether they are there."""

from collections.abc import Iterator
from pathlib import Path

from snaketorch.config.models import Network
from snaketorch.config.problems import KeyPath
from snaketorch.config.sources import Source


def files_of(source: Source, root: Path) -> Iterator[tuple[KeyPath, str]]:
    """Each file or folder that ``source`` names, from the folder ``root``, with the key that names it."""
    there = [key for key in source.possible_files if (root / getattr(source, key)).is_dir()]
    for key in (*source.files, *there):
        value = getattr(source, key)
        if isinstance(value, str):
            yield ("source", key), value
        elif value is not None:
            yield from ((("source", key, index), path) for index, path in enumerate(value))


def missing_files(source: Source, root: Path) -> Iterator[tuple[KeyPath, str]]:
    """The key of each file that is not there, and what to say of it."""
    for key, path in files_of(source, root):
        if not (root / path).exists():
            yield key, f"there is no '{path}'{_start(path)}; allowed: a file or folder that exists"


def missing_weights(model: Network, root: Path) -> Iterator[tuple[KeyPath, str]]:
    """The key of a file with weights that is not there, and what to say of it."""
    path = model.weights_file
    if path and not (root / path).is_file():
        also = ", or the name of torchvision's weights, such as DEFAULT" if model.hub_weights else ""
        allowed = f"a file that exists, {{from_experiment: NAME}}{also}"
        yield ("model", "pretrained"), f"there is no file '{path}'{_start(path)}; allowed: {allowed}"


def _start(path: str) -> str:
    return "" if Path(path).is_absolute() else "; paths start from the folder that holds config/"
