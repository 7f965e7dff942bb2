"""``python -m snaketorch prepare`` as the rule runs it, in this process, for speed."""

import contextlib
import io
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from snaketorch.__main__ import main
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.specs import PrepareSpec
from snaketorch.implementation import resolve

DATASET = "spoiled"
RESULTS = f"results/datasets/{DATASET}"
ERROR = re.compile(rf"\d\d:\d\d:\d\d  Error: dataset '{DATASET}': (.*)")


def prepare(dataset: Mapping[str, Any], folder: Path) -> tuple[int, list[str]]:
    """Exit status and lines on standard error, for the content of a dataset file of a study in ``folder``."""
    arguments = [
        *("prepare", "--spec", _spec(dataset).model_dump_json(), "--code", "c0de", "--source", "none"),
        *("--manifest", f"{RESULTS}/manifest.json", "--preview", f"{RESULTS}/preview.png"),
        *("--arrays", f"{RESULTS}/arrays"),
    ]
    with _process_in(folder) as stderr:
        status = main(arguments)
        stderr.flush()
        return status, stderr.buffer.getvalue().decode("utf-8").splitlines()


def load(dataset: Mapping[str, Any], folder: Path) -> Any:
    """What the source gives, which is only the beginning of a preparation."""
    spec = _spec(dataset)
    with _process_in(folder):
        return resolve(spec.source.implementation)(spec)


def _spec(dataset: Mapping[str, Any]) -> PrepareSpec:
    config = DatasetConfig.model_validate(dataset)
    return PrepareSpec(dataset=DATASET, source=config.source, split=config.split, prepare=config.prepare)


@contextlib.contextmanager
def _process_in(folder: Path) -> Iterator[io.TextIOWrapper]:
    """The working folder, module search, logging and temporary folder of a new process; gives its standard error."""
    root, known, searched, cwd = logging.getLogger(), set(sys.modules), list(sys.path), Path.cwd()
    handlers, level, temporary = root.handlers[:], root.level, tempfile.tempdir
    # as Python's own standard error: what is no text is shown with a backslash
    stderr = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace")
    os.chdir(folder)
    tempfile.tempdir = str(folder)  # so that what is left there is seen
    root.handlers.clear()
    sys.path.insert(0, str(folder))
    try:
        with contextlib.redirect_stderr(stderr), contextlib.redirect_stdout(stderr):
            yield stderr
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        tempfile.tempdir = temporary
        sys.path[:] = searched
        for name in set(sys.modules) - known:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)) or name == "my_lab":
                del sys.modules[name]
        os.chdir(cwd)


def message(lines: list[str], folder: Path) -> str:
    """What the last line says is wrong; empty when it says nothing of the kind."""
    found = ERROR.fullmatch(lines[-1]) if lines else None
    return found[1].replace(str(folder), "{here}") if found else ""


def files(folder: Path) -> dict[str, bytes | None]:
    """Everything in ``folder``, but compiled Python: the content of files, None for folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }
