"""Processes that end with the one that started them, and so does all that they ever started."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

BECOME_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
PATIENCE_SECONDS = 900


class Daemons:
    """Daemons in the foreground, with their output in ``folder``.

    This process becomes the parent of every descendant that loses its own, however it detached itself; so none
    can outlive ``stop``.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]):
        self.folder, self.environment = folder, environment
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        if ctypes.CDLL(None, use_errno=True).prctl(BECOME_SUBREAPER, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")

    def start(self, name: str, *command: str, ready: Callable[[], bool], **environment: str) -> None:
        """Starts a daemon and waits until it answers."""
        with (self.folder / f"{name}.out").open("ab") as output:
            self.running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**self.environment, **environment},
                cwd=self.folder,
                start_new_session=True,
            )
        end = time.monotonic() + PATIENCE_SECONDS
        while not ready():
            if self.running[name].poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{name} did not start:\n{self._last_words(name)}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends the daemons, the last one first, each in peace if it can; then whatever is left of them."""
        for process in reversed(self.running.values()):
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
        while left := descendants(os.getpid()):
            for pid in left:
                kill(pid)
            time.sleep(0.02)
            _reap()

    def _last_words(self, name: str) -> str:
        files = sorted(self.folder.glob(f"{name}*.out")) + sorted(self.folder.glob(f"{name}*.log"))
        return "\n".join(file.read_text(errors="replace")[-2000:] for file in files)


def descendants(pid: int) -> list[int]:
    """Living processes below ``pid``, and zombies that wait for it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = list(children.get(pid, []))
    for child in found:  # grows as it goes
        found.extend(children.get(child, []))
    return found


def kill(pid: int) -> None:
    """Kills a process, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
