"""A conda channel in a folder, for tests without conda-forge: this Python as its `python`, this pip as its `pip`.

`build(folder)` makes it, of whatever interpreter the tests' virtual environment was made from.
"""

import asyncio
import json
import os
import platform
import re
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from rattler import Subdir
from rattler.index import index_fs

LEFT_OUT = re.compile(
    r"__pycache__|site-packages|dist-packages|test|tests|idlelib|turtledemo|tkinter|ensurepip|lib2to3"
    r"|config-.*|.*\.a|_test.*|_tkinter.*"
    r"|EXTERNALLY-MANAGED"  # Debian's word to installers: packages are none of their business
)
"""Names of files and folders that no step needs, or that are not Python's own."""

Files = dict[str, Path]
"""Where a file goes in the environment, and where it is now."""


def build(folder: Path) -> None:
    """Writes the channel."""
    _pack(folder, str(Subdir.current()), "python", platform.python_version(), _interpreter())
    _pack(folder, "noarch", "pip", metadata.version("pip"), _pip(), depends=["python"], noarch="python")
    asyncio.run(index_fs(folder))


def _interpreter() -> Files:
    prefix = Path(sys.base_prefix)
    minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    binary = Path(os.path.realpath(sys._base_executable))
    found = {f"bin/{name}": binary for name in (minor, "python3", "python")}
    # the base interpreter's, for a virtual environment has no standard library
    base = {"installed_base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    for library in {sysconfig.get_path(name, vars=base) for name in ("stdlib", "platstdlib")}:
        found |= {str(file.relative_to(prefix)): file for file in _below(Path(library))}
    shared = Path(sysconfig.get_config_var("LIBDIR"), str(sysconfig.get_config_var("INSTSONAME")))
    if sysconfig.get_config_var("Py_ENABLE_SHARED") and shared.is_file():
        found[f"lib/{shared.name}"] = shared
    return found


def _pip() -> Files:
    files = [file for file in metadata.files("pip") if not {"..", "__pycache__"} & {*file.parts}]
    return {f"site-packages/{file}": Path(file.locate()) for file in files}


def _below(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if LEFT_OUT.fullmatch(entry.name):
            continue
        if entry.is_dir():
            yield from _below(entry)
        else:
            yield entry


def _pack(
    channel: Path, subdir: str, name: str, version: str, files: Files, depends: list[str] | None = None, **more: Any
) -> None:
    """One package file: what it holds, and what conda clients read about it."""
    index = {"name": name, "version": version, "build": "0", "build_number": 0, "subdir": subdir}
    index |= {"depends": depends or [], **more}
    paths = [{"_path": place, "path_type": "hardlink"} for place in sorted(files)]
    described = {"index.json": index, "paths.json": {"paths": paths, "paths_version": 1}}
    if more.get("noarch") == "python":
        described["link.json"] = {"noarch": {"type": "python"}, "package_metadata_version": 1}
    (channel / subdir).mkdir(parents=True, exist_ok=True)
    # the quickest compression: the file lives for one test session
    with tarfile.open(channel / subdir / f"{name}-{version}-0.tar.bz2", "w:bz2", compresslevel=1) as archive:
        for file, content in described.items():
            with tempfile.NamedTemporaryFile("w+") as written:
                json.dump(content, written)
                written.flush()
                archive.add(written.name, f"info/{file}")
        for place, file in sorted(files.items()):
            archive.add(os.path.realpath(file), place)
