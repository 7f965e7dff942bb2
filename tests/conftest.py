import os
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent

# What continuous integration must run: there, a skip of one of these is a failure.
REQUIRED_IN_CI = ("workflow", "e2e", "browser")

os.environ.setdefault("SNAKETORCH_TRACKING", "off")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    required = any(item.get_closest_marker(name) for name in REQUIRED_IN_CI)
    if report.skipped and required and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which continuous integration forbids: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def repo() -> Path:
    return REPO
