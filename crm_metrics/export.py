"""What leaves the app: tables as CSV and Excel that no spreadsheet takes for formulas, and names that no page takes for markup."""

import io
import re
from typing import Any

import pandas as pd

_DANGEROUS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\0")  # a cell that begins so can run as a formula
_LINKED = ("://", "www.", "@")
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])")


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return `frame` as UTF-8 CSV with a byte order mark (Excel reads Chinese); texts that look like formulas are quoted with '.

    >>> csv_bytes(pd.DataFrame({"name": ["=1+1"]})).decode("utf-8-sig").split()
    ['name', "'=1+1"]
    """
    return csv_text(frame).encode("utf-8-sig")


def csv_text(frame: pd.DataFrame) -> str:
    """Return `frame` as CSV in which no cell is a formula."""
    return str(escaped(frame).to_csv(index=False, lineterminator="\n"))


def excel_bytes(frame: pd.DataFrame, *, sheet: str = "table") -> bytes:
    """Return `frame` as an Excel workbook in which no cell is a formula or a link."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    target = io.BytesIO()
    with pd.ExcelWriter(target, engine="xlsxwriter", engine_kwargs={"options": options}) as writer:
        escaped(frame).to_excel(writer, sheet_name=sheet[:31], index=False)
    return target.getvalue()


def escaped(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with texts (and column names) that a spreadsheet would run quoted with '."""
    safe = frame.rename(columns={name: _escape(name) for name in frame.columns})
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]) and not pd.api.types.is_datetime64_any_dtype(safe[name]):
            safe[name] = safe[name].map(_escape)
    return safe


def _escape(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value.startswith(_DANGEROUS) else value


def safe_text(value: str) -> str:
    r"""Return a name from the data so that Markdown shows it as it is: no links, no images, no mathematics.

    >>> print(safe_text("[click](x)"))
    \[click\]\(x\)
    """
    plain = value.replace("\n", " ")
    for start in _LINKED:  # addresses become links after the escaping: a zero-width space keeps them text
        plain = plain.replace(start, start + "\u200b")
    return _MARKUP.sub(r"\\\1", plain)


def safe_label(value: str) -> str:
    """Return a name from the data so that Plotly shows it as it is (Plotly renders some HTML in labels).

    >>> safe_label("<a href='x'>y</a>")
    "&lt;a href='x'>y&lt;/a>"
    """
    return value.replace("&", "&amp;").replace("<", "&lt;")
