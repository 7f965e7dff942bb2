"""A study of one dataset and one experiment whose files are made by hand, with every digest right."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from snaketorch import layout
from snaketorch.config.load import load_study
from snaketorch.dag.workflow import Workflow
from snaketorch.freshness import page_is_made_from
from snaketorch.provenance import file_sha256
from snaketorch.state.identity import training_digest
from snaketorch.status.fingerprints import Fingerprints
from snaketorch.status.study import Seed, StudyStatus, survey

DATASET = {"source": {"kind": "sklearn", "name": "digits"}}
EXPERIMENT = {
    "task": "image_classification",
    "data": "digits",
    "model": {"kind": "cnn", "channels": [4]},
    "optimizer": {"kind": "adamw", "lr": 0.001},
    "trainer": {"max_epochs": 20},
    "seeds": [0, 1],
}
RUN = Path("results/experiments/cnn/seed-0")


class MadeStudy:
    """In the current folder."""

    def __init__(self):
        self.configure("config", {"study": "small"})
        self.configure("datasets/digits", DATASET)
        self.configure("experiments/cnn", EXPERIMENT)

    def configure(self, name: str, content: dict[str, Any]) -> None:
        path = Path(f"config/{name}.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content))

    @property
    def workflow(self) -> Workflow:
        return Workflow(load_study(Path.cwd()))

    def survey(self, *names: str, verify: bool = False) -> StudyStatus:
        return survey(self.workflow, names, Fingerprints(verify=verify), verify)

    def seed(self, number: int = 0) -> Seed:
        (experiment,) = self.survey("cnn").experiments
        return experiment.seeds[number]

    def finish(self) -> "MadeStudy":
        """Makes every result, as the steps would."""
        self.prepare()
        for seed in (0, 1):
            self.train(seed)
            self.test(seed)
        self.summarise()
        self.report()
        return self

    def prepare(self) -> None:
        asked, workflow = SimpleNamespace(dataset="digits"), self.workflow
        folder = Path("results/datasets/digits")
        array = write(folder / "arrays/train_image.npy", "pixels")
        write(folder / "preview.png", "picture")
        entry = {"file": "arrays/train_image.npy", "bytes": array.stat().st_size, "sha256": file_sha256(array)}
        write_json(
            folder / "manifest.json",
            {
                "format": 1,
                "digest": "0123456789abcdef",
                "splits": {"train": {"arrays": {"image": entry}}},
                "spec": json.loads(workflow.prepare_spec(asked)),
                "record": {
                    "code_digest": workflow.prepare_code(asked),
                    "source_digest": workflow.source_digest(asked),
                },
            },
        )

    def train(self, seed: int = 0) -> None:
        asked, workflow = SimpleNamespace(experiment="cnn", seed=seed), self.workflow
        folder = Path(layout.RUN.format(experiment="cnn", seed=seed))
        outputs = {name: write(folder / file, f"{name} {seed}") for name, file in MODEL.items()}
        write(folder / "samples/none", "")
        write_json(
            folder / "record.json",
            {
                "format": 1,
                "spec": json.loads(workflow.train_spec(asked)),
                "code_digest": workflow.train_code(asked),
                "git": None,
                "inputs": {"manifest": {"digest": "0123456789abcdef"}},
                "outputs": {name: file_sha256(path) for name, path in outputs.items()},
            },
        )

    def test(self, seed: int = 0) -> None:
        asked, workflow = SimpleNamespace(experiment="cnn", seed=seed), self.workflow
        folder = Path(layout.RUN.format(experiment="cnn", seed=seed))
        predictions = write(folder / "predictions.parquet", f"predictions {seed}")
        write(folder / "figures/curves.svg", "")
        write_json(
            folder / "metrics.json",
            {
                "format": 1,
                "data": "digits",
                "goal": "test/accuracy",
                "metrics": {"test/accuracy": 0.98765},
                "record": {
                    "spec": json.loads(workflow.evaluate_spec(asked)),
                    "code_digest": workflow.evaluate_code(asked),
                    "git": None,
                    "inputs": {
                        "model": {"sha256": file_sha256(folder / "model.ckpt")},
                        "manifest": {"digest": "0123456789abcdef"},
                    },
                    "outputs": {"predictions": file_sha256(predictions)},
                },
            },
        )

    def summarise(self) -> None:
        asked, workflow = SimpleNamespace(experiment="cnn"), self.workflow
        folder = Path("results/experiments/cnn")
        files = {"metrics": "metrics.json", "record": "record.json", "model": "model.ckpt"}
        write_json(
            folder / "summary.json",
            {
                "format": 1,
                "inputs": {
                    str(seed): {name: file_sha256(folder / f"seed-{seed}" / file) for name, file in files.items()}
                    for seed in (0, 1)
                },
                "record": {
                    "spec": json.loads(workflow.summarise_spec(asked)),
                    "code_digest": workflow.summarise_code(asked),
                    "git": None,
                    "outputs": {"config": file_sha256(write(folder / "config.yaml", "resolved"))},
                },
            },
        )

    def report(self) -> None:
        asked, workflow = SimpleNamespace(), self.workflow
        spec, code = json.loads(workflow.report_spec(asked)), workflow.report_code(asked)
        summaries = {"cnn": Path("results/experiments/cnn/summary.json")}
        made_from = page_is_made_from(spec, code, summaries, file_sha256).replace('"', "&#34;")
        write(Path("results/report.html"), f'<head><meta name="made-from" content="{made_from}"></head>')

    def state_folder(self, seed: int = 0) -> Path:
        """Of the live state of the training that would run now."""
        asked, workflow = SimpleNamespace(experiment="cnn", seed=seed), self.workflow
        spec, code = json.loads(workflow.train_spec(asked)), workflow.train_code(asked)
        root = Path(layout.TRAIN_STATE.format(experiment="cnn", seed=seed))
        folder = root / training_digest(spec, code, "0123456789abcdef", {})
        folder.mkdir(parents=True, exist_ok=True)
        return folder


MODEL = {"model": "model.ckpt", "history": "history.csv"}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_json(path: Path, content: dict[str, Any]) -> None:
    write(path, json.dumps(content))


def spoil(path: Path, *keys: str, to: Any) -> None:
    """Puts another value into a JSON file."""
    content = json.loads(path.read_text())
    section = content
    for key in keys[:-1]:
        section = section[key]
    section[keys[-1]] = to
    path.write_text(json.dumps(content))
