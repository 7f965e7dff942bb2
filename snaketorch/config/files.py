"""The files of a study, by name."""

import re
from pathlib import Path

from snaketorch.config.base import NAME_IN_WORDS, NAME_PATTERN
from snaketorch.config.document import Document
from snaketorch.config.problems import Problem
from snaketorch.config.yaml_loader import read_yaml

SUFFIX = ".yaml"


def read_folder(root: Path, folder: str, problems: list[Problem]) -> dict[str, Document]:
    """The YAML files of ``root / folder`` by stem; what is wrong with the folder is added to ``problems``.

    A file that cannot be used is there by its name, without data, so that nobody is told that it is missing.
    """
    try:
        paths = sorted(path for path in (root / folder).iterdir() if not _is_left_alone(path))
    except FileNotFoundError:
        paths = []
    except NotADirectoryError:
        problems.append(Problem(folder, 0, "", f"is a file; allowed: a folder of {SUFFIX} files"))
        return {}
    except OSError as error:
        problems.append(Problem(folder, 0, "", f"cannot be read: {error.strerror}"))
        return {}
    if not paths:
        problems.append(Problem(folder, 0, "", f"holds no {SUFFIX} file; allowed: one or more"))
    documents: dict[str, Document] = {}
    for path in paths:
        document = _read(path, f"{folder}/{path.name}")
        if path.suffix in (SUFFIX, ".yml"):
            documents.setdefault(path.stem, document)
        problems.extend(document.problems)
    return documents


def _is_left_alone(path: Path) -> bool:
    return path.name.startswith(".") or path.suffix == ".md"


def _read(path: Path, shown_as: str) -> Document:
    if path.suffix != SUFFIX:
        problem = Problem(shown_as, 0, "", f"would be ignored; allowed: files that end in {SUFFIX}")
    elif not re.fullmatch(NAME_PATTERN, path.stem):
        problem = Problem(shown_as, 0, "", f"its name cannot be used; allowed: {NAME_IN_WORDS}")
    else:
        return read_yaml(path, shown_as)
    return Document(shown_as, problems=[problem])
