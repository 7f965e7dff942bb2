from pathlib import Path

from snaketorch.state.lock import sole_writer
from snaketorch.state.published import clear_published, mark_published


def state(root: Path, name: str, published: bool) -> Path:
    folder = root / name / "seed-0" / "digest"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "step-000000010.ckpt").write_bytes(b"x")
    if published:
        mark_published(folder)
    return folder


def test_only_what_is_published_is_cleared(tmp_path):
    done, running = state(tmp_path, "done", True), state(tmp_path, "running", False)
    clear_published(tmp_path)
    assert not done.exists()
    assert running.exists()
    assert not (tmp_path / "done" / "seed-0").exists()


def test_an_experiment_called_published_is_no_mark(tmp_path):
    own, other = state(tmp_path, "published", False), state(tmp_path, "other", False)
    clear_published(tmp_path)
    assert own.exists()
    assert other.exists()


def test_what_is_being_published_again_stays(tmp_path):
    folder = state(tmp_path, "done", True)
    with sole_writer(folder):
        clear_published(tmp_path)
        assert (folder / "step-000000010.ckpt").exists()
    clear_published(tmp_path)
    assert not folder.exists()


def test_where_nothing_ever_trained_nothing_is_done(tmp_path):
    clear_published(tmp_path / "nowhere")


def test_the_lock_of_the_seed_goes_with_its_last_state(tmp_path):
    folder = state(tmp_path, "done", True)
    other = folder.with_name("other")
    other.mkdir()
    with sole_writer(folder.parent):
        clear_published(tmp_path)
        assert folder.exists(), "a training of this seed publishes"
    clear_published(tmp_path)
    assert [path.name for path in other.parent.iterdir() if path.is_dir()] == ["other"]

    mark_published(other)
    clear_published(tmp_path)
    assert not other.parent.exists()


def test_a_training_whose_job_failed_in_its_last_moment_keeps_its_state(tmp_path):
    noted, failed = state(tmp_path, "noted", True), state(tmp_path, "failed", True)
    clear_published(tmp_path, lambda place: place == noted.parent)
    assert not noted.exists()
    assert failed.exists()
