"""A fingerprint of each row's content: the same in every file, however it writes its values, and at every place in the file."""

import hashlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

HEX_DIGITS = 32


def row_hashes(fields: dict[str, pa.Array], count: int) -> np.ndarray:
    """Return two uint64 per row: the sum of the 128-bit BLAKE2b hashes of (field, value), unknown values left out.

    fields: parsed values, so that neither the format of the file nor the way a number is written counts. A sum does not depend
    on the order of the fields, and `row_hashes(a) + row_hashes(b)` is `row_hashes(a | b)`.

    >>> one = row_hashes({"quantity": pa.array([2]), "name": pa.array([None], pa.string())}, 1)
    >>> bool((one == row_hashes({"quantity": pa.array([2])}, 1)).all())
    True
    """
    sums = np.zeros((count, 2), dtype=np.uint64)
    for name, values in fields.items():
        if values.null_count == count:
            continue
        indices, different = _encoded(values)
        lanes = np.frombuffer(b"".join([*_digests(name, different), bytes(16)]), dtype="<u8").reshape(-1, 2)
        sums += lanes[indices]  # An unknown value has the index -1: the last lane, which is 0
    return sums


def _digests(name: str, texts: list[bytes]) -> Iterator[bytes]:
    """Give the hash of the field's name and each text; what hashed the name is copied, which is faster than to begin anew."""
    begun = hashlib.blake2b(name.encode() + b"\x1f", digest_size=16)
    for text in texts:
        hashed = begun.copy()
        hashed.update(text)
        yield hashed.digest()


def _encoded(values: pa.Array) -> tuple[np.ndarray, list[bytes]]:
    """Return the place of each value among the different ones, -1 for null, and the different ones as canonical text in UTF-8."""
    if pa.types.is_string(values.type):
        encoded = values.dictionary_encode()
        return encoded.indices.fill_null(-1).to_numpy(), encoded.dictionary.cast(pa.binary()).to_pylist()
    if pa.types.is_decimal(values.type):
        whole = np.frombuffer(values.buffers()[1], dtype="<i8")[2 * values.offset :][: 2 * len(values) : 2]  # 18 digits fit in 8 bytes
    else:
        whole = values.cast(pa.int64()).fill_null(0).to_numpy()
    codes, different = pd.factorize(whole)
    if values.null_count:
        codes = np.where(values.is_valid().to_numpy(zero_copy_only=False), codes, -1)
    return codes, [b"%d" % value for value in different.tolist()]


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
