import sys

import av
import numpy as np
import pytest

from snaketorch.data.manifest import SPLITS
from snaketorch.errors import DataError, UserError

LENGTHS = (4, 12)


def write_video(path, length, grey):
    """``length`` frames of 32x16 pixels that become brighter from ``grey`` on, 10 a frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 32, 16, "yuv420p", 4_000_000
        for index in range(length):
            pixels = np.full((16, 32, 3), grey + 10 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def videos(tmp_path):
    for index in range(5):
        write_video(tmp_path / "videos" / "dark" / f"{index}.mp4", LENGTHS[index % 2], 20)
        write_video(tmp_path / "videos" / "light" / f"{index}.mp4", LENGTHS[index % 2], 100)
    return tmp_path / "videos"


def prepare(dataset, folder, **options):
    source = {"kind": "video_folder", "path": str(folder)}
    return dataset.prepare(source, {"val": 0.2, "test": 0.2}, {"frames": 6, **options})


def test_clips_are_frames_evenly_spread_and_resized(dataset, videos):
    manifest = prepare(dataset, videos, size=[8, 8])
    assert manifest.provides == "labelled clips"
    assert manifest.fields["clip"]["shape"] == [6, 3, 8, 8]
    assert [manifest.splits[name].count for name in SPLITS] == [6, 2, 2]
    levels = np.concatenate([manifest.arrays(name)["clip"].mean(axis=(2, 3, 4)) for name in SPLITS])
    labels = np.concatenate([manifest.arrays(name)["label"] for name in SPLITS])
    begins = np.array([20, 100])[labels]
    # of 12 frames the second of each two; of 4 frames some twice
    expected = {12: 10 * np.array([1, 3, 5, 7, 9, 11]), 4: 10 * np.array([0, 1, 1, 2, 3, 3])}
    found = [
        min(expected, key=lambda length: np.abs(row - start - expected[length]).max())
        for row, start in zip(levels, begins, strict=True)
    ]
    assert sorted(found) == [4] * 6 + [12] * 4
    for row, start, length in zip(levels, begins, found, strict=True):
        assert np.abs(row - start - expected[length]).max() < 4


def test_clips_keep_their_size_when_none_is_asked_for(dataset, videos):
    assert prepare(dataset, videos).fields["clip"]["shape"] == [6, 3, 16, 32]


def test_a_video_that_cannot_be_read_is_named(dataset, videos):
    (videos / "light" / "3.mp4").write_bytes(b"no video")
    with pytest.raises(DataError, match=r"light/3.mp4: it cannot be read"):
        prepare(dataset, videos)
    report = prepare(dataset, videos, on_bad_sample="skip", max_bad_share=0.1).report
    assert [sample["sample"] for sample in report["skipped"]] == ["light/3.mp4"]


def test_a_video_of_an_unknown_codec_is_named(dataset, videos):
    path = videos / "light" / "9.mkv"
    write_video(path, 4, 100)
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4", b"V_NEWER"))
    with pytest.raises(DataError, match=r"light/9.mkv: its video is of a codec that is not known"):
        prepare(dataset, videos)
    report = prepare(dataset, videos, on_bad_sample="skip", max_bad_share=0.1).report
    assert [sample["sample"] for sample in report["skipped"]] == ["light/9.mkv"]


def test_without_a_decoder_the_extra_is_named(dataset, videos, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "snaketorch.data.decoding.videos", raising=False)
    with pytest.raises(UserError, match=r"pip install \"snaketorch\[video\]\""):
        prepare(dataset, videos)
