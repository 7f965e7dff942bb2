"""What rules ask of the model registry."""

from snaketorch import layout
from snaketorch.config import specs
from snaketorch.dag.code import code_digest
from snaketorch.dag.questions.answers import spec_json, step_code
from snaketorch.dag.questions.base import Questions, Wildcards


class RegistryQuestions(Questions):
    """Of registration, and of what becomes of a model after it."""

    @property
    def registrations(self) -> list[str]:
        """What came of each experiment's gate into the model registry."""
        return [layout.REGISTRATION.format(experiment=name) for name in self.registered]

    def register_spec(self, wildcards: Wildcards) -> str:
        name = wildcards.experiment
        register = self.study.experiments[name].register
        values = {"study": self.study.config.study, "experiment": name, **dict(register), "name": register.name or name}
        return spec_json(specs.RegisterSpec, values)

    def register_code(self, wildcards: Wildcards) -> str:
        task, networks, _ = self.sections(wildcards.experiment)
        return step_code("snaketorch.registry.register", task, *networks)

    @property
    def settlements(self) -> list[str]:
        """What became of each model that is promoted on its own and watched."""
        chosen = {name: self.study.experiments[name] for name in self.registered}
        watched = [name for name, each in chosen.items() if each.register.auto_promote and each.monitor]
        return [layout.SETTLEMENT.format(experiment=name) for name in watched]

    def alerts_of(self, wildcards: Wildcards) -> list[str]:
        """Whether there is an alert, of every dataset that an experiment watches."""
        name = wildcards.experiment
        return [layout.ALERT.format(experiment=name, dataset=data) for data in self.trained[name].monitor.data]

    def settle_spec(self, wildcards: Wildcards) -> str:
        return spec_json(specs.SettleSpec, {"experiment": wildcards.experiment})

    def settle_code(self, wildcards: Wildcards) -> str:
        return code_digest("snaketorch.registry.automation")
