"""A synthetic shop of any size, made inside the database by SQL alone: the same on DuckDB and on PostgreSQL.

33 lines and ten orders a customer on average, a hundred for the first and one for the last; three years to the end of 2025, in the order
of days, as a shop's numbers run. Two orders in a hundred are credit notes, one is cancelled, three name no customer. One product in
twenty has no known cost. Three customers in four may be contacted; for campaigns and contracts see campaigning, for deals selling.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Interval,
    Numeric,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    or_,
    select,
)

from benchmarks.campaigning import CAMPAIGNS, campaigning
from benchmarks.draws import BATCH, Number, day_after, drawn, key, money, named, numbers, one_in, quotient, share, skewed, whole
from benchmarks.selling import Market, selling
from crm_metrics import facts, schema
from crm_metrics.database import DataSet, Writer, change, find_data_set, open_source
from crm_metrics.metric import BadInput
from crm_metrics.sales import settings

FOLDER = Path(__file__).parent.parent / "data" / "bench"
EDITION = 6
"""Raised with every change of what the shop holds: one of an earlier edition is built anew."""

FIRST_ON, LAST_ON = date(2023, 1, 1), date(2025, 12, 31)
REGIONS = ("North", "East", "South", "West", "Centre", "Overseas")
CHANNELS = ("Web", "App", "Store", "Telephone", "Marketplace")
CATEGORIES = ("Beds", "Carpets", "Chairs", "Curtains", "Desks", "Kitchen", "Lamps", "Mirrors", "Plants", "Shelves", "Sofas", "Tables")
_CHANNELS_DRAWN = (*CHANNELS[:1] * 4, *CHANNELS[1:2] * 2, *CHANNELS[2:])  # half of the orders through the first
ACQUISITION = ("search", "social", "referral", "fair")
PRODUCTS = 600
ORDERS_A_CUSTOMER, LINES_A_CUSTOMER = 10, 33
LINES_OF_ORDERS = (1, 1, 2, 2, 3, 3, 4, 5, 5, 7)  # over and over: 33 lines in ten orders
LINES_AT_ONCE = 20_000_000  # what one statement inserts before it is written to the disk
_NEWEST_DAY = 1_000  # no customer is won in the last months, as none would have ten orders then
_TOPICS = range(100, 119)
(
    _CUSTOMER, _DAY, _SECOND, _WON, _LIFE, _HOME, _WAY, _ELSEWHERE, _CHANNEL, _CAMPAIGN, _KIND, _ANONYMOUS, _PRODUCT, _PRICE, _QUANTITY,
    _DISCOUNT, _GIFT, _WON_FOR, _CONSENT,
) = _TOPICS  # fmt: skip
_CENT = Numeric(18, 2)


class Size(NamedTuple):
    """How many customers a shop has; the rest follows."""

    customers: int

    @property
    def orders(self) -> int:
        """Number of orders."""
        return self.customers * ORDERS_A_CUSTOMER

    @property
    def lines(self) -> int:
        """Number of order lines."""
        return self.customers * LINES_A_CUSTOMER

    @property
    def title(self) -> str:
        """The title of the data set, by which a shop that is there is known."""
        return f"{_TITLE}{self.lines:,} order lines, edition {EDITION}"


_TITLE = "Benchmark shop: "


def size_of(million_lines: float) -> Size:
    """Return the size nearest to so many million lines.

    >>> size_of(1).customers, size_of(1).lines
    (30303, 999999)
    """
    return Size(max(round(million_lines * 1_000_000 / LINES_A_CUSTOMER), 1))


def customer_key(number: int) -> str:
    """Return the key of a customer; number 1 orders most.

    >>> customer_key(1)
    'C000000001'
    """
    return f"C{number:09d}"


def ready(address: str, million_lines: float) -> DataSet:
    """Return the shop of that size, built unless it is there. address: of a database; empty: a DuckDB file in data/bench.

    Raises BadInput if the address holds anything but a benchmark shop: it would be lost.
    """
    size = size_of(million_lines)
    data_set = find_data_set(address or f"duckdb:///{FOLDER / f'shop_{size.lines}'}.duckdb")
    source = open_source(data_set)
    title = source(settings()).set_index("setting")["setting_value"].get("title", "")
    if source.version and not title.startswith(_TITLE):
        raise BadInput("The data set {name} is no benchmark shop and would be lost. Give another name or schema.", name=data_set.name)
    if title != size.title:
        build(data_set, size)
    return data_set


def build(data_set: DataSet, size: Size) -> None:
    """Put a shop of that size in the place of whatever the data set held."""
    with change(data_set, anew=True) as writer:
        _insert(writer, schema.customers, _customers(size))
        _insert(writer, schema.products, _products())
        market = Market(size.customers, PRODUCTS, REGIONS, FIRST_ON)
        for table, about in {**campaigning(size.customers, FIRST_ON), **selling(market)}.items():
            _insert(writer, table, about)
        _insert(writer, schema.orders, _orders(size))
        writer.to_disk()
        for first in range(1, size.lines + 1, LINES_AT_ONCE):
            _insert(writer, schema.order_lines, _order_lines(first, min(first + LINES_AT_ONCE - 1, size.lines)))
            writer.to_disk()
        for table, records in _RECORDS.items():
            _insert(writer, records, select(*[column for column in table.c if column.name in records.c]))
        facts.rebuild(writer.connection, in_steps=True)
        _insert(writer, schema.import_batches, _batch())
        rows = [("currency", "CNY"), ("time_zone", "Asia/Shanghai"), ("title", size.title)]
        writer.connection.execute(insert(schema.data_set), [{"setting": setting, "setting_value": value} for setting, value in rows])


_RECORDS: dict[Table, Table] = {
    schema.customers: schema.customer_records,
    schema.products: schema.product_records,
    schema.orders: schema.order_records,
}


def _insert(writer: Writer, table: Table, rows: Select) -> None:
    writer.connection.execute(insert(table).from_select([column.name for column in rows.selected_columns], rows))


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _customers(size: Size) -> Select:
    """One row per customer; of one in ten nobody knows what winning it cost."""
    number = numbers(size.customers)
    cost = money(literal(500, BigInteger) + drawn(number, _WON_FOR) % literal(20_000, BigInteger))
    return select(
        key("C", number).label("customer_id"),
        named(("person", "person", "person", "company"), number).label("customer_kind"),
        (literal("Customer ", Text) + cast(number, Text)).label("customer_name"),
        named(REGIONS, drawn(number, _HOME)).label("home_region"),
        named(ACQUISITION, drawn(number, _WAY)).label("acquisition_channel"),
        case((~one_in(number, _WON_FOR, 10), cost)).label("acquisition_cost"),
        cast(~one_in(number, _CONSENT, 4), Boolean).label("has_consent"),
        literal(BATCH).label("batch_id"),
    )


def _products() -> Select:
    """One row per product."""
    number = numbers(PRODUCTS)
    return select(
        key("P", number).label("product_id"),
        (literal("Product ", Text) + cast(number, Text)).label("product_name"),
        named(CATEGORIES, number).label("category"),
        named(("standard", "premium"), number).label("price_tier"),
        money(_price_tens(number) * literal(10, BigInteger)).label("list_price"),
        case((_has_cost(number), money(_cost_cents(number)))).label("unit_cost"),
        literal(BATCH).label("batch_id"),
    )


def _orders(size: Size) -> Select:
    """One row per order, numbered in the order of their moments."""
    numbered = _numbered_orders(size)
    number, customer, moment = numbered.c.number, numbered.c.customer, numbered.c.day
    region = case((one_in(number, _ELSEWHERE, 10), named(REGIONS, drawn(number, _ELSEWHERE))), else_=named(REGIONS, drawn(customer, _HOME)))
    cancelled, credit = _is_cancelled(number), _is_credit_note(number)
    return select(
        key("O", number).label("order_id"),
        case((one_in(number, _ANONYMOUS, 33), null()), else_=key("C", customer)).label("customer_id"),
        (cast(day_after(FIRST_ON, moment), DateTime) + numbered.c.second * literal(timedelta(seconds=1), Interval)).label("ordered_at"),
        day_after(FIRST_ON, moment).label("ordered_on"),
        region.label("order_region"),
        named(_CHANNELS_DRAWN, drawn(number, _CHANNEL)).label("sales_channel"),
        case((one_in(number, _CAMPAIGN, 5), key("A", drawn(number, _CAMPAIGN) % literal(CAMPAIGNS, BigInteger) + 1))).label("campaign_id"),
        literal("CNY", Text).label("currency"),
        literal(Decimal(1), Numeric(18, 8)).label("rate_to_reporting"),
        cast(~or_(cancelled, credit), Boolean).label("is_purchase"),
        cast(cancelled, Boolean).label("is_cancelled"),
        literal(BATCH).label("batch_id"),
    ).order_by(number)


def _numbered_orders(size: Size) -> Any:
    """One row per order: number, customer, day (since FIRST_ON), second (of the day)."""
    draw = numbers(size.orders).label("draw")
    drawn_orders = select(draw, skewed(share(draw.element, _CUSTOMER), size.customers).label("customer")).cte("drawn_orders")
    who, customer = drawn_orders.c.draw, drawn_orders.c.customer
    won = share(customer, _WON)
    first = whole(won * won * literal(float(_NEWEST_DAY), Double))
    spans = select(who, customer, first.label("first"), share(customer, _LIFE).label("life")).cte("customer_spans")
    length = case((spans.c.life < literal(0.4, Double), literal(1.0, Double)), else_=spans.c.life)
    days_left = cast(literal((LAST_ON - FIRST_ON).days + 1, BigInteger) - spans.c.first, Double)
    at = select(
        spans.c.draw,
        spans.c.customer,
        (spans.c.first + whole(days_left * length * share(spans.c.draw, _DAY))).label("day"),
        (literal(8 * 3600, BigInteger) + drawn(spans.c.draw, _SECOND) % literal(14 * 3600, BigInteger)).label("second"),
    ).cte("order_moments")
    number = cast(func.row_number().over(order_by=(at.c.day, at.c.second, at.c.draw)), BigInteger)
    return select(number.label("number"), at.c.customer, at.c.day, at.c.second).cte("numbered_orders")


def _order_lines(first: int, last: int) -> Select:
    """One row per order line from the first to the last of these numbers."""
    lines = _drawn_lines(first, last)
    row, number, product, kind = lines.c.row_number, lines.c.number, lines.c.product, lines.c.line_kind
    sign = case((kind == "return", literal(-1, BigInteger)), else_=literal(1, BigInteger))
    quantity = sign * (literal(1, BigInteger) + drawn(row, _QUANTITY) % literal(3, BigInteger))
    tens = case((kind == "gift", literal(0, BigInteger)), else_=_price_tens(product))
    price = tens * literal(10, BigInteger)
    gross = price * quantity
    discount = case((one_in(row, _DISCOUNT, 5), tens * quantity), else_=literal(0, BigInteger))
    is_paid = kind != "cancelled"
    return select(
        literal(BATCH).label("batch_id"),
        row,
        key("O", number).label("order_id"),
        key("P", product).label("product_id"),
        kind,
        cast(quantity, Numeric(18, 4)).label("quantity"),
        money(price).label("unit_price"),
        money(gross).label("gross_amount"),
        money(discount).label("discount_amount"),
        case((is_paid, money(gross - discount)), else_=literal(Decimal(0), _CENT)).label("net_amount"),
        case((and_(is_paid, _has_cost(product)), money(_cost_cents(product) * quantity))).label("cost_amount"),
        func.md5(cast(row, Text)).label("row_hash"),
    ).order_by(row)


def _drawn_lines(first: int, last: int) -> Any:
    """One row per order line: row_number, number (of the order), product, line_kind. The first line of an order is no gift."""
    row = numbers(last, first=first).label("row_number")
    block, place = quotient(row.element - 1, LINES_A_CUSTOMER), (row.element - 1) % literal(LINES_A_CUSTOMER, BigInteger)
    starts = [sum(LINES_OF_ORDERS[:count]) for count in range(len(LINES_OF_ORDERS))]
    order = case(*_places(place, starts[1:]), else_=literal(len(starts) - 1, BigInteger))
    number = block * literal(ORDERS_A_CUSTOMER, BigInteger) + order + literal(1, BigInteger)
    rows = select(row, number.label("number"), place.in_(starts).label("is_first")).cte("line_numbers")
    kind = case(
        (_is_cancelled(rows.c.number), literal("cancelled", Text)),
        (_is_credit_note(rows.c.number), literal("return", Text)),
        (and_(~rows.c.is_first, one_in(rows.c.row_number, _GIFT, 60)), literal("gift", Text)),
        else_=literal("sale", Text),
    )
    product = skewed(share(rows.c.row_number, _PRODUCT), PRODUCTS)
    return select(rows.c.row_number, rows.c.number, product.label("product"), kind.label("line_kind")).cte("drawn_lines")


def _places(place: Number, ends: Sequence[int]) -> list[tuple[ColumnElement[bool], ColumnElement[int]]]:
    return [(place < literal(end, BigInteger), literal(count, BigInteger)) for count, end in enumerate(ends)]


def _batch() -> Select:
    """One row: the batch that brought everything."""
    rows, amount = func.count(), func.sum(schema.order_lines.c.net_amount)
    nothing = literal(0, BigInteger)
    return select(
        literal(BATCH).label("batch_id"),
        *[literal("", Text).label(name) for name in ("content_hash", "mapping_hash", "mapping_toml")],
        literal("shop.csv", Text).label("file_name"),
        literal(datetime(2026, 1, 1), DateTime).label("imported_at"),
        literal("loaded", Text).label("batch_state"),
        *[rows.label(name) for name in ("rows_in", "rows_loaded")],
        *[nothing.label(name) for name in ("rows_duplicate", "rows_quarantined")],
        amount.label("amount_loaded"),
        literal(FIRST_ON, Date).label("first_on"),
        literal(LAST_ON, Date).label("last_on"),
    ).select_from(schema.order_lines)


# ── cells ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _price_tens(product: Number) -> Number:
    """Price of one unit in tens of cents, so that a tenth of it is whole cents."""
    return literal(50, BigInteger) + drawn(product, _PRICE) % literal(2_000, BigInteger)


def _cost_cents(product: Number) -> Number:
    return _price_tens(product) * literal(6, BigInteger)


def _has_cost(product: Number) -> ColumnElement[bool]:
    return product % literal(20, BigInteger) != literal(0, BigInteger)


def _is_cancelled(order: Number) -> ColumnElement[bool]:
    return drawn(order, _KIND) % literal(100, BigInteger) == literal(0, BigInteger)


def _is_credit_note(order: Number) -> ColumnElement[bool]:
    return (drawn(order, _KIND) % literal(100, BigInteger)).in_([1, 2])
