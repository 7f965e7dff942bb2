"""The GPUs that a process may use, found without torch: it takes seconds to import, and reads their list only once."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

CUDA, HIP = "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"
"""Where the libraries of NVIDIA and of AMD look for the GPUs that they may use."""
TOOL_SECONDS = 30
"""Until a vendor's tool must have answered; after a boot it may have to start the GPUs first."""

_GPU = re.compile(r"GPU \d+: .*\(UUID: (\S+)\)")
_MIG = re.compile(r"\s+MIG .*\(UUID: (\S+)\)")


class Gpu(NamedTuple):
    """A GPU, or a part of one (MIG) that programs take for one."""

    word: str
    """What the list of visible GPUs calls it."""
    identity: str
    """The same for whoever asks on this machine, however the GPU is called there."""


class Gpus(NamedTuple):
    """The GPUs that a process may use."""

    variable: str
    """The environment variable that chooses among them."""
    found: Sequence[Gpu]


def visible_gpus(environment: Mapping[str, str] = os.environ, driver: Path = Path("/proc/driver/nvidia")) -> Gpus:
    """The GPUs of this machine, or of a list that was set before (indices, UUIDs, names of MIG devices).

    Where no tool and no driver of a vendor is installed, nothing is run.
    """
    if nvidia := _nvidia(driver):
        return Gpus(CUDA, _chosen(nvidia, environment.get(CUDA)))
    if amd := _amd():
        # an outer list renumbers what the inner one speaks of
        amd = [Gpu(str(index), gpu.identity) for index, gpu in enumerate(_chosen(amd, environment.get(_ROCR)))]
        return Gpus(HIP, _chosen(amd, environment.get(HIP, environment.get(CUDA))))
    return Gpus(CUDA, ())


_ROCR = "ROCR_VISIBLE_DEVICES"


def _chosen(gpus: Sequence[Gpu], visible: str | None) -> list[Gpu]:
    """Those that a list names, in its order and by its words; like the driver, up to the first that is unknown."""
    if visible is None:
        return list(gpus)
    chosen: dict[str, Gpu] = {}
    for word in (word.strip() for word in visible.split(",")):
        identity = _identity(gpus, word)
        if identity is None or identity in chosen:
            break
        chosen[identity] = Gpu(word, identity)
    return list(chosen.values())


def _identity(gpus: Sequence[Gpu], word: str) -> str | None:
    """Of what a list calls ``word``; None when there is no such GPU."""
    if word.isdigit():
        boards = list(dict.fromkeys(gpu.identity.partition("/")[0] for gpu in gpus))
        starts = boards[int(word) : int(word) + 1]
    else:
        starts = [word] if word else []
    # the beginning of a UUID is enough
    named = [gpu.identity for gpu in gpus if any(name.startswith(start) for start in starts for name in reversed(gpu))]
    if named:
        return named[0]
    # names that only the driver can tell: older ones of parts, and all of them where there is no tool
    can_be = word.startswith("MIG-") or (word.startswith("GPU-") and any(gpu.word.isdigit() for gpu in gpus))
    return word if can_be else None


def _nvidia(driver: Path) -> list[Gpu]:
    """By UUID, which means the same GPU whatever the order of counting; parts in the place of a GPU that is cut up."""
    boards: dict[str, list[str]] = {}
    for line in said_by("nvidia-smi", "-L").splitlines():
        if board := _GPU.match(line):
            boards[board[1]] = []
        elif (part := _MIG.match(line)) and boards:
            boards[list(boards)[-1]].append(part[1])
    if boards:
        whole_or_parts = [(board, part) for board, parts in boards.items() for part in parts or [""]]
        return [Gpu(part or board, f"{board}/{part}" if part else board) for board, part in whole_or_parts]
    # without the tool: a folder for each GPU, in the order of the bus, as the tool counts
    count = len(list(driver.glob("gpus/*/information")))
    return [Gpu(str(index), f"cuda-{index}") for index in range(count)]


def _amd() -> list[Gpu]:
    try:
        cards = json.loads(said_by("rocm-smi", "--showuniqueid", "--json") or "{}")
    except ValueError:
        cards = {}
    numbers = sorted(int(name.removeprefix("card")) for name in cards if re.fullmatch(r"card\d+", name))
    ids = [cards[f"card{number}"].get("Unique ID", "") for number in numbers]
    return [
        Gpu(str(index), f"hip-{unique}" if unique.startswith("0x") else f"hip-{index}")
        for index, unique in enumerate(ids)
    ]


def said_by(tool: str, *arguments: str) -> str:
    """What a vendor's tool prints; nothing where it is not installed, or fails for want of a GPU."""
    path = shutil.which(tool)
    if path is None:
        return ""
    try:
        done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=TOOL_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
