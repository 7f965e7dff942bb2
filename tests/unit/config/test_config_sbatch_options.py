"""Which options of sbatch an experiment may add."""

import re

import pytest
from snakemake_executor_plugin_slurm.validation import get_forbidden_slurm_options

from snaketorch.config.sbatch_options import BREAKS, INSTEAD, only_additions, words

REFUSED_BY_THE_PLUGIN = sorted(
    option for pattern in get_forbidden_slurm_options() for option in re.findall(r"--?[\w-]+", pattern)
)


@pytest.mark.parametrize("option", REFUSED_BY_THE_PLUGIN)
def test_what_the_plugin_refuses_at_submission_is_refused_at_once(option):
    with pytest.raises(ValueError, match="allowed: "):
        only_additions(f"{option} 3")


@pytest.mark.parametrize("option", " ".join([*INSTEAD.values(), *BREAKS.values()]).split())
@pytest.mark.parametrize("form", ["{}", "{} 3", "{}=3", "--exclusive {} 3"])
def test_every_form_of_an_option_that_has_a_place_is_refused(option, form):
    with pytest.raises(ValueError, match=re.escape(option)):
        only_additions(form.format(option))


@pytest.mark.parametrize(
    "extra",
    [
        "--exclusive --nice=5",
        "--nice=-5 -vs --exclusi",
        "--switches 1 -xn1",
        "--reservation='my days'",
        ["-w n1", "--exclude=n[2-4]"],
        "--gres-flags=enforce-binding --cluster-constraint=ib",
        "--mail-type=END,FAIL --mail-user=me@lab.org",
        "--licenses='matlab:1'",
    ],
)
def test_other_options_are_kept_as_they_were_written(extra):
    assert only_additions(extra) is extra


def test_quotes_make_one_word():
    assert words(["--exclude='n 1' --exclusive", "-w n2"]) == ["--exclude=n 1", "--exclusive", "-w", "n2"]
