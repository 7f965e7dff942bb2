import shutil

from snaketorch.state.folder import clear, sweep


def test_what_killed_attempts_left_half_written_is_swept(tmp_path):
    (tmp_path / "samples").mkdir()
    (tmp_path / ".samples.tmp-12").mkdir()
    for name in (".step-000000010.tmp-12.ckpt", "samples/.epoch-0001.tmp-12.png", ".samples.tmp-12/half.png"):
        (tmp_path / name).write_bytes(b"half")
    for name in ("step-000000010.ckpt", "samples/epoch-0001.png", "lock"):
        (tmp_path / name).write_bytes(b"whole")
    sweep(tmp_path)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["lock", "samples/epoch-0001.png", "step-000000010.ckpt"]
    assert not (tmp_path / ".samples.tmp-12").exists()


def test_a_published_training_leaves_no_state(tmp_path):
    folder = tmp_path / "seed-0" / "digest"
    folder.mkdir(parents=True)
    (folder / "step-000000010.ckpt").write_bytes(b"x")
    clear(folder)
    assert not (tmp_path / "seed-0").exists()


def test_a_kill_while_state_is_cleared_leaves_no_half_of_it_to_go_on_from(tmp_path, monkeypatch):
    folder = tmp_path / "seed-0" / "digest"
    folder.mkdir(parents=True)
    for name in ("checkpoints.json", "step-000000010.ckpt"):
        (folder / name).write_bytes(b"x")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # the kill
        clear(folder)
    assert not folder.exists()

    folder.mkdir()
    sweep(folder)
    assert list(folder.parent.iterdir()) == [folder]


def test_the_state_of_another_training_of_the_seed_stays(tmp_path):
    other, folder = tmp_path / "seed-0" / "other", tmp_path / "seed-0" / "digest"
    for path in (other, folder):
        path.mkdir(parents=True)
    clear(folder)
    assert list(folder.parent.iterdir()) == [other]
