"""A fingerprint of each row's content: the same in every file, encoding and order of columns, and at every place in the file."""

import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa

HEX_DIGITS = 32


def row_hashes(columns: dict[str, pa.DictionaryArray]) -> np.ndarray:
    """Return two uint64 per row: the sum of the 128-bit BLAKE2b hashes of (column name, cell), empty cells left out.

    A sum does not depend on the order of the columns. Blanks around a cell do not count.
    """
    count = len(next(iter(columns.values())))
    sums = np.zeros((count, 2), dtype=np.uint64)
    for name, cells in columns.items():
        prefix = name.encode() + b"\x1f"
        digests = [_digest(prefix, cell.strip()) for cell in cells.dictionary.to_pylist()]
        lanes = np.frombuffer(b"".join(digests), dtype="<u8").reshape(-1, 2)
        sums += lanes[cells.indices.to_numpy()]
    return sums


def _digest(prefix: bytes, cell: str) -> bytes:
    return hashlib.blake2b(prefix + cell.encode(), digest_size=16).digest() if cell else bytes(16)


def as_hex(hashes: np.ndarray) -> pa.Array:
    """Return each hash as a string of 32 hexadecimal digits."""
    text = pa.py_buffer(np.ascontiguousarray(hashes, dtype="<u8").tobytes().hex().encode())
    offsets = pa.py_buffer(np.arange(0, (len(hashes) + 1) * HEX_DIGITS, HEX_DIGITS, dtype=np.int64).tobytes())
    return pa.LargeStringArray.from_buffers(len(hashes), offsets, text).cast(pa.string())


def occurrences(hashes: np.ndarray) -> np.ndarray:
    """Return for each row how many rows of the same content stand before it.

    >>> occurrences(np.array([[1, 1], [2, 2], [1, 1]], dtype=np.uint64)).tolist()
    [0, 0, 1]
    """
    frame = pd.DataFrame(hashes, columns=["high", "low"])
    return frame.groupby(["high", "low"], sort=False).cumcount().to_numpy()
