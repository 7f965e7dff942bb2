"""What rules ask of summaries, the report and the tracking store."""

from pathlib import Path

from snaketorch import layout
from snaketorch.config import specs
from snaketorch.dag.code import ROOT, code_digest, files_digest
from snaketorch.dag.questions.answers import spec_json
from snaketorch.dag.questions.base import Questions, Wildcards
from snaketorch.provenance import canonical_json, digest, file_sha256


class ReportQuestions(Questions):
    """Of what tells about the whole study."""

    def summarise_spec(self, wildcards: Wildcards) -> str:
        name = wildcards.experiment
        values = {"study": self.study.config.study, "experiment": name}
        values["config"] = self.study.experiments[name].until_summary
        return spec_json(specs.SummariseSpec, values)

    def summarise_code(self, wildcards: Wildcards) -> str:
        return code_digest("snaketorch.report.summarise")

    def report_spec(self, wildcards: Wildcards) -> str:
        config = self.study.config
        values = {"study": config.study, "title": config.report.title or config.study, "experiments": self.experiments}
        families = {"siblings": self.study.siblings, "matrices": self.study.matrices}
        chosen = {"registered": self.registered, "planned": self.planned, "compared": self._compared}
        return spec_json(specs.ReportSpec, values | families | chosen)

    @property
    def _compared(self) -> dict[str, str]:
        """No input of the page: nobody waits for these plans, so nothing makes them anew."""
        files = {name: Path(layout.PLAN.format(experiment=name)) for name in self.experiments}
        return {name: file_sha256(file) for name, file in files.items() if name not in self.planned and file.is_file()}

    def report_code(self, wildcards: Wildcards) -> str:
        page = {"modules": code_digest("snaketorch.report.study"), "templates": files_digest(ROOT / "report/templates")}
        return digest(page)

    def tracking_address(self, wildcards: Wildcards) -> str:
        """What the tracking store is made for; another study or another address makes it anew."""
        config = self.study.config
        return canonical_json({"study": config.study, **config.tracking.model_dump()})
