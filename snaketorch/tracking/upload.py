"""One journal into one MLflow run: sends what is not there yet."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.entities import Run as MlflowRun
from mlflow.utils.mlflow_tags import (
    MLFLOW_DATASET_CONTEXT,
    MLFLOW_GIT_COMMIT,
    MLFLOW_PARENT_RUN_ID,
    MLFLOW_SOURCE_NAME,
)

from snaketorch.journal import UsedDataset, read_artifacts, read_run
from snaketorch.publish import write_json
from snaketorch.tracking.cursor import Cursor
from snaketorch.tracking.limits import (
    METRICS,
    PARAM_LENGTH,
    PARAMS,
    TAG_LENGTH,
    TAGS,
    allowed_name,
    batches,
    cut,
    json_text,
)
from snaketorch.tracking.locks import job_began, job_is_gone
from snaketorch.tracking.report import Report
from snaketorch.tracking.runs import RUN_KEY, find_or_create, get_run, set_status, settle_parent
from snaketorch.tracking.store import TrackingError, connect, initialise, readable_errors

_LONG_PARAMS = "long_params.json"
_CHANGED = "snaketorch.changed_params"


class Upload:
    """The way of one journal to one address. Each part is remembered as soon as it has arrived."""

    def __init__(self, folder: Path, uri: str, study: str, report: Report):
        self.folder, self.uri, self.study, self.report = folder, uri, study, report
        self.journal = read_run(folder)
        self.cursor = Cursor.load(folder, uri)

    def send(self) -> None:
        """Sends all that is missing. TrackingError when it cannot go on."""
        client = connect(self.uri)
        with readable_errors(self.uri):
            run = get_run(client, self.cursor.run_id) or self._start_over(client)
            if run.info.lifecycle_stage == "deleted":
                self.report.notes.append("the run was deleted in MLflow; restore it there to go on")
                return
            parent_id = run.data.tags.get(MLFLOW_PARENT_RUN_ID)
            if parent_id is None and self.journal.parent:
                parent_id = self._parent(client, run.info.experiment_id)
            changed = self._send_params(client, run)
            self._send_metrics(client, run.info.run_id)
            self._send_tags(client, run, changed | ({MLFLOW_PARENT_RUN_ID: parent_id} if parent_id else {}))
            if set_status(client, run, self._status(), self._ended()):
                self.report.status = self._status()
                if parent_id:
                    settle_parent(client, run.info.experiment_id, parent_id, self._ended())
            self._send_datasets(client, run)
            self._send_files(client, run.info.run_id)

    def _start_over(self, client: MlflowClient) -> MlflowRun:
        """The run of this journal's key, for a cursor that knows none or one that is gone."""
        self.cursor = Cursor(self.cursor.path)
        experiment_id = initialise(self.uri, self.study)
        tags = {MLFLOW_PARENT_RUN_ID: self._parent(client, experiment_id)} if self.journal.parent else {}
        name = self.journal.name or self.journal.key
        run, self.report.created = find_or_create(client, experiment_id, self.journal.key, name, self._started(), tags)
        self.cursor.run_id = run.info.run_id
        self.cursor.save()
        return run

    def _parent(self, client: MlflowClient, experiment_id: str) -> str:
        key = self.journal.parent
        tags = {MLFLOW_SOURCE_NAME: "snaketorch"}
        run, _ = find_or_create(client, experiment_id, key, self.journal.parent_name or key, self._started(), tags)
        return run.info.run_id

    def _send_params(self, client: MlflowClient, run: MlflowRun) -> dict[str, str]:
        """Sends new params. MLflow never changes one, so a tag tells what has changed."""
        full = {allowed_name(name): str(value) for name, value in self.journal.params.items()}
        wanted = {name: cut(value, PARAM_LENGTH) for name, value in full.items()}
        there = run.data.params
        new = [Param(name, value) for name, value in wanted.items() if name not in there]
        for batch in batches(new, PARAMS):
            client.log_batch(run.info.run_id, params=batch, synchronous=True)
            self.report.params += len(batch)
        long = {name: value for name, value in full.items() if value != wanted[name]}
        if long and not _holds(self.folder / _LONG_PARAMS, long):
            write_json(self.folder / _LONG_PARAMS, long)
        changed = {name: value for name, value in wanted.items() if there.get(name, value) != value}
        # one that has its first value again is told too
        return {_CHANGED: json_text(changed)} if changed or _CHANGED in run.data.tags else {}

    def _send_metrics(self, client: MlflowClient, run_id: str) -> None:
        """Sends values with the time at which they were measured, by which the server knows a repetition."""
        path = self.folder / "metrics.jsonl"
        if path.exists() and path.stat().st_size < self.cursor.offset:
            self.cursor.offset = 0  # the job began a new journal here
        batch: list[Metric] = []
        offset = self.cursor.offset
        for line, offset in _whole_lines(path, self.cursor.offset):
            if (metric := self._metric(line)) is not None:
                batch.append(metric)
            if len(batch) == METRICS:
                self._send_batch(client, run_id, batch, offset)
                batch = []
        if offset != self.cursor.offset:
            self._send_batch(client, run_id, batch, offset)

    def _send_batch(self, client: MlflowClient, run_id: str, batch: list[Metric], offset: int) -> None:
        client.log_batch(run_id, metrics=batch, synchronous=True)
        self.report.metrics += len(batch)
        self.cursor.offset = offset
        self.cursor.save()

    def _metric(self, line: bytes) -> Metric | None:
        """The value on a line; None for a line that a kill has spoilt and for infinity, which becomes a tag."""
        try:
            entry = json.loads(line)
            name, value, step = allowed_name(entry["name"]), float(entry["value"]), int(entry["step"])
            metric = Metric(name, value, int(entry["time"]), step)
        except (ValueError, KeyError, TypeError):
            return None
        if math.isinf(value):
            self.cursor.add_infinite(name, value, step)
            return None
        return metric

    def _send_tags(self, client: MlflowClient, run: MlflowRun, more: dict[str, str]) -> None:
        tags = self.journal.tags
        wanted = {MLFLOW_SOURCE_NAME: tags.get("snaketorch.command", "snaketorch"), RUN_KEY: self.journal.key}
        if "snaketorch.git_commit" in tags:
            wanted[MLFLOW_GIT_COMMIT] = tags["snaketorch.git_commit"]
        if self.cursor.infinite:
            wanted["snaketorch.non_finite"] = json_text(self.cursor.infinite)
        wanted = {allowed_name(name): cut(str(value), TAG_LENGTH) for name, value in (tags | wanted | more).items()}
        new = [RunTag(name, value) for name, value in wanted.items() if run.data.tags.get(name) != value]
        for batch in batches(new, TAGS):
            client.log_batch(run.info.run_id, tags=batch, synchronous=True)
            self.report.tags += len(batch)

    def _send_datasets(self, client: MlflowClient, run: MlflowRun) -> None:
        """Sends the datasets that the run used; a server that refuses them still gets the files."""
        there = {(used.dataset.name, used.dataset.digest) for used in run.inputs.dataset_inputs}
        new = [_as_input(used) for used in self.journal.datasets if (used["name"], used["digest"]) not in there]
        if not new:
            return
        try:
            with readable_errors(self.uri):
                client.log_inputs(run.info.run_id, datasets=new)
            self.report.datasets += len(new)
        except TrackingError as error:
            self.report.problems.append(f"the datasets: {error}")
            client.get_run(run.info.run_id)  # raises where the server is the trouble

    def _send_files(self, client: MlflowClient, run_id: str) -> None:
        """Sends files that are new or have changed; one that is refused does not hold up the others."""
        for file, folder, sha256 in self._files():
            name = f"{folder}/{file.name}".lstrip("/")
            try:
                state = self.cursor.state_of(file, name)
            except OSError as error:
                if name not in self.cursor.files:
                    self.report.notes.append(f"{file} is not there any more ({error.strerror}) and was not sent")
                continue
            if state is None:
                continue
            if sha256 is not None and state["sha256"] != sha256:
                if name not in self.cursor.files:
                    self.report.notes.append(f"{file} is now that of a later run and was not sent")
                continue
            try:
                with readable_errors(self.uri):
                    client.log_artifact(run_id, str(file), folder or None)
            except TrackingError as error:
                self.report.problems.append(f"{file}: {error}")
                client.get_run(run_id)  # raises where not the file but the server is the trouble
                continue
            self.report.files += 1
            self.cursor.files[name] = state
            self.cursor.save()

    def _files(self) -> Iterator[tuple[Path, str, str | None]]:
        """The files to keep, each with its folder in the run and the digest that it must have."""
        if (self.folder / _LONG_PARAMS).exists():
            yield self.folder / _LONG_PARAMS, "", None
        for entry in read_artifacts(self.folder):
            yield Path(entry["path"]), entry["folder"].strip("/"), entry["sha256"]

    def _status(self) -> str:
        # a killed job could not say so
        return "KILLED" if self.journal.status == "RUNNING" and job_is_gone(self.folder) else self.journal.status

    def _started(self) -> int:
        """When the run began, in ms since 1970, as far as the journal tells."""
        times = [job_began(self.folder), (self.folder / "run.json").stat().st_mtime]
        for line, _ in _whole_lines(self.folder / "metrics.jsonl", 0):
            metric = self._metric(line)
            times.append(metric.timestamp / 1000 if metric else None)
            break
        return int(1000 * min(time for time in times if time is not None))

    def _ended(self) -> int:
        """When the journal was last written, in ms since 1970."""
        files = [self.folder / "run.json", self.folder / "metrics.jsonl"]
        return int(1000 * max(file.stat().st_mtime for file in files if file.exists()))


def _as_input(used: UsedDataset) -> DatasetInput:
    """A dataset as MLflow keeps it, whose pages show what a sample holds as a table of names and types."""
    columns = [{"name": name, "type": words, "required": True} for name, words in used["columns"].items()]
    dataset = Dataset(
        name=used["name"],
        digest=used["digest"],
        source_type="local",
        source=json_text({"uri": used["path"]}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps(used["profile"]),
    )
    return DatasetInput(dataset, [InputTag(MLFLOW_DATASET_CONTEXT, used["context"])])


def _whole_lines(path: Path, offset: int) -> Iterator[tuple[bytes, int]]:
    """Lines of ``path`` from ``offset`` on, each with the offset behind it; a line still being written is left out."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            yield line, offset


def _holds(path: Path, value: object) -> bool:
    return path.exists() and json.loads(path.read_text("utf-8")) == value
