"""Where jobs find their software when it is neither beside Snakemake nor in conda environments.

A container image and environment modules belong to a site, not to a study, so they come from variables of the
environment, and only when `--sdm` asks for them: else a job would be run again where they differ.
"""

import shlex
from collections.abc import Collection, Mapping
from pathlib import Path

from snaketorch.errors import UserError

IMAGE = "SNAKETORCH_CONTAINER"
MODULES = "SNAKETORCH_MODULES"
BUILT = "envs/snaketorch.sif"
"""The image that `envs/container.def` describes, where the documentation has it built."""


def container_image(methods: Collection[str], package_root: Path, environment: Mapping[str, str]) -> str | None:
    """The image that all jobs run in, None without ``--sdm apptainer``.

    Raises:
        UserError: for a file that is not there; Snakemake would learn of it from the first job.
    """
    if "apptainer" not in methods:
        return None
    image = environment.get(IMAGE) or str(package_root / BUILT)
    if "://" not in image and not Path(image).exists():
        raise UserError(
            f"--sdm apptainer: there is no container image {image}; "
            f"allowed: build it (`apptainer build {BUILT} envs/container.def`, in {package_root}), "
            f"or `export {IMAGE}=` with a file or an address such as docker://lab/snaketorch:1"
        )
    return image


def environment_modules(methods: Collection[str], environment: Mapping[str, str]) -> list[str]:
    """What each job loads, nothing without ``--sdm env-modules``.

    Raises:
        UserError: if no module is named; Snakemake would go on without any.
    """
    if "env-modules" not in methods:
        return []
    names = environment.get(MODULES, "").split()
    if not names:
        raise UserError(
            f"--sdm env-modules: no modules are named; allowed: `export {MODULES}=` with their names, "
            "such as 'python/3.11 cuda/13.0' (`module avail` lists them)"
        )
    return names


def check_modules(names: Collection[str]) -> str:
    """Bash commands that end a job whose modules could not be loaded; Snakemake lets it go on with whatever is there.

    They come before the job's own, and before ``set -u``, which not every site's `module` bears.
    """
    return "".join(
        f"if ! module is-loaded {shlex.quote(name)}; then "
        f"echo 'the environment module '{shlex.quote(name)}' of {MODULES} could not be loaded' >&2; exit 1; fi; "
        for name in names
    )
