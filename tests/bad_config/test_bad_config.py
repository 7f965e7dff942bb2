from collections import Counter
from functools import reduce
from pathlib import Path

import pytest
from bad_config_cases import CASES, Case, materialise
from ordinary_user import ordinary_user

from snaketorch.config.load import load_study
from snaketorch.config.problems import ConfigError

BAD = [case for case in CASES if case.lines]
GOOD = [case for case in CASES if not case.lines]


def test_every_case_has_a_name_of_its_own():
    assert [name for name, count in Counter(map(str, CASES)).items() if count > 1] == []


def test_the_corpus_is_large():
    assert len(BAD) >= 60
    assert [case.name for case in GOOD if case.file != "good"] == [], "a bad case says nothing"


@pytest.mark.parametrize("case", BAD, ids=str)
def test_a_bad_configuration_is_refused_with_all_its_problems_and_no_others(case: Case, tmp_path: Path):
    lines, overrides = materialise(case, tmp_path)

    with ordinary_user(), pytest.raises(ConfigError) as error:
        load_study(tmp_path, overrides)

    assert [str(problem) for problem in error.value.problems] == lines
    heading, *shown = str(error.value).splitlines()
    assert heading.startswith("The configuration has ")
    assert shown == [f"  {line}" for line in lines], "each problem is one line, whatever stood in the file"


def test_a_problem_says_where_it_is_and_what_is_allowed():
    lines = [line for case in BAD for line in case.lines]

    assert [line for line in lines if not line.startswith(("config/", "--config: "))] == []
    assert [line for line in lines if "allowed: " not in line and "cannot be read: " not in line] == []


@pytest.mark.parametrize("case", GOOD, ids=str)
def test_a_good_configuration_is_read_as_it_was_meant(case: Case, tmp_path: Path):
    _, overrides = materialise(case, tmp_path)

    study = load_study(tmp_path, overrides)

    for path, value in case.gives.items():
        found = reduce(_inside, path.split("."), study)
        assert (list(found) if isinstance(found, dict) else found) == value, path
        assert type(found) in (type(value), dict)


def _inside(section, key):
    return section[key] if isinstance(section, dict) else getattr(section, key)
