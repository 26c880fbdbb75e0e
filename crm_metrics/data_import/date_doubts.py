"""Dates that read well and mean another day."""

import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import import values

_ABOVE_12 = "(1[3-9]|2[0-9]|3[01])"
_UP_TO_12 = "(0?[1-9]|1[0-2])"


def swapped_by_excel(texts: pa.ChunkedArray, kinds: pa.ChunkedArray) -> str:
    """Return a text with a day above 12 if no typed date has such a day, and all texts do; else ''.

    So looks a file with the day first that was opened by an Excel with the month first, and the other way round: what can be read as
    a date became one, with day and month swapped, and the rest stayed text.
    """
    typed = pc.unique(texts.filter(pc.equal(kinds, "d")))
    written = values.narrowed(pa.concat_arrays([pc.unique(texts.filter(pc.equal(kinds, "t")))]))
    written = written.filter(pc.match_substring_regex(written, r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b"))
    if not len(typed) or not len(written):
        return ""
    has_late_day = pc.any(pc.match_substring_regex(typed, rf"^\d{{4}}-\d\d-{_ABOVE_12}")).as_py()
    is_late = pc.match_substring_regex(written, rf"^({_ABOVE_12}[-/.]\d|\d{{1,2}}[-/.]{_ABOVE_12}[-/.])")
    return "" if has_late_day or not pc.all(is_late).as_py() else written[0].as_py()


def day_before_month(texts: pa.Array) -> str:
    """Return a date like 2024-31-01 if no other date shows that the month comes first; else ''.

    >>> day_before_month(pa.array(["2024-05-02", "2024-31-01"])), day_before_month(pa.array(["2024-05-20", "2024-31-01"]))
    ('2024-31-01', '')
    """
    texts = values.narrowed(texts)
    is_swapped = pc.match_substring_regex(texts, rf"^\d{{4}}[-/.]{_ABOVE_12}[-/.]{_UP_TO_12}\b")
    if not pc.any(is_swapped).as_py() or pc.any(pc.match_substring_regex(texts, rf"^\d{{4}}[-/.]{_UP_TO_12}[-/.]{_ABOVE_12}\b")).as_py():
        return ""
    return texts.filter(is_swapped)[0].as_py()
