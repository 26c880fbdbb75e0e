"""Searching a table by words."""

import pandas as pd


def matching(frame: pd.DataFrame, words: str) -> pd.DataFrame:
    """Return the rows in whose texts every one of `words` stands somewhere, whatever the case.

    >>> matching(pd.DataFrame({"label": ["Net revenue", None], "n": [1, 2]}), "REV net")["label"].tolist()
    ['Net revenue']
    """
    wanted = words.lower().split()
    if not wanted:
        return frame
    texts = [frame[name].astype("str").str.lower() for name in frame.select_dtypes(include=["object", "str"])]
    kept = pd.Series(data=True, index=frame.index)
    for word in wanted:
        found = pd.Series(data=False, index=frame.index)
        for text in texts:
            found |= text.str.contains(word, regex=False, na=False)
        kept &= found
    return frame[kept]
