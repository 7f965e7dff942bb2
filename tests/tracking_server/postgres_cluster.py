"""A PostgreSQL of one's own on loopback, which nothing of the machine's own knows."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

PASSWORD = "of the database"
_PROGRAMS = ("initdb", "pg_ctl", "psql", "pg_dump", "pg_restore")


def missing() -> str:
    """Why there can be no PostgreSQL here; "" if there can."""
    lacking = [name for name in _PROGRAMS if not (_programs() / name).exists()]
    if lacking:
        return f"no {', '.join(lacking)} here; on Debian and Ubuntu: apt-get install postgresql"
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        return "PostgreSQL does not run as root, and there is no setpriv here"
    return ""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Cluster:
    """The databases ``mlflow`` and ``mlflow_auth``, which belong to the user ``mlflow``."""

    def __init__(self):
        # PostgreSQL runs as a user of its own, who cannot enter pytest's folders; names of sockets must be short
        self.folder = Path(tempfile.mkdtemp(prefix="snaketorch-pg-"))
        self.port = free_port()
        self.as_owner: list[str] = []
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self.as_owner = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", "--"]

    def start(self) -> None:
        data = str(self.folder / "data")
        self._run("initdb", "--pgdata", data, "--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256")
        where = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.folder}"
        quick = "-c max_connections=100 -c shared_buffers=32MB"
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "--wait", "--pgdata", data, "--log", log, "--options", f"{where} {quick}")
        self.sql(f"CREATE ROLE mlflow LOGIN PASSWORD '{PASSWORD}'")
        for database in ("mlflow", "mlflow_auth"):
            self.sql(f"CREATE DATABASE {database} OWNER mlflow")

    def restart(self) -> None:
        """As after a crash: every connection is cut, and nothing is tidied up first."""
        log = str(self.folder / "log")
        where = ["--pgdata", str(self.folder / "data"), "--log", log]
        self._run("pg_ctl", "restart", "--wait", "--mode=immediate", *where)

    def stop(self) -> None:
        try:
            self._run("pg_ctl", "stop", "--wait", "--mode=immediate", "--pgdata", str(self.folder / "data"))
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What the administrator of the databases is answered."""
        where = [f"--host={self.folder}", f"--port={self.port}", "--username=postgres", f"--dbname={database}"]
        return self._run("psql", *where, "--no-align", "--tuples-only", "--command", statement).strip()

    def write_password_file(self, path: Path) -> Path:
        path.write_text(f"127.0.0.1:{self.port}:*:mlflow:{PASSWORD}\n")
        path.chmod(0o600)
        return path

    def _run(self, program: str, *arguments: str) -> str:
        command = [*self.as_owner, str(_programs() / program), *arguments]
        # not a pipe: the server that pg_ctl leaves running would hold its other end
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", timeout=600)
            said.seek(0)
            text = said.read()
        assert done.returncode == 0, text
        return text


def _programs() -> Path:
    """Debian keeps those of the server out of the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else Path(shutil.which("initdb") or "/nowhere/initdb").parent
