import errno
import os
from pathlib import Path

import pytest

from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.models import Cnn
from snaketorch.config.source_files import missing_files, missing_weights
from snaketorch.dag.source_files import source_digest


def digest(folder, **source):
    return source_digest(folder, "some", DatasetConfig.model_validate({"source": source}))


@pytest.fixture
def album(tmp_path):
    (tmp_path / "album/cat").mkdir(parents=True)
    (tmp_path / "album/cat/1.png").write_bytes(b"picture")
    return tmp_path / "album"


def of_album(album):
    return digest(album.parent, kind="image_folder", path="album")


@pytest.fixture
def closed(monkeypatch):
    """As in the folder of somebody else."""

    stat_of_path = Path.stat

    def stat(path, **options):
        if "closed" in path.parts:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat_of_path(path, **options)

    monkeypatch.setattr(Path, "stat", stat)


@pytest.mark.parametrize("source", [{"kind": "image_folder"}, {"kind": "huggingface", "content": "images"}])
def test_files_that_nobody_may_look_at_are_missing(source, tmp_path, closed):
    assert digest(tmp_path, path="closed/album", **source) in ("missing", "none")


def test_files_that_nobody_may_look_at_are_told_by_their_key(tmp_path, closed):
    source = DatasetConfig.model_validate({"source": {"kind": "image_folder", "path": "closed/album"}}).source
    (found,) = missing_files(source, tmp_path)
    said = "'closed/album' cannot be looked at: Permission denied; allowed: a file or folder that exists"
    assert found == (("source", "path"), said)


def test_weights_that_nobody_may_look_at_are_told_by_their_key(tmp_path, closed):
    (found,) = missing_weights(Cnn(kind="cnn", pretrained="closed/model.ckpt"), tmp_path)
    assert found[0] == ("model", "pretrained")
    assert "'closed/model.ckpt' cannot be looked at: Permission denied; allowed: a file that exists" in found[1]


def test_a_link_to_a_folder_above_is_not_followed_for_ever(album):
    before = of_album(album)
    (album / "cat/up").symlink_to(album)
    with_link = of_album(album)
    assert with_link not in (before, "missing")
    (album / "cat/2.png").write_bytes(b"picture")
    assert of_album(album) != with_link


def test_a_link_to_itself_counts_by_its_name(album):
    before = of_album(album)
    (album / "cat/loop").symlink_to("loop")
    assert of_album(album) != before


def test_two_links_to_one_folder_count_both(album, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/1.png").write_bytes(b"picture")
    (album / "dog").symlink_to(tmp_path / "other")
    (album / "fox").symlink_to(tmp_path / "other")
    before = of_album(album)
    (album / "fox").unlink()
    (album / "fox").mkdir()
    assert of_album(album) != before


def test_a_folder_that_is_removed_meanwhile_is_no_missing_file(album, monkeypatch):
    scan = os.scandir

    def gone(path):
        if str(path).endswith("cat"):
            raise FileNotFoundError(path)
        return scan(path)

    before = of_album(album)
    monkeypatch.setattr(os, "scandir", gone)
    assert of_album(album) != before


def test_a_name_on_the_hub_has_no_files(tmp_path):
    assert digest(tmp_path, kind="huggingface", path="ag_news", content="texts") == "none"


def test_a_folder_that_save_to_disk_wrote_counts(tmp_path):
    def found():
        return digest(tmp_path, kind="huggingface", path="reviews", content="texts")

    (tmp_path / "reviews").mkdir()
    (tmp_path / "reviews/data.arrow").write_bytes(b"rows")
    before = found()
    assert before != "none"
    (tmp_path / "reviews/data.arrow").write_bytes(b"other rows")
    assert found() != before
    prepared = tmp_path / "results/datasets/some"
    prepared.mkdir(parents=True)
    (prepared / "manifest.json").write_text('{"record": {"source_digest": "as it was"}}')
    (tmp_path / "reviews").rename(tmp_path / "archived")
    assert found() == "as it was", "raw files are not missed once the dataset is prepared"


def test_the_root_of_torchvision_counts_where_nothing_is_fetched(tmp_path):
    source = {"kind": "torchvision", "name": "USPS", "root": "sets"}
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets/usps.bz2").write_bytes(b"images")
    assert digest(tmp_path, **source) == "none"
    before = digest(tmp_path, **source, download=False)
    (tmp_path / "sets/usps.bz2").write_bytes(b"other images")
    assert digest(tmp_path, **source, download=False) not in ("none", "missing", before)
