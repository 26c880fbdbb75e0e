"""Which column of an order file is what: the mapping, read from TOML and checked as a whole. The format is described in docs/mapping.md."""

import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping as Dictionary
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from crm_metrics.data_import.date_formats import EXCEL_SERIAL, as_pattern, contradiction
from crm_metrics.data_import.problems import gathered
from crm_metrics.data_import.raw_table import Note
from crm_metrics.data_import.row_mapping import Rows, rows_problems
from crm_metrics.data_import.toml_text import as_toml_text
from crm_metrics.language import noop
from crm_metrics.metric import BadInput

Target = Literal[
    "order",
    "customer",
    "date",
    "quantity",
    "unit_price",
    "amount",
    "discount",
    "cost",
    "profit",
    "currency",
    "status",
    "product",
    "product_name",
    "category",
    "customer_name",
    "customer_kind",
    "home_region",
    "order_region",
    "sales_channel",
]
"""What a column of a file can be."""
TARGETS: tuple[Target, ...] = get_args(Target)
Columns = dict[Target, str | PositiveInt]
"""Target -> name of the column in the file, or its position counted from 1."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(noop("is no time zone. Write it like Europe/London or Asia/Shanghai")) from error
    return name


def _known_format(text: str) -> str:
    if text != EXCEL_SERIAL:
        as_pattern(text)
    return text


def _working_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(noop("is no regular expression")) from error
    return text


def _currency(text: str) -> str:
    if not re.fullmatch("[A-Z]{3}", text):
        raise ValueError(noop("is no currency. Write three capital letters like EUR or CNY"))
    return text


TimeZone = Annotated[str, AfterValidator(_known_zone)]
DateFormat = Annotated[str, AfterValidator(_known_format)]
Pattern = Annotated[str, AfterValidator(_working_pattern)]
Currency = Annotated[str, AfterValidator(_currency)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=False)


class Layout(_Part):
    """One of several shapes a file of this kind can have: of order lines (columns), or of rows of other tables.

    width: number of columns. has_header: None means either. header: columns by which such a file is known, whatever is read of them.
    is_needed: whether such a file is read at all.
    """

    name: str
    width: PositiveInt | None = None
    has_header: bool | None = None
    header: tuple[str, ...] = ()
    is_needed: bool = True
    columns: Columns = {}
    tables: tuple[Rows, ...] = ()


class Orders(_Part):
    """What makes an order, and which lines are no sale.

    id: 'column' the column `order`; 'per_row' each row is an order; 'per_customer_day' all rows of a customer and day.
    key: columns that name a row for ever. cancellation_number: regular expression at the start of the order number of credit notes and
    cancellations. cancelled_status, returned_status: values of the column `status`, capital letters or not.
    zero_price: whether a line that costs nothing is a gift, or a purchase like any other.
    """

    id: Literal["column", "per_row", "per_customer_day"] = "column"
    key: tuple[str, ...] = ()
    cancellation_number: Pattern | None = None
    cancelled_status: tuple[str, ...] = ()
    returned_status: tuple[str, ...] = ()
    zero_price: Literal["gift", "order"] = "order"


class Dates(_Part):
    """How dates are written.

    formats: tried in this order; empty means all usual ones. day_first: 31/01 (true), 01/31 (false), or unset: told by the
    days above 12, refused when none is. time_zone: of the business day; dates with a zone are converted to it, others are in it.
    earliest, latest: days outside are left out as mistakes.
    """

    formats: tuple[DateFormat, ...] = ()
    day_first: bool | None = None
    time_zone: TimeZone | None = None
    earliest: date = date(1970, 1, 1)
    latest: date | None = None


class Numbers(_Part):
    """How numbers are written.

    decimal: unset is a point, unless numbers like 1.234 leave it open; then the file is refused. is_binary: a program wrote its binary
    numbers as text: exponents are read, so that 4.44e-16 is 0 and a customer 9e+05 is 900000, and more than 4 decimals are rounded.
    """

    decimal: Literal[".", ","] | None = None
    thousands: Literal["", ",", ".", " ", "'"] = ""
    is_binary: bool = False


class Money(_Part):
    """What the amounts are in, and what they mean.

    currency: of all rows, where no column says it. reporting: currency the amounts are converted to. rates: units of the
    reporting currency for one unit of each other currency, as they were on `rates_on`.
    amount: whether the amount (or quantity x unit price) is 'net' of the discount or 'gross'. discount: an 'amount' for the line, a
    'rate' 0 to 1, or a 'percent' 0 to 100. cost: of the 'line' or of one 'unit'.
    """

    currency: Currency | None = None
    reporting: Currency | None = None
    rates: dict[Currency, Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=8)]] = {}
    rates_on: date | None = None
    amount: Literal["net", "gross"] | None = None
    discount: Literal["amount", "rate", "percent"] = "amount"
    cost: Literal["line", "unit"] = "line"


class Customers(_Part):
    """Who the customers are. is_case_folded: capital letters make no difference (e-mail addresses). kinds: values of customer_kind."""

    is_case_folded: bool = False
    kinds: dict[str, Literal["person", "company"]] = {}


class File(_Part):
    """Where the content of a file leaves a choice."""

    encoding: str | None = None
    sheet: str | None = None


class Mapping(_Part):
    """Which column of an order file is what, and how its values are written. undecided: columns of a proposal that wait for a decision."""

    name: str = ""
    title: str = ""
    source: str = ""
    undecided: tuple[str, ...] = ()
    columns: Columns = {}
    tables: tuple[Rows, ...] = ()
    layouts: tuple[Layout, ...] = ()
    orders: Orders = Orders()
    dates: Dates = Dates()
    numbers: Numbers = Numbers()
    money: Money = Money()
    file: File = File()
    constants: dict[Literal["category", "customer_kind", "home_region", "order_region", "sales_channel"], str] = {}
    customers: Customers = Customers()

    def all_layouts(self) -> tuple[Layout, ...]:
        """Return the layouts; a mapping without any has one, its own columns."""
        return self.layouts or (Layout(name="", columns=self.columns, tables=self.tables),)


def _problems(mapping: Mapping) -> list[BadInput]:
    """Return what is missing from a mapping, or contradicts itself."""
    problems = [problem for layout in mapping.all_layouts() for problem in _layout_problems(mapping, layout)]
    problems += [
        BadInput("undecided: {column}. Read what stands above it, change the mapping if need be, and take it off this list.", column=column)
        for column in mapping.undecided
    ]
    clash = contradiction(mapping.dates.formats)
    if clash:
        problems.append(
            BadInput("dates.formats: {first} and {second} read one text as two days. Keep one of them.", first=clash[0], second=clash[1])
        )
    if mapping.layouts and (mapping.columns or mapping.tables):
        problems.append(BadInput("columns: write them in the layouts, or here and no layouts."))
    if (mapping.numbers.decimal or ".") == mapping.numbers.thousands:
        problems.append(BadInput("numbers: decimal and thousands can't be the same mark."))
    if mapping.money.rates and (mapping.money.reporting is None or mapping.money.rates_on is None):
        problems.append(BadInput("money.rates: give the reporting currency (money.reporting) and the day of the rates (money.rates_on)."))
    return problems


def _layout_problems(mapping: Mapping, layout: Layout) -> list[BadInput]:
    columns, place = layout.columns, f"layouts.{layout.name}.columns" if layout.name else "columns"
    if layout.tables or not layout.is_needed:
        return _table_problems(mapping, layout)
    problems = [BadInput("{key} is missing.", key=f"{place}.{target}") for target in ("customer", "date") if target not in columns]
    if mapping.orders.id == "column" and "order" not in columns:
        problems.append(BadInput('{key} is missing. Give it, or set orders.id to "per_row" or "per_customer_day".', key=f"{place}.order"))
    if "amount" not in columns and not {"quantity", "unit_price"} <= set(columns):
        problems.append(BadInput("{key} is missing. Give it, or quantity and unit_price.", key=f"{place}.amount"))
    if {"cost", "profit"} <= set(columns):
        problems.append(BadInput("{key}: give cost or profit, not both.", key=place))
    if "discount" in columns and mapping.money.amount is None:
        problems.append(BadInput('money.amount is missing. Say whether the amount is "net" of the discount or "gross".'))
    if (mapping.orders.cancelled_status or mapping.orders.returned_status) and "status" not in columns:
        problems.append(BadInput("{key} is missing, and orders names values of it.", key=f"{place}.status"))
    if "currency" in columns and mapping.money.currency is not None:
        problems.append(BadInput("money.currency: give a column or one currency, not both."))
    return problems


def _table_problems(mapping: Mapping, layout: Layout) -> list[BadInput]:
    place = f"layouts.{layout.name}." if layout.name else ""
    problems = rows_problems(layout.tables, f"{place}tables") if layout.tables else []
    if layout.columns:
        problems.append(BadInput("{key}: give columns of order lines, or tables, not both.", key=f"{place}columns"))
    if mapping.money.reporting not in (None, mapping.money.currency) and layout.tables:
        problems.append(BadInput("money.reporting: amounts of tables are not converted. Give their one currency, money.currency."))
    return problems


def built_in_names() -> list[str]:
    """Return the names of the mappings that come with the product."""
    folder = files("crm_metrics.data_import").joinpath("mappings")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def built_in_text(name: str) -> str:
    """Return a mapping that comes with the product as it is written, with its comments."""
    return files("crm_metrics.data_import").joinpath("mappings", f"{name}.toml").read_text(encoding="utf-8")


def load_mapping(name_or_path: str) -> Mapping:
    """Return a mapping that comes with the product, or the one in a TOML file.

    Raises BadInput, listing every problem with its key.
    """
    if name_or_path in built_in_names():
        return _built_in(name_or_path)
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.is_file():
        near = difflib.get_close_matches(name_or_path, built_in_names(), n=1, cutoff=0.5)
        if near:
            raise BadInput("There is no mapping {name}. Did you mean {near}?", name=name_or_path, near=near[0])
        raise BadInput(
            "There is no mapping {name}. There are: {names}; or give the path of a .toml file.",
            name=name_or_path,
            names=", ".join(built_in_names()),
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("The mapping file {path} can't be read: {error}.", path=path, error=error) from error
    return parse_mapping(text, path.name)


@cache  # every file is compared with all of them
def _built_in(name: str) -> Mapping:
    return parse_mapping(built_in_text(name), name)


def parse_mapping(text: str, name: str = "mapping") -> Mapping:
    """Return the mapping written in TOML. Raises BadInput, listing every problem with its key."""
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput("{name} is no valid TOML: {error}.", name=name, error=error) from error
    return from_dict(written, name)


def from_dict(written: Dictionary[str, Any], name: str = "mapping") -> Mapping:
    """Return the mapping in a dictionary as TOML gives it. Raises BadInput, listing every problem with its key."""
    try:
        mapping = Mapping.model_validate(written)
    except ValidationError as error:
        raise gathered(noop("The mapping {name} has mistakes:"), _mistakes(error), name=name) from error
    problems = _problems(mapping)
    if problems:
        raise gathered(noop("The mapping {name} has mistakes:"), problems, name=name)
    return mapping


def _mistakes(error: ValidationError) -> list[BadInput]:
    mistakes = []
    for entry in error.errors(include_url=False):
        named = (str(part) for part in entry["loc"] if part not in ("str", "constrained-int", "int", "[key]"))
        key = ".".join(part for part in named if not part.startswith("tuple["))
        is_column = ".columns." in f".{key}"
        if entry["type"] == "extra_forbidden" or (is_column and entry["type"] == "literal_error"):
            mistakes.append(_unknown_key(key))
        elif entry["type"] == "literal_error":
            mistakes.append(
                BadInput("{key}: {value} is not one of {choices}.", key=key, value=entry["input"], choices=entry["ctx"]["expected"])
            )
        else:
            told = entry["msg"].removeprefix("Value error, ")
            mistakes.append(BadInput("{key}: {value} {problem}.", key=key, value=entry["input"], problem=Note(told, {})))
    return mistakes


def _unknown_key(key: str) -> BadInput:
    word = key.rpartition(".")[2]
    known = [
        *TARGETS,
        *Mapping.model_fields,
        *Orders.model_fields,
        *Dates.model_fields,
        *Money.model_fields,
        *File.model_fields,
        *Numbers.model_fields,
        *Customers.model_fields,
        *Layout.model_fields,
        *Rows.model_fields,
    ]
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return BadInput("{key} is no key of a mapping. Did you mean {near}?", key=key, near=near[0])
    return BadInput("{key} is no key of a mapping; docs/mapping.md lists them.", key=key)


def as_toml(mapping: Mapping, comments: Dictionary[str, str] | None = None) -> str:
    """Return a mapping as TOML that `parse_mapping` reads back as the same. comments: dotted key -> words above it."""
    return as_toml_text(mapping.model_dump(exclude_defaults=True), comments)


def mapping_hash(mapping: Mapping) -> str:
    """Return a SHA-256 of everything that decides what is read; name, title and source are words only."""
    meaning = mapping.model_dump(mode="json", exclude={"name", "title", "source", "undecided"})
    meaning = _without_unused(meaning)
    return hashlib.sha256(json.dumps(meaning, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


_LATER: dict[str, Any] = {
    "tables": [],
    "header": [],
    "is_needed": True,
    "is_binary": False,
    "is_newest": False,
    "where": {},
    "only": {},
    "first_of": {},
    "numbered": {},
}
"""Keys that mappings gained later, with their defaults: a mapping without them is the same as it was before."""


def _without_unused(meaning: Any) -> Any:
    if isinstance(meaning, dict):
        return {key: _without_unused(part) for key, part in meaning.items() if key not in _LATER or part != _LATER[key]}
    return [_without_unused(part) for part in meaning] if isinstance(meaning, list) else meaning
