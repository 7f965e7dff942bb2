import subprocess
import sys
import time

import pytest

from snaketorch.training import deadline
from snaketorch.training.deadline import Deadline, deadline_of_job


def test_slurm_says_when_its_job_ends():
    end = int(time.time()) + 600
    found = deadline_of_job(1000, {"SLURM_JOB_ID": "1", "SLURM_JOB_END_TIME": str(end)})
    assert (found.end, found.enforced) == (end, True)
    assert 590 < found.left <= 600


@pytest.mark.parametrize("variable", ["SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"])
def test_a_batch_job_ends_when_its_runtime_has_passed_since_it_started(variable):
    found = deadline_of_job(60, {variable: "7"})
    assert found.enforced
    assert found.total == 3600
    assert found.start == pytest.approx(deadline.process_start(), abs=0.1)


@pytest.mark.parametrize(
    ("environment", "enforced"), [({}, False), ({deadline.ENFORCE: "1"}, True), ({deadline.ENFORCE: "0"}, False)]
)
def test_on_a_workstation_nobody_ends_a_job_unless_it_is_asked_for(environment, enforced):
    assert deadline_of_job(60, environment).enforced is enforced


def test_without_a_runtime_there_is_no_deadline():
    assert deadline_of_job(None, {deadline.ENFORCE: "1"}) is None


def test_the_start_is_that_of_the_process_not_of_its_imports():
    program = (
        "import time; time.sleep(0.5); now = time.time();"
        "from snaketorch.training.deadline import process_start; print(now - process_start())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 0.5 <= float(done.stdout) < 30


@pytest.mark.parametrize(
    ("minutes", "save_seconds", "margin"),
    [
        (60, 1, 30),  # at least half a minute
        (60, 40, 120),  # three saves
        (60, 1000, 360),  # at most a tenth of the time
        (1, 1, 6),
    ],
)
def test_the_margin_is_enough_for_a_save_and_takes_little_of_the_time(minutes, save_seconds, margin):
    assert Deadline(0, 60 * minutes, enforced=True).margin(save_seconds) == margin
