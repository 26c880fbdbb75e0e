"""Searching a table by words."""

import pandas as pd


def matching(frame: pd.DataFrame, words: str) -> pd.DataFrame:
    """Return the rows in whose texts every one of `words` stands somewhere, whatever the case.

    >>> matching(pd.DataFrame({"label": ["Net revenue", None], "n": [1, 2]}), "REV net")["label"].tolist()
    ['Net revenue']
    """
    texts = frame.select_dtypes(include=["object", "str"]).astype("str").fillna("")
    joined = pd.Series([" ".join(row).lower() for row in texts.itertuples(index=False)], index=frame.index, dtype="str")
    kept = pd.Series(data=True, index=frame.index)
    for word in words.lower().split():
        kept &= joined.str.contains(word, regex=False)
    return frame[kept]
