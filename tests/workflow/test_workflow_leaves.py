"""The rerun contract, leaf by leaf: each edit of the configuration, and the jobs that Snakemake would run then."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
import yaml
from expected_jobs import DATA, REPORT, SEEDS, from_evaluate, from_prepare, from_summarise, from_train

from snaketorch.config.base import Section
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.load import load_study
from snaketorch.config.models import Network
from snaketorch.config.study import StudyConfig

pytestmark = pytest.mark.workflow

HERE = Path(__file__).parent
MODELS = {"config.yaml": StudyConfig, "datasets": DatasetConfig, "experiments": ExperimentConfig}


class Leaf(NamedTuple):
    """One edit, and what it reruns."""

    file: str
    path: str
    value: Any
    reruns: str | list[str]

    @property
    def changes(self) -> dict[str, Any]:
        return self.value if isinstance(self.value, dict) and "init_args" not in self.path else {self.path: self.value}

    @property
    def is_run(self) -> bool:
        """Whether an experiment that runs depends on it."""
        folder, _, file = self.file.rpartition("/")
        running = {"datasets": DATA.values(), "experiments": SEEDS}
        return folder not in running or Path(file).stem in running[folder]

    def section_in(self, study: Path) -> Section:
        """The file that it edits, in a folder with a study."""
        folder, _, file = self.file.rpartition("/")
        name = Path(file).stem
        overrides = {"experiments": {name: {"abstract": False}}} if folder == "experiments" else {}
        loaded = load_study(study, overrides)
        return getattr(loaded, folder)[name] if folder else loaded.config

    @property
    def name(self) -> str:
        """Its name in the schema: "experiments: model[cnn].channels"."""
        *outer, key = self.path.split(".")
        part = self.file.split("/")[0]
        if not outer or key == "kind":
            return f"{part}: {self.path}"
        section = self.section_in(HERE / "study")
        for depth, name in enumerate(outer[: 2 if outer[0] == "tune" else 1]):
            section = getattr(section, name)
            if kind := getattr(section, "kind", None):
                outer[depth] = f"{name}[{kind}]"
        return f"{part}: {'.'.join([*outer, key])}"

    @property
    def jobs(self) -> set[str]:
        name = Path(self.file).stem
        match self.reruns:
            case list(jobs):
                return set(jobs)
            case "prepare":
                return from_prepare(name)
            case "train":
                return from_train(name)
            case "augment and train":
                return from_train(name) | {f"preview_augmentation {name}"}
            case "evaluate":
                return from_evaluate(name)
            case "summarise":
                return from_summarise(name)
            case "all summaries and the tracking store":
                return from_summarise(*SEEDS) | {"init_tracking"}
            case "report":
                return REPORT
            case "nothing":
                return set()
        raise ValueError(self.reruns)


OF_NO_TASK_YET = {
    "experiments: augment.time_shift",
}

LEAVES = [
    Leaf(group["in"], path, value, group["reruns"])
    for group in yaml.safe_load((HERE / "leaves.yaml").read_text("utf-8"))
    for path, value in group["edits"].items()
]


def schema_leaves(model: type[Section], prefix: str) -> Iterator[str]:
    """The leaves of a section that can hold more than one value."""
    schema = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        if name in Network.model_fields and prefix != "experiments: model[cnn].":  # one for all networks
            continue
        sections = [item for item in _members(field.annotation) if issubclass(item, Section)]
        if len(sections) > 1:
            yield f"{prefix}{name}.kind"
            for section in sections:
                kind = get_args(section.model_fields["kind"].annotation)[0]
                yield from (leaf for leaf in schema_leaves(section, f"{prefix}{name}[{kind}].") if "].kind" not in leaf)
        elif prefix + name == "datasets: prepare.augment":  # its keys are those of an experiment's
            yield prefix + name
        elif sections:
            yield from schema_leaves(sections[0], f"{prefix}{name}.")
        elif not _holds_one_value(schema[name]):
            yield f"{prefix}{name}"


def _members(annotation: Any) -> list[type]:
    return [item for item in get_args(annotation) or [annotation] if isinstance(item, type)]


def _holds_one_value(schema: dict[str, Any]) -> bool:
    return "const" in schema or ("minimum" in schema and schema["minimum"] == schema.get("maximum"))


def test_no_leaf_of_the_schema_is_missing():
    known = {leaf for part, model in MODELS.items() for leaf in schema_leaves(model, f"{part}: ")}

    assert len(known) > 70
    missing = known - {leaf.name for leaf in LEAVES}
    of_their_own = {"datasets: source.kind", "experiments: matrix"}
    assert of_their_own <= missing, "which have tests of their own"
    missing -= of_their_own
    assert missing == OF_NO_TASK_YET


@pytest.mark.parametrize(
    "leaf", [leaf for leaf in LEAVES if not leaf.is_run], ids=lambda leaf: f"{leaf.file}-{leaf.path}"
)
def test_an_edit_of_what_no_experiment_runs_with_is_in_its_spec(leaf, finished_study):
    before = leaf.section_in(finished_study.folder)

    finished_study.edit(leaf.file, leaf.changes)

    assert leaf.section_in(finished_study.folder) != before


@pytest.mark.parametrize(
    "leaf", [leaf for leaf in LEAVES if leaf.is_run], ids=lambda leaf: f"{Path(leaf.file).stem}-{leaf.path}"
)
def test_an_edit_reruns_what_the_contract_says(leaf, finished_study):
    before = load_study(finished_study.folder)

    finished_study.edit(leaf.file, leaf.changes)

    assert load_study(finished_study.folder) != before, "no edit at all"
    assert finished_study.dry_run().jobs == leaf.jobs


def test_a_source_of_another_kind_reruns_its_dataset_and_all_that_descends_from_it(finished_study):
    finished_study.edit("datasets/thumbnails.yaml", {"source": {"kind": "statsmodels", "name": "nile"}})
    finished_study.edit("experiments/lstm.yaml", {"task": {"kind": "forecasting", "window": 5}})

    assert finished_study.dry_run().jobs == from_prepare("thumbnails")
