"""Files that hold arrays: opened without reading them, where their format allows."""

import logging
import pickle
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from io import SEEK_CUR
from pathlib import Path
from typing import Any

import numpy as np
import torch

from snaketorch.config.problems import did_you_mean, listed, shortened
from snaketorch.data.sources.memory import check_memory
from snaketorch.errors import DataError, UserError

log = logging.getLogger(__name__)

READ_BYTES = 1 << 20
_BROKEN = (
    *(ValueError, OSError, EOFError, RuntimeError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)
"""What the readers raise for broken content: those of headers and of packed data have errors of their own."""


class ArrayFile(Mapping[str, Any]):
    """The arrays of a file by name; each has `shape` and `dtype`, and is read where it is indexed.

    `.npy`, HDF5, most `.pt` and most `.npz` files are read in parts; what is compressed in a `.npz` is read whole.
    """

    def __init__(self, path: Path):
        """Opens ``path``. DataError when that cannot be done; its message names the file."""
        if not path.is_file():
            raise DataError(f"{path}: there is no such file")
        suffix = path.suffix.lower()
        if suffix not in _OPEN:
            raise DataError(f"{path}: the suffix '{path.suffix}' is not known; allowed: {listed(_OPEN)}")
        self.path = path
        try:
            self._arrays = _OPEN[suffix](path)
        except (*_BROKEN, KeyError) as error:
            raise self._unreadable(error) from error

    def __getitem__(self, name: str) -> Any:
        try:
            array = self._arrays[name]
        except _BROKEN as error:
            raise self._unreadable(error) from error
        if array.dtype.kind == "O" and self.path.suffix.lower() == ".npz":
            raise self._unreadable(ValueError("Object array"))
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def take(self, name: str | None, key: str) -> Any:
        """The array that ``source.KEY`` names, or the only one. DataError when there is none, or no single one."""
        if name is None:
            if len(self) == 1:
                return self[next(iter(self))]
            raise DataError(
                f"{self.path}: there are {len(self)} arrays, so source.{key} must say which; allowed: {listed(self)}"
            )
        if name not in self:
            if list(self) == [""]:
                raise DataError(f"{self.path}: the only array has no name; leave source.{key} out")
            raise DataError(
                f"{self.path}: source.{key}: there is no array '{name}'{did_you_mean(name, self)}; "
                f"allowed: {listed(self)}"
            )
        return self[name]

    def _unreadable(self, error: Exception) -> DataError:
        if any(sign in str(error) for sign in ("allow_pickle", "Object array", "Python objects")):
            return DataError(
                f"{self.path}: it holds Python objects, which are not loaded, for they can run any program; "
                "allowed: arrays of numbers. Samples of several lengths fit into a .ts file"
            )
        return DataError(f"{self.path}: the file cannot be read: {shortened(str(error), 200)}; is it cut off?")


def _open_npy(path: Path) -> dict[str, np.ndarray]:
    return {"": np.load(path, mmap_mode="r", allow_pickle=False)}


def _open_npz(path: Path) -> Mapping[str, np.ndarray]:
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no archive of arrays")
    return _Npz(path)


class _Npz(Mapping[str, np.ndarray]):
    """The arrays of an archive; those that `np.savez` wrote, which does not compress, are mapped into memory."""

    def __init__(self, path: Path):
        self._path = path
        with zipfile.ZipFile(path) as archive:
            members = {member.filename: member for member in archive.infolist()}
        self._members = {name[: -len(".npy")]: found for name, found in members.items() if name.endswith(".npy")}

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, name: str) -> np.ndarray:
        member = self._members[name]
        if member.compress_type == zipfile.ZIP_STORED and (mapped := self._map(member)) is not None:
            return mapped
        check_memory(f"{self._path}: the values of '{name}', which are compressed,", member.file_size)
        with np.load(self._path, allow_pickle=False) as archive:
            return archive[name]

    def _map(self, member: zipfile.ZipInfo) -> np.ndarray | None:
        """None for what cannot be mapped: empty arrays, and formats that only structures have."""
        with zipfile.ZipFile(self._path) as archive, archive.open(member) as content:
            while content.read(READ_BYTES):  # to its end, where its checksum is compared
                pass
        with self._path.open("rb") as stream:
            stream.seek(member.header_offset)
            *_, name_length, extra_length = struct.unpack("<4s22xHH", stream.read(30))
            stream.seek(name_length + extra_length, SEEK_CUR)
            read_header = _NPY_HEADERS.get(np.lib.format.read_magic(stream))
            if read_header is None:
                return None
            shape, is_fortran, dtype = read_header(stream)
            if dtype.hasobject:
                raise ValueError("Object array")
            if 0 in shape:
                return None
            return np.memmap(self._path, dtype, "r", stream.tell(), shape, "F" if is_fortran else "C")


_NPY_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def _open_pt(path: Path) -> dict[str, np.ndarray]:
    try:
        try:
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError as error:
            if "mmap" not in str(error):
                raise
            content = torch.load(path, map_location="cpu", weights_only=True)  # an old format, which cannot be mapped
    except pickle.UnpicklingError as error:
        with path.open("rb") as stream:
            if stream.read(1) not in (b"P", b"\x80"):  # of an archive, of a bare pickle
                raise DataError(f"{path}: it is no file that torch.save wrote") from error
        raise ValueError("Object array") from error
    if isinstance(content, torch.Tensor):
        content = {"": content}
    if isinstance(content, list | tuple):
        content = {str(number): item for number, item in enumerate(content)}
    if not isinstance(content, dict) or not content:
        raise DataError(
            f"{path}: it holds a {type(content).__name__}; allowed: a tensor, or several by name or in a list"
        )
    arrays = {str(name): _to_numpy(item) for name, item in content.items() if isinstance(item, torch.Tensor)}
    if not arrays:
        raise DataError(f"{path}: it holds no tensor; allowed: a tensor, or several by name or in a list")
    return arrays


def _to_numpy(tensor: torch.Tensor) -> np.ndarray:
    tensor = tensor.detach().resolve_conj()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def _open_hdf5(path: Path) -> dict[str, Any]:
    try:
        import h5py
    except ImportError as error:
        raise UserError(f"{path}: HDF5 files need h5py: `pip install snaketorch[hdf5]`") from error
    arrays: dict[str, Any] = {}
    h5py.File(path, "r").visititems(
        lambda name, item: arrays.update({name: item}) if isinstance(item, h5py.Dataset) else None
    )
    if not arrays:
        raise DataError(f"{path}: it holds no array; allowed: at least one")
    return arrays


_OPEN: dict[str, Callable[[Path], Mapping[str, Any]]] = {
    ".npy": _open_npy,
    ".npz": _open_npz,
    ".pt": _open_pt,
    ".h5": _open_hdf5,
    ".hdf5": _open_hdf5,
}
