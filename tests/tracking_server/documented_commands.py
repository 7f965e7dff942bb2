"""The commands of docs/tracking-server.md, with the names and places of a test."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "tracking-server.md"


def blocks(language: str, place: str) -> list[str]:
    """The blocks of a language under the heading that contains ``place``."""
    sections = re.split(r"^## ", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)
    [section] = [section for section in sections if place in section.partition("\n")[0]]
    found = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found, f"no {language} under {place}"
    return found


def block(language: str, place: str, holds: str = "") -> str:
    """The one block of a language there that holds a text."""
    [found] = [text for text in blocks(language, place) if holds in text]
    return found


def placed(text: str, places: Mapping[str, object]) -> str:
    """``text`` with the document's names replaced by those of a test."""
    for name, value in places.items():
        assert name in text, f"{name} is not in:\n{text}"
        text = text.replace(name, str(value))
    return text


def run(script: str, folder: Path, **environment: str) -> str:
    """What a script of the document says; an error in any of its lines is one."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
