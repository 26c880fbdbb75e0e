"""The fact tables: what the rooms ask, made from orders and their lines in the transaction that changes these.

`refresh` makes anew the rows of the orders that a change touches, the purchase histories of their customers, and their days; `rebuild`
makes everything anew, the facts of deals (deal_facts.py) included. Whichever way, the rows are the same but for the numbers of baskets
and customers.
See docs/decisions/0008-fact-tables.md.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    FromClause,
    Function,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    collate,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union,
    union_all,
    update,
)
from sqlalchemy.schema import CreateTable, DropTable

from crm_metrics import deal_facts
from crm_metrics.schema import (
    FACTS,
    basket_categories,
    customer_facts,
    daily_sales,
    order_category_facts,
    order_facts,
    order_lines,
    order_product_facts,
    orders,
    products,
)
from crm_metrics.sql import insert_rows

AMOUNTS = ("lines", "costed_lines", "units", "net_revenue", "gross_revenue", "discount", "costed_revenue", "cost_of_goods")
"""Columns that add up over rows of order_facts, order_category_facts, order_product_facts and daily_sales."""
HISTORY = ("purchase_number", "first_purchase_on", "previous_purchase_on", "second_previous_purchase_on")
"""Columns of order_facts that say where an order stands among its customer's purchases."""
IS_SOLD_LINE = and_(order_lines.c.line_kind == "sale", order_lines.c.quantity > 0)
"""A line that was sold; every line of a cancelled order is of the kind 'cancelled'."""
_OF_ORDER = ("ordered_on", "order_region", "sales_channel", "campaign_id")
_OF_DAY = ("ordered_on", "order_region", "sales_channel", "category")
_BITS = 62  # elements of a basket that one whole number can say


def rebuild(connection: Connection, *, in_steps: bool = False) -> None:
    """Make all facts anew.

    in_steps: let DuckDB write each step to the disk, so that ten million lines need no more memory than it may take; for a file that is not
    published yet, and thrown away if what follows fails.
    """
    for table in FACTS:
        connection.execute(delete(table))
    for add in (_add_customers, _add_products, _add_categories, _add_all_orders, _add_days, _add_deals):
        add(connection, None)
        if in_steps and connection.dialect.name == "duckdb":
            connection.commit()
            connection.exec_driver_sql("CHECKPOINT")


def refresh(connection: Connection, touched: Table) -> None:
    """Make the facts anew for the orders of `touched` (order_id), of which some may be gone, and for what depends on them."""
    customers, days = (_keys_touched(connection, touched, name) for name in ("customer_id", "ordered_on"))
    baskets = connection.execute(select(order_facts.c.basket_number).where(_is_among(order_facts.c.order_id, touched)).distinct())
    left = [basket_number for (basket_number,) in baskets]
    for table in (order_facts, order_category_facts, order_product_facts):
        connection.execute(delete(table).where(_is_among(table.c.order_id, touched)))
    connection.execute(delete(daily_sales).where(_is_among(daily_sales.c.ordered_on, days)))
    _add_customers(connection, touched)
    _add_products(connection, touched)
    _add_categories(connection, touched)
    histories = _kept(connection, "facts_histories", _histories(customers))
    _add_orders(connection, touched, histories)
    changed = or_(*[order_facts.c[name].is_distinct_from(histories.c[name]) for name in HISTORY])
    is_same = order_facts.c.order_id == histories.c.order_id
    connection.execute(update(order_facts).values({name: histories.c[name] for name in HISTORY}).where(is_same, changed))
    _add_days(connection, days)
    if left:
        held, basket = select(order_facts.c.basket_number), basket_categories.c.basket_number
        connection.execute(delete(basket_categories).where(basket.in_(left), basket.not_in(held)))
        has_order = exists().where(order_facts.c.customer_number == customer_facts.c.customer_number)
        connection.execute(delete(customer_facts).where(_is_among(customer_facts.c.customer_id, customers), ~has_order))
    for table in (customers, days, histories):
        connection.execute(DropTable(table))


def _keys_touched(connection: Connection, touched: Table, name: str) -> Table:
    """Return a temporary table of the customers or days that touched orders had before the change, or have now."""
    known = [
        select(table.c[name]).where(_is_among(table.c.order_id, touched), table.c[name].is_not(None)) for table in (order_facts, orders)
    ]
    return _kept(connection, f"facts_{name}", union(*known).subquery().select())


def _is_among(column: ColumnElement[Any], keys: FromClause | None) -> ColumnElement[bool]:
    return literal(True) if keys is None else column.in_(select(keys.c[str(column.key)]))  # noqa: FBT003  # no keys: all rows


def _kept(connection: Connection, name: str, rows: Select[Any]) -> Table:
    """Return the rows as a temporary table."""
    kept = Table(name, MetaData(), *[Column(column.name, column.type) for column in rows.selected_columns], prefixes=["TEMPORARY"])
    connection.execute(CreateTable(kept))
    insert_rows(connection, kept, rows)
    return kept


# ── customers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _add_customers(connection: Connection, touched: Table | None) -> None:
    """Give a number to each customer of these orders who has none."""
    last = connection.execute(select(func.max(customer_facts.c.customer_number))).scalar() or 0
    named = select(orders.c.customer_id).where(orders.c.customer_id.is_not(None), _is_among(orders.c.order_id, touched))
    new = named.except_(select(customer_facts.c.customer_id)).subquery()
    place = func.row_number().over(order_by=collate(new.c.customer_id, "C"))
    insert_rows(connection, customer_facts, select(new.c.customer_id, cast(place + last, Integer).label("customer_number")))


# ── orders by product, by category, and by day ──────────────────────────────────────────────────────────────────────────


def _add_products(connection: Connection, touched: Table | None) -> None:
    lines = order_lines.c
    sums = (
        select(
            lines.order_id,
            lines.product_id,
            products.c.category,
            (func.max(case((IS_SOLD_LINE, 1), else_=0)) == 1).label("is_purchase"),
            func.count().label("lines"),
            func.count(lines.cost_amount).label("costed_lines"),
            func.sum(lines.quantity).label("units"),
            func.sum(lines.net_amount).label("net_revenue"),
            func.sum(case((IS_SOLD_LINE, lines.net_amount), else_=0)).label("gross_revenue"),
            func.sum(lines.discount_amount).label("discount"),
            func.sum(case((lines.cost_amount.is_not(None), lines.net_amount), else_=0)).label("costed_revenue"),
            func.sum(lines.cost_amount).label("cost_of_goods"),
        )
        .join_from(order_lines, products, products.c.product_id == lines.product_id, isouter=True)
        .where(_is_among(lines.order_id, touched))
        .group_by(lines.order_id, lines.product_id, products.c.category)
        .subquery()
    )
    insert_rows(connection, order_product_facts, _with_orders(sums))


def _add_categories(connection: Connection, touched: Table | None) -> None:
    held = order_product_facts.c
    is_purchase = (func.max(case((held.is_purchase, 1), else_=0)) == 1).label("is_purchase")
    query = select(held.order_id, held.category, is_purchase, *_sums(held)).where(_is_among(held.order_id, touched))
    insert_rows(connection, order_category_facts, _with_orders(query.group_by(held.order_id, held.category).subquery()))


def _with_orders(sums: FromClause) -> Select[Any]:
    """One row per row of `sums`, sorted by day: its columns and those of its order."""
    return (
        select(*sums.c, customer_facts.c.customer_number, *[orders.c[name] for name in _OF_ORDER])
        .join_from(sums, orders, orders.c.order_id == sums.c.order_id)
        .outerjoin(customer_facts, customer_facts.c.customer_id == orders.c.customer_id)
        .order_by(orders.c.ordered_on)
    )


def _add_days(connection: Connection, days: Table | None) -> None:
    facts = order_category_facts.c
    keys = [facts[name] for name in _OF_DAY]
    identified = [
        func.sum(case((facts.customer_number.is_not(None), facts[name]), else_=0)).label(f"{name}_identified")
        for name in ("net_revenue", "gross_revenue")
    ]
    rows = select(*keys, *_sums(facts), *identified).where(_is_among(facts.ordered_on, days)).group_by(*keys).order_by(facts.ordered_on)
    insert_rows(connection, daily_sales, rows)


def _sums(columns: Any) -> list[ColumnElement[Any]]:
    return [func.sum(columns[name]).label(name) for name in AMOUNTS]


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _add_orders(connection: Connection, touched: Table | None, histories: FromClause) -> None:
    elements = _basket_elements(connection)
    held = order_category_facts.c
    sums = (
        select(held.order_id, *_sums(held), *_masks(elements))
        .join_from(order_category_facts, elements, _is_element(elements, held.category, held.is_purchase))
        .where(_is_among(held.order_id, touched))
        .group_by(held.order_id)
    )
    sold = _kept(connection, "facts_orders", sums)
    baskets = _numbered_baskets(connection, sold, elements)
    same_basket = and_(*[baskets.c[name] == sold.c[name] for name in _mask_names(elements)])
    rows = (
        select(
            *[orders.c[name] for name in ("order_id", "customer_id", *_OF_ORDER, "is_purchase", "is_cancelled")],
            customer_facts.c.customer_number,
            baskets.c.basket_number,
            *[sold.c[name] for name in AMOUNTS],
            *[histories.c[name] for name in HISTORY],
        )
        .join_from(sold, orders, orders.c.order_id == sold.c.order_id)
        .join(baskets, same_basket)
        .outerjoin(customer_facts, customer_facts.c.customer_id == orders.c.customer_id)
        .outerjoin(histories, histories.c.order_id == sold.c.order_id)
        .order_by(orders.c.ordered_on, orders.c.order_id)
    )
    insert_rows(connection, order_facts, rows)
    for table in (elements, sold, baskets):
        connection.execute(DropTable(table))


def _add_all_orders(connection: Connection, touched: None) -> None:
    _add_orders(connection, touched, _histories(None).subquery())


def _add_deals(connection: Connection, _touched: None) -> None:
    deal_facts.rebuild(connection)


def _histories(customers: Table | None) -> Select[Any]:
    """One row per order of the customers (None: of all that are known): order_id and where it stands among their purchases."""
    person, moments = orders.c.customer_id, (orders.c.ordered_on, orders.c.ordered_at, collate(orders.c.order_id, "C"))
    return select(orders.c.order_id, *history(orders.c, person, moments)).where(person.is_not(None), _is_among(person, customers))


def history(rows: Any, customer: ColumnElement[Any], moments: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """Return where each of `rows` stands among the purchases of its customer among them, in the order of `moments`: HISTORY."""

    def in_time(value: Function[Any]) -> ColumnElement[Any]:
        return case((rows.is_purchase, value.over(partition_by=(customer, rows.is_purchase), order_by=moments)))

    first_on = func.min(case((rows.is_purchase, rows.ordered_on))).over(partition_by=customer)
    days_before = [in_time(func.lag(rows.ordered_on, back, type_=Date)) for back in (1, 2)]
    values = [in_time(func.row_number(type_=Integer)), first_on, *days_before]
    return [case((customer.is_not(None), value)).label(name) for name, value in zip(HISTORY, values, strict=True)]


# ── baskets ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _basket_elements(connection: Connection) -> Table:
    """Return a temporary table of all that baskets can be made of, each a bit of a whole number.

    category (empty when unknown), is_sold, word, bit. Only for as long as baskets are being numbered.
    """
    query = union(select(products.c.category), select(basket_categories.c.category))
    categories = {category for (category,) in connection.execute(query)} | {None}  # a line can be of no product
    found = [
        (category, is_sold) for category in sorted(categories, key=lambda name: (name or "", name is None)) for is_sold in (False, True)
    ]
    columns: list[Column[Any]] = [Column("category", Text), Column("is_sold", Boolean), Column("word", Integer), Column("bit", BigInteger)]
    elements = Table("facts_elements", MetaData(), *columns, prefixes=["TEMPORARY"])
    connection.execute(CreateTable(elements))
    rows = [
        {"category": category, "is_sold": is_sold, "word": place // _BITS, "bit": 1 << place % _BITS}
        for place, (category, is_sold) in enumerate(found)
    ]
    connection.execute(insert(elements), rows)
    elements.info["words"] = len(rows) // _BITS + 1
    return elements


def _is_element(elements: Table, category: ColumnElement[Any], is_sold: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether an element is that category; said so that databases can look it up, which they can't by IS NOT DISTINCT FROM."""
    named = func.coalesce(elements.c.category, "") == func.coalesce(category, "")
    return and_(named, elements.c.category.is_(None) == category.is_(None), elements.c.is_sold == is_sold)


def _mask_names(elements: Table) -> list[str]:
    return [f"mask_{word}" for word in range(elements.info["words"])]


def _masks(elements: Table) -> list[ColumnElement[int]]:
    """Return one whole number per 62 elements: the bits of those that are held."""
    of_word = [case((elements.c.word == word, elements.c.bit), else_=0) for word in range(elements.info["words"])]
    return [cast(func.sum(bits), BigInteger).label(name) for name, bits in zip(_mask_names(elements), of_word, strict=True)]


def _numbered_baskets(connection: Connection, sold: Table, elements: Table) -> Table:
    """Give every basket of `sold` a number, the one that it has or a new one, and return a temporary table: basket_number and masks."""
    names, known = _mask_names(elements), basket_categories.c
    last = connection.execute(select(func.max(known.basket_number))).scalar() or 0
    of_known = (
        select(known.basket_number, *_masks(elements))
        .join_from(basket_categories, elements, _is_element(elements, known.category, known.is_sold))
        .group_by(known.basket_number)
        .cte("known_baskets")
    )
    new = select(*[sold.c[name] for name in names]).except_(select(*[of_known.c[name] for name in names])).subquery()
    place = func.row_number().over(order_by=[new.c[name] for name in names])
    of_new = select(cast(place + last, Integer).label("basket_number"), *new.c)
    baskets = _kept(connection, "facts_baskets", union_all(select(*of_known.c), of_new).subquery().select())
    is_held = or_(*[and_(elements.c.word == word, baskets.c[name].op("&")(elements.c.bit) != 0) for word, name in enumerate(names)])
    rows = select(baskets.c.basket_number, elements.c.category, elements.c.is_sold).join_from(baskets, elements, is_held)
    insert_rows(connection, basket_categories, rows.where(baskets.c.basket_number > last).order_by(baskets.c.basket_number))
    return baskets
