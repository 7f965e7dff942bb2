"""One training, from its spec to a published model."""

import json
import logging
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

import torch

from snaketorch import journal as journals
from snaketorch import layout, provenance
from snaketorch.config.best import Best
from snaketorch.config.specs import TrainSpec
from snaketorch.data.manifest import Manifest
from snaketorch.data.used import as_used
from snaketorch.errors import Interrupted, OutOfTime, UserError
from snaketorch.failures.classify import classify
from snaketorch.failures.jobs import by_hand
from snaketorch.hardware.allocator import keep_freed_memory
from snaketorch.launch.local_ranks import leaving
from snaketorch.launch.place import place_of
from snaketorch.publish import whole_folder, write_json, write_text
from snaketorch.signals import Ended, Noted
from snaketorch.state.attempts import begin
from snaketorch.state.folder import sweep
from snaketorch.state.identity import training_digest
from snaketorch.state.lock import sole_writer
from snaketorch.state.probe import probe_writable
from snaketorch.state.published import mark_published
from snaketorch.training.checkpointing.resume_points import BY_DEFAULT, Every
from snaketorch.training.deadline import deadline_of_job
from snaketorch.training.fit import Fitted, fit
from snaketorch.training.model_file import save_model
from snaketorch.training.session import Session
from snaketorch.training.usage.record import system_metrics

log = logging.getLogger(__name__)

FORMAT = 1
CHOICES = Path("state/precision")  # what a device does well, remembered for all seeds
PACKAGES = ("torch", "torchvision", "pytorch-lightning", "torchmetrics", "numpy")

Uploading = Callable[[Path], AbstractContextManager[None]]


def train(
    spec: TrainSpec,
    *,
    manifest: Path,
    state_root: Path,
    model: Path,
    history: Path,
    record: Path,
    samples: Path,
    code: str,
    threads: int,
    uses: Mapping[str, Path] | None = None,
    checkpoint_every: Every = BY_DEFAULT,
    runtime: float | None = None,
    uploading: Uploading = nullcontext,
    best: Path | None = None,
) -> None:
    """Trains, or goes on with, the training that ``spec`` describes, and publishes its outputs.

    Of several processes each runs this; the first alone writes, publishes and tells.

    Args:
        spec: All that the result depends on, besides data and code.
        manifest: The prepared dataset.
        state_root: Folder for the live state; a training owns the part of it that is its digest.
        model: Published: the trained model, see ``model_file``.
        history: Published: one row an epoch.
        record: Published last: where the model comes from.
        samples: Folder, published: what the model made as it learnt; empty for tasks that make nothing.
        code: Digest of the modules that this step imports.
        threads: CPU threads of this process.
        uses: Trained models and weights that it starts from or needs, by what they are for.
        checkpoint_every: How often the state of the training is saved.
        runtime: Minutes that this process may take, where somebody ends it then.
        uploading: Sends the journal in a folder elsewhere while the training runs.
        best: The result of the sweep whose values ``spec`` has, for the record.

    Raises:
        UserError: what a user can mend: data, network and data that do not fit, a diverging loss.
        Interrupted: it was told to end; what it has done is saved.
        OutOfTime: the same, because its time is over.
    """
    place = place_of(spec.trainer.devices, spec.trainer.num_nodes)
    keep_freed_memory()
    if spec.trainer.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when the GPU is first used
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("high")  # TF32 where the device has it
    dataset = Manifest.load(manifest)
    dataset.verify()
    job = _Job(spec, dataset, code, uses or {})
    folder = state_root / job.digest
    deadline = deadline_of_job(runtime)
    if not place.is_first:
        with Noted() as signals:
            session = Session(folder, CHOICES, None, code, checkpoint_every, signals, deadline, place)
            fit(spec, dataset, job.uses, session)
        return
    probe_writable(folder)

    # the results belong to experiment and seed, whatever the digest: two of its trainings would publish to one place
    with sole_writer(state_root), sole_writer(folder), Noted() as signals:
        sweep(folder)
        for other in sorted(state_root.glob("*/checkpoints.json")):
            if other.parent != folder:
                log.info("An unfinished training of other settings, data or code stays in %s, unused", other.parent)
        attempts = begin(folder)
        journal = job.open_journal()
        session = Session(folder, CHOICES, journal, code, checkpoint_every, signals, deadline, place)
        with uploading(journal.folder):
            try:
                fitted = fit(spec, dataset, job.uses, session)
                signals.install()  # again: Lightning has put back those before
                write_text(history, fitted.history)
                with whole_folder(samples) as temporary:
                    shutil.copytree(session.samples, temporary, dirs_exist_ok=True)
                signals.check()
                save_model(model, spec.task, spec.model, dataset.facts(), fitted.weights)
                content = job.record(fitted, model, history, manifest) | {
                    **attempts.record(),
                    **_of_sweep(best),
                    "command": shlex.join(["python", "-m", "snaketorch", *by_hand(sys.argv[1:])]),
                }
                signals.check()
                write_json(record, content)
            except BaseException as error:
                leaving()
                with suppress(OSError):  # of a full disk, which the first error tells better
                    attempts.end(classify(error).in_short())
                    journal.finish("KILLED" if isinstance(error, Ended | Interrupted | OutOfTime) else "FAILED")
                raise
            _tell_usage(journal, content)
            journal.add_artifact(history)
            journal.add_artifact(record)
            if any(samples.iterdir()):
                journal.add_artifact(samples)
            used = {"device": content["device"]["name"], "precision": content["precision"]["used"]}
            journal.tag(**{f"snaketorch.{name}": value for name, value in used.items()})
            journal.finish("FINISHED")
        attempts.end(None)
        mark_published(folder)
        log.info("Done in %.0f s: %s", content["wall_seconds"], model)


class _Job:
    """Who a training is: the digest of all that it depends on, and what it says of itself."""

    def __init__(self, spec: TrainSpec, dataset: Manifest, code: str, uses: Mapping[str, Path]):
        self.spec, self.dataset, self.code, self.uses = spec, dataset, code, uses
        self.document = spec.model_dump(mode="json")
        self.used = {name: {"path": str(path), "sha256": _sha256(path)} for name, path in uses.items()}
        sums = {name: used["sha256"] for name, used in self.used.items()}
        self.digest = training_digest(self.document, code, dataset.digest, sums)
        of_all_seeds = {"spec": {**self.document, "seed": None}, "code": code, "data": dataset.digest}
        if uses:
            of_all_seeds["uses"] = {name: _of_all_seeds(path, sums[name]) for name, path in uses.items()}
        self.group = f"{spec.experiment}/{provenance.digest(of_all_seeds)}"
        self.git = provenance.git_state(Path(__file__).parent)

    def open_journal(self) -> journals.Journal:
        spec = self.spec
        tags = {
            "experiment": spec.experiment,
            "seed": str(spec.seed),
            "spec_digest": provenance.digest(self.document),
            "code_digest": self.code,
            "dataset": spec.data,
            "dataset_digest": self.dataset.digest,
            "git_commit": (self.git or {}).get("commit"),
            "git_dirty": str(self.git["dirty"]).lower() if self.git else None,
            "slurm_job_id": os.environ.get("SLURM_JOB_ID"),
        }
        run = journals.Run(
            key=f"{spec.experiment}/seed-{spec.seed}/{self.digest}",
            name=f"{spec.experiment}-seed-{spec.seed}",
            parent=self.group,
            parent_name=spec.experiment,
            params=journals.flatten(self.document),
            tags={f"snaketorch.{name}": value for name, value in tags.items() if value},
            datasets=[as_used(self.dataset, "train")],
        )
        self.journal = journals.Journal(journals.ROOT / spec.experiment / f"seed-{spec.seed}-{self.digest}", run)
        return self.journal

    def record(self, fitted: Fitted, model: Path, history: Path, manifest: Path) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "experiment": self.spec.experiment,
            "seed": self.spec.seed,
            "study": os.environ.get("SNAKETORCH_STUDY"),
            "spec": self.document,
            "spec_digest": provenance.digest(self.document),
            "code_digest": self.code,
            "inputs": {"manifest": {"path": str(manifest), "digest": self.dataset.digest}, **self.used},
            "outputs": {"model": provenance.file_sha256(model), "history": provenance.file_sha256(history)},
            "versions": provenance.versions(PACKAGES),
            "git": self.git,
            "host": provenance.host(),
            **fitted.facts,
            "run_key": self.journal.run.key,
            "group_key": self.group,
            "journal": str(self.journal.folder),
        }


def _tell_usage(journal: journals.Journal, record: Mapping[str, Any]) -> None:
    """Once, also when an attempt was killed after it; a second one would measure something else."""
    told = {line["name"] for line in journals.read_metrics(journal.folder)}
    new = {name: value for name, value in system_metrics(record["usage"]).items() if name not in told}
    journal.log_metrics(new, record["steps"])


def _of_all_seeds(path: Path, sha256: str) -> str:
    """What stands for trained weights whatever their seed: the group of their training, else their content."""
    if path.name != Path(layout.MODEL).name:
        return sha256
    try:
        return json.loads(path.with_name(Path(layout.RECORD).name).read_text("utf-8"))["group_key"]
    except (OSError, ValueError, KeyError):
        return sha256


def _of_sweep(best: Path | None) -> dict[str, Any]:
    """What the record says of the sweep that the training's values come from."""
    if best is None:
        return {}
    return {"tuned": {"path": str(best), "sha256": _sha256(best), "trial": Best.read(best).trial}}


def _sha256(path: Path) -> str:
    try:
        return provenance.file_sha256(path)
    except OSError as error:
        raise UserError(f"{path}, which the training needs, cannot be read: {error.strerror}") from error
