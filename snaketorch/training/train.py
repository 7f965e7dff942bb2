"""One training, from its spec to a published model."""

import logging
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from snaketorch import journal as journals
from snaketorch import provenance
from snaketorch.config.specs import TrainSpec
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.hardware.allocator import keep_freed_memory
from snaketorch.publish import whole_folder, write_json, write_text
from snaketorch.training import state
from snaketorch.training.fit import SAMPLES, Fitted, fit
from snaketorch.training.model_file import save_model

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
    uploading: Uploading = nullcontext,
) -> None:
    """Trains, or goes on with, the training that ``spec`` describes, and publishes its outputs.

    Args:
        spec: All that the result depends on, besides data and code.
        manifest: The prepared dataset.
        state_root: Folder for the live state; a training owns the part of it that is its digest.
        model: Published: the trained model, see ``model_file``.
        history: Published: one row an epoch.
        record: Published last: where the model comes from.
        samples: Folder, published: what the model made as it learnt; empty for tasks that make nothing.
        code: Digest of the modules that this step imports.
        threads: CPU threads.
        uses: Trained models and weights that it starts from or needs, by what they are for.
        uploading: Sends the journal in a folder elsewhere while the training runs.

    Raises:
        UserError: what a user can mend: data, network and data that do not fit, a diverging loss.
    """
    keep_freed_memory()
    if spec.trainer.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when the GPU is first used
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("high")  # TF32 where the device has it
    dataset = Manifest.load(manifest)
    dataset.verify()
    job = _Job(spec, dataset, code, uses or {})
    folder = state_root / job.digest

    with state.sole_writer(folder):
        attempt = state.note_attempt(folder)
        journal = job.open_journal()
        with uploading(journal.folder):
            try:
                fitted = fit(spec, dataset, job.uses, folder, CHOICES, journal)
                write_text(history, fitted.history)
                with whole_folder(samples) as temporary:
                    shutil.copytree(folder / SAMPLES, temporary, dirs_exist_ok=True)
                save_model(model, spec.task, spec.model, dataset.facts(), fitted.weights)
                content = job.record(fitted, model, history, manifest) | {
                    **attempt,
                    "command": shlex.join(["python", "-m", "snaketorch", *sys.argv[1:]]),
                }
                write_json(record, content)
            except BaseException:
                journal.finish("FAILED")
                raise
            journal.add_artifact(history)
            journal.add_artifact(record)
            if any(samples.iterdir()):
                journal.add_artifact(samples)
            used = {"device": content["device"]["name"], "precision": content["precision"]["used"]}
            journal.tag(**{f"snaketorch.{name}": value for name, value in used.items()})
            journal.finish("FINISHED")
        log.info("Done in %.0f s: %s", content["wall_seconds"], model)
        state.clear(folder)


class _Job:
    """Who a training is: the digest of all that it depends on, and what it says of itself."""

    def __init__(self, spec: TrainSpec, dataset: Manifest, code: str, uses: Mapping[str, Path]):
        self.spec, self.dataset, self.code, self.uses = spec, dataset, code, uses
        self.document = spec.model_dump(mode="json")
        self.used = {name: {"path": str(path), "sha256": _sha256(path)} for name, path in uses.items()}
        depends_on = {"spec": self.document, "code": code, "data": dataset.digest}
        if uses:
            depends_on["uses"] = {name: used["sha256"] for name, used in self.used.items()}
        self.digest = provenance.digest(depends_on)
        of_all_seeds = {"spec": {**self.document, "seed": None}, "code": code, "data": dataset.digest}
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


def _sha256(path: Path) -> str:
    try:
        return provenance.file_sha256(path)
    except OSError as error:
        raise UserError(f"{path}, which the training needs, cannot be read: {error.strerror}") from error
