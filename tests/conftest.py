import gc
import os
import signal
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent

# What continuous integration must run: there, a skip of one of these is a failure.
REQUIRED_IN_CI = ("workflow", "e2e", "tracking", "sweeps", "cluster", "environments", "browser")

os.environ.setdefault("SNAKETORCH_TRACKING", "off")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

# Under `nohup`, and in the background of a script, these two are ignored, by the processes of the tests too.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

# Lightning looks for plug-ins among all installed packages at each training, and a record tells their versions: of a
# small training that is a twentieth.
metadata.entry_points, metadata.version = cache(metadata.entry_points), cache(metadata.version)

gc.disable()


def pytest_collection_finish():
    """What was imported until now stays: no collection of garbage needs to look through it again."""
    gc.freeze()
    gc.enable()


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
