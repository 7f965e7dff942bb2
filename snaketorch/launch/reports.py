"""How a process that trains with others tells the one that started it why it ends: by a pipe, or over the network."""

import contextlib
import hmac
import json
import os
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any, NoReturn, Self

from snaketorch.errors import PeerFailed
from snaketorch.failures.classify import Failure
from snaketorch.launch.place import is_started_by_slurm, rank_so_far
from snaketorch.launch.variables import REPORT

ANSWER_SECONDS = 10.0
"""For the one that started it to take a report."""
MOST_CHARACTERS = 8000
"""Of a traceback, so that a pipe takes it at once."""
MOST_BYTES = 1 << 20
"""Of a report."""
AGREED = ("interrupted", "timeout")
"""Kinds of ends that all ranks take together."""

Said = dict[str, Any]
"""Why a process ended: its ``rank``, ``kind``, ``message``, ``exit_code``, and ``details`` for who mends it."""


def leave(failure: Failure, exit_code: int, show: Callable[[], None]) -> NoReturn:
    """Ends this process at once, after it has told the one that started it why; ``show`` is for who cannot be told.

    Libraries may wait here for the other processes, which wait for the end of this one.
    """
    rank = rank_so_far()
    is_told = _tell_starter({"rank": rank, "exit_code": exit_code, **failure.in_short(), "details": _details(failure)})
    if not is_told:
        show()
    # at another code than 0 srun would end the first rank at once, which has things to save
    os._exit(0 if is_told and rank and is_started_by_slurm() else exit_code)


def _details(failure: Failure) -> dict[str, Any]:
    kept = {name: failure.details.get(name) for name in ("exception", "where", "is_users")}
    return {**kept, "traceback": failure.details.get("traceback", "")[-MOST_CHARACTERS:]}


def _tell_starter(said: Said) -> bool:
    to, text = os.environ.get(REPORT, ""), json.dumps(said).encode()
    try:
        if to.isdigit():
            os.write(int(to), text)
            return True
        host, port, password = to.rsplit(":", 2)
        with socket.create_connection((host, int(port)), ANSWER_SECONDS) as connection:
            connection.sendall(password.encode() + b"\n" + text)
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(1) == b"+"
    except (OSError, ValueError):
        return False


def failure_of_peer(said: Said) -> PeerFailed:
    """What another process said as an error of this one."""
    rank = said["rank"]
    whose = f"rank {rank}: " if rank else ""  # what the first says is said of the training
    error = PeerFailed(f"{whose}{said['message']}", said["kind"], said["exit_code"], said["details"])
    error.add_note(f"In rank {rank}:\n{said['details']['traceback']}")
    return error


class Reports:
    """Takes reports from other machines, in a ``with`` block; only from who knows the password."""

    def __init__(self, host: str):
        """``host``: name of this machine for the others."""
        self.host = host
        self.when_first: Callable[[Said], None] = lambda said: None
        """Called, in a thread, for the first report."""
        self.said: list[Said] = []
        """In the order in which they came."""
        self._password = secrets.token_hex()

    @property
    def address(self) -> str:
        """As the variable ``REPORT`` has it."""
        return f"{self.host}:{self._listener.getsockname()[1]}:{self._password}"

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("", 0))
        threading.Thread(target=self._listen, name="reports", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            with connection, contextlib.suppress(OSError, ValueError, KeyError):
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        connection.settimeout(ANSWER_SECONDS)
        received = b""
        while (part := connection.recv(1 << 16)) and len(received) < MOST_BYTES:
            received += part
        password, _, text = received.partition(b"\n")
        if not hmac.compare_digest(password, self._password.encode()):
            return
        said = json.loads(text)
        self.said.append(said)
        connection.sendall(b"+")
        if len(self.said) == 1:
            self.when_first(said)
