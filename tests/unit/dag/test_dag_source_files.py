import os

import pytest

from snaketorch.config.datasets import DatasetConfig
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
