"""What rules ask of a trained model in use: what travels of it, its predictions, and the watch over them."""

from pathlib import Path

from snaketorch import layout
from snaketorch.config import specs
from snaketorch.dag.code import ROOT, files_digest
from snaketorch.dag.questions.answers import spec_json, step_code
from snaketorch.dag.questions.base import Questions, Wildcards
from snaketorch.dag.source_files import source_digest
from snaketorch.provenance import digest


class PredictionQuestions(Questions):
    """Of bundles, predictions and monitoring."""

    @property
    def bundles(self) -> list[str]:
        """What travels of each experiment whose model is used outside of it."""
        chosen = {name: self.study.experiments[name] for name in self.experiments}
        used = [name for name, experiment in chosen.items() if experiment.predict or experiment.register]
        return [layout.BUNDLE.format(experiment=name) for name in used]

    def bundle_spec(self, wildcards: Wildcards) -> str:
        name = wildcards.experiment
        experiment = self.trained[name]
        seed = experiment.register.seed if experiment.register else None
        return spec_json(specs.BundleSpec, {"experiment": name, "data": experiment.data, "seed": seed})

    def bundle_code(self, wildcards: Wildcards) -> str:
        task, networks, _ = self.sections(wildcards.experiment)
        return step_code("snaketorch.inference.choice", task, *networks)

    @property
    def predictions(self) -> list[str]:
        """Every output of the predictions of datasets."""
        asked = {name: self.study.experiments[name].predict for name in self.experiments}
        return [
            pattern.format(experiment=name, dataset=dataset)
            for name, predict in asked.items()
            for dataset in (predict.data if predict else ())
            for pattern in layout.OF_A_PREDICTION
        ]

    def predict_spec(self, wildcards: Wildcards) -> str:
        experiment = self.trained[wildcards.experiment]
        source = self.study.datasets[wildcards.dataset].source
        values = {"experiment": wildcards.experiment, "dataset": wildcards.dataset, "source": source}
        is_watched = experiment.monitor is not None and wildcards.dataset in experiment.monitor.data
        return spec_json(
            specs.PredictSpec, {**values, "predict": experiment.predict.predictions, "is_watched": is_watched}
        )

    def predict_code(self, wildcards: Wildcards) -> str:
        task, networks, _ = self.sections(wildcards.experiment)
        return step_code(
            "snaketorch.inference.batch.dataset", task, *networks, self.study.datasets[wildcards.dataset].source
        )

    def predict_source(self, wildcards: Wildcards) -> str:
        """As ``source_digest``, for who is predicted and need not be prepared."""
        name = wildcards.dataset
        record = layout.PREDICTED_RECORD.format(experiment=wildcards.experiment, dataset=name)
        if record not in self._source_digests:
            self._source_digests[record] = source_digest(Path.cwd(), name, self.study.datasets[name], record)
        return self._source_digests[record]

    @property
    def monitorings(self) -> list[str]:
        """Every output of the comparisons of datasets with the training data."""
        asked = {name: self.study.experiments[name].monitor for name in self.experiments}
        return [
            pattern.format(experiment=name, dataset=dataset)
            for name, monitor in asked.items()
            for dataset in (monitor.data if monitor else ())
            for pattern in layout.OF_A_MONITORING
        ]

    def monitor_spec(self, wildcards: Wildcards) -> str:
        name, source = wildcards.experiment, self.study.datasets[wildcards.dataset].source
        experiment = self.trained[name]
        watched = {"experiment": name, "dataset": wildcards.dataset, "source": source}
        watched["max_bad_share"] = experiment.predict.most_bad
        return spec_json(specs.MonitorSpec, {**dict(experiment.monitor), **watched})

    def monitor_code(self, wildcards: Wildcards) -> str:
        task, networks, _ = self.sections(wildcards.experiment)
        source = self.study.datasets[wildcards.dataset].source
        modules = step_code("snaketorch.monitoring.monitor", task, *networks, source)
        templates = [files_digest(ROOT / f"{part}/templates") for part in ("monitoring", "report")]
        return digest({"modules": modules, "templates": templates})
