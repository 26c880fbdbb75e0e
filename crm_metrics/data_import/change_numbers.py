"""Numbers of changes that an export does not number: the same ones in every export, whole or of the last days."""

import functools
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

FIRST_DAY, LAST_DAY = date(1932, 1, 1), date(2067, 12, 31)
"""Days whose changes can be numbered: their seconds fit in the 32 bits of a whole number."""
_ZERO = pd.Timestamp("2000-01-01")


def change_numbers(keys: list[pa.Array], moments: pa.Array, contents: pa.Array) -> pa.Array:
    """Return a number per change that rises with its moment within its key: its second since 2000, or the next that is free.

    Not its place, which is another in an export that begins later. keys: columns that name what changed. contents: a fingerprint per
    row; rows of one content are one change. Rows without a key or a moment that can be numbered have none.

    >>> at = [pd.Timestamp("2000-01-01 00:01"), pd.Timestamp("2000-01-01 00:01"), pd.Timestamp("2000-01-01"), None]
    >>> change_numbers([pa.array(["a"] * 4)], pa.array(at, pa.timestamp("us")), pa.array(["x", "y", "z", "v"])).to_pylist()
    [60, 61, 0, None]
    """
    key = functools.reduce(lambda left, right: pc.binary_join_element_wise(left, right, "\x1f"), keys)
    rows = pd.DataFrame({"key": key.to_pandas(), "at": moments.to_pandas(), "content": contents.to_pandas()})
    known = (
        rows[rows["at"].between(pd.Timestamp(FIRST_DAY), pd.Timestamp(LAST_DAY + timedelta(1)), inclusive="left")]
        .dropna()
        .drop_duplicates("content")
        .sort_values("at", kind="stable")
    )
    place = known.groupby("key").cumcount()
    second = (known["at"] - _ZERO) // pd.Timedelta(seconds=1)
    rising = (second - place).groupby(known["key"]).cummax() + place
    number = rows["content"].map(pd.Series(rising.to_numpy(), known["content"]))
    return pa.array(number.where(rows["key"].notna() & rows["at"].notna()), pa.int32(), from_pandas=True)
