"""Files and folders that appear whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside ``path`` that takes its place when the block ends well.

    The bytes are on the disk before the name appears: the file is synced, then renamed, then the
    folder is synced. After an error nothing is left and what ``path`` held before is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # the suffix stays last: writers choose their format by it
    temporary = path.with_name(f".{path.stem}.tmp-{os.getpid()}{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        _name_file(error, path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Gives a temporary folder beside ``path`` that takes its place when the block ends well.

    Whatever was at ``path`` is gone then; after an error it is untouched and nothing else is left.
    Files in the folder must be synced by who writes them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{path.name}.tmp-*"):  # of a job that was killed
        _remove(leftover)
    new = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    old = path.with_name(f".{path.name}.tmp-{os.getpid()}-old")
    new.mkdir()
    try:
        yield new
        sync_folder(new)
        # a folder cannot be renamed onto one that holds something: the old one steps aside first
        if os.path.lexists(path):
            path.rename(old)
        try:
            new.rename(path)
        except OSError:
            if os.path.lexists(old):
                old.rename(path)
            raise
        sync_folder(path.parent)
    except OSError as error:
        _name_file(error, path)
        raise
    finally:
        _remove(new)
        _remove(old)


def write_text(path: Path, text: str) -> None:
    """Publishes ``text`` as UTF-8.

    Bytes of a file name that are no text become escapes, those that JSON has for them.
    """
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def replace_text(path: Path, text: str) -> None:
    """As ``write_text``, without waiting for the disk: for what is written often and may be lost with the machine."""
    temporary = path.with_name(f".{path.stem}.tmp-{os.getpid()}{path.suffix}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Publishes ``value`` as indented JSON. ValueError for NaN and infinity, which JSON cannot hold."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def sync_folder(folder: Path) -> None:
    """Makes the names in ``folder`` as durable as the bytes behind them."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _name_file(error: OSError, path: Path) -> None:
    """A write that fails, on a full disk say, does not tell by itself to which file it was."""
    if error.errno is not None and error.filename is None:
        error.filename = str(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
