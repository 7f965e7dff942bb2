"""What ``srun`` says of the processes that it started: it alone knows how one died that had no time to say so."""

import os
import re
import subprocess
import threading
from contextlib import suppress

ERROR = re.compile(rb"srun: error: (.*)")
DEATH = re.compile(rb"srun: error: ([^ :]+): tasks? (\d[\d,-]*): (?!Exited with)(\w.*)")
TOLD_TO_END = ("Terminated", "User defined signal", "Hangup", "Interrupt")
"""How a process dies of a signal that comes before it can obey it."""
OUT_OF_MEMORY = re.compile(rb"Out Of Memory|oom.kill event", re.IGNORECASE)


class SrunWords:
    """Passes on to stderr all that ``srun`` and its processes write there, and remembers what matters."""

    def __init__(self, process: "subprocess.Popen[bytes]"):
        self.death = ""
        """Of the rank that died first, or the ranks of a node: where, and how."""
        self.was_told_to_end = False
        """Whether a rank got a signal that asks for that, and did not live to obey it."""
        self.last = ""
        """The last error of ``srun``."""
        self.ran_out_of_memory = False
        self._file = process.stderr.fileno()
        self._thread = threading.Thread(target=self._read, name="srun-words", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Until all was read; those who still hold the pipe are not waited for any longer."""
        self._thread.join(seconds)

    def _read(self) -> None:
        rest = b""
        while part := os.read(self._file, 1 << 16):
            with suppress(OSError):  # of a full disk: who writes into the pipe must not have to wait for ever
                os.write(2, part)
            *lines, rest = (rest + part).splitlines(keepends=True)
            if rest.endswith((b"\n", b"\r")):
                lines, rest = [*lines, rest], b""
            for line in lines:
                self.hear(line.strip())

    def hear(self, line: bytes) -> None:
        """Takes in a line."""
        if error := ERROR.search(line):
            self.last = error[1].decode(errors="replace")
        self.ran_out_of_memory |= bool(OUT_OF_MEMORY.search(line))
        if death := DEATH.search(line):
            where, ranks, how = (word.decode(errors="replace") for word in death.groups())
            if how.startswith(TOLD_TO_END):
                self.was_told_to_end = True
            elif not self.death:
                who, was = ("rank", "was") if ranks.isdigit() else ("ranks", "were")
                self.death = f"{who} {ranks}, on {where}, {was} ended by the system: {how}"
