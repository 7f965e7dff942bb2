"""What is different where Databricks tracks runs and keeps models."""

import os
from urllib.parse import urlsplit

from snaketorch.errors import UserError

FOLDER = "SNAKETORCH_DATABRICKS_FOLDER"
"""Names the environment variable with the workspace folder of the studies; by default one's own."""
_UNITY_CATALOG = "databricks-uc"


def is_databricks(uri: str) -> bool:
    """Whether ``uri`` is a workspace: ``databricks``, ``databricks://PROFILE``, ``databricks://SCOPE:PREFIX``."""
    return uri == "databricks" or uri.startswith("databricks://")


def experiment_name(uri: str, study: str) -> str:
    """The name of the study's MLflow experiment at ``uri``.

    In a workspace an experiment is a node of its tree, so the name is an absolute path:
    ``/Users/anna@example.org/digits``.

    Raises:
        UserError: the folder in the environment is none, or the workspace does not say who is asking.
    """
    if not is_databricks(uri):
        return study
    folder = os.environ.get(FOLDER, "").rstrip("/") or f"/Users/{_user(uri)}"
    if not folder.startswith(("/Users/", "/Shared", "/Workspace/", "/Repos/")) or "//" in folder or "/.." in folder:
        raise UserError(
            f"{FOLDER}={folder} is no folder of a Databricks workspace; "
            "allowed: an absolute one, such as /Users/anna@example.org or /Shared/vision"
        )
    return f"{folder}/{study}"


def registry_uri(uri: str) -> str:
    """Where models are registered whose runs are tracked at ``uri``: as MLflow decides it, and made visible.

    ``MLFLOW_REGISTRY_URI`` goes first; a workspace registers in its Unity Catalog; else it is one place.
    """
    chosen = os.environ.get("MLFLOW_REGISTRY_URI")
    if chosen or not is_databricks(uri):
        return chosen or uri
    return f"{_UNITY_CATALOG}{uri.removeprefix('databricks')}"


def check_model_name(name: str, registry: str) -> None:
    """Refuses a model's name that the registry at ``registry`` cannot have.

    Raises:
        UserError: Unity Catalog wants ``catalog.schema.model``.
    """
    if _UNITY_CATALOG not in (registry, urlsplit(registry).scheme):
        return
    parts = name.split(".")
    if len(parts) != 3 or not all(part and not set(part) & set(" /") for part in parts):
        raise UserError(
            f"the registered model {name!r} cannot be in Unity Catalog; "
            "allowed: three parts, CATALOG.SCHEMA.MODEL, such as main.vision.digits_cnn (`register.name`)"
        )


def _user(uri: str) -> str:
    """Who is asking, as the workspace names their folder."""
    from mlflow.utils.databricks_utils import get_databricks_host_creds
    from mlflow.utils.rest_utils import http_request, verify_rest_response

    endpoint = "/api/2.0/preview/scim/v2/Me"
    answer = http_request(get_databricks_host_creds(uri), endpoint, "GET")
    return str(verify_rest_response(answer, endpoint).json()["userName"])
