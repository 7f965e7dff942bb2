"""`config/config.yaml`: what is true of the whole study."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from snaketorch.config.base import Name, Section, Text


class Tracking(Section):
    """Where runs are remembered. `MLFLOW_TRACKING_URI` in the environment goes first."""

    uri: Annotated[str, Field(min_length=1)] | None = None
    """Address of an MLflow tracking server; the local store `results/mlflow.db` when absent."""
    enabled: bool = True
    """`false`: local files only; `snaketorch sync` can send them later."""

    @field_validator("uri")
    @classmethod
    def _no_secrets(cls, uri: str | None) -> str | None:
        try:
            scheme = urlsplit(uri or "").scheme
        except ValueError:
            raise ValueError("is no address; allowed: one such as https://mlflow.example.org") from None
        # a token may stand alone before the "@", a password may hold any character
        if uri and scheme not in ("sqlite", "file") and ("@" in uri or "?" in uri):
            raise ValueError(
                "holds a login or a query; allowed: none here, and MLFLOW_TRACKING_USERNAME and "
                "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_URI, in the environment"
            )
        return uri


class Report(Section):
    """How the study page presents itself."""

    title: Text | None = None
    """Heading of the page; the study's name when absent."""


class StudyConfig(Section):
    """The study: `config/config.yaml`."""

    study: Name
    """Name of the study; also the MLflow experiment."""
    run: list[str] = Field(["*"], min_length=1)
    """Experiments to run, by name; `*` and `?` stand for any characters."""
    tracking: Tracking = Tracking()
    """Where runs are remembered."""
    report: Report = Report()
    """How results are shown."""
