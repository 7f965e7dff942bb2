"""What a sweep knows, in one file that is only ever added to: whatever is killed, every trial is accounted for."""

import json
import os
import socket
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snaketorch.json_lines import end_last_line, read_json_lines
from snaketorch.tuning.trial import Change, Point, Status, Trial

FILE = "trials.jsonl"


class Known:
    """The trials of a sweep, as the events in its file tell of them; for who only reads it too."""

    def __init__(self, folder: Path):
        self.path = folder / FILE
        self.trials: dict[int, Trial] = {}
        self.spent = 0.0
        """Seconds of the attempts at this sweep that are over."""
        self.order: list[int] = []
        """The numbers of the trials that are done, in the order in which they ended."""
        self.began: float | None = None
        self._latest = 0.0
        for event in read_json_lines(self.path):
            self._take(event)
        self._close_attempt()

    @property
    def all(self) -> list[Trial]:
        return [self.trials[number] for number in sorted(self.trials)]

    @property
    def over(self) -> list[Trial]:
        """Those that are done, in the order in which they ended."""
        return [self.trials[number] for number in self.order]

    @property
    def unfinished(self) -> list[Trial]:
        """Those that are to go on, the oldest first."""
        return [trial for trial in self.all if not trial.is_over]

    def _take(self, event: Mapping[str, Any]) -> None:
        kind = event["event"]
        if kind == "begin":
            self._close_attempt()
            self.began = event["time"]
        elif kind == "proposed":
            self.trials[event["number"]] = Trial(event["number"], event["values"], event["origin"])
        elif kind == "exchanged":
            self._exchange(event)
        else:
            self._change(self.trials[event["number"]], kind, event)
        self._latest = event["time"]

    def _change(self, trial: Trial, kind: str, event: Mapping[str, Any]) -> None:
        if kind == "started":
            trial.status, trial.node, trial.device = "running", event["node"], event["device"]
            trial.attempts += 1
            trial.started = trial.started or datetime.fromtimestamp(event["time"], UTC).isoformat(timespec="seconds")
        elif kind == "points":
            trial.curve += [(epoch, value) for epoch, value in event["points"]]
            trial.seconds += event["seconds"]
        elif kind == "ended":
            trial.status, trial.error = event["status"], event["error"]
            self.order.append(trial.number)

    def _exchange(self, event: Mapping[str, Any]) -> None:
        for number in event["members"]:
            self.trials[number].exchanged = event["epoch"]
        for change in event["changes"]:
            trial = self.trials[change["number"]]
            trial.changes.append(Change(event["epoch"], change["donor"], trial.values, change["values"]))
            trial.values = change["values"]

    def _close_attempt(self) -> None:
        if self.began is not None:
            self.spent += self._latest - self.began
            self.began = None


class Ledger(Known):
    """The file in the hands of the one process that adds to it. An event lasts as soon as it is told."""

    def __init__(self, folder: Path):
        """Goes on with the file in ``folder``, or begins one; this is another attempt at the sweep."""
        super().__init__(folder)
        self._wall, self._clock = time.time(), time.monotonic()
        end_last_line(self.path)
        self._file = self.path.open("a", encoding="utf-8")
        self._add({"event": "begin", "host": socket.gethostname(), "pid": os.getpid()})

    def close(self) -> None:
        self._file.close()

    @property
    def seconds(self) -> float:
        """That the sweep has taken so far, all attempts together."""
        return self.spent + self._now() - self.began

    def propose(self, values: Mapping[str, Any], origin: str) -> Trial:
        """A new trial."""
        number = max(self.trials, default=-1) + 1
        self._add({"event": "proposed", "number": number, "values": dict(values), "origin": origin})
        return self.trials[number]

    def start(self, number: int, node: str, device: str) -> None:
        """An attempt at a trial begins."""
        self._add({"event": "started", "number": number, "node": node, "device": device})

    def tell(self, number: int, points: Iterable[Point], seconds: float) -> None:
        """New points of a trial's curve, and the seconds since what was told last; known epochs are left out."""
        known = {epoch for epoch, _ in self.trials[number].curve}
        new = [list(point) for point in points if point[0] not in known]
        if new:
            self._add({"event": "points", "number": number, "points": new, "seconds": round(seconds, 3)})

    def exchange(self, epoch: int, members: Iterable[int], changes: Mapping[int, tuple[int, dict[str, Any]]]) -> None:
        """The trials of a population were compared; some take over another one's weights.

        Args:
            epoch: After which.
            members: The numbers of those that were compared.
            changes: By the number of a trial, that of its donor and the values that it goes on with.
        """
        told = [{"number": number, "donor": donor, "values": values} for number, (donor, values) in changes.items()]
        self._add({"event": "exchanged", "epoch": epoch, "members": list(members), "changes": told})

    def end(self, number: int, status: Status, error: str | None = None) -> None:
        """A trial is done."""
        self._add({"event": "ended", "number": number, "status": status, "error": error})

    def _add(self, event: dict[str, Any]) -> None:
        event["time"] = self._now()
        self._file.write(json.dumps(event) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._take(event)

    def _now(self) -> float:
        """Seconds since 1970 by a clock that nobody sets: a budget is of time that has passed."""
        return self._wall + time.monotonic() - self._clock
