"""``mlflow run`` of this repository: the workflow for one experiment, as ``snakemake`` runs it.

MLflow tells what it starts of the run that it has opened for the project. An experiment's trainings are runs of their
own, so that is taken away; and the address of the tracking store, where MLflow made it up.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from snaketorch.errors import UserError

_OF_THE_PROJECTS_RUN = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME")
_SNAKEFILE = Path(__file__).parents[2] / "Snakefile"


def command(experiment: str, cores: str) -> list[str]:
    """The command line that runs ``experiment``; a name, or a pattern of names.

    Raises:
        UserError: the number of cores is none; a name is for the configuration to judge.
    """
    if cores != "all" and not (cores.isdecimal() and int(cores) > 0):
        raise UserError(f"cores={cores}: allowed: a whole number from 1, or all")
    chosen = json.dumps([experiment], ensure_ascii=False)
    return [sys.executable, "-m", "snakemake", "-s", str(_SNAKEFILE), "--cores", cores, "--config", f"run={chosen}"]


def environment(given: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What the workflow finds in its environment, of what ``mlflow run`` in ``folder`` has ``given``."""
    found = {name: value for name, value in given.items() if name not in _OF_THE_PROJECTS_RUN}
    # where nobody has chosen a store, MLflow names one here; the study's configuration knows better
    made_up = (f"sqlite:///{folder / 'mlflow.db'}", (folder / "mlruns").as_uri())
    if found.get("MLFLOW_TRACKING_URI") in made_up:
        del found["MLFLOW_TRACKING_URI"]
    return found


def main() -> None:
    """Becomes Snakemake, in the study's folder."""
    parser = argparse.ArgumentParser(prog="mlflow run", description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("--cores", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    try:
        line = command(arguments.experiment, arguments.cores)
    except UserError as error:
        sys.exit(str(error))
    os.chdir(folder)
    os.execve(sys.executable, line, environment(os.environ, folder))


if __name__ == "__main__":
    main()
