from collections.abc import Callable

import pytest

from tests.unit.inference.bundles import CASES, Made


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Callable[[str], Made]:
    """The files of a case by its name, made once."""
    known: dict[str, Made] = {}

    def make(name: str) -> Made:
        if name not in known:
            known[name] = Made(tmp_path_factory.mktemp("bundle"), CASES[name])
        return known[name]

    return make
