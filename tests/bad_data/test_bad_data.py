import json
import resource
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest
from bad_data_cases import CASES, Case, build, spoil
from bad_data_good import GOOD
from bad_data_step import RESULTS, files, load, message, prepare

from snaketorch.config.sources import Source

BAD = [case for case in CASES if not case.skips]
SKIPPING = [case for case in CASES if case.skips]


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """What an earlier preparation left in a study's folder; one for all, for drawing previews takes long."""
    import torchvision.datasets  # noqa: F401 - at its first import it leaves a folder with temporary files

    folder = tmp_path_factory.mktemp("earlier")
    status, lines = prepare(build("my_class", folder), folder)
    assert status == 0, lines
    return folder / "results"


@pytest.fixture
def study(earlier, tmp_path):
    shutil.copytree(earlier, tmp_path / "study/results")
    return tmp_path / "study"


def spoiled(case: Case, study: Path) -> dict[str, Any]:
    """Spoils data in ``study``; the content of its dataset file."""
    if case.of == "clips":
        pytest.importorskip("av")
    return spoil(case, build(case.of, study), study)


def test_every_case_has_a_name_of_its_own():
    assert [name for name, count in Counter(map(str, CASES)).items() if count > 1] == []


def test_every_case_says_what_must_come_of_it():
    assert [str(case) for case in CASES if not case.says and not case.skips] == []
    assert [str(case) for case in CASES if case.says and "\n" in case.says] == [], "a message is one line"


def test_the_corpus_is_large():
    assert len(CASES) >= 150
    assert {case.of for case in CASES} == set(GOOD)


def test_what_is_spoiled_is_good_before_and_of_every_kind_of_source(tmp_path):
    found = set()
    for name in GOOD:
        dataset = build(name, tmp_path / name)
        load(dataset, tmp_path / name)
        found.add(dataset["source"]["kind"])
    kinds = {get_args(section.model_fields["kind"].annotation)[0] for section in get_args(get_args(Source)[0])}
    assert found == kinds


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_data_is_refused_in_one_line_and_nothing_is_lost(case: Case, study):
    dataset = spoiled(case, study)
    before = files(study)
    assert f"{RESULTS}/manifest.json" in before

    status, lines = prepare(dataset, study)

    assert message(lines, study) == case.says
    assert status == 1
    assert not any("Traceback" in line for line in lines)
    assert files(study) == before, "the earlier result and the data are as they were, and no other file is left"


@pytest.mark.parametrize("case", SKIPPING, ids=str)
def test_bad_samples_are_left_out_and_listed(case: Case, study):
    dataset = spoiled(case, study)
    before = {name: content for name, content in files(study).items() if not name.startswith("results/")}

    status, lines = prepare(dataset, study)

    assert status == 0, lines
    manifest = json.loads((study / RESULTS / "manifest.json").read_text("utf-8"))
    assert manifest["report"]["skipped"] == case.skips
    assert sum(split["count"] for split in manifest["splits"].values()) == case.steps["kept"]
    assert all(any(skipped["sample"] in line for line in lines) for skipped in case.skips), "the log names them too"
    after = files(study)
    assert {name: content for name, content in after.items() if not name.startswith("results/")} == before
    listed = [file for split in manifest["splits"].values() for file in split["arrays"].values()]
    listed += manifest.get("files", {}).values()
    written = {name for name, content in after.items() if name.startswith("results/") and content is not None}
    assert written == {
        f"{RESULTS}/{name}" for name in ("manifest.json", "preview.png", *(one["file"] for one in listed))
    }


def test_what_is_mended_is_prepared(study):
    case = next(case for case in BAD if case.of == "table")
    assert prepare(spoiled(case, study), study)[0] == 1
    good = build("table", study)

    assert prepare(good, study)[0] == 0

    manifest = json.loads((study / RESULTS / "manifest.json").read_text("utf-8"))
    assert manifest["spec"]["source"]["kind"] == "table"
    assert not manifest["report"]["skipped"]


def test_when_the_disk_is_full_nothing_is_lost(study):
    dataset = build("pictures", study)
    before, limits = files(study), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))  # bytes of a file; to write more fails
    try:
        status, lines = prepare(dataset, study)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert status == 1
    assert any("Error: " in line and "File too large" in line for line in lines), lines
    assert files(study) == before
