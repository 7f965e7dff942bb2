"""A job as Snakemake describes it in the script that it wants to have run."""

import json
import math
import re
import secrets
import shlex
from pathlib import Path
from typing import Any

PROPERTIES = "# properties = "


class Job:
    """What a job asks for, and where what it says goes.

    Args:
        script: Snakemake's script, which has all of this in a comment.
        system: name of the batch system, for the folder of logs.
    """

    def __init__(self, script: str, system: str):
        self.script = script
        line = next(line for line in script.splitlines() if line.startswith(PROPERTIES))
        said = json.loads(line.removeprefix(PROPERTIES))
        self.is_group = said["type"] == "group"
        self.resources: dict[str, Any] = said["resources"]
        self.threads: int = max(1, said.get("threads") or 1)
        self.rule: str = said.get("rule") or said["groupid"]
        parts = [self.rule, *(said.get("wildcards") or {}).values()]
        self.name = re.sub(r"[^\w.-]", "_", "-".join(str(part) for part in parts))
        self.token = secrets.token_hex(4)
        self.log = Path.cwd() / "logs" / system / self.rule / f"{self.name}.{self.token}.log"

    def __getattr__(self, name: str) -> Any:
        """A resource; None where the job has none of this name."""
        return self.resources.get(name)

    @property
    def gpus(self) -> int:
        return self.gpu or 0

    @property
    def memory_mb(self) -> int | None:
        return None if self.mem_mb is None else math.ceil(self.mem_mb)

    @property
    def minutes(self) -> int | None:
        return None if self.runtime is None else math.ceil(self.runtime)

    @property
    def extra_options(self) -> list[str]:
        """Options of the batch system that the profile names and nothing here knows."""
        return shlex.split(self.extra or "")

    def on_one_node(self, system: str) -> None:
        """Nothing is asked for here that only Slurm can start.

        Raises:
            SystemExit: the job wants several nodes.
        """
        if (self.nodes or 1) > 1 and not self.is_group:
            raise SystemExit(
                f"{self.name} asks for {self.nodes} nodes. Trainings over several nodes are started by Slurm's srun; "
                f"on {system}, take one node: `trainer.num_nodes: 1`."
            )

    def wanted_model(self, known_as: str | None) -> list[str]:
        """``NAME=MODEL`` for a GPU of a certain model.

        Raises:
            SystemExit: the profile does not say what the site calls it.
        """
        if not (self.gpus and self.gpu_model):
            return []
        if known_as is None:
            raise SystemExit(
                f"{self.name} asks for a GPU of the model {self.gpu_model}. How is that asked for at your site? "
                "Add --gpu-model NAME to cluster-generic-submit-cmd in the profile."
            )
        return [f"{known_as}={self.gpu_model}"]
