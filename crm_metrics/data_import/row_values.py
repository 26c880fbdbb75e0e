"""Cells of tables other than order lines to values: as `values`, and flags, whole numbers and shares besides."""

import re
from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Column

from crm_metrics.data_import import values
from crm_metrics.data_import.date_formats import ISO
from crm_metrics.data_import.row_tables import CHOICES, DECIMALS, Kind, kind_of
from crm_metrics.data_import.values import Values

Parser = Callable[[pa.Array], Values]
TYPES: dict[Kind, pa.DataType] = {
    "identifier": pa.string(),
    "text": pa.string(),
    "flag": pa.bool_(),
    "day": pa.date32(),
    "moment": pa.timestamp("us"),
    "count": pa.int32(),
    "amount": values.MONEY,
    "rate": pa.decimal128(18, 8),
}
YES = frozenset(("true", "t", "yes", "y", "1", "1.0", "是", "ja", "oui", "si", "sí", "x", "✓"))
NO = frozenset(("false", "f", "no", "n", "0", "0.0", "否", "nein", "non"))
_MOST = 2**31 - 1  # of a whole number in the database


def parse_flags(texts: pa.Array) -> Values:
    """Return true and false from the usual words, capital letters or not.

    >>> parse_flags(pa.array(["Yes", "0", "perhaps"])).values.to_pylist()
    [True, False, None]
    """
    texts = pc.utf8_lower(values.narrowed(texts))
    yes, no = (pc.is_in(texts, value_set=pa.array(sorted(words))) for words in (YES, NO))
    problems = np.full(len(texts), values.NOT_A_FLAG, dtype=np.int8)
    problems[pc.or_(yes, no).to_numpy(zero_copy_only=False)] = values.FINE
    problems[values.is_missing(texts).to_numpy(zero_copy_only=False)] = values.EMPTY
    return Values(pc.if_else(pa.array(problems == values.FINE), yes, pa.scalar(None, pa.bool_())), problems)


def parse_counts(texts: pa.Array, decimal: str = ".", thousands: str = "") -> Values:
    """Return whole numbers; 3.0 is 3, and 3.5 is none.

    >>> parse_counts(pa.array(["3.0", "3.5"])).values.to_pylist()
    [3, None]
    """
    numbers = values.parse_numbers(texts, decimal, thousands)
    whole = pc.round(numbers.values, round_mode="towards_zero")
    fits = pc.and_(pc.equal(whole, numbers.values), pc.less_equal(pc.abs(whole), pa.scalar(Decimal(_MOST))))
    problems = numbers.problems.copy()
    problems[(problems == values.FINE) & ~fits.fill_null(False).to_numpy(zero_copy_only=False)] = values.NOT_WHOLE  # noqa: FBT003
    return Values(pc.if_else(pa.array(problems == values.FINE), whole, pa.scalar(None, whole.type)).cast(pa.int32()), problems)


def parse_rates(texts: pa.Array, decimal: str = ".", thousands: str = "") -> Values:
    """Return exact numbers of up to 8 decimals; 50 % is 0.5.

    >>> parse_rates(pa.array(["33.3 %", "0.125"])).values.to_pylist()
    [Decimal('0.33300000'), Decimal('0.12500000')]
    """
    texts = values.narrowed(texts)
    parsed = [_rate(text, decimal, thousands) for text in texts.to_pylist()]
    problems = np.array([problem for _, problem in parsed], dtype=np.int8)
    problems[values.is_missing(texts).to_numpy(zero_copy_only=False)] = values.EMPTY
    return Values(pa.array([rate for rate, _ in parsed], TYPES["rate"]), problems)


def _rate(text: str, decimal: str, thousands: str) -> tuple[Decimal | None, int]:
    plain, _ = values.plain_number(text.removesuffix("%").strip(), decimal, thousands)
    if not plain:
        return None, values.NOT_A_NUMBER
    rate = Decimal(plain) / (100 if text.endswith("%") else 1)
    if abs(rate) >= Decimal(10) ** (18 - DECIMALS["rate"]):
        return None, values.TOO_LARGE
    short = rate.quantize(Decimal(1).scaleb(-DECIMALS["rate"]), ROUND_DOWN)
    return (short, values.FINE) if short == rate else (None, values.MORE_DECIMALS)


def parse_choices(texts: pa.Array, choices: tuple[str, ...]) -> Values:
    """Return the choices, capital letters or not.

    >>> parse_choices(pa.array(["Won", "closed"]), ("open", "won")).values.to_pylist()
    ['won', None]
    """
    named = values.parse_names(texts)
    lower = pc.utf8_lower(named.values)
    problems = np.where(pc.is_in(lower, value_set=pa.array(choices)).to_numpy(zero_copy_only=False), values.FINE, values.NOT_A_CHOICE)
    problems = np.where(named.values.is_valid().to_numpy(zero_copy_only=False), problems, values.EMPTY).astype(np.int8)
    return Values(pc.if_else(pa.array(problems == values.FINE), lower, pa.scalar(None, pa.string())), problems)


def meant(texts: pa.Array, words: dict[str, str]) -> pa.Array:
    """Return texts as what a mapping says they mean, capital letters or not: the same word, else the longest with a * that fits.

    An empty cell is meant by "" alone.

    >>> meant(pa.array(["Closed Won (EMEA)", "Lost", "New", ""]), {"*": "open", "lost": "lost", "closed won*": "won"}).to_pylist()
    ['won', 'lost', 'open', '']
    """
    same = {word.strip().lower(): text for word, text in words.items()}
    longest_first = sorted((word for word in same if "*" in word), key=len, reverse=True)
    alike = [(re.compile(".*".join(map(re.escape, word.split("*"))), re.DOTALL), same[word]) for word in longest_first]
    empty = values.is_missing(values.narrowed(texts)).to_pylist()
    return pa.array(
        [
            same.get(word := text.strip().lower(), same.get("", text) if is_empty else _first_alike(word, alike, text))
            for text, is_empty in zip(texts.to_pylist(), empty, strict=True)
        ],
        pa.string(),
    )


def _first_alike(word: str, alike: list[tuple[re.Pattern[str], str]], otherwise: str) -> str:
    return next((text for pattern, text in alike if pattern.fullmatch(word)), otherwise)


def parse_texts(texts: pa.Array) -> Values:
    """Return names with single spaces, and a problem where there is none."""
    named = values.parse_names(texts)
    return named._replace(
        problems=np.where(named.values.is_valid().to_numpy(zero_copy_only=False), values.FINE, values.EMPTY).astype(np.int8)
    )


def _days(texts: pa.Array, patterns: tuple[str, ...], time_zone: str | None) -> Values:
    found = values.parse_dates(texts, patterns, time_zone)
    return found._replace(values=found.values.cast(pa.date32(), safe=False))


class Written(NamedTuple):
    """How a file writes its values. Without more, as a mapping itself does."""

    patterns: tuple[str, ...] = (ISO,)
    time_zone: str | None = None
    decimal: str = "."
    thousands: str = ""
    is_binary: bool = False


def parser(column: Column[Any], written: Written | None = None) -> Parser:
    """Return what reads the texts of a column of the database. written: None is as a mapping itself writes."""
    how = written or Written()
    choices = CHOICES.get((column.table.name, column.name))
    if choices:
        return partial(parse_choices, choices=choices)
    marks = {"decimal": how.decimal, "thousands": how.thousands}
    parsers: dict[Kind, Parser] = {
        "identifier": partial(values.parse_identifiers, is_binary=how.is_binary),
        "text": parse_texts,
        "flag": parse_flags,
        "day": partial(_days, patterns=how.patterns, time_zone=how.time_zone),
        "moment": partial(values.parse_dates, patterns=how.patterns, time_zone=how.time_zone),
        "count": partial(parse_counts, **marks),
        "amount": partial(values.parse_numbers, **marks, is_binary=how.is_binary),
        "rate": partial(parse_rates, **marks),
    }
    return parsers[kind_of(column)]
