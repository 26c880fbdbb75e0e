"""What the parts of the demo hand to each other: columns of plain numbers, one element per customer or order of a chunk.

Moments are days since the first day of the demo with the time of day as fraction: 1.5 is noon of the second day. Customers and
orders are pointed at by their place (0, 1, …) within the chunk. Rows for the database are Arrow tables by SQLAlchemy table.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Table

from crm_metrics.demo.plan import FIRST_ON

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Booleans: TypeAlias = npt.NDArray[np.bool_]
Tables: TypeAlias = dict[Table, pa.Table]
MONEY = pa.decimal128(18, 4)
SHARE = pa.decimal128(18, 8)
REGIONS = ("华东 East China", "华南 South China", "华北 North China", "西南 Southwest China", "Europe 欧洲")
_BETWEEN = " · "  # the names in a subject
NONE = -1  # points at nobody, at nothing
_FIRST = int(datetime(FIRST_ON.year, FIRST_ON.month, FIRST_ON.day, tzinfo=UTC).timestamp())
_EPOCH_DAY = _FIRST // 86_400
_BEYOND_ALL_DAYS = 4_096.0  # more days than the demo has, and whatever follows them


class Customers(NamedTuple):
    """The customers of a chunk, one element each, in order of acquisition.

    number: place among all customers, 0, 1, …; `customer_keys` makes the id of it. channel: place in channels.CHANNELS.
    region: place in REGIONS. acquired: moment of the first order. lead: converted lead a company came from (place in Leads), else NONE.
    birth_year: 0 for a company. satisfaction: true level, 1 to 5. purchase_rate: orders a week while alive, on the seasonal clock.
    leave_probability: chance to leave after each repeat order. mean_order_value: expected net amount of an order before any upgrade.
    referrer: number of the customer who brought this one, else NONE. has_second_record: known to the office system as well, under
    another id. is_test: a test account of the shop's own staff.
    """

    number: Integers
    channel: Integers
    is_company: Booleans
    region: Integers
    acquired: Floats
    lead: Integers
    birth_year: Integers
    has_consent: Booleans
    satisfaction: Integers
    purchase_rate: Floats
    leave_probability: Floats
    mean_order_value: Floats
    referrer: Integers
    has_second_record: Booleans
    is_test: Booleans


class Orders(NamedTuple):
    """Orders of a chunk's customers, one element each, sorted by customer and moment.

    customer: place in Customers. moment: in days. amount: net amount after discount and before returns, whole fen. is_first: the
    customer's first. is_premium: of premium products. campaign: place in campaigns.CAMPAIGNS that the order names, else NONE.
    is_caused: would not have been placed without a campaign.
    """

    customer: Integers
    moment: Floats
    amount: Floats
    is_first: Booleans
    is_premium: Booleans
    campaign: Integers
    is_caused: Booleans


class History(NamedTuple):
    """Orders, and per customer the moment of leaving for ever: NaN for those still there when the demo ends."""

    orders: Orders
    left: Floats


Columns = TypeVar("Columns", bound=tuple[npt.NDArray[Any], ...])
Stated: TypeAlias = Mapping[str, float | str | Mapping[str, float | str]]
"""What a part of the demo states: a value by parameter, or values by parameter and subject (see `subject`)."""


class Fact(NamedTuple):
    """One stated truth. topic and parameter: keys of truth.TOPICS. subject: whom it is about, "" for all. value: number or text."""

    topic: str
    parameter: str
    subject: str
    value: float | str


def subject(*parts: str) -> str:
    """Return whom a value is about, from several names.

    >>> subject("phone", "after")
    'phone · after'
    """
    return _BETWEEN.join(parts)


def pieces(subject: str) -> list[str]:
    """Return the names that `subject` was made from."""
    return subject.split(_BETWEEN)


def chosen(columns: Columns, which: Booleans | Integers) -> Columns:
    """Return these elements of every column."""
    return _made(columns, [column[which] for column in columns])


def joined(parts: Sequence[Columns]) -> Columns:
    """Return the elements of all parts, one part after the other."""
    return _made(parts[0], [np.concatenate(columns) for columns in zip(*parts, strict=True)])


def _made(like: Columns, columns: list[npt.NDArray[Any]]) -> Columns:
    """Return columns as the NamedTuple that `like` is."""
    made: Columns = type(like)(*columns)
    return made


def sort_key(customer: Integers, moment: Floats) -> Floats:
    """Return numbers that sort by customer and then by moment."""
    return customer * _BEYOND_ALL_DAYS + moment


# ── from numbers to columns of the database ─────────────────────────────────────────────────────────────────────────────


_PREFIXES = {
    "customer": "C",
    "office customer": "K",
    "contact": "CN",
    "contract": "CT",
    "product": "P",
    "order": "O",
    "returned order": "R",
    "cancelled order": "X",
    "anonymous order": "N",
    "cost": "CC",
    "campaign": "CMP",
    "touch": "CU",
    "campaign cost": "CS",
    "lead": "L",
    "deal": "D",
    "task": "TK",
    "ticket": "ST",
    "enquiry": "SE",
    "survey": "SV",
    "call count": "AC",
    "call": "AK",
    "deal activity": "AD",
    "telesales": "ET",
    "sales": "ES",
    "service": "EA",
    "order entry": "EB",
    "marketing": "EM",
}
"""How the key of each kind of thing begins: no two alike, so that a key says what it names."""


def keys(kind: str, numbers: npt.ArrayLike, *, chunk: int | None = None, width: int = 7) -> pa.Array:
    """Return keys of a kind of thing (see _PREFIXES) for numbers from 0 on, counted from 1 in the key; null for NONE.

    chunk: of things that are counted anew in each chunk.

    >>> keys("customer", [16, NONE]).to_pylist(), keys("ticket", [0], chunk=4).to_pylist()
    (['C0000017', None], ['ST0050000001'])
    """
    array = np.asarray(numbers, dtype=np.int64)
    prefix = _PREFIXES[kind] + ("" if chunk is None else f"{chunk + 1:03d}")
    written = pc.utf8_lpad(pa.array(array + 1, mask=array == NONE).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, written, "")


def customer_keys(numbers: npt.ArrayLike) -> pa.Array:
    """Return the ids of customers in the shop's own system."""
    return keys("customer", numbers)


def order_keys(chunk: int, count: int) -> pa.Array:
    """Return the ids of a chunk's `count` orders, in the order of Orders."""
    return keys("order", np.arange(count), chunk=chunk)


def days(moments: npt.ArrayLike) -> pa.Array:
    """Return moments as days; null where NaN."""
    array = np.asarray(moments, dtype=np.float64)
    unknown = np.isnan(array)
    return pa.array((np.floor(np.where(unknown, 0, array)) + _EPOCH_DAY).astype(np.int32), mask=unknown).cast(pa.date32())


def times(moments: npt.ArrayLike) -> pa.Array:
    """Return moments as timestamps in whole seconds; null where NaN."""
    array = np.asarray(moments, dtype=np.float64)
    unknown = np.isnan(array)
    seconds = np.floor(np.where(unknown, 0, array) * 86_400 + 1e-6).astype(np.int64) + _FIRST
    return pa.array(seconds * 1_000_000, mask=unknown).cast(pa.timestamp("us"))


def money(amounts: npt.ArrayLike, decimals: int = 2) -> pa.Array:
    """Return amounts as exact decimals, rounded to `decimals` places; null where NaN. Raises ValueError for one of a quadrillion or so.

    >>> money([1.005, float("nan")]).to_pylist()
    [Decimal('1.0000'), None]
    """
    array = np.asarray(amounts, dtype=np.float64)
    return decimal_of(_units(array, decimals, last=4), MONEY, mask=np.isnan(array))


def _units(array: Floats, decimals: int, *, last: int) -> Integers:
    """Return numbers rounded to `decimals` places, in units of place `last`; 0 where NaN. Raises ValueError beyond 64 bits."""
    units = np.rint(np.where(np.isnan(array), 0, array) * 10.0**decimals)
    if (np.abs(units) >= 2.0**63 / 10 ** (last - decimals)).any():
        raise ValueError(f"out of range: {array[np.nanargmax(np.abs(array))]}")
    whole: Integers = units.astype(np.int64) * 10 ** (last - decimals)
    return whole


def decimal_of(units: Integers, kind: pa.DataType, *, mask: Booleans | None = None) -> pa.Array:
    """Return whole numbers of the decimal type's last place as that type; nothing passes through floating point.

    >>> decimal_of(np.array([12345, -1]), MONEY).to_pylist()
    [Decimal('1.2345'), Decimal('-0.0001')]
    """
    wide = np.empty((len(units), 2), dtype="<i8")
    wide[:, 0], wide[:, 1] = units, units >> 63
    validity = None if mask is None else pa.array(~mask).buffers()[1]
    return pa.Array.from_buffers(kind, len(units), [validity, pa.py_buffer(wide.tobytes())])


def shares(values: npt.ArrayLike) -> pa.Array:
    """Return rates and probabilities with eight decimals; null where NaN. Raises ValueError for one of 90 billion or so."""
    array = np.asarray(values, dtype=np.float64)
    return decimal_of(_units(array, 8, last=8), SHARE, mask=np.isnan(array))


def labels(codes: npt.ArrayLike, names: tuple[str, ...]) -> pa.Array:
    """Return the name of each code; null for NONE."""
    array = np.asarray(codes, dtype=np.int64)
    return pa.array(names, pa.string()).take(pa.array(array, mask=array == NONE))


def merged(parts: list[Tables]) -> Tables:
    """Return the rows of all parts, by table."""
    found: dict[Table, list[pa.Table]] = {}
    for part in parts:
        for table, rows in part.items():
            found.setdefault(table, []).append(rows)
    return {table: pa.concat_tables(rows, promote_options="default") for table, rows in found.items()}
