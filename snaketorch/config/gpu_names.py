"""GPUs by the names that people, drivers and Slurm have for them."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import combinations

from snaketorch.config.gpu import Gpu
from snaketorch.config.problems import listed, shortened
from snaketorch.errors import UserError

SITE_FILE = "config/gpus.yaml"
WHICH_ALLOWED = f"a name that `python -m snaketorch gpus` lists, or one that {SITE_FILE} adds"

_BRANDS = {"nvidia", "amd", "geforce", "radeon", "tesla", "quadro", "instinct", "rtx", "rx"}
"""Words that are often left out."""
_BRAND_AND_NUMBER = rf"^(?:{'|'.join(sorted(_BRANDS, key=len, reverse=True))})+(\d.*)$"
_MEMORY = re.compile(r"(\d+)\s*g(?:i?b)?\b")


def find(name: str, gpus: Mapping[str, Gpu]) -> Gpu:
    """The one GPU that ``name`` means: `RTX 3090`, `rtx3090`, `NVIDIA A100-SXM4-80GB`, or the `gpu_model` of the site.

    Of several, the one that the site has goes first.

    Raises:
        UserError: with suggestions, when there is none, or more than one.
    """
    found = matching(name, gpus)
    if len(found) > 1:
        found = [gpu for gpu in found if gpu.of_site] or found
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"'{name}' can be one of several GPUs; allowed: {listed(gpu.name for gpu in found)}")
    raise unknown(name, gpus)


def matching(name: str, gpus: Mapping[str, Gpu]) -> list[Gpu]:
    """The GPUs that ``name`` can mean: that which is called so, else by Slurm, else all that have each of its words."""
    key = name_key(name)
    exact = [gpu for gpu in gpus.values() if key and key in name_keys(gpu)]
    as_slurm = [gpu for gpu in gpus.values() if gpu.gpu_model and gpu.gpu_model.lower() == name.lower()]
    if exact or as_slurm:
        return exact or as_slurm
    words = _words(name)
    if words:
        return [gpu for gpu in gpus.values() if all(word in _parts(gpu) for word in words)]
    brands = set(name.lower().split())
    return [gpu for gpu in gpus.values() if brands and brands <= {gpu.vendor.lower(), *gpu.name.lower().split()}]


def unknown(name: str, gpus: Mapping[str, Gpu]) -> UserError:
    """The error for a name that means none."""
    return UserError(f"there is no GPU '{shortened(name)}'; allowed: {WHICH_ALLOWED}{meant(name, gpus)}")


def meant(name: str, gpus: Mapping[str, Gpu]) -> str:
    """``; did you mean 'GeForce RTX 3090'?`` when some are called nearly so, else nothing."""
    by_key: dict[str, str] = {}
    for gpu in gpus.values():
        short = "".join(word for word in _words(gpu.name) if not _MEMORY.fullmatch(word))
        for key in (*name_keys(gpu), short):
            by_key.setdefault(key, gpu.name)
    close = get_close_matches(name_key(name), by_key, n=3, cutoff=0.7)
    names = dict.fromkeys(f"'{by_key[key]}'" for key in close)
    return f"; did you mean {' or '.join(names)}?" if names else ""


def name_keys(gpu: Gpu) -> set[str]:
    """What ``name_key`` gives for each name of a GPU."""
    return {name_key(name) for name in (gpu.name, *gpu.also)}


def name_key(name: str) -> str:
    """``name`` without what differs from one writer to another; empty when nothing is left."""
    return "".join(_words(name))


def _words(text: str) -> list[str]:
    """The words of a name in small letters, without brands, also where one is written together with a number."""
    text = _MEMORY.sub(r"\1gb", text.lower())
    words = (re.sub(_BRAND_AND_NUMBER, r"\1", word) for word in re.split(r"[^a-z0-9]+", text))
    return [word for word in words if word and word not in _BRANDS]


def _parts(gpu: Gpu) -> set[str]:
    """What can be a word of the GPU's name: one of its words or several written together, its memory, its socket."""
    words = _words(gpu.name)
    runs = ("".join(words[start:end]) for start, end in combinations(range(len(words) + 1), 2))
    short = (re.sub(r"^(\d+)gb$|^(sxm)\d$", r"\1\2", word) for word in words)
    return {*runs, *short, *_words(gpu.memory_type or "")}
