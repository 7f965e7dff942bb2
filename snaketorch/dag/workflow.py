"""The questions that rules ask of a study."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from snaketorch import layout
from snaketorch.config import specs
from snaketorch.config.base import Section
from snaketorch.config.contents import CONTENTS
from snaketorch.config.load import Study
from snaketorch.config.resources import PrepareResources, Resources
from snaketorch.dag.code import ROOT, code_digest, files_digest, module_digest
from snaketorch.dag.source_files import source_digest
from snaketorch.provenance import canonical_json, digest

OF_THE_TEST = ("evaluator", "metrics", "test_keys")
"""What a task says of its test, and no training depends on."""


class Wildcards(Protocol):
    """What a job's output names."""

    dataset: str
    experiment: str
    seed: str


class Workflow:
    """Answers for each job: its spec, its code, its resources; and which files there are to make.

    Every ``*_spec`` is canonical JSON of exactly what its step depends on, every ``*_code`` a digest of
    the modules that the step runs; Snakemake runs a job again when one of them changes.
    """

    def __init__(self, study: Study):
        self.study = study
        self.datasets = study.used_datasets
        self.experiments = sorted(study.experiments)
        self.trained = {**study.experiments, **study.needed}
        self._source_digests: dict[str, str] = {}

    def prepare_spec(self, wildcards: Wildcards) -> str:
        dataset = self.study.datasets[wildcards.dataset]
        return _json(specs.PrepareSpec, {"dataset": wildcards.dataset, **dict(dataset)})

    def prepare_code(self, wildcards: Wildcards) -> str:
        dataset = self.study.datasets[wildcards.dataset]
        preparer = CONTENTS[dataset.source.provides].prepared_by
        return _code("snaketorch.data.prepare", dataset.source, dataset.prepare.augment, also=(preparer,))

    def source_digest(self, wildcards: Wildcards) -> str:
        """Stands for the user's files that a dataset is made from, as they were when this process first asked."""
        name = wildcards.dataset
        if name not in self._source_digests:  # to look at a million files takes seconds
            self._source_digests[name] = source_digest(Path.cwd(), name, self.study.datasets[name])
        return self._source_digests[name]

    @property
    def augmentations(self) -> list[str]:
        """The picture of each experiment that augments."""
        sections = {name: self.study.experiments[name].augment for name in self.experiments}
        augmented = [name for name, augment in sections.items() if augment is not None and augment.active]
        return [layout.AUGMENTATION.format(experiment=name) for name in augmented]

    def augmentation_spec(self, wildcards: Wildcards) -> str:
        experiment = self.trained[wildcards.experiment]
        # of a task that cuts a series no more than how it cuts: the rest of it does not show in the picture
        cut = {name: getattr(experiment.task, name, None) for name in specs.Windows.model_fields}
        values = {
            "experiment": wildcards.experiment,
            "seed": experiment.seeds[0],
            "data": experiment.data,
            "augment": experiment.augment,
            "windows": None if None in cut.values() else specs.Windows.model_construct(**cut),
        }
        return _json(specs.AugmentationSpec, values)

    def augmentation_code(self, wildcards: Wildcards) -> str:
        return _code("snaketorch.data.augmentation_picture", self.trained[wildcards.experiment].augment)

    def train_spec(self, wildcards: Wildcards) -> str:
        job = self._job(wildcards)
        return _json(specs.TrainSpec, {**job, "task": job["task"].for_training})

    def train_code(self, wildcards: Wildcards) -> str:
        experiment = self.trained[wildcards.experiment]
        sections = (experiment.task, experiment.model, experiment.augment)
        return _code("snaketorch.training.train", *sections, without=OF_THE_TEST)

    def evaluate_spec(self, wildcards: Wildcards) -> str:
        return _json(specs.EvaluateSpec, self._job(wildcards))

    def evaluate_code(self, wildcards: Wildcards) -> str:
        experiment = self.trained[wildcards.experiment]
        return _code("snaketorch.evaluation.evaluate", experiment.task, experiment.model)

    def summarise_spec(self, wildcards: Wildcards) -> str:
        name = wildcards.experiment
        values = {"study": self.study.config.study, "experiment": name, "config": self.study.experiments[name]}
        return _json(specs.SummariseSpec, values)

    def summarise_code(self, wildcards: Wildcards) -> str:
        return code_digest("snaketorch.report.summarise")

    def report_spec(self, wildcards: Wildcards) -> str:
        config = self.study.config
        values = {"study": config.study, "title": config.report.title or config.study, "experiments": self.experiments}
        return _json(specs.ReportSpec, values)

    def report_code(self, wildcards: Wildcards) -> str:
        page = {"modules": code_digest("snaketorch.report.study"), "templates": files_digest(ROOT / "report/templates")}
        return digest(page)

    def tracking_address(self, wildcards: Wildcards) -> str:
        """What the tracking store is made for; another study or another address makes it anew."""
        config = self.study.config
        return canonical_json({"study": config.study, **config.tracking.model_dump()})

    def manifest_of(self, wildcards: Wildcards) -> str:
        """The prepared dataset that an experiment reads."""
        return layout.MANIFEST.format(dataset=self.trained[wildcards.experiment].data)

    def train_models(self, wildcards: Wildcards) -> dict[str, str]:
        """The files of trained weights that a training starts from or uses, by what they are for."""
        model = self.trained[wildcards.experiment].model
        start = model.weights_file
        if model.upstream:
            start = self._model_of(model.upstream, int(wildcards.seed))
        return ({"pretrained": start} if start else {}) | self.evaluate_models(wildcards)

    def evaluate_models(self, wildcards: Wildcards) -> dict[str, str]:
        """The models of other experiments that the task uses, by what they are for.

        All seeds use the same ones: what is measured by different models has no mean.
        """
        needed = self.trained[wildcards.experiment].task.upstream
        return {need: self._model_of(name) for need, name in needed.items()}

    def train_uses(self, wildcards: Wildcards) -> list[str]:
        """``train_models`` as arguments of the step."""
        return _uses(self.train_models(wildcards))

    def evaluate_uses(self, wildcards: Wildcards) -> list[str]:
        """``evaluate_models`` as arguments of the step."""
        return _uses(self.evaluate_models(wildcards))

    def of_seeds(self, pattern: str) -> Any:
        """A function that gives the files ``pattern`` of all seeds of an experiment."""

        def files(wildcards: Wildcards) -> list[str]:
            seeds = self.trained[wildcards.experiment].seeds
            return [pattern.format(experiment=wildcards.experiment, seed=seed) for seed in seeds]

        return files

    def cpus(self, wildcards: Wildcards) -> int:
        return self._resources(wildcards).cpus

    def gpus(self, wildcards: Wildcards) -> int:
        return self._resources(wildcards).gpus

    def attempt(self, wildcards: Wildcards, attempt: int) -> int:
        """Which attempt at the job this is, from 1; the step is told, which knows why the last one failed."""
        return attempt

    def memory_mb(self, wildcards: Wildcards, attempt: int) -> int:
        """Host memory; a retry gets more, for the last attempt may have died of too little."""
        return round(self._resources(wildcards).memory_gb * 1024 * attempt)

    def runtime_minutes(self, wildcards: Wildcards, attempt: int) -> int:
        """Wall time; a retry gets more."""
        return max(1, round(self._resources(wildcards).hours * 60 * attempt))

    def checkpoint_epochs(self, wildcards: Wildcards) -> int:
        """Epochs from one checkpoint of a training to the next."""
        return self.trained[wildcards.experiment].checkpoint.every_n_epochs

    def checkpoint_seconds(self, wildcards: Wildcards) -> int:
        """Seconds from one checkpoint of a training to the next."""
        return max(1, round(60 * self.trained[wildcards.experiment].checkpoint.every_n_minutes))

    def files(self, *patterns: str) -> list[str]:
        """Every file that ``patterns`` of ``snaketorch.layout`` stand for in this study."""
        return [file for pattern in patterns for file in self._expand(pattern)]

    def _expand(self, pattern: str) -> Iterator[str]:
        if "{dataset}" in pattern:
            yield from (pattern.format(dataset=name) for name in self.datasets)
        elif "{seed}" in pattern:
            for name in self.experiments:
                for seed in self.study.experiments[name].seeds:
                    yield pattern.format(experiment=name, seed=seed)
        elif "{experiment}" in pattern:
            yield from (pattern.format(experiment=name) for name in self.experiments)
        else:
            yield pattern

    def _model_of(self, name: str, seed: int | None = None) -> str:
        """The model of an experiment: of ``seed`` where it has that, else of its first."""
        seeds = self.trained[name].seeds
        return layout.MODEL.format(experiment=name, seed=seed if seed in seeds else seeds[0])

    def _job(self, wildcards: Wildcards) -> dict[str, Any]:
        experiment = self.trained[wildcards.experiment]
        return {"experiment": wildcards.experiment, "seed": int(wildcards.seed), **dict(experiment)}

    def _resources(self, wildcards: Wildcards) -> Resources | PrepareResources:
        # only the preparation's files are of a dataset and of no experiment
        experiment = getattr(wildcards, "experiment", None)
        return (self.trained[experiment] if experiment else self.study.datasets[wildcards.dataset]).resources


def _uses(models: Mapping[str, str]) -> list[str]:
    return [word for need, path in models.items() for word in ("--uses", f"{need}={path}")]


def _json(spec: type[Section], values: dict[str, Any]) -> str:
    """Canonical JSON of the fields of ``spec``, which are a choice of ``values``."""
    chosen = {name: values[name] for name in spec.model_fields}
    return canonical_json(spec.model_construct(**chosen).model_dump(mode="json"))


def _code(step: str, *sections: Section | None, without: Collection[str] = (), also: Collection[str] = ()) -> str:
    """Digest of a step's modules, of those that ``sections`` and ``also`` name, and of what the sections say of them.

    The user's own modules, which a section names by ``class_path``, are among them.
    """
    there = [section for section in sections if section is not None]
    said = [
        {name: getattr(section, name) for name in sorted(type(section).__class_vars__) if name not in without}
        for section in there
    ]
    own = [module_digest(section.class_path, Path.cwd()) for section in there if hasattr(section, "class_path")]
    named = [value[key] for value in said for key in ("implementation", "evaluator") if key in value]
    parts = {"modules": code_digest(step, *named, *also), "sections": said}
    return digest({**parts, "own": own} if any(own) else parts)
