from pathlib import Path

from snaketorch.data.manifest import Manifest, SplitFiles
from snaketorch.data.used import as_used


def test_a_run_tells_which_data_it_used_by_digest_shapes_and_counts():
    splits = {name: SplitFiles(count, {}) for name, count in (("train", 70), ("val", 10), ("test", 20))}
    fields = {"image": {"dtype": "uint8", "shape": [1, 8, 8]}, "text": {"dtype": "int64", "shape": [None]}}
    fields["label"] = {"dtype": "int64", "shape": []}
    path = Path("results/datasets/digits/manifest.json")
    manifest = Manifest(path, "digits", "labelled images", "c0ffee", fields, splits, {}, ("a", "b"))

    used = as_used(manifest, "train")

    assert (used["name"], used["digest"], used["path"]) == ("digits", "c0ffee", "results/datasets/digits")
    assert used["columns"] == {"image": "uint8 1 x 8 x 8", "text": "int64 any", "label": "int64"}
    counts = {"train_samples": 70, "val_samples": 10, "test_samples": 20}
    assert used["profile"] == {"provides": "labelled images", **counts, "classes": 2}
