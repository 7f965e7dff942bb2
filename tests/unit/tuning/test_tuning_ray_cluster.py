"""Ray's folder, whose processes may be killed before they remove it; and its start, which may take too long."""

import pytest
import ray

from snaketorch.tuning.ray_cluster import HELD, PREFIX, STARTS, _short_lived_folder, _start

TOO_LATE = "The current node timed out during startup. This could happen because some of the raylet failed to startup"


def test_folders_of_killed_sweeps_are_removed_by_the_next_and_those_in_use_are_not(tmp_path):
    left = tmp_path / f"{PREFIX}left"
    left.mkdir()
    (left / HELD).touch()
    with _short_lived_folder(tmp_path) as first:
        assert not left.exists()
        with _short_lived_folder(tmp_path) as second:
            assert first.is_dir()
        assert not second.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("said", "failures", "starts"), [(TOO_LATE, 1, 2), (TOO_LATE, STARTS, STARTS), ("No module named 'gcs'", 1, 1)]
)
def test_ray_is_started_again_where_it_took_too_long(said, failures, starts, monkeypatch):
    begun = []

    def init(**_):
        begun.append(1)
        if len(begun) <= failures:
            raise RuntimeError(said)

    monkeypatch.setattr(ray, "init", init)
    if starts > failures:
        _start()
    else:
        with pytest.raises(RuntimeError, match=said[:20]):
            _start()
    assert len(begun) == starts
