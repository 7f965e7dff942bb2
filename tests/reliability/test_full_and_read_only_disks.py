"""A disk that fills up or turns read-only under a training: an error that says so, and nothing lost."""

import shutil
from collections.abc import Iterator

import pytest
from checkpoint_files import leftovers, written
from end_of_training import unequal
from figures import prove
from reliability_trainings import training
from training_process import DISK_BYTES, Attempt, Trial

SHORT = {"trainer": {"max_epochs": 3}}
FILL = "cat /dev/zero > state/ballast"  # until the disk is full
READ_ONLY = "find state -type d -exec chmod a-w {} +"
OVER_IT = "disk=$(realpath state); mount --bind $disk $disk; mount -o remount,bind,ro $disk"


@pytest.fixture
def on_small_disk(server, new_trial) -> Iterator[Trial]:
    """A training whose folder ``state`` lies on the small disk."""
    if server.no_disk:
        pytest.skip(f"no small disk can be mounted here: {server.no_disk}")
    trial = new_trial(training("CNN", **SHORT))
    trial.folder.mkdir()
    state = server.disk / "state"
    server.inside(state).mkdir()
    (trial.folder / "state").symlink_to(state)
    yield trial
    shutil.rmtree(server.inside(state))


def test_a_disk_that_fills_up(on_small_disk, straight):
    trial = on_small_disk
    expected, _, _ = straight(trial.training)
    attempt = trial.attempt(after_save=(3, f"{FILL} 2> /dev/null || true"))
    wrong = _wrong(trial, attempt, ("Disk full", "free some space"))
    (trial.live / "ballast").unlink()
    wrong += unequal(trial, trial.attempt(), expected, "with space again")
    prove(5, "the disk fills up", *_figure(wrong), "a tmpfs; then, with space again, the end is that undisturbed")


def test_a_disk_without_room_for_three_checkpoints(on_small_disk):
    trial = on_small_disk
    (trial.live / "ballast").write_bytes(bytes(DISK_BYTES - 40_000))
    attempt = trial.attempt()
    wrong = _wrong(trial, attempt, ("bytes free", "3 checkpoints"), saves=0)
    if attempt.began_at != -1:
        wrong.append(f"it trained until batch {attempt.batches} before it found out: {trial.log}")
    prove(5, "too small a disk at the start", *_figure(wrong), "a tmpfs")


def test_a_disk_that_turns_read_only(on_small_disk, straight):
    trial = on_small_disk
    expected, _, _ = straight(trial.training)
    attempt = trial.attempt(
        after_save=(3, "disk=$(realpath state); mount --bind $disk $disk; mount -o remount,bind,ro $disk")
    )
    wrong = _wrong(trial, attempt, ("Read-only file system",))
    wrong += [f"again: {line}" for line in _wrong(trial, trial.attempt(), ("Read-only file system",), saves=0)]
    trial.server.unmount((trial.folder / "state").resolve())
    wrong += unequal(trial, trial.attempt(), expected, "with a disk that can be written to")
    prove(5, "the disk turns read-only", *_figure(wrong), "a tmpfs; the next start says so too")


def test_a_folder_that_turns_read_only(new_trial, straight):
    small = training("CNN", **SHORT)
    expected, _, _ = straight(small)
    trial = new_trial(small)
    attempt = trial.attempt(after_save=(3, READ_ONLY), ordinary_user=True)
    wrong = _wrong(trial, attempt, ("Permission denied",))
    wrong += [f"again: {line}" for line in _wrong(trial, trial.attempt(ordinary_user=True), ("Permission denied",), 0)]
    for folder in (trial.folder / "state").rglob("*"):
        folder.chmod(0o755)
    wrong += unequal(trial, trial.attempt(ordinary_user=True), expected, "with a folder that can be written to")
    prove(5, "the state folder turns read-only", *_figure(wrong), "an ordinary user; the next start says so too")


def test_the_largest_file_that_is_allowed(new_trial, straight):
    small = training("CNN", **SHORT)
    expected, _, _ = straight(small)
    trial = new_trial(small)
    attempt = trial.attempt(after_save=(3, "prlimit --fsize=10000 --pid $PPID"))
    wrong = _wrong(trial, attempt, ("File too large",))
    wrong += unequal(trial, trial.attempt(), expected, "without a limit")
    prove(5, "a file may grow no larger (RLIMIT_FSIZE)", *_figure(wrong), "what a quota does to a file")


def _wrong(trial: Trial, attempt: Attempt, said: tuple[str, ...], saves: int = 3) -> list[str]:
    """What is not as it must be after an attempt that met a sick disk after so many saves."""
    found = []
    if attempt.code == 0 or attempt.killed:
        found.append(f"exit code {attempt.code}")
    last = trial.log.rpartition("Error: ")[2]
    found += [f"the last error does not say '{words}': {trial.log}" for words in said if words not in last]
    if attempt.saves != saves:
        found.append(f"{attempt.saves} saves, not {saves}")
    if saves:
        checkpoints = written(trial.state)
        found += [f"{checkpoint.path.name}: {checkpoint.flaw}" for checkpoint in checkpoints if checkpoint.flaw]
        if checkpoints[-1].batches != attempt.batches:
            found.append(f"saved after batch {attempt.batches}, and named after {checkpoints[-1].batches}")
        found += [f"left behind: {name}" for name in leftovers(trial.state)]
    return found


def _figure(wrong: list[str]) -> tuple[str, str, list[str]]:
    must = "an error that says so, the older checkpoint whole, then the same end"
    return must, "as it must be" if not wrong else f"{len(wrong)} wrong", wrong
