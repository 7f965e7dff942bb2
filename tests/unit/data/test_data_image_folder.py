import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from snaketorch.data import readers
from snaketorch.data.decoding import pool
from snaketorch.data.manifest import SPLITS
from snaketorch.data.sources.class_folders import read_class_folders
from snaketorch.errors import DataError

SOME = {"val": 0.2, "test": 0.2}


@pytest.fixture
def folder(tmp_path):
    """Ten images each of cats and dogs."""
    root = tmp_path / "pets"
    fill(root)
    return root


def fill(root, count=10, size=(6, 5)):
    for label, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        for index in range(count):
            pixels = np.full((*size, 3), 10 * index + label, np.uint8)
            pixels[0, 0] = 255, 0, label
            Image.fromarray(pixels).save(root / name / f"{index}.png")


def prepare(dataset, root, split=SOME, **options):
    return dataset.prepare({"kind": "image_folder", "path": str(root)}, split, options)


def test_class_folders_become_a_dataset(dataset, folder):
    manifest = prepare(dataset, folder)
    assert manifest.classes == ("cat", "dog")
    assert manifest.fields["image"]["shape"] == [3, 6, 5]
    assert [manifest.splits[name].count for name in SPLITS] == [12, 4, 4]
    for name in SPLITS:
        arrays = manifest.arrays(name)
        assert np.array_equal(arrays["image"][:, 2, 0, 0], arrays["label"])


@pytest.mark.parametrize("val", ["val", "valid", "validation"])
def test_parts_that_have_folders_of_their_own_are_kept(dataset, tmp_path, val):
    for part, count in (("train", 7), (val, 2), ("test", 3)):
        fill(tmp_path / "pets" / part, count)
    manifest = prepare(dataset, tmp_path / "pets")
    assert [manifest.splits[name].count for name in SPLITS] == [14, 4, 6]


def test_validation_comes_from_training_where_only_the_test_is_apart(dataset, tmp_path):
    fill(tmp_path / "pets" / "train", 10)
    fill(tmp_path / "pets" / "test", 3)
    assert [prepare(dataset, tmp_path / "pets").splits[name].count for name in SPLITS] == [16, 4, 6]


def test_the_number_of_threads_does_not_show(dataset, folder, monkeypatch):
    monkeypatch.setattr(pool, "QUICK", 0.0)  # threads from the second task on
    monkeypatch.setattr(pool, "TASK_FILES", 3)
    digests = set()
    for threads in ("1", "4"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        monkeypatch.setattr(pool, "BUDGET_VALUES", 100)
        digests.add(prepare(dataset, folder).digest)
    assert len(digests) == 1


def test_other_files_are_left_aside_and_named_by_their_ending(dataset, folder, caplog):
    for name in ("README.txt", "cat/b.GIF", "cat/a.gif", "dog/LICENSE", ".hidden", "cat/.DS_Store", "dog/Thumbs.db"):
        (folder / name).write_text("no image")
    findings = [found for found in prepare(dataset, folder).report["findings"] if found["check"] == "files left aside"]
    assert [(found["severity"], found["count"], found["examples"]) for found in findings] == [
        ("problem", 2, ["cat/a.gif", "cat/b.GIF"]),
        ("hint", 1, ["dog/LICENSE"]),
        ("hint", 1, ["README.txt"]),
    ]
    assert findings[0]["summary"].startswith(
        "Left aside: 2 files .gif, images of a format that is not read; read are .b"
    )
    assert "left aside: 1 file without an ending, no images by name, such as dog/LICENSE" in caplog.text


def test_a_class_with_other_formats_alone_says_which_are_read(dataset, folder):
    (folder / "cow").mkdir()
    for name in ("a.gif", "b.gif", "c.heic"):
        (folder / "cow" / name).write_bytes(b"GIF89a")
    with pytest.raises(DataError, match=r"folder 'cow' has no images: in it are 2 \.gif, 1 \.heic; .*allowed: \.bmp, "):
        prepare(dataset, folder)


def test_names_that_are_no_utf8_are_shown_and_stored_all_the_same(dataset, folder, caplog):
    odd = os.fsdecode(b"caf\xe9\n.png")
    (folder / "cat" / odd).write_bytes(b"no image")
    (folder / "dog" / os.fsdecode(b"caf\xe9.gif")).write_bytes(b"")
    (folder / "dog").rename(folder / os.fsdecode(b"b\xe9te"))
    manifest = prepare(dataset, folder, on_bad_sample="skip", max_bad_share=0.1)
    assert manifest.classes == (r"b\xe9te", "cat")
    assert manifest.report["skipped"][0]["sample"] == r"cat/caf\xe9\n.png"
    assert any(found["examples"] == [r"b\xe9te/caf\xe9.gif"] for found in manifest.report["findings"])
    assert r"left out cat/caf\xe9\n.png: " in caplog.text
    with pytest.raises(DataError, match=r"cat/caf\\xe9\\n.png: "):
        prepare(dataset, folder)


@pytest.mark.parametrize("options", [{}, {"size": [6, 5], "channels": 3}])
def test_what_came_is_told_whether_or_not_it_was_looked_at_before(dataset, folder, options):
    assert prepare(dataset, folder, **options).report["facts"] == {
        "images": 20,
        "smallest, height and width": [6, 5],
        "largest, height and width": [6, 5],
        "grey": 0,
    }


def test_small_files_are_opened_once_where_the_shape_is_said(dataset, folder, monkeypatch):
    opened = []
    look = readers.look_at_picture
    monkeypatch.setattr(readers, "look_at_picture", lambda path, up_to: opened.append(path) or look(path, up_to))
    monkeypatch.setattr(readers, "read_file", None)
    prepare(dataset, folder, size=[6, 5], channels=3)
    assert len(opened) == len(set(opened)) == 20


def test_folders_that_are_no_classes_are_refused(dataset, tmp_path, folder):
    with pytest.raises(DataError, match="is no folder"):
        prepare(dataset, tmp_path / "absent")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError, match="has no folders"):
        prepare(dataset, tmp_path / "nothing")
    (folder / "cow").mkdir()
    with pytest.raises(DataError, match="folder 'cow' has no images"):
        prepare(dataset, folder)


def test_a_class_that_a_part_lacks_is_named(dataset, tmp_path):
    fill(tmp_path / "pets" / "train")
    fill(tmp_path / "pets" / "test")
    (tmp_path / "pets" / "train" / "dog").rename(tmp_path / "pets" / "train" / "dogs")
    with pytest.raises(DataError, match="there is no folder 'train/dog', but one in test/"):
        prepare(dataset, tmp_path / "pets")


def test_sizes_that_differ_are_named(dataset, folder):
    Image.new("RGB", (40, 30)).save(folder / "cat" / "3.png")
    message = r"smallest is 6x5 pixels \(cat/0.png\), the largest 30x40 pixels \(cat/3.png\).*prepare: {size: \[H, W\]}"
    with pytest.raises(DataError, match=message):
        prepare(dataset, folder)
    assert prepare(dataset, folder, size=[4, 4]).fields["image"]["shape"] == [3, 4, 4]


def test_images_that_are_all_grey_have_one_channel(dataset, folder):
    for path in folder.rglob("*.png"):
        Image.open(path).convert("L").save(path)
    assert prepare(dataset, folder).fields["image"]["shape"] == [1, 6, 5]
    Image.new("RGB", (5, 6)).save(folder / "cat" / "3.png")
    assert prepare(dataset, folder).fields["image"]["shape"] == [3, 6, 5]


@pytest.mark.parametrize("bad", [b"", b"no image", None])
def test_a_bad_image_is_named_or_left_out(dataset, folder, bad):
    path = folder / "dog" / "4.png"
    path.write_bytes(path.read_bytes()[:60] if bad is None else bad)
    with pytest.raises(DataError, match=r"dataset 'some': dog/4.png: .*on_bad_sample: skip"):
        prepare(dataset, folder)
    with pytest.raises(DataError, match=r"1 of 20 samples are bad.* allows 0"):
        prepare(dataset, folder, on_bad_sample="skip")
    manifest = prepare(dataset, folder, on_bad_sample="skip", max_bad_share=0.1)
    assert [sample["sample"] for sample in manifest.report["skipped"]] == ["dog/4.png"]
    assert sum(manifest.splits[name].count for name in SPLITS) == 19


@pytest.mark.parametrize("options", [{}, {"size": [6, 5], "channels": 3}])
def test_a_bad_image_of_a_class_that_is_left_out_stops_nothing(dataset, folder, options):
    (folder / "cow").mkdir()
    (folder / "cow" / "0.png").write_bytes(b"no image")
    manifest = prepare(dataset, folder, SOME | {"classes": ["cat", "dog"]}, **options)
    assert sum(manifest.splits[name].count for name in SPLITS) == 20
    (folder / "cat" / "0.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"cat/0.png: "):
        prepare(dataset, folder, SOME | {"classes": ["cat", "dog"]}, **options)


def test_a_class_that_loses_all_its_images_is_named(dataset, folder):
    for path in (folder / "dog").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match="all samples of class 'dog' are bad"):
        prepare(dataset, folder, on_bad_sample="skip", max_bad_share=0.9)


def test_copies_enlarge_the_training_split_alone(dataset, folder):
    before = prepare(dataset, folder)
    original = np.array(before.arrays("train")["image"])
    manifest = prepare(dataset, folder, copies=2, augment={"brightness": 0.3, "horizontal_flip": 0.5})
    train = manifest.arrays("train")
    assert [manifest.splits[name].count for name in SPLITS] == [36, 4, 4]
    assert manifest.splits["train"].class_counts == (18, 18)
    assert np.array_equal(train["image"][:12], original)
    assert np.array_equal(train["label"], np.tile(train["label"][:12], 3))
    assert not np.array_equal(train["image"][12:24], train["image"][24:])
    assert np.abs(train["image"][12:24].astype(int) - original).mean() < 60
    assert manifest.report["facts"]["training images before copies"] == 12
    assert manifest.fields["image"]["statistics"]["mean"][0] == pytest.approx(train["image"][:, 0].mean() / 255)


PEAK = """
import json, resource, sys
from pathlib import Path
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.decoding import pool
from snaketorch.data.prepare import prepare
import torch
from torchvision.transforms.v2 import functional
torch.set_num_threads(1)
pool.BUDGET_VALUES, pool.QUICK = 2**24, 0
peaks = []
for path in sys.argv[1:]:
    folder = Path(path + "-out")
    spec = {"dataset": "x", "source": {"kind": "image_folder", "path": path}, "split": {},
            "prepare": {"size": [32, 32]}}
    prepare(PrepareSpec.model_validate(spec), folder / "m.json", folder / "p.png", folder / "arrays", "", None)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(json.dumps(peaks))
"""


def test_memory_stays_bounded_by_pixels_and_not_by_files(tmp_path):
    # decoded, 24 images of 600x600 pixels take 26 MB, and 240 take 260 MB
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (14, 14, 3), dtype=np.uint8)).resize((600, 600))
    image.save(tmp_path / "image.jpg", quality=30)
    for name, count in (("few", 24), ("many", 240)):
        for label in ("a", "b"):
            (tmp_path / name / label).mkdir(parents=True)
            for index in range(count // 2):
                (tmp_path / name / label / f"{index}.jpg").hardlink_to(tmp_path / "image.jpg")
    command = [sys.executable, "-c", PEAK, str(tmp_path / "few"), str(tmp_path / "many")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    few, many = json.loads(done.stdout.splitlines()[-1])
    assert many - few < 80, f"{few:.0f} MB for few, {many:.0f} MB for many"


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (["train/cat", "train/dog", "test"], "'.*/test' looks like a part and holds no class folders"),
        (["val/cat", "val/dog", "test/cat", "test/dog"], "has test, val and no folder train"),
        (["test"], "looks like a part and holds no class folders"),
    ],
)
def test_parts_that_are_not_whole_never_become_classes(tmp_path, folders, message):
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
        Image.new("L", (4, 4)).save(tmp_path / folder / "1.png")

    with pytest.raises(DataError, match=message):
        read_class_folders(tmp_path, {".png"}, "images")


def test_parts_are_known_by_other_names_too(tmp_path):
    for folder in ("Training/cat", "Training/dog", "Testing/cat", "Testing/dog"):
        (tmp_path / folder).mkdir(parents=True)
        Image.new("L", (4, 4)).save(tmp_path / folder / "1.png")

    found = read_class_folders(tmp_path, {".png"}, "images")

    assert found.classes == ("cat", "dog")
    assert found.given["test"].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("target", "said"),
    [("../..", "is a link to a folder that it lies in"), ("loop", "cannot be read: Too many levels of symbolic links")],
)
def test_a_link_that_leads_nowhere_else_is_refused(folder, target, said):
    (folder / "cat/loop").symlink_to(target)
    with pytest.raises(DataError, match=f"source.path: '.*cat.*' {said}"):
        read_class_folders(folder, {".png"}, "images")


def test_a_link_to_a_folder_elsewhere_is_followed(folder, tmp_path):
    fill(tmp_path / "more", 2)
    (folder / "cat/more").symlink_to(tmp_path / "more/cat")
    assert len(read_class_folders(folder, {".png"}, "images").paths) == 22
