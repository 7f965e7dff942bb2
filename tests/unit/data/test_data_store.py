import numpy as np
import pytest

from snaketorch.data.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, "arrays")


def test_an_array_is_written_with_what_the_manifest_says_of_it(store, tmp_path):
    transposed = np.arange(6, dtype=np.float32).reshape(2, 3).T
    store.write("train", "x", transposed)
    read = np.load(tmp_path / "train_x.npy")
    assert np.array_equal(read, transposed)
    assert read.flags.c_contiguous
    entry = store.arrays["train"]["x"]
    assert (entry.file, entry.shape, entry.dtype) == ("arrays/train_x.npy", (3, 2), "float32")
    assert entry.bytes == (tmp_path / "train_x.npy").stat().st_size


def test_rows_are_added_until_there_are_no_more(store):
    parts = [np.full((count, 2), count, np.int64) for count in (3, 0, 1000)]
    with store.rows("val", "x", np.int64, (2,)) as rows:
        for part in parts:
            rows.append(part)
            assert np.array_equal(rows.written(), np.concatenate(parts)[: rows.count])
    assert np.array_equal(store.read("val", "x"), np.concatenate(parts))


@pytest.mark.parametrize("wrong", [np.zeros((1, 2)), np.zeros((1, 3), np.int64)])
def test_rows_of_another_kind_are_refused(store, wrong):
    with store.rows("val", "x", np.int64, (2,)) as rows, pytest.raises(ValueError, match="takes int64 rows"):
        rows.append(wrong)


def test_another_file_is_listed(store, tmp_path):
    store.write_json("tokenizer", {"b": 1, "a": "ü"})
    assert (tmp_path / "tokenizer.json").read_text("utf-8") == '{"a": "ü", "b": 1}'
    assert store.others["tokenizer"].file == "arrays/tokenizer.json"
