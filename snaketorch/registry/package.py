"""A bundle as a version of a registered MLflow model."""

import json
import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus
from mlflow.environment_variables import MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR, MLFLOW_UV_AUTO_DETECT
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.model import MLMODEL_FILE_NAME
from mlflow.pyfunc import FLAVOR_NAME, MODEL_CODE_PATH, save_model
from mlflow.store.db.db_types import DATABASE_ENGINES
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

from snaketorch.inference.bundle import CODE, DESCRIPTION, bundle_sha256, load_bundle
from snaketorch.inference.predictor import Predictor
from snaketorch.registry.aliases import versions_of
from snaketorch.registry.proof import prove
from snaketorch.registry.requirements import direct, indirect
from snaketorch.registry.signature import signature_of

log = logging.getLogger(__name__)

BUNDLE_SHA256 = "snaketorch.bundle_sha256"
MODEL_ID = "snaketorch.model_id"
"""Tag of a version: the logged model that it is; a database keeps no other note of it."""
PACKAGE = Path(__file__).parents[1]
SERVED_MODEL = Path(__file__).with_name("served_model.py")
_OFF = (MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR, MLFLOW_UV_AUTO_DETECT)
_THERE_ALREADY = {"RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"}


@dataclass(frozen=True)
class Registered:
    """A version of a registered model."""

    name: str
    version: str
    model_id: str

    @property
    def uri(self) -> str:
        """By which MLflow finds it."""
        return f"models:/{self.name}/{self.version}"


def log_candidate(
    client: MlflowClient, run_id: str, bundle: Path, name: str, tags: Mapping[str, str] | None = None
) -> Registered:
    """The version of the registered model ``name`` that holds ``bundle``; made now unless there is one.

    A call that was cut short is finished by the next: what is there already is recognised by the tag
    ``snaketorch.bundle_sha256``, and only what is whole is ever registered.

    Args:
        client: Where.
        run_id: The run that trained the model.
        bundle: The folder, see ``snaketorch.inference.bundle``.
        name: Of the registered model, which is created where it is missing.
        tags: For the version, beside the bundle's lineage.

    Raises:
        UserError: The bundle is damaged, or the packed model does not predict what the bundle does.
    """
    sha256 = bundle_sha256(bundle)
    lineage = json.loads((bundle / DESCRIPTION).read_text("utf-8"))["lineage"]
    tags = {
        **{f"snaketorch.{key}": str(value) for key, value in lineage.items()},
        **(tags or {}),
        BUNDLE_SHA256: sha256,
    }
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code not in _THERE_ALREADY:
            raise
    for version in versions_of(client, name):
        if version.tags.get(BUNDLE_SHA256) == sha256:
            return Registered(name, str(version.version), version.tags[MODEL_ID])
    model = _logged(client, run_id, name, sha256) or _log(client, run_id, bundle, name, tags)
    # MLflow would look for models:/ID in the store of the process, which a database need not be
    is_database = client.tracking_uri.startswith(tuple(DATABASE_ENGINES))
    source = model.artifact_location if is_database else model.model_uri
    own = {**tags, MODEL_ID: model.model_id}
    version = client.create_model_version(name, source, run_id, own, model_id=model.model_id)
    versions = [{"name": name, "version": version.version}]
    client.set_logged_model_tags(model.model_id, {MLFLOW_MODEL_VERSIONS: json.dumps(versions)})
    log.info("%s is version %s of the registered model %s", bundle, version.version, name)
    return Registered(name, str(version.version), model.model_id)


def save(bundle: Path, folder: Path, model: Model) -> Predictor:
    """Writes ``bundle`` into the new ``folder`` as an MLflow model that is served without this package installed.

    Args:
        bundle: To pack.
        folder: To write: the bundle, a copy of this package, exact requirements, and MLflow's ``MLmodel``.
        model: What MLflow is to know of it; filled in.

    Raises:
        UserError: The bundle is damaged.
    """
    predictor = load_bundle(bundle)
    network = json.loads((bundle / DESCRIPTION).read_text("utf-8"))["model"]
    requirements = direct(predictor.kind, network.get("class_path"), bundle / CODE)
    example = predictor.example
    with tempfile.TemporaryDirectory() as scratch, _quietly():
        constraints = Path(scratch, "constraints.txt")
        constraints.write_text("\n".join(indirect(requirements)) + "\n", "utf-8")
        save_model(
            folder,
            mlflow_model=model,
            python_model=str(SERVED_MODEL),
            artifacts={"bundle": str(bundle)},
            code_paths=[str(PACKAGE)],
            signature=signature_of(predictor),
            input_example=(example, predictor.example_parameters) if predictor.example_parameters else example,
            pip_requirements=[*requirements, f"-c {constraints}"],
            metadata={"snaketorch": dict(predictor.lineage)},
        )
    _forget_paths(model)
    model.save(str(folder / MLMODEL_FILE_NAME))
    return predictor


def _log(client: MlflowClient, run_id: str, bundle: Path, name: str, tags: Mapping[str, str]) -> LoggedModel:
    """The bundle as a logged model of the run."""
    experiment = client.get_run(run_id).info.experiment_id
    logged = client.create_logged_model(experiment, _short(name), run_id, dict(tags), model_type="pyfunc")
    try:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch, "model")
            model = Model(
                artifact_path=logged.artifact_location,
                model_uuid=logged.model_id,
                run_id=run_id,
                model_id=logged.model_id,
            )
            predictor = save(bundle, folder, model)
            prove(folder, predictor.predict(predictor.example, parameters=predictor.example_parameters))
            client.log_model_artifacts(logged.model_id, str(folder))
    except BaseException:
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.FAILED)
        raise
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)


def _logged(client: MlflowClient, run_id: str, name: str, sha256: str) -> LoggedModel | None:
    """The run's logged model of this bundle, which an earlier call finished and did not register."""
    experiment = client.get_run(run_id).info.experiment_id
    found = client.search_logged_models([experiment], f"tags.`{BUNDLE_SHA256}` = '{sha256}'")
    whole = [model for model in found if model.status == LoggedModelStatus.READY]
    return next((model for model in whole if model.source_run_id == run_id and model.name == _short(name)), None)


def _short(name: str) -> str:
    """The last part of a name in Unity Catalog: a logged model's name may have no dots."""
    return name.rpartition(".")[2]


def _forget_paths(model: Model) -> None:
    """Takes the paths of this machine out of what MLflow writes: it finds the files without them."""
    flavor = model.flavors[FLAVOR_NAME]
    flavor[MODEL_CODE_PATH] = Path(flavor[MODEL_CODE_PATH]).name
    for artifact in flavor["artifacts"].values():
        artifact["uri"] = Path(artifact["path"]).name


@contextmanager
def _quietly() -> Iterator[None]:
    """Keeps MLflow from drawing progress, and from taking the requirements of a project in the working directory."""
    before = {variable: variable.get_raw() for variable in _OFF}
    for variable in _OFF:
        variable.set(False)
    try:
        yield
    finally:
        for variable, value in before.items():
            if value is None:
                variable.unset()
            else:
                variable.set(value)
