"""What ``constraints.txt`` installs has no hole that was known when this was written.

A table and no network; ``pip-audit --no-deps --disable-pip -r constraints.txt`` asks for the news.
"""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

REPO = Path(__file__).parents[2]

# The first version without the hole; critical and high ones of packages that touch bytes or requests from elsewhere.
REPAIRED = {
    "mlflow": ("3.17", "CVE-2026-96804 and earlier: bypasses of the switch against pickles; CVE-2025-11201"),
    "ray": ("2.52", "CVE-2023-48022, CVE-2025-62593: jobs from anybody; tokens since then"),
    "torch": ("2.6", "CVE-2025-32434: code in files read with weights_only"),
    "pillow": ("11.3", "CVE-2025-48379: overflow while encoding"),
    "pyarrow": ("17.0", "CVE-2023-47248: code in files"),
    "jinja2": ("3.1.6", "CVE-2025-27516: out of the sandbox"),
    "aiohttp": ("3.10.11", "CVE-2024-52304: smuggled requests"),
    "cryptography": ("44.0.1", "CVE-2024-12797: servers that are not who they say"),
    "flask": ("3.1.1", "CVE-2025-47278: keys in the wrong order"),
    "flask-cors": ("6.0", "CVE-2024-6839, -6844, -6866: paths matched wrongly"),
    "fonttools": ("4.60.2", "CVE-2025-66034: files written anywhere"),
    "gitpython": ("3.1.41", "CVE-2024-22190: programs found in the folder"),
    "gunicorn": ("23.0", "CVE-2024-1135, CVE-2024-6827: smuggled requests"),
    "h11": ("0.16", "CVE-2025-43859: smuggled requests"),
    "idna": ("3.7", "CVE-2024-3651: names that take for ever"),
    "protobuf": ("6.31.1", "CVE-2025-4565: recursion without end"),
    "requests": ("2.32.4", "CVE-2024-47081: logins sent elsewhere"),
    "sqlparse": ("0.5.0", "CVE-2024-4340: recursion without end"),
    "starlette": ("0.49.1", "CVE-2025-62727: ranges that take for ever"),
    "urllib3": ("2.6.0", "CVE-2025-66418, CVE-2025-66471: answers that unpack without end"),
    "werkzeug": ("3.0.6", "CVE-2024-49767: forms that fill the memory"),
}
TWICE = {"mlflow-skinny": "mlflow", "mlflow-tracing": "mlflow"}


def locked() -> dict[str, Version]:
    lines = [line.partition("#")[0].strip() for line in (REPO / "constraints.txt").read_text().splitlines()]
    found = {}
    for requirement in map(Requirement, filter(None, lines)):
        [specifier] = requirement.specifier
        assert specifier.operator == "==", f"{requirement} is not one version"
        found[re.sub(r"[-_.]+", "-", requirement.name).lower()] = Version(specifier.version)
    return found


@pytest.mark.parametrize("name", [*REPAIRED, *TWICE])
def test_no_package_is_locked_at_a_version_with_a_known_hole(name):
    versions = locked()
    assert name in versions, f"{name} is not installed any more; take it out of the table"
    since, why = REPAIRED[TWICE.get(name, name)]
    assert versions[name] >= Version(since), f"{name} before {since}: {why}"


def test_no_version_with_a_known_hole_is_allowed_of_what_reads_models():
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]
    allowed = {requirement.name: requirement.specifier for requirement in map(Requirement, project["dependencies"])}
    for name in ("mlflow", "torch"):
        [lowest] = [Version(bound.version) for bound in allowed[name] if bound.operator == ">="]
        assert lowest >= Version(REPAIRED[name][0])
