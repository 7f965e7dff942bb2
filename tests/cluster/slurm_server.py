"""A whole Slurm on this machine, for as long as somebody holds its stdin open.

``python tests/cluster/slurm_server.py`` starts one, says "ready" and ends with it at the end of its input (Ctrl-D).
Its parent may die in any way: the input ends then too.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from slurm_configuration import ACCOUNT, NODES, Configuration
from slurm_daemons import Daemons

# as in nobody's shell, the administrators' programs are found
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
PACKAGES = "munge mariadb-server slurm-client slurmctld slurmd slurmdbd slurm-wlm-mysql-plugin"
PROGRAMS = ("munged", "mariadbd", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd", "sacctmgr", "sacct", "srun")


def missing() -> str:
    """Why there can be no Slurm here; "" if there can."""
    lacking = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    if lacking:
        return f"no {', '.join(lacking)} here; on Debian and Ubuntu: apt-get install {PACKAGES}"
    return "" if os.geteuid() == 0 else "a Slurm of one's own can only be started by root"


class Server:
    """The daemons of a cluster in ``folder``."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.configuration = Configuration(folder)
        self.environment = {**os.environ, "PATH": PATH, "SLURM_CONF": str(self.configuration.slurm)}
        self.daemons = Daemons(folder, self.environment)

    def start(self) -> None:
        self.configuration.refuse_foreign()
        self.configuration.write()
        self.configuration.link()
        self._start_keys()
        self._start_accounting()
        self.daemons.start("slurmctld", "slurmctld", "-D", ready=self._says("scontrol", "ping"))
        for node in NODES:
            idle = self._says("sinfo", "--noheader", f"--nodes={node}", "--states=idle", "--format=%N", says=node)
            self.daemons.start(node, "slurmd", "-D", "-N", node, ready=idle)
        self._run("srun", f"--account={ACCOUNT}", "--nodes=2", "--time=10", "true")

    def stop(self) -> None:
        self.daemons.stop()
        self.configuration.unlink()

    def _start_keys(self) -> None:
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(1024))
        socket = self.folder / "munge.socket"
        files = [f"--{what}-file={self.folder}/munge.{what}" for what in ("key", "pid", "seed", "log")]
        command = ["munged", "--foreground", "--force", f"--socket={socket}", *files]
        self.daemons.start("munged", *command, ready=self._says("munge", f"--socket={socket}", "--no-input"))

    def _start_accounting(self) -> None:
        data, socket = f"--datadir={self.folder}/database", self.folder / "database.socket"
        own = ["--no-defaults", data, "--user=root"]
        self._run("mariadb-install-db", *own, "--skip-test-db", "--auth-root-authentication-method=normal")
        client = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root"]
        self.daemons.start(
            "mariadbd",
            *("mariadbd", *own, f"--socket={socket}", "--skip-networking"),
            *("--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--innodb-lock-wait-timeout=900"),
            ready=self._says(*client, "--execute=select 1"),
        )
        user = "'slurm'@'localhost'"
        grants = f"create user {user} identified by 'slurm'; grant all on slurm.* to {user};"
        self._run(*client, f"--execute=create database slurm; {grants}")
        # slurmdbd has no option for the socket; the client library reads this
        answers = self._says("sacctmgr", "--noheader", "list", "cluster")
        self.daemons.start("slurmdbd", "slurmdbd", "-D", ready=answers, MYSQL_UNIX_PORT=str(socket))
        for what in (["cluster", "tests"], ["account", ACCOUNT], ["user", "root", f"account={ACCOUNT}"]):
            self._run("sacctmgr", "--immediate", "--quiet", "add", *what)

    def _says(self, *command: str, says: str = "") -> Callable[[], bool]:
        """Whether a command succeeds, and says the word if one is given."""

        def answers() -> bool:
            done = self._call(*command)
            return done.returncode == 0 and says in done.stdout

        return answers

    def _run(self, *command: str) -> None:
        done = self._call(*command)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")

    def _call(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
        )


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:  # sockets need a short name
        server = Server(Path(folder))
        try:
            server.start()
            print("ready", flush=True)
            sys.stdin.read()
        finally:
            server.stop()


if __name__ == "__main__":
    main()
