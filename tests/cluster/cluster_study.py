"""A study in a folder of its own, run with a profile as a user runs it on a login node."""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

REPO = Path(__file__).parents[2]
END_WITH_PARENT = 1  # PR_SET_PDEATHSIG

SITE = {
    r"# slurm_account: \S+": "slurm_account: lab",
    r"# slurm_partition: \S+": "slurm_partition: cpu",
    "latency-wait: 60": "latency-wait: 10",
}
"""What this cluster's users write into a profile."""

POLLS = {
    "slurm": {"slurm-init-seconds-before-status-checks: 20": "slurm-init-seconds-before-status-checks: 1"},
    "sbatch": {"checks: 20": "checks: 1", "--patience 60": "--patience 5"},
}
"""As quick as can be."""


class ClusterStudy:
    """``config/`` and a profile in ``folder``, and the Snakemakes that were started there."""

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Mapping[str, Any]],
        site: Mapping[str, str] | None = None,
        tracking: bool = False,
        profile: str = "slurm",
    ):
        self.folder = folder
        self.profile = f"profiles/{profile}"
        self.started: list[subprocess.Popen[bytes]] = []
        study = {"study": folder.name, "tracking": {"enabled": tracking}}
        for name, content in {"config.yaml": study, **config}.items():
            file = folder / "config" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(yaml.safe_dump(dict(content)))
        text = (REPO / self.profile / "config.yaml").read_text()
        for written, wanted in {**SITE, **POLLS[profile], **(site or {})}.items():
            text, times = re.subn(written, wanted, text)
            assert times == 1, f"the profile has {times} lines like {written}"
        (folder / self.profile).mkdir(parents=True)
        (folder / self.profile / "config.yaml").write_text(text)

    def start(self, *arguments: str, log: str = "snakemake.log") -> "subprocess.Popen[bytes]":
        """``snakemake --profile profiles/PROFILE ARGUMENTS``."""
        return self._start("--profile", self.profile, *arguments, log=log)

    def start_here(self, *arguments: str, log: str = "snakemake.log") -> "subprocess.Popen[bytes]":
        """The same without the cluster."""
        return self._start("--cores", "2", *arguments, log=log)

    def _start(self, *arguments: str, log: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "snakemake", "-s", str(REPO / "Snakefile"), "--nocolor", *arguments]
        with self.file(log).open("a") as output:
            self.started.append(
                subprocess.Popen(
                    command,
                    cwd=self.folder,
                    env=_environment(),
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    preexec_fn=_end_with_parent,
                )
            )
        return self.started[-1]

    def finish(self, seconds: float = 1200) -> None:
        """Waits for the first Snakemake that was started."""
        try:
            code = self.started[0].wait(seconds)
        except subprocess.TimeoutExpired:
            code = f"it still runs after {seconds:g} s more"
        assert code == 0, f"{code}\n{self.said()}"

    def file(self, name: str) -> Path:
        return self.folder / name

    def said(self, name: str = "snakemake.log") -> str:
        """What a log file says, "" if there is none yet."""
        return self.file(name).read_text() if self.file(name).exists() else ""

    def slurm_id(self, rule: str, wildcards: str) -> str:
        """Slurm's number of the last job that was submitted for this."""
        logs = self.folder.glob(f"logs/slurm/rule_{rule}/{wildcards}/*.log")
        return str(max(int(log.stem) for log in logs))

    def stop(self) -> None:
        """Ends what a failed test left running."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def copy_results(self, other: "ClusterStudy") -> None:
        """Takes over what another study has made, with Snakemake's records of it."""
        for name in ("results", ".snakemake"):
            shutil.copytree(other.folder / name, self.folder / name, dirs_exist_ok=True)


def _end_with_parent() -> None:
    """Even if the tests are killed, no Snakemake goes on without them."""
    ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """That of a user's shell on a login node, with the virtual environment active."""
    ours = ("SNAKETORCH_", "SNAKEMAKE_", "MLFLOW_", "PYTEST_", "SLURM_", "SBATCH_")
    found = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    found["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{found['PATH']}"
    # the GPUs of this cluster are none that PyTorch can use
    return found | {"MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1", "SNAKETORCH_ALLOW_CPU": "1"}
