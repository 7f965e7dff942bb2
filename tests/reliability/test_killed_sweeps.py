"""Sweeps whose process, or that of a trial, is killed at any moment: no trial is lost or done twice.

A few such kills are in ``tests/sweeps``, which run with every test; these are the full counts.
"""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress

import pytest
from figures import FULL, prove
from sweep_process import EPOCHS, RAY_ENDS_SECONDS, SweepProcess, sweep_spec

from tests.unit.prepared_by_hand import write_images

pytestmark = pytest.mark.skipif(not FULL, reason="tests/sweeps has a few of these kills")

KILLS = 10
IN_A_SWEEP = 5
"""Kills, then it comes to its end."""
TRIALS = 6
AFTER_A_START = 3.0
"""Seconds, at most, from the start of a trial to a kill: about as long as one takes."""

SPECS = {
    "random, two trials at once": (sweep_spec(max_failures=KILLS), ["--threads=2"]),
    "optuna and asha": (
        sweep_spec(
            max_failures=KILLS,
            search_alg={"kind": "optuna", "seed": 1, "n_startup_trials": 3},
            scheduler={"kind": "asha", "grace_period": EPOCHS // 9, "reduction_factor": 3},
        ),
        [],
    ),
}
"""What is swept, and how it is called."""


@pytest.fixture(scope="module")
def new_sweep(tmp_path_factory):
    """Makes folders for sweeps, and ends what is left running in them."""
    manifest = write_images(tmp_path_factory.mktemp("data") / "small")
    made: list[SweepProcess] = []

    def make() -> SweepProcess:
        made.append(SweepProcess(tmp_path_factory.mktemp("sweep"), manifest))
        return made[-1]

    yield make
    for sweep in made:
        for line in sweep.processes():
            with suppress(ProcessLookupError):
                os.kill(int(line.split()[0]), signal.SIGKILL)


@pytest.fixture(scope="module")
def undisturbed(new_sweep) -> dict[str, tuple[SweepProcess, float]]:
    """Each sweep without kills, and its seconds."""
    found = {}
    for name, (spec, arguments) in SPECS.items():
        start = time.monotonic()
        found[name] = new_sweep().run(spec, *arguments), time.monotonic() - start
    return found


def test_a_sweep_that_is_killed_comes_to_the_same(new_sweep, undisturbed):
    wrong, landed, ended = [], Counter(), []
    for number, name in enumerate(SPECS):
        (spec, arguments), (straight, seconds) = SPECS[name], undisturbed[name]
        sweep, draw = new_sweep(), random.Random(number)
        for kill in range(IN_A_SWEEP):
            sweep.start(spec, *arguments)
            if kill % 2:  # while it starts, as often as it takes its share of the time
                _wait(sweep, draw.uniform(0, seconds / 2))
            else:
                _wait_for_a_start(sweep)
                _wait(sweep, draw.uniform(0, AFTER_A_START))
            if sweep.process.poll() is not None:  # it was done before
                break
            landed[_phase(sweep)] += 1
            sweep.kill()
            sweep.end(300)
        ended.append(_seconds_until_nothing_is_left(sweep))
        sweep.run(spec, *arguments)
        wrong += _different(sweep, straight, f"{name}, {sum(landed.values())} kills")
    if sum(landed.values()) < KILLS:
        wrong.append(f"only {sum(landed.values())} of {KILLS} kills came before the end")
    if max(ended) > RAY_ENDS_SECONDS:
        wrong.append(f"processes were left {RAY_ENDS_SECONDS:.0f} s after a kill")
    prove(
        8,
        "SIGKILL of a sweep at random moments: trials lost or done twice, or another result",
        "0",
        str(len(wrong)),
        wrong,
        f"{sum(landed.values())} kills, {_listed(landed)}; sweeps: {'; '.join(SPECS)}; {TRIALS} trials each; "
        f"no process of Ray's was left after {max(ended):.0f} s",
    )


def test_a_sweep_whose_trials_are_killed_comes_to_the_same(new_sweep, undisturbed):
    wrong, kills, sweeps = [], 0, 0
    for number, name in enumerate(SPECS):
        (spec, arguments), (straight, _) = SPECS[name], undisturbed[name]
        draw, killed = random.Random(100 + number), 0
        while killed < IN_A_SWEEP:
            sweep, sweeps = new_sweep(), sweeps + 1
            sweep.start(spec, *arguments)
            while killed < IN_A_SWEEP and sweep.process.poll() is None:
                _wait_for_a_start(sweep)
                _wait(sweep, draw.uniform(0, AFTER_A_START))
                if trials := sweep.trial_processes():
                    with suppress(ProcessLookupError):
                        os.kill(draw.choice(trials), signal.SIGKILL)
                        killed += 1
            code = sweep.end()
            story = f"{name}, {killed} kills of trials"
            wrong += [f"{story}: exit code {code}"] if code else _different(sweep, straight, story)
            if _seconds_until_nothing_is_left(sweep) > RAY_ENDS_SECONDS:
                wrong.append(f"{story}: processes were left")
        kills += killed
    prove(
        8,
        "SIGKILL of a trial's process at random moments: trials lost or done twice, or another result",
        "0",
        str(len(wrong)),
        wrong,
        f"{kills} kills in {sweeps} sweeps: {'; '.join(SPECS)}; {TRIALS} trials each",
    )


def _different(sweep: SweepProcess, straight: SweepProcess, story: str) -> list[str]:
    """What a sweep has done otherwise than one that nothing disturbed."""
    found = [
        f"{what} differ" for what in ("results", "curves", "best") if getattr(sweep, what) != getattr(straight, what)
    ]
    ends = Counter(event["number"] for event in sweep.events("ended"))
    if ends != Counter(range(TRIALS)):
        found.append(f"trials ended {dict(ends)} times")
    points = Counter((event["number"], epoch) for event in sweep.events("points") for epoch, _ in event["points"])
    if any(count > 1 for count in points.values()):
        found.append("epochs are told twice")
    return [f"{story}: {what}" for what in found]


def _wait_for_a_start(sweep: SweepProcess) -> None:
    """Until one more trial begins or goes on, or the sweep ends."""
    before = len(sweep.events("started"))
    while sweep.process.poll() is None and len(sweep.events("started")) == before:
        time.sleep(0.05)


def _wait(sweep: SweepProcess, seconds: float) -> None:
    """So long, or until the sweep ends."""
    with suppress(subprocess.TimeoutExpired):
        sweep.process.wait(seconds)


def _phase(sweep: SweepProcess) -> str:
    begun = {event["number"] for event in sweep.events("started")}
    return "training" if sweep.trial_processes() else "between trials" if begun else "starting"


def _seconds_until_nothing_is_left(sweep: SweepProcess) -> float:
    start = time.monotonic()
    while sweep.processes() and time.monotonic() - start <= RAY_ENDS_SECONDS:
        time.sleep(0.5)
    return time.monotonic() - start


def _listed(counted: Counter) -> str:
    return ", ".join(f"{what}: {number}" for what, number in sorted(counted.items()))
