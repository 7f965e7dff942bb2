"""Programs that say what a test wants, such as those of a vendor of GPUs."""

from pathlib import Path

import pytest

GPUS = [f"GPU-{digit * 8}-1111-2222-3333-444455556666" for digit in "abcdef"]
PARTS = [f"MIG-{digit * 8}-5555-6666-7777-888899990000" for digit in "12"]

VISIBLE = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")


def list_of(*gpus: str, parts: dict[str, list[str]] | None = None) -> str:
    """What `nvidia-smi -L` prints."""
    lines = []
    for index, gpu in enumerate(gpus):
        lines.append(f"GPU {index}: NVIDIA A100-SXM4-40GB (UUID: {gpu})")
        found = (parts or {}).get(gpu, [])
        lines += [f"  MIG 1g.5gb      Device  {number}: (UUID: {part})" for number, part in enumerate(found)]
    return "\n".join(lines)


def put_on_path(folder: Path, name: str, text: str, code: int = 0) -> None:
    """A program that prints ``text``."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n/bin/cat <<'END'\n{text}\nEND\nexit {code}\n", "utf-8")
    program.chmod(0o755)


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Puts programs on the PATH, which has no others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in VISIBLE:
        monkeypatch.delenv(name, raising=False)

    def put(name: str, text: str, code: int = 0) -> None:
        put_on_path(folder, name, text, code)

    put.folder = folder
    return put
