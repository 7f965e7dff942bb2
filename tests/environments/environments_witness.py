"""Copied into an environment by the tests: each Python that ends in there says what it was and what it imported.

`environments_witness.pth` has Python import it at its start.
"""

import atexit
import json
import os
import sys
from pathlib import Path


def _tell() -> None:
    files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
    said = {
        "words": sys.orig_argv,
        "prefix": sys.prefix,
        # some name a file that is none: torch.ops is in "_ops.py"
        "files": {name: file for name, file in files.items() if os.path.isabs(file)},  # noqa: PTH117
    }
    folder = Path(__file__).with_suffix("")
    folder.mkdir(exist_ok=True)
    (folder / f"{os.getpid()}.json").write_text(json.dumps(said))


def _leave(code: int, leave=os._exit) -> None:
    _tell()
    leave(code)


atexit.register(_tell)
os._exit = _leave  # some steps end so, and then nothing of `atexit` runs
