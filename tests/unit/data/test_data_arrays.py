import numpy as np
import pytest

from snaketorch.data.arrays import write_array


def test_an_array_is_written_with_what_the_manifest_says_of_it(tmp_path):
    transposed = np.arange(6, dtype=np.float32).reshape(2, 3).T
    entry = write_array(tmp_path / "x.npy", transposed, "arrays/x.npy")
    read = np.load(tmp_path / "x.npy")
    assert np.array_equal(read, transposed)
    assert read.flags.c_contiguous
    assert (entry.file, entry.shape, entry.dtype) == ("arrays/x.npy", (3, 2), "float32")
    assert entry.bytes == (tmp_path / "x.npy").stat().st_size


def test_objects_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_array(tmp_path / "x.npy", np.array([{}]), "x.npy")
