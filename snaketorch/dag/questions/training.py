"""What rules ask of trainings and of the tests of what they trained."""

from snaketorch.config import specs
from snaketorch.dag.questions.answers import OF_THE_TEST, as_arguments, spec_json, step_code
from snaketorch.dag.questions.base import Questions, Wildcards


class TrainingQuestions(Questions):
    """Of trainings and tests."""

    def train_spec(self, wildcards: Wildcards) -> str:
        job = self.job(wildcards)
        return spec_json(specs.TrainSpec, {**job, "task": job["task"].for_training})

    def train_code(self, wildcards: Wildcards) -> str:
        task, networks, augments = self.sections(wildcards.experiment)
        return step_code("snaketorch.training.train", task, *networks, *augments, without=OF_THE_TEST)

    def train_models(self, wildcards: Wildcards) -> dict[str, str]:
        """The files of trained weights that a training starts from or uses, by what they are for."""
        return self.models(wildcards.experiment, int(wildcards.seed))

    def train_uses(self, wildcards: Wildcards) -> list[str]:
        """``train_models`` as arguments of the step."""
        return as_arguments(self.train_models(wildcards))

    def checkpoint_epochs(self, wildcards: Wildcards) -> int:
        """Epochs from one checkpoint of a training to the next."""
        return self.trained[wildcards.experiment].checkpoint.every_n_epochs

    def checkpoint_seconds(self, wildcards: Wildcards) -> int:
        """Seconds from one checkpoint of a training to the next."""
        return max(1, round(60 * self.trained[wildcards.experiment].checkpoint.every_n_minutes))

    def evaluate_spec(self, wildcards: Wildcards) -> str:
        return spec_json(specs.EvaluateSpec, self.job(wildcards))

    def evaluate_code(self, wildcards: Wildcards) -> str:
        task, networks, _ = self.sections(wildcards.experiment)
        return step_code("snaketorch.evaluation.evaluate", task, *networks)

    def evaluate_models(self, wildcards: Wildcards) -> dict[str, str]:
        """The models of other experiments that the task uses, by what they are for.

        All seeds use the same ones: what is measured by different models has no mean.
        """
        return self.models_of_task(wildcards.experiment)

    def evaluate_uses(self, wildcards: Wildcards) -> list[str]:
        """``evaluate_models`` as arguments of the step."""
        return as_arguments(self.evaluate_models(wildcards))
