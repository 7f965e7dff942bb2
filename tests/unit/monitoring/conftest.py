from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.inference.bundles import CASES, Made
from tests.unit.monitoring.watching import watched


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Callable[[str], Made]:
    """The files of a case by its name, made once."""
    known: dict[str, Made] = {}

    def make(name: str) -> Made:
        if name not in known:
            known[name] = Made(tmp_path_factory.mktemp("monitored"), CASES[name])
        return known[name]

    return make


@pytest.fixture
def watch(tmp_path, monkeypatch) -> Callable[..., dict[str, Any]]:
    """Runs the step on a case's own source, or another one; gives the two documents and the page."""
    monkeypatch.chdir(tmp_path)

    def run(case: Made, source: dict | None = None, truth: bool = True, **options: Any) -> dict[str, Any]:
        return watched(tmp_path, case, source, truth, **options)

    return run
