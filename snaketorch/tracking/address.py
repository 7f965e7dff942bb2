"""Where runs are tracked, and how to speak of that place without giving away a password."""

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import unquote

LOCAL_STORE = Path("results/mlflow.db")
LOCAL_ARTIFACTS = Path("results/mlartifacts")

# a host with or without a port, then the path: nothing that could be a user or a password
_NO_CREDENTIALS = re.compile(r"(\[[0-9A-Fa-f:]*\]|[^/?#@:]*)(:\d+)?([/?#].*)?")
_SECRETS = (
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "DATABRICKS_TOKEN",
    "DATABRICKS_PASSWORD",
    "DATABRICKS_CLIENT_SECRET",
)


def tracking_uri() -> str:
    """The tracking address: from the environment, else the local store of this working directory."""
    uri = os.environ.get("MLFLOW_TRACKING_URI") or os.environ.get("SNAKETORCH_TRACKING_URI")
    if not uri:
        return f"sqlite:///{LOCAL_STORE.resolve()}"
    file = sqlite_file(uri)
    return uri if file is None else f"sqlite:///{file}"


def sqlite_file(uri: str) -> Path | None:
    """The absolute path of the file behind a ``sqlite:`` address; None for any other address."""
    return Path(uri.removeprefix("sqlite:///")).resolve() if uri.startswith("sqlite:///") else None


def split(uri: str) -> tuple[str, str]:
    """The address without its credentials, and the credentials as they are written there.

    A password with an unescaped ``/``, ``#`` or ``@`` is not taken for a part of the host or the path.
    """
    scheme, mark, rest = uri.partition("://")
    if not mark or scheme in ("sqlite", "file") or _NO_CREDENTIALS.fullmatch(rest):
        return uri, ""
    credentials, _, place = rest.rpartition("@")
    return f"{scheme}://{place}", credentials


def shown(uri: str) -> str:
    """The address for logs, records and files: no user, no password, no query."""
    return split(uri)[0].partition("?")[0]


def fingerprint(uri: str) -> str:
    """12 hexadecimal digits that stand for an address, whoever logs in there."""
    return hashlib.sha256(shown(uri).rstrip("/").encode()).hexdigest()[:12]


def scrub(text: str, uri: str) -> str:
    """``text`` with every secret of the address and of the environment made unreadable."""
    place, credentials = split(uri)
    user, _, password = credentials.partition(":")
    secret = password or user  # a user without a password is a token
    hidden = {credentials, secret, unquote(secret), place.partition("?")[2]}
    hidden |= {os.environ.get(name, "") for name in _SECRETS}
    text = text.replace(uri, shown(uri))
    for word in sorted(hidden - {""}, key=len, reverse=True):
        text = text.replace(word, "***")
    return text
