"""Which marks numbers are written with, as far as the numbers themselves tell."""

import re
from typing import NamedTuple

from crm_metrics.data_import.cell_shapes import WIDE_TO_NARROW


class Marks(NamedTuple):
    """How a column writes numbers."""

    decimal: str
    thousands: str


def find_marks(texts: list[str]) -> tuple[Marks | None, str]:
    """Return the marks that numbers are written with (None when there are none), and an example that can be read in two ways.

    >>> find_marks(["1.234,50", "2.000"]), find_marks(["1,234"]), find_marks(["0.333", "12.5"])
    ((Marks(decimal=',', thousands='.'), ''), (Marks(decimal='.', thousands=''), '1,234'), (Marks(decimal='.', thousands=''), ''))
    """
    cores = [_core(text) for text in texts]
    marked = [core for core in cores if re.search(r"[.,'’ ]", core)]
    if not marked:
        return None, ""
    decimals = {mark for core in marked for mark in ".," if _is_decimal(core, mark)}
    if len(decimals) > 1:
        return Marks(".", ""), marked[0]
    groups = {core[at] for core in marked for at in range(len(core)) if re.match(r"[.,'’ ]\d{3}(?!\d)", core[at:])}
    if decimals:
        decimal = decimals.pop()
        thousands = next(iter(sorted(groups - {decimal})), "")
        return Marks(decimal, "'" if thousands == "’" else thousands), ""
    only_group = next(iter(sorted(groups)), "")
    if only_group in (" ", "'", "’"):
        return Marks(".", "'" if only_group == "’" else only_group), ""
    return Marks(".", ""), marked[0]


def _is_decimal(core: str, mark: str) -> bool:
    """Return whether `mark` can only be the decimal mark of this number: once, last, and not before a group of three."""
    whole, _, rest = core.rpartition(mark)
    other = "," if mark == "." else "."
    if mark not in core or mark in whole or other in rest:
        return False
    return len(rest) != 3 or other in whole or " " in whole or "'" in whole or whole in ("", "0") or (len(whole) > 3 and whole.isdigit())


def doubtful_point(texts: list[str]) -> str:
    """Return a number like 1.234 whose point may stand for thousands, when no other number shows that points are decimal; else ''.

    >>> doubtful_point(["1.234", "5"]), doubtful_point(["1.234", "5.50"]), doubtful_point(["1.234,56", "2.000"])
    ('1.234', '', '1.234,56')
    """
    cores = [_core(text) for text in texts]
    if any(_is_decimal(core, ".") for core in cores):
        return ""
    return next((text for text, core in zip(texts, cores, strict=True) if re.match(r"[1-9]\d{0,2}(\.\d{3})+(,\d+)?$", core)), "")


def _core(text: str) -> str:
    """Return the digits and marks of a number."""
    return re.sub(r"[^\d.,'’ ]", "", text.translate(WIDE_TO_NARROW)).strip()
