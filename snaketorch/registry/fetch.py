"""The bundle of a registered model, on this machine."""

import logging
import re
import tempfile
from pathlib import Path

from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion
from mlflow.utils.file_utils import local_file_uri_to_path

from snaketorch.errors import UserError
from snaketorch.inference.bundle import DESCRIPTION, bundle_sha256
from snaketorch.publish import whole_folder
from snaketorch.registry.aliases import Model
from snaketorch.registry.reach import registry

log = logging.getLogger(__name__)

FOLDER = Path("state/bundles")
"""What was fetched: a folder for each bundle, called by its digest."""
_OF_A_WORKSPACE = re.compile(r"(databricks(-uc)?|uc)(:|$)")
ADDRESS = re.compile(r"models:/(?P<name>[^/@]+)(?:/(?P<version>\d+)|@(?P<alias>[\w-]+))")


def fetch_bundle(address: str, folder: Path = FOLDER) -> Path:
    """The folder of the bundle that ``models:/NAME/VERSION`` or ``models:/NAME@ALIAS`` stands for now.

    The registry is asked each time, for an alias moves; files are fetched once.

    Raises:
        UserError: There is no such model, or what is stored there is not what was registered.
    """
    found = ADDRESS.fullmatch(address)
    if found is None:
        raise UserError(
            f"--model: {address} is neither the folder of a bundle nor the address of a registered model; allowed: "
            "models:/NAME@champion, models:/NAME/3, or a folder that holds bundle.json"
        )
    with registry() as (client, place):
        model = Model(client, found["name"], place)
        version = model.version(found["version"] or _behind(model, found["alias"]))
        told = version.tags.get("snaketorch.bundle_sha256")
        if told is None:
            raise UserError(f"{address}: version {version.version} was not registered by Snaketorch: it has no bundle")
        bundle = folder / told[:32]
        if not (bundle / DESCRIPTION).is_file() or bundle_sha256(bundle) != told:
            log.info("fetching %s, version %s, from %s", found["name"], version.version, place)
            _fetch(model, version, bundle, told)
    log.info("%s is version %s of %s", address, version.version, found["name"])
    return bundle


def _behind(model: Model, alias: str) -> str:
    """The version that has an alias, one of ours or any other."""
    found = model.client.get_registered_model(model.name).aliases if model.exists else {}
    if model.exists and alias not in found:
        raise UserError(
            f"no version of '{model.name}' is called {alias}; allowed: {', '.join(sorted(found)) or 'a version number'}"
        )
    return str(found.get(alias, "1"))


def _address_of_files(model: Model, version: ModelVersion) -> str:
    """Where its files are.

    MLflow would look for ``models:/`` in the store of the process, whatever addresses it is given; only Unity Catalog
    has no other address.
    """
    registered = f"models:/{version.name}/{version.version}"
    if _OF_A_WORKSPACE.match(model.registry):
        return registered
    address = model.client.get_model_version_download_uri(version.name, str(version.version))
    if address.startswith("models:/m-"):
        return model.client.get_logged_model(address.removeprefix("models:/")).artifact_location
    return address


def _fetch(model: Model, version: ModelVersion, bundle: Path, told: str) -> None:
    address = _address_of_files(model, version)
    if address.startswith("file:") and not (folder := Path(local_file_uri_to_path(address))).is_dir():
        raise UserError(
            f"version {version.version} of '{version.name}' is registered with files in {folder}, and there is no such "
            "folder: it was deleted, or moved; MLflow keeps the place where it was"
        )
    with tempfile.TemporaryDirectory() as scratch:
        place = download_artifacts(
            f"{address}/artifacts",
            dst_path=scratch,
            tracking_uri=model.client.tracking_uri,
            registry_uri=model.client._registry_uri,
        )
        found = sorted(Path(place).rglob(DESCRIPTION))
        if not found:
            raise UserError(f"version {version.version} of '{version.name}' holds no bundle of Snaketorch")
        with whole_folder(bundle) as temporary:
            for file in sorted(found[0].parent.rglob("*")):
                if file.is_file():
                    target = temporary / file.relative_to(found[0].parent)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(file.read_bytes())
            if bundle_sha256(temporary) != told:
                raise UserError(
                    f"version {version.version} of '{version.name}' is not the bundle that was registered (SHA-256): "
                    "its files were changed in the store, and it must not be used"
                )
