"""A fabricated study, made once and copied for every test, which works in its folder."""

import shutil

import fabricated_study
import pytest


@pytest.fixture(scope="session")
def pristine(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    return root, fabricated_study.fabricate(root)


@pytest.fixture
def page_spec(pristine, tmp_path, monkeypatch):
    """The spec of the study page; the working directory has all that it tells of."""
    root, spec = pristine
    shutil.copytree(root, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("report.html"))
    monkeypatch.chdir(tmp_path)
    return spec
