"""The corpus of bad configurations, through Snakemake itself.

Every third case and at least one of each file, to be quick; all with SNAKETORCH_ALL_CASES=1. That each
case is refused with its own words and no others is tested in tests/bad_config, without Snakemake. Files
that may not be read are tested only there: root, who runs Snakemake in many a container, reads them.
"""

import os
from pathlib import Path

import pytest
from bad_config_cases import CASES, Case, materialise

pytestmark = pytest.mark.workflow

BAD = [case for case in CASES if case.lines and "unreadable" not in case.steps]
FIRST = {case.file: case for case in reversed(BAD)}
CHOSEN = (
    BAD
    if os.environ.get("SNAKETORCH_ALL_CASES")
    else [c for i, c in enumerate(BAD) if i % 3 == 0 or FIRST[c.file] is c]
)


@pytest.mark.parametrize("case", CHOSEN, ids=str)
def test_a_bad_configuration_stops_snakemake_before_any_job(case: Case, tmp_path: Path, snakemake, repository):
    lines, _ = materialise(case, tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    outcome = snakemake.run(tmp_path, repository, "-n", *case.arguments)

    assert outcome.code == 1
    assert [line for line in outcome.stderr.splitlines() if line.startswith("  ")] == [f"  {line}" for line in lines]
    assert "Traceback" not in outcome.stderr
    assert outcome.stdout == ""
    assert {path.name for path in tmp_path.iterdir()} - before <= {".snakemake"}
