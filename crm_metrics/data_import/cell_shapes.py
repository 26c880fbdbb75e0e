"""What a cell looks like, and which texts mean "nothing here"."""

import re

MISSING = frozenset(
    ("", "null", "nan", "n/a", "#n/a", "na", "none", "nil", "-", "--", "—", "–", "\\n", "(null)", "<na>", "nat", "无", "空")
)
"""Lower-case texts that mean an empty identifier, number or date."""
MISSING_NAME = frozenset(("", "null", "nan", "n/a", "#n/a", "-", "--", "—", "\\n", "(null)", "<na>"))
"""The same for names and regions, where NA (Namibia, North America) and None may be meant."""
TOTALS = frozenset(("total", "totals", "grand total", "sum", "subtotal", "summe", "gesamt", "gesamtsumme", "合计", "总计", "小计"))
"""Lower-case first words of a row that adds up the others."""
TOTALS_PATTERN = (
    r"(?i)^((grand[- ]?total|sub[- ]?total|sous[- ]?total|total g[ée]n[ée]ral|gesamtsumme|zwischensumme|endsumme)\b|合计|总计|小计"
    r"|(totals?|sum|summe|gesamt|somme)\s*[:：]?\s*([(\d].*|(for|of|der|du|de)\s.*)?$)"
)
"""An order or a customer that is no one, but adds up the rows above: the word alone, before a day or a number. 'Total Wine' is a shop."""

ZERO_WIDTH = {0x200B: "", 0x2060: "", 0xFEFF: ""}
"""Characters that nobody sees: C1 and C1 with one of them are one customer."""
WIDE_TO_NARROW = (
    ZERO_WIDTH
    | {0x3000: " ", 0x00A0: " ", 0x202F: " ", 0x2009: " ", 0x2212: "-"}
    | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
)
"""Full-width characters, narrow spaces and the true minus sign, as their ASCII twins. A full-width yen sign is left to the currency."""
WIDE_PATTERN = "[\u200b\u2060\ufeff\u3000\u00a0\u202f\u2009\u2212\uff01-\uff5e]"

_VALUE = re.compile(
    r"""[-+(]?\s*(?:[€$£¥￥]|[A-Z]{3}\s)?\s*[-+]?\d[\d.,'’\s]*(?:E[+-]?\d+)?\s*(?:[€$£¥￥%元]|[A-Z]{3})?\)?-?   # a number
    |\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?(?:[T\s].*)?                                                # a date
    |\d{1,2}[-\s][A-Za-z]{3,9}[-\s]\d{2,4}(?:[T\s].*)?""",
    re.VERBOSE,
)


def looks_like_value(cell: str) -> bool:
    """Return whether a cell is a number or a date, as no column's name is.

    >>> [looks_like_value(cell) for cell in ("12.50", "31/01/2024", "€ 5", "Order date", "A1")]
    [True, True, True, False, False]
    """
    return _VALUE.fullmatch(cell.translate(WIDE_TO_NARROW).strip()) is not None


def find_header(rows: list[list[str]]) -> tuple[int | None, int]:
    """Return the place of the header among the first rows (None if there is none) and of the first row of the table.

    Titles above the table fill fewer than half of its columns. A header has no cell that is a number or a date.
    """
    widths = [len(row) for row in rows if any(cell.strip() for cell in row)]
    if not widths:
        return None, 0
    usual = max(set(widths), key=lambda width: (widths.count(width), width))
    for at, row in enumerate(rows):
        filled = [cell for cell in row if cell.strip()]
        if len(filled) < min(usual, max(2, usual / 2)):
            continue
        return (None if any(looks_like_value(cell) for cell in filled) else at), at
    return None, 0
