"""The configuration of the study here, and the tracking server that it names."""

import os
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from snaketorch.config.load import Study, load_study
from snaketorch.config.problems import ConfigError
from snaketorch.dag.environment import variables
from snaketorch.doctor.finding import Finding, fail, ok, warn
from snaketorch.doctor.folder import is_network
from snaketorch.state.mounts import mount_of
from snaketorch.tracking.address import shown, sqlite_file, tracking_uri

SECONDS = 10
NOTHING_LOST = "trainings go on without it, and `python -m snaketorch sync` sends everything later"


def look_at_study(folder: Path) -> Iterator[Finding]:
    """Findings about the configuration in ``folder``, and about where its runs are tracked."""
    study = None
    if not (folder / "config").is_dir():
        yield ok("configuration", f"none in {folder}; a study has a folder config/")
    else:
        try:
            study = load_study(folder)
        except ConfigError as error:
            problems = str(error).splitlines()
            yield fail("configuration", problems[0], "`snakemake -n` lists them")
        else:
            yield ok(
                "configuration", f"valid; experiments: {len(study.experiments)}, datasets: {len(study.used_datasets)}"
            )
    yield _tracking(study)


def _tracking(study: Study | None) -> Finding:
    about = "MLflow"
    if study is not None:
        if not study.config.tracking.enabled:
            return ok(about, "tracking is switched off (`tracking.enabled`)")
        os.environ |= variables(study.config)
    uri = tracking_uri()
    if find_spec("mlflow") is None:
        return warn(about, "not installed here", f"{NOTHING_LOST}, from where it is installed")
    if (file := sqlite_file(uri)) is not None:
        kind = mount_of(file).kind
        return ok(about, f"a local store, {file}" + (f" on {kind}, see SQLite" if is_network(kind) else ""))
    if not uri.startswith(("http://", "https://")):
        return ok(about, f"{shown(uri)}; not asked")
    return _server(uri)


def _server(uri: str) -> Finding:
    place = shown(uri)
    try:
        with urllib.request.urlopen(f"{place.rstrip('/')}/health", timeout=SECONDS):
            return ok("MLflow", f"{place} answers")
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            return ok("MLflow", f"{place} answers, and asks who you are (MLFLOW_TRACKING_USERNAME, ..._TOKEN)")
        why = f"answers with {error.code} {error.reason}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        why = f"cannot be reached: {'no answer in time' if isinstance(reason, socket.timeout) else reason}"
    return warn("MLflow", f"{place} {why}", f"is the address right, is a server there? {NOTHING_LOST}")
