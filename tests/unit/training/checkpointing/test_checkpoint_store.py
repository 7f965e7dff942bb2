"""Which checkpoint a training goes on from, whatever happened to the files."""

import json
import logging
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from snaketorch.errors import CheckpointsLost
from snaketorch.provenance import file_sha256
from snaketorch.state.checkpoints import Identity
from snaketorch.training.checkpointing.io import save
from snaketorch.training.checkpointing.store import OWN_KEY, CheckpointStore

OURS = Identity("spec", "code", "data")
START_OVER = "python -m snaketorch start-over some --seed 0"


def store(folder: Path, training: Identity = OURS) -> CheckpointStore:
    """As an attempt at the training opens it."""
    return CheckpointStore(folder, training, START_OVER)


def add(checkpoints: CheckpointStore, batches: int) -> Path:
    """Saves a checkpoint, as the training does."""
    facts = checkpoints.facts(batches, batches // 10)
    save({"weight": torch.full((1000,), batches), OWN_KEY: facts}, checkpoints.path(facts))
    checkpoints.add(facts)
    return checkpoints.path(facts)


@pytest.fixture
def saved(tmp_path) -> list[Path]:
    """Two checkpoints."""
    checkpoints = store(tmp_path)
    return [add(checkpoints, 10), add(checkpoints, 20)]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def unlink(path: Path) -> None:
    path.unlink()


DAMAGES = {
    cut: r"it has [\d,]+ bytes, and [\d,]+ were written",
    empty: "it is empty",
    flip: "its bytes are not those that were written",
    unlink: "it is gone",
}


def test_a_new_training_has_no_checkpoint(tmp_path, caplog):
    assert store(tmp_path).newest() is None
    assert not caplog.messages


def test_the_last_two_are_kept(tmp_path, saved):
    assert store(tmp_path).newest() == saved[1]
    checkpoints = store(tmp_path)
    checkpoints.newest()
    add(checkpoints, 30)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"checkpoints.json", "step-000000020.ckpt", "step-000000030.ckpt"}


def test_the_manifest_says_what_a_checkpoint_is(tmp_path, saved):
    _, entry = json.loads((tmp_path / "checkpoints.json").read_text())
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "file": "step-000000020.ckpt",
        "sha256": file_sha256(saved[1]),
        "bytes": saved[1].stat().st_size,
        "batches": 20,
        "epoch": 2,
        "spec_digest": "spec",
        "code_digest": "code",
        "data_digest": "data",
    }


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_checkpoint_before_takes_the_place_of_a_damaged_one(tmp_path, saved, damage, caplog):
    damage(saved[1])
    with caplog.at_level(logging.WARNING):
        assert store(tmp_path).newest() == saved[0]
    (message,) = caplog.messages
    assert message.startswith(f"Checkpoint {saved[1]} is not used: ")
    assert re.search(DAMAGES[damage], message)


def test_a_training_that_went_back_goes_on_with_two_checkpoints(tmp_path, saved):
    flip(saved[1])
    checkpoints = store(tmp_path)
    assert checkpoints.newest() == saved[0]
    again = add(checkpoints, 15)
    assert [entry["batches"] for entry in json.loads((tmp_path / "checkpoints.json").read_text())] == [10, 15]
    assert store(tmp_path).newest() == again
    assert not saved[1].exists()


@pytest.mark.parametrize("name", ["spec_digest", "code_digest", "data_digest"])
def test_a_checkpoint_of_another_training_is_not_used(tmp_path, name):
    foreign = store(tmp_path, replace(OURS, **{name: "other"}))
    path = add(foreign, 10)
    with pytest.raises(CheckpointsLost) as caught:
        store(tmp_path).newest()
    assert f"  {path}: it is of another training ({name} other, not {getattr(OURS, name)})" in str(caught.value)


def test_when_all_are_lost_the_message_names_them_and_the_way_out(tmp_path, saved):
    flip(saved[0])
    unlink(saved[1])
    with pytest.raises(CheckpointsLost) as caught:
        store(tmp_path).newest()
    assert str(caught.value) == (
        "the training cannot go on, for none of its checkpoints can be used. "
        f"Put whole files back, or begin anew with `{START_OVER}`:\n"
        f"  {saved[1]}: it is gone\n"
        f"  {saved[0]}: its bytes are not those that were written"
    )
    assert saved[0].exists(), "nothing is thrown away"


def test_checkpoints_that_the_disk_does_not_give_may_be_there_next_time(tmp_path, saved, monkeypatch):
    def fail(path):
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr("snaketorch.state.checkpoints.file_sha256", fail)
    with pytest.raises(OSError, match="Input/output error"):
        store(tmp_path).newest()


@pytest.mark.parametrize("damage", [cut, empty, unlink])
@pytest.mark.parametrize("which", ["none", "cut", "empty", "flip"])
def test_without_the_manifest_checkpoints_are_judged_by_their_own_sums(tmp_path, saved, damage, which, caplog):
    damage(tmp_path / "checkpoints.json")
    {"cut": cut, "empty": empty, "flip": flip, "none": lambda path: None}[which](saved[1])
    with caplog.at_level(logging.WARNING):
        assert store(tmp_path).newest() == (saved[1] if which == "none" else saved[0])
    assert "checkpoints.json is lost" in caplog.messages[0]
    assert sum("is not used" in message for message in caplog.messages) == (which != "none")


def test_without_the_manifest_a_foreign_checkpoint_is_found_too(tmp_path, saved):
    add(store(tmp_path / "other", replace(OURS, spec_digest="other")), 30).rename(tmp_path / "step-000000030.ckpt")
    unlink(tmp_path / "checkpoints.json")
    assert store(tmp_path).newest() == saved[1]


def test_without_the_manifest_and_any_whole_checkpoint_all_is_lost(tmp_path, saved):
    unlink(tmp_path / "checkpoints.json")
    for path in saved:
        cut(path)
    with pytest.raises(CheckpointsLost, match="it is no whole archive"):
        store(tmp_path).newest()


def test_what_a_kill_left_before_the_manifest_spoke_of_it_does_not_count(tmp_path, saved):
    save({}, tmp_path / "step-000000030.ckpt")
    checkpoints = store(tmp_path)
    assert checkpoints.newest() == saved[1]
    add(checkpoints, 25)
    assert not (tmp_path / "step-000000030.ckpt").exists()


def test_no_single_flipped_bit_goes_unseen(tmp_path):
    path = add(store(tmp_path), 10)
    content = path.read_bytes()
    for place in range(0, len(content), len(content) // 40):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(CheckpointsLost):
            store(tmp_path).newest()
