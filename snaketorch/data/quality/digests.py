"""Samples told apart by content: 16 bytes stand for each, so that millions can be compared in little memory."""

import hashlib
from collections.abc import Iterator

import numpy as np

CHUNK_BYTES = 8 << 20


def chunks(array: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Parts of a memory-mapped array, each with the row that it begins at, of some 8 MB."""
    row_bytes = max(1, array[:1].nbytes)
    step = max(1, CHUNK_BYTES // row_bytes)
    for start in range(0, len(array), step):
        yield start, np.ascontiguousarray(array[start : start + step])


def column_chunks(array: np.ndarray, column: int) -> Iterator[tuple[int, np.ndarray]]:
    """As ``chunks``, of one column of an array (rows, columns)."""
    step = max(1, CHUNK_BYTES // array.itemsize)
    for start in range(0, len(array), step):
        yield start, np.ascontiguousarray(array[start : start + step, column])


def row_digests(*arrays: np.ndarray) -> np.ndarray:
    """uint64, (rows, 2): what stands for each row of the arrays (rows, ...) together."""
    found = np.empty((len(arrays[0]), 16), np.uint8)
    step = min(max(1, CHUNK_BYTES // max(1, array[:1].nbytes)) for array in arrays)
    for start in range(0, len(found), step):
        parts = [np.ascontiguousarray(array[start : start + step]) for array in arrays]
        _digest_into(found[start : start + step], parts)
    return found.view(np.uint64)


def chunk_digests(part: np.ndarray) -> np.ndarray:
    """As ``row_digests``, of rows that are in memory."""
    found = np.empty((len(part), 16), np.uint8)
    _digest_into(found, [np.ascontiguousarray(part)])
    return found.view(np.uint64)


def ragged_digests(array: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """As ``row_digests`` of samples that lie one after the other, each from its start to the next."""
    found = np.empty((len(starts) - 1, 16), np.uint8)
    for row in range(len(found)):
        sample = np.ascontiguousarray(array[starts[row] : starts[row + 1]])
        found[row] = np.frombuffer(hashlib.blake2b(sample, digest_size=16).digest(), np.uint8)
    return found.view(np.uint64)


def _digest_into(found: np.ndarray, parts: list[np.ndarray]) -> None:
    # rows as bytes: hashing takes no array of another kind without a copy
    flat = [part.reshape(len(part), -1).view(np.uint8) for part in parts]
    for row in range(len(found)):
        digest = hashlib.blake2b(flat[0][row], digest_size=16)
        for other in flat[1:]:
            digest.update(other[row])
        found[row] = np.frombuffer(digest.digest(), np.uint8)
