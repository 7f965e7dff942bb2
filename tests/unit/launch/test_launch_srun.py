import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snaketorch.errors import UserError
from snaketorch.launch.srun import failure_of, starts_ranks, train_by_srun
from snaketorch.launch.srun_words import SrunWords

KILLED = b"srun: error: n2: task 1: Killed"
SEVERAL_KILLED = b"srun: error: n2: tasks 4-5,7: Killed"
SEVERAL_FAILED = b"srun: error: n1: tasks 0-3: Exited with exit code 1"
OUT_OF_MEMORY = b"slurmstepd: error: Detected 1 oom_kill event in StepId=7.0."
FAILED = b"srun: error: n1: task 0: Exited with exit code 1"
TERMINATED = b"srun: error: n1: task 0: Terminated"
TOO_FEW = b"srun: error: Only allocated 1 nodes asked for 2"


@pytest.mark.parametrize(
    ("num_nodes", "environment", "starts"),
    [
        (2, {"SLURM_JOB_ID": "7"}, True),
        (2, {"SLURM_JOB_ID": "7", "SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, True),
        (1, {"SLURM_JOB_ID": "7"}, False),
        (2, {}, False),
        (2, {"SLURM_JOB_ID": "7", "SNAKETORCH_RANK_OF": "7"}, False),
        (2, {"SLURM_JOB_ID": "7", "NODE_RANK": "1", "MASTER_ADDR": "n1", "MASTER_PORT": "15000"}, False),
    ],
)
def test_a_job_of_slurm_starts_the_ranks_of_several_nodes_once(num_nodes, environment, starts):
    assert starts_ranks(num_nodes, environment) is starts


def test_what_cannot_work_is_told_before_anything_is_started(monkeypatch):
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    with pytest.raises(UserError, match=r"2 tasks of srun run .* which starts srun itself"):
        train_by_srun(1, 2, 1)
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    with pytest.raises(UserError, match="srun, which starts the processes of several nodes, cannot be run"):
        train_by_srun(1, 2, 1)
    assert signal.getsignal(signal.SIGTERM) is handler


def said(rank: int, kind: str) -> dict:
    return {"rank": rank, "kind": kind, "message": kind, "exit_code": 9, "details": {"traceback": ""}}


@pytest.mark.parametrize(
    ("reports", "lines", "ended_by", "kind", "message"),
    [
        # an error brings down the others, which say that they lost a peer
        ([said(0, "lost_peer"), said(1, "bug")], [FAILED], None, "bug", "rank 1: bug"),
        ([said(0, "lost_peer")], [KILLED, FAILED], None, "killed", "rank 1, on n2, was ended by the system: Killed"),
        ([], [SEVERAL_FAILED, SEVERAL_KILLED], None, "killed", "ranks 4-5,7, on n2, were ended by the system: Killed"),
        ([said(0, "interrupted")], [KILLED], None, "killed", "rank 1, on n2"),
        ([], [OUT_OF_MEMORY, KILLED], None, "host_memory", "rank 1, on n2"),
        # all agree to end
        ([said(1, "interrupted"), said(0, "interrupted")], [], "SIGTERM", "interrupted", "interrupted"),
        ([said(1, "timeout"), said(0, "timeout")], [], None, "timeout", "timeout"),
        # told to end before it could obey, or killed because of that
        ([], [TERMINATED], None, "interrupted", "told to end by a signal"),
        ([], [KILLED], "SIGTERM", "interrupted", "told to end by SIGTERM"),
        ([said(1, "lost_peer")], [], None, "lost_peer", "rank 1: lost_peer"),
        ([], [TOO_FEW], None, "lost_peer", "srun ended with exit code 3: Only allocated 1 nodes asked for 2"),
        ([], [], None, "lost_peer", "srun ended with exit code 3: it said nothing"),
    ],
)
def test_a_training_fails_of_what_brought_down_the_others(reports, lines, ended_by, kind, message):
    with subprocess.Popen(["true"], stderr=subprocess.PIPE) as process:
        words = SrunWords(process)
        words.wait(60)
    for line in lines:
        words.hear(line)
    error = failure_of(3, reports, words, ended_by)
    assert error.kind == kind
    assert str(error).startswith(message)


def test_what_srun_says_is_passed_on_and_understood(capfd):
    text = b"one\r" + KILLED + b"\nsrun: error: last"
    with subprocess.Popen(["sh", "-c", f"printf '{text.decode()}' >&2"], stderr=subprocess.PIPE) as process:
        words = SrunWords(process)
        words.wait(60)
    assert capfd.readouterr().err.encode().replace(b"\r", b"") == text.replace(b"\r", b"")
    assert words.death == "rank 1, on n2, was ended by the system: Killed"


def test_a_full_disk_under_the_log_keeps_no_rank_waiting():
    program = f"""\
import os, subprocess, sys
from snaketorch.launch.srun_words import SrunWords
os.dup2(os.open("/dev/full", os.O_WRONLY), 2)
talks = "import os; os.write(2, b'much to say\\\\n' * 20_000 + {KILLED!r} + b'\\\\n')"
with subprocess.Popen([sys.executable, "-c", talks], stderr=subprocess.PIPE) as process:
    words = SrunWords(process)
    try:
        process.wait(60)
    finally:
        process.kill()
words.wait(60)
print(words.death)
"""
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "rank 1, on n2, was ended by the system: Killed\n"


SRUN = """#!/bin/sh
# stands for srun: it starts two "ranks" on this machine, hands on what srun hands on, and is killed by no SIGTERM
while [ "${1#--}" != "$1" ]; do shift; done
echo "$@" > command
for rank in 0 1; do SLURM_PROCID=$rank "$PYTHON" rank.py & eval "rank$rank=$!"; done
trap 'kill -USR2 $rank0 $rank1' USR2
trap 'kill -USR1 $rank0 $rank1' USR1
trap 'kill -KILL $rank0 $rank1' TERM
code=0
for rank in $rank0 $rank1; do
    while kill -0 $rank 2>/dev/null; do wait $rank; last=$?; [ $last -lt 128 ] && break; done
    [ $last -gt $code ] && code=$last
done
exit $code
"""

RANK = """
import os, signal, sys, time
from pathlib import Path
from snaketorch.launch.srun import obey_starter
def ended(*_):
    Path("ended-" + os.environ["SLURM_PROCID"]).touch()
    sys.exit(75)
signal.signal(signal.SIGTERM, ended)
signal.signal(signal.SIGUSR1, lambda *_: Path("saved-" + os.environ["SLURM_PROCID"]).touch())
obey_starter()
Path("ready-" + os.environ["SLURM_PROCID"]).touch()
time.sleep(600)
"""

STARTER = """
import sys
from snaketorch.errors import PeerFailed
from snaketorch.launch.srun import train_by_srun
try:
    train_by_srun(1, 2, 1)
except PeerFailed as error:
    print(error, error.kind)
    sys.exit(error.exit_code)
"""


@pytest.fixture
def starter(tmp_path):
    """A process that starts ranks with a double of srun."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"srun": SRUN, "squeue": "#!/bin/sh\necho '2|N/A'\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (tmp_path / "rank.py").write_text(RANK)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    environment |= {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHON": sys.executable}
    environment["SLURM_JOB_ID"] = "7"
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    wait_for(tmp_path, "ready")
    yield process
    process.terminate()
    process.wait(300)
    process.stdout.close()


def wait_for(folder: Path, what: str) -> None:
    until = time.monotonic() + 300
    while not all((folder / f"{what}-{rank}").exists() for rank in (0, 1)):
        assert time.monotonic() < until, what
        time.sleep(0.02)


def test_signals_reach_every_rank_though_srun_would_kill_them(starter, tmp_path):
    starter.send_signal(signal.SIGUSR1)
    wait_for(tmp_path, "saved")
    starter.send_signal(signal.SIGTERM)
    wait_for(tmp_path, "ended")
    assert starter.wait(300) == 75
    assert starter.stdout.read() == "told to end by SIGTERM interrupted\n"
    assert (tmp_path / "command").read_text().split()[:2] == [sys.executable, "-c"]
