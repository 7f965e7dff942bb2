import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from snaketorch.state.progress import Progress
from snaketorch.status.command import status
from snaketorch.status.outcome import Outcome, State
from snaketorch.status.study import Experiment, Seed, StudyStatus
from snaketorch.status.table import Table
from tests.unit.status.made_study import MadeStudy

PROGRESS = Progress(
    epoch=11,
    max_epochs=20,
    batch=3,
    batches=12,
    seconds=60.0,
    seconds_left=100.0,
    metrics={"val/loss": 0.5},
    time=(datetime.now(UTC) - timedelta(seconds=60)).isoformat(),
    peak_memory_mb=1.0,
    host_memory_mb=1.0,
    pid=1,
    host="node7",
)
DONE, WAITING = Outcome(State.DONE), Outcome(State.WAITING)
FAILURE = {
    "kind": "cuda_out_of_memory",
    "message": f"the GPU is full {'of other things ' * 10}\nsecond line",
    "attempt": 3,
    "log": "logs/train_model/cnn/seed-2.log",
}
STALE = Outcome(State.STALE, ("optimizer.lr: 0.001 -> 0.002", *(f"trainer.key_{n}: {n} -> 0" for n in range(9))))
STUDY = StudyStatus(
    "small",
    {"digits": DONE, "a_dataset_with_a_rather_long_name": WAITING},
    [
        Experiment(
            "cnn",
            [
                Seed(0, DONE, DONE, ("test/accuracy", 0.98765)),
                Seed(1, Outcome(State.RUNNING, holder="process 4242 on node7", progress=PROGRESS), WAITING, None),
                Seed(2, Outcome(State.FAILED, failure=FAILURE), WAITING, None),
                Seed(3, STALE, DONE, None),
                Seed(4, DONE, WAITING, None),
                Seed(5, DONE, STALE, None),
                Seed(6, Outcome(State.INTERRUPTED, ("goes on after epoch 7 of 20",)), WAITING, None),
            ],
            Outcome(State.STALE, ("seed 3 is stale",)),
        ),
        Experiment("helper", [Seed(0, DONE, None, None)], None),
    ],
    WAITING,
)


def line(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(start))


@pytest.mark.parametrize("width", [20, 80, 100, 300])
def test_no_line_is_wider_than_the_terminal_or_120_columns(width):
    text = Table(width, colours=False).text(STUDY)

    assert max(map(len, text.splitlines())) <= max(80, min(width, 120))


def test_the_longest_name_leaves_room_for_what_is_said():
    study = StudyStatus("small", {"d" * 64: STALE}, [], WAITING)

    assert re.search(rf"{'d' * 64}  stale +\S.*", Table(80, colours=False).text(study))


def test_every_training_has_its_line():
    text = Table(100, colours=False).text(STUDY)

    assert re.search(r"seed 0 +done +test/accuracy 0.9877\n", text)
    running = r"seed 1 +running +#{9}\.{7}  56%  epoch 12/20  about [\d ms]+ left\n +process 4242 on node7\n"
    assert re.search(running, text)
    failed = r"seed 2 +failed +cuda_out_of_memory, attempt 3: the GPU is full .*\n.*\n.* \.\.\.\n +logs/train_model/cnn"
    assert re.search(failed, text)
    assert re.search(r"seed 3 +stale +optimizer.lr: 0.001 -> 0.002; 9 more\n", text)
    assert re.search(r"seed 4 +waiting +trained, the test: not yet\n", text)
    assert re.search(r"seed 5 +stale +trained, the test: optimizer.lr", text)
    assert re.search(r"seed 6 +interrupted +goes on after epoch 7 of 20\n", text)
    assert re.search(r"helper  \(its model is needed by others\)\n  seed 0 +done +trained\n", text)


def test_the_total_counts_every_training_once():
    total = line(Table(100, colours=False).text(STUDY), "total")

    assert total == "total: 8 trainings: 2 done, 1 running, 1 waiting, 1 interrupted, 2 stale, 1 failed"
    assert sum(map(int, re.findall(r"\d+", total)[1:])) == STUDY.counts.total() == 8


def test_colours_change_nothing_but_colours():
    plain, coloured = Table(100, colours=False).text(STUDY), Table(100, colours=True).text(STUDY)

    assert "\033" not in plain
    assert re.sub(r"\033\[\d+m", "", coloured) == plain != coloured


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return MadeStudy().finish()


def test_of_a_finished_study_nothing_is_left_to_do(study):
    text = status([], as_json=False, verify=True)

    assert "\033" not in text
    assert line(text, "total") == "total: 2 trainings: 2 done"
    assert line(text, "next") == "next:  nothing: all results are up to date"


def test_json_says_the_same(study):
    found = json.loads(status([], as_json=True, verify=False))

    assert Counter(found["total"]) == {"done": 2}
    assert found["experiments"]["cnn"]["seeds"]["1"]["result"] == {"test/accuracy": 0.98765}
    assert found["datasets"]["digits"] == found["report"] == {"state": "done"}
