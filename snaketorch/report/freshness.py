"""Nothing old poses as current: files are read only when they are those that their makers told of."""

import hashlib
import json
from pathlib import Path
from typing import Any

from snaketorch.errors import UserError

FORMAT = 1


def read_json(path: Path) -> tuple[dict[str, Any], str]:
    """The content of a result file and its SHA-256. UserError when it is missing, damaged or of another version."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {make_again(path)}") from error
    try:
        content = json.loads(raw)
    except ValueError as error:
        raise UserError(f"{path}: is no JSON ({error}); {make_again(path)}") from error
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise UserError(f"{path}: has format {found}, this version reads format {FORMAT}; {make_again(path)}")
    return content, hashlib.sha256(raw).hexdigest()


def stale(path: Path, why: str) -> UserError:
    """The error for a file that does not belong to the files beside it."""
    return UserError(f"{path}: {why}; {make_again(path)}")


def make_again(path: Path) -> str:
    """What to do about a file that cannot be used."""
    return f"make it again: snakemake -c1 --forcerun {path}"
