"""Where pip gets its packages on this machine, as options of uv, which reads no configuration of pip."""

import ast
import subprocess
import sys

OPTIONS = {
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "trusted-host": "--allow-insecure-host",
}


def uv_options() -> list[str]:
    """What `uv pip` needs to be told to find what `pip` finds."""
    lines = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    said = {key: ast.literal_eval(value) for key, _, value in (line.partition("=") for line in lines)}
    options = ["--index-strategy", "unsafe-best-match"]  # as pip does: the best version of all indexes together
    for name, option in OPTIONS.items():
        values = [
            said[f"{section}.{name}"] for section in ("global", "install", ":env:") if f"{section}.{name}" in said
        ]
        for value in values[-1].split() if values else ():  # the environment goes before files
            options += [option, value]
    return options
