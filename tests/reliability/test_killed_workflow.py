"""Snakemake is killed again and again, and each time the same command goes on, with one trainer for each model."""

import random
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from end_of_training import differences
from figures import FULL, count, prove
from watched_study import WatchedStudy

pytestmark = pytest.mark.e2e

KILLS = count(small=2, full=20)
COMMAND = () if FULL else ("train",)
SHARE = 0.35
"""Of the time that the study takes undisturbed: until then Snakemake is killed, if not by what follows."""
IN_TRAINING = 0.5 if FULL else 1.0
"""Share of the kills that wait for a training to begin or go on."""
TRAINS_FOR = 4.0
"""Seconds at most, then."""

EXPERIMENTS = {
    "wide": {"trainer": {"max_epochs": 40}, "seeds": [0, 1]},
    "averaged": {
        "trainer": {"max_epochs": 40},
        "lr_scheduler": {"kind": "one_cycle"},
        "weight_averaging": {"kind": "ema", "decay": 0.99},
        "seeds": [0, 1],
    },
}
if not FULL:
    EXPERIMENTS = {"averaged": {**EXPERIMENTS["averaged"], "seeds": [0], "trainer": {"max_epochs": 20}}}


def test_a_study_whose_snakemake_is_killed_ends_as_if_nothing_had_happened(tmp_path: Path):
    straight = WatchedStudy.create(tmp_path / "straight", EXPERIMENTS)
    start = time.monotonic()
    code, said = straight.run(*COMMAND)
    seconds = time.monotonic() - start
    assert code == 0, said
    expected = straight.results()

    draw, kills, studies, trainings, wrong = random.Random(0), 0, 0, 0, []
    while kills < KILLS:
        studies += 1
        study = WatchedStudy.create(tmp_path / f"study-{studies}", EXPERIMENTS)
        while True:
            snakemake = study.start(*COMMAND)
            if kills < KILLS:
                if draw.random() < IN_TRAINING:
                    _wait_for_a_training(study, snakemake)
                    _wait(draw.uniform(0, TRAINS_FOR), snakemake)
                else:
                    _wait(draw.uniform(0, SHARE * seconds), snakemake)
                if snakemake.poll() is None:
                    snakemake.kill()
                    kills += 1
            if snakemake.wait(1800) >= 0:
                break
        trainings += study.trainings()
        story = f"study {studies}, by the kill {kills}"
        if snakemake.returncode != 0:
            wrong.append(f"{story}: exit code {snakemake.returncode}: {study.said}")
        elif different := differences(expected, study.results()):
            wrong.append(f"{story}: {len(different)} results differ, such as {', '.join(different[:5])}")
        wrong += [f"{story}: two trainers on one state: {line}" for line in study.meetings()]
        if left := study.processes():
            wrong.append(f"{story}: processes are left: {left}")
    prove(
        6,
        "kill -9 of snakemake during a study, each time the same command again: other results, or two trainers",
        "0",
        str(len(wrong)),
        wrong,
        f"{kills} kills; studies: {studies}, models in each: {len(straight.models())}, "
        f"trainings begun or gone on with: {trainings}",
    )


def _wait_for_a_training(study: WatchedStudy, snakemake: subprocess.Popen[bytes]) -> None:
    """Until one more begins or goes on, or Snakemake ends."""
    before = study.trainings()
    while snakemake.poll() is None and study.trainings() == before:
        time.sleep(0.05)


def _wait(seconds: float, snakemake: subprocess.Popen[bytes]) -> None:
    """So long, or until Snakemake ends."""
    with suppress(subprocess.TimeoutExpired):
        snakemake.wait(seconds)
