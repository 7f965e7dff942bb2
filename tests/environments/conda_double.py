"""A test double of the `conda` command, for machines without conda and without conda-forge.

It answers the calls that Snakemake makes, and no other. conda's part of an environment is solved and installed by
py-rattler from a channel in a folder; the part under `pip:` by uv, from wherever pip gets its packages here.
What it proves of an environment file: that the file is right, that its pins can be installed together, and what
its rules find in there. It does not prove that conda-forge has the packages, nor how conda itself behaves.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pip_index
import rattler
import uv
import yaml

VERSION = "24.7.1"
"""The oldest that Snakemake takes."""


def install(home: Path) -> Path:
    """Makes the command in ``home``, beside the ``channel`` there; the folder to put on the PATH.

    Its calls are listed in ``home / "calls"``, one a line.
    """
    programs = home / "bin"
    programs.mkdir()
    command = programs / "conda"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" "{home}" "$@"\n')
    command.chmod(0o755)
    (programs / "activate").write_text('export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n')
    return programs


def answer(home: Path, words: list[str]) -> int:
    """The exit code of ``conda WORDS``."""
    with (home / "calls").open("a") as calls:
        calls.write(" ".join(words) + "\n")
    match words:
        case ["--version"]:
            print(f"conda {VERSION}")
        case ["info", "--json"]:
            print(json.dumps({"conda_prefix": str(home), "platform": str(rattler.Subdir.current())}))
        case ["config", "--get", "channel_priority", "--json"]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["env", "create", "--quiet", "--no-default-packages", *options]:
            _create(home, options)
        case ["clean", "-y", "--tarballs"]:
            pass  # what it unpacked is in the folder of one test session
        case _:
            print(f"the test double of conda has no answer to: conda {' '.join(words)}", file=sys.stderr)
            return 2
    return 0


def _create(home: Path, options: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--prefix", type=Path, required=True)
    asked = parser.parse_args(options)
    wanted = yaml.safe_load(asked.file.read_text("utf-8"))
    if wanted["channels"] != ["conda-forge", "nodefaults"]:
        sys.exit(f"the test double of conda knows conda-forge alone, not {wanted['channels']}")
    specs = [rattler.MatchSpec(entry, strict=True) for entry in wanted["dependencies"] if isinstance(entry, str)]
    asyncio.run(_install(home, specs, asked.prefix))
    pins = [pin for entry in wanted["dependencies"] if isinstance(entry, dict) for pin in entry["pip"]]
    python = asked.prefix / "bin" / "python"
    # what it says goes to Snakemake, which shows it when this fails
    command = [uv.find_uv_bin(), "pip", "install", "--python", str(python), *pip_index.uv_options(), *pins]
    subprocess.run(command, stdout=sys.stderr, check=True)


async def _install(home: Path, specs: list[rattler.MatchSpec], prefix: Path) -> None:
    channel = rattler.Channel((home / "channel").as_uri())
    platforms = [rattler.Subdir.current(), "noarch"]
    records = await rattler.solve([channel], specs, platforms=platforms)
    await rattler.install(records, prefix, cache_dir=home / "packages", show_progress=False)


if __name__ == "__main__":
    sys.exit(answer(Path(sys.argv[1]), sys.argv[2:]))
