"""The GPUs that a training may get, of which its plan tells."""

from collections.abc import Iterable, Mapping

from snaketorch.config.gpu import Gpu
from snaketorch.config.gpu_names import matching, unknown
from snaketorch.config.resources import AUTO, TrainResources

COMMON = (
    *("Tesla T4", "Tesla V100 SXM2 16GB", "GeForce RTX 2080 Ti", "GeForce RTX 3090", "GeForce RTX 4090", "A10", "L4"),
    *("L40S", "A100 SXM4 40GB", "A100 SXM4 80GB", "H100 SXM5 80GB", "Instinct MI300X"),
)
"""Those that laboratories and clusters have most of: planned for where `config/gpus.yaml` names none."""


def gpus_to_plan(gpus: Mapping[str, Gpu], resources: TrainResources) -> list[Gpu]:
    """What a job with these ``resources`` may run on: the site's, else common ones; of one model if it names one.

    Slurm's name for a GPU that `config/gpus.yaml` does not have narrows nothing, unless it is a GPU's own name.
    """
    of_site = [gpu for gpu in gpus.values() if gpu.of_site]
    candidates = of_site or [gpus[name] for name in COMMON]
    model = resources.gpu_model
    if model not in (None, AUTO):
        named = [gpu for gpu in candidates if gpu in matching(model, gpus)] or matching(model, gpus)
        return named or candidates
    if of_site and resources.partition:
        asked = set(resources.partition.split(","))
        within = [gpu for gpu in candidates if gpu.partition is None or asked & set(gpu.partition.split(","))]
        return within or candidates
    return candidates


def named_gpus(names: Iterable[str], gpus: Mapping[str, Gpu]) -> list[Gpu]:
    """All that the names can mean, each once. UserError, with suggestions, for a name that means none."""
    found: dict[str, Gpu] = {}
    for name in names:
        meant = matching(name, gpus)
        if not meant:
            raise unknown(name, gpus)
        found |= {gpu.name: gpu for gpu in meant}
    return list(found.values())
