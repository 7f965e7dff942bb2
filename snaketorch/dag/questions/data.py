"""What rules ask of datasets: their preparation and the picture of their augmentation."""

from pathlib import Path

from snaketorch import layout
from snaketorch.config import specs
from snaketorch.config.contents import CONTENTS
from snaketorch.dag.questions.answers import spec_json, step_code
from snaketorch.dag.questions.base import Questions, Wildcards
from snaketorch.dag.source_files import source_digest


class DataQuestions(Questions):
    """Of the preparation of datasets."""

    def prepare_spec(self, wildcards: Wildcards) -> str:
        dataset = self.study.datasets[wildcards.dataset]
        return spec_json(specs.PrepareSpec, {"dataset": wildcards.dataset, **dict(dataset)})

    def prepare_code(self, wildcards: Wildcards) -> str:
        dataset = self.study.datasets[wildcards.dataset]
        preparer = CONTENTS[dataset.source.provides].prepared_by
        return step_code("snaketorch.data.prepare", dataset.source, dataset.prepare.augment, also=(preparer,))

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
        return spec_json(specs.AugmentationSpec, values)

    def augmentation_code(self, wildcards: Wildcards) -> str:
        return step_code("snaketorch.data.augmentation_picture", self.trained[wildcards.experiment].augment)

    def manifest_of(self, wildcards: Wildcards) -> str:
        """The prepared dataset that an experiment reads."""
        return layout.MANIFEST.format(dataset=self.trained[wildcards.experiment].data)
