"""What each batch said about orders, customers and products, and the tables derived from it.

`order_records`, `customer_records` and `product_records` keep every batch's statement; `orders`, `customers` and `products` are
derived from them for the keys a change touches. So a batch can be taken back and leaves no trace.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Select,
    Table,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    type_coerce,
    union,
    union_all,
)

from crm_metrics import facts
from crm_metrics.database import Writer
from crm_metrics.schema import (
    customer_records,
    customers,
    import_batches,
    import_held_back,
    metadata,
    order_lines,
    order_records,
    orders,
    product_records,
    products,
)

KEYS = {"order_id": order_records, "customer_id": customer_records, "product_id": product_records}
_CUSTOMER = ("customer_kind", "customer_name", "home_region")
_PRODUCT = ("product_name", "category")
_ORDER = (
    "customer_id",
    "ordered_on",
    "order_region",
    "sales_channel",
    "currency",
    "rate_to_reporting",
    "campaign_id",
    "entry_started_at",
    "entry_booked_at",
    "was_corrected",
)
BROUGHT = tuple(
    table for table in metadata.sorted_tables if "batch_id" in table.c and table not in (orders, customers, products, import_batches)
)
"""Tables that a batch writes to: all of its rows there have its number, and go when it is taken back."""


# ── what one batch says ─────────────────────────────────────────────────────────────────────────────────────────────────


def in_order_of_time(lines: pa.Table) -> pa.Table:
    """Return the lines sorted by day, moment and row."""
    return lines.take(pc.sort_indices(lines, [("ordered_on", "ascending"), ("ordered_at", "ascending"), ("row_number", "ascending")]))


def batch_records(lines: pa.Table) -> dict[Table, pa.Table]:
    """Return what a batch's rows say, held back rows included: one row per order, customer and product of the batch.

    lines: in order of time; a file need not say all that an order can be. An order has its first moment and the first value known; a
    customer and a product the last value known.
    """
    # An order has one currency and so one rate; Arrow knows no first decimal.
    of_order = {"ordered_at": "min", **dict.fromkeys(_ORDER, "first"), "rate_to_reporting": "max"}
    return {
        order_records: _grouped(lines, "order_id", of_order),
        customer_records: _grouped(lines, "customer_id", dict.fromkeys(_CUSTOMER, "last")),
        product_records: _grouped(lines, "product_id", dict.fromkeys(_PRODUCT, "last")),
    }


def _grouped(lines: pa.Table, key: str, kept: dict[str, str]) -> pa.Table:
    kept = {name: how for name, how in kept.items() if name in lines.column_names}
    known = lines.select([key, *kept]).filter(pc.is_valid(lines[key]))
    grouped = known.group_by(key, use_threads=False).aggregate(list(kept.items()))
    names = {f"{column}_{how}": column for column, how in kept.items()}
    return grouped.rename_columns([names.get(name, name) for name in grouped.column_names])


def with_given(said: dict[Table, pa.Table], given: dict[Table, pa.Table]) -> dict[Table, pa.Table]:
    """Return what a batch says, with records that its file gives itself in the place of what its lines say of the same keys.

    said: as of batch_records. given: rows of any tables, without batch_id; those of other tables are left out.
    """
    return {table: _replaced(said[table], given[table], key) if table in given else said[table] for key, table in KEYS.items()}


def _replaced(said: pa.Table, given: pa.Table, key: str) -> pa.Table:
    others = said.filter(pc.invert(pc.is_in(said[key], value_set=given[key].combine_chunks())))
    return pa.concat_tables([given, others], promote_options="default")


def write_rows(writer: Writer, rows: dict[Table, pa.Table], batch_id: int) -> None:
    """Add rows of any tables as those of a batch."""
    for table, brought in rows.items():
        writer.append(table, with_batch(brought, batch_id))


def with_batch(rows: pa.Table, batch_id: int) -> pa.Table:
    """Return `rows` with the column batch_id."""
    return rows.append_column("batch_id", pa.repeat(pa.scalar(batch_id, pa.int32()), rows.num_rows))


def stage_touched(writer: Writer, said: dict[Table, pa.Table]) -> dict[str, Table]:
    """Return staged tables of the order_id, customer_id and product_id that records speak of, by these names."""
    return {key: writer.stage(f"touched_{key}", said[table].select([key])) for key, table in KEYS.items()}


def stage_touched_by(writer: Writer, batch_id: int) -> dict[str, Table]:
    """Return staged tables of the order_id, customer_id and product_id that a batch speaks of, by these names."""
    queries = {key: select(table.c[key]).where(table.c.batch_id == batch_id) for key, table in KEYS.items()}
    return {key: writer.stage(f"touched_{key}", writer.read(query)) for key, query in queries.items()}


# ── what follows from all batches ───────────────────────────────────────────────────────────────────────────────────────


def derive(writer: Writer, touched: dict[str, Table]) -> None:
    """Derive orders, customers and products again for the keys of `touched`, as of `stage_touched`, and all facts that follow."""
    product_ids = select(touched["product_id"].c.product_id)
    categories = select(products.c.product_id, products.c.category).where(products.c.product_id.in_(product_ids))
    before = writer.read(categories)
    queries = ((orders, "order_id", _orders), (customers, "customer_id", _customers), (products, "product_id", _products))
    for table, key, query in queries:
        keys = select(touched[key].c[key])
        writer.connection.execute(delete(table).where(table.c[key].in_(keys)))
        rows = query(keys)
        names = [column.name for column in rows.selected_columns]
        writer.connection.execute(insert(table).from_select(names, rows))
    _add_orders_of(writer, touched["order_id"], _moved_products(before, writer.read(categories)))
    facts.refresh(writer.connection, touched["order_id"])


def _moved_products(before: pa.Table, after: pa.Table) -> pa.Table:
    """Return the product_id of the products that had another category before; one that is new has been on no order line."""
    both = before.join(after, "product_id", join_type="left outer", right_suffix="_after")
    is_same = pc.fill_null(pc.equal(both["category"], both["category_after"]), fill_value=False)
    both_unknown = pc.and_(pc.is_null(both["category"]), pc.is_null(both["category_after"]))
    return both.filter(pc.invert(pc.or_(is_same, both_unknown))).select(["product_id"])


def _add_orders_of(writer: Writer, touched: Table, moved: pa.Table) -> None:
    """Add the orders with lines of these products to the orders touched."""
    if moved.num_rows:
        lines, products_moved = order_lines.c, writer.stage("products_moved", moved)
        held = select(lines.order_id).where(lines.product_id.in_(select(products_moved.c.product_id))).distinct()
        writer.connection.execute(insert(touched).from_select(["order_id"], held))


def _known(column: Any, by: Any) -> ColumnElement[Any]:
    """Return the first known value of `column` in the order of `by`."""
    values = func.array_agg(column).aggregate_order_by(by).filter(column.is_not(None))
    return type_coerce(values, ARRAY(column.type))[1].label(column.name)


def _orders(keys: Select[Any]) -> Select[Any]:
    """One row per order with at least one line loaded, from the records of the batches that brought its lines."""
    loaded = _loaded_orders(keys)
    shared = select(loaded.c.order_id).group_by(loaded.c.order_id).having(func.count() > 1).cte("shared_orders")
    rows = union_all(_of_one_batch(loaded, shared), _of_several_batches(loaded, shared)).subquery()
    return select(*rows.c).order_by(rows.c.ordered_at, rows.c.order_id)


def _loaded_orders(keys: Select[Any]) -> CTE:
    """One row per order and batch with at least one line loaded: order_id, batch_id, is_purchase and is_cancelled (0 or 1)."""
    lines = order_lines.c
    is_sale = and_(lines.line_kind == "sale", lines.quantity > 0)
    is_purchase = func.max(case((is_sale, 1), else_=0)).label("is_purchase")
    is_cancelled = func.min(case((lines.line_kind == "cancelled", 1), else_=0)).label("is_cancelled")
    query = select(lines.order_id, lines.batch_id, is_purchase, is_cancelled).where(lines.order_id.in_(keys))
    return query.group_by(lines.order_id, lines.batch_id).cte("loaded_orders")


def _of_one_batch(loaded: CTE, shared: CTE) -> Select[Any]:
    """One row per order that one batch brought, which is nearly all: its record as it stands, for speed."""
    records = order_records.c
    flags = [(loaded.c[name] == 1).label(name) for name in ("is_purchase", "is_cancelled")]
    columns = [records[name] for name in ("order_id", "ordered_at", *_ORDER)]
    query = select(*columns, *flags, records.batch_id).join_from(order_records, loaded, _same(loaded))
    return query.where(records.order_id.not_in(select(shared.c.order_id)))


def _of_several_batches(loaded: CTE, shared: CTE) -> Select[Any]:
    """One row per order that several batches brought: its first moment and day, and of all else the first value known."""
    records = order_records.c
    known = [func.min(records.ordered_on) if name == "ordered_on" else _known(records[name], records.batch_id) for name in _ORDER]
    flags = [func.max(loaded.c.is_purchase) == 1, func.min(loaded.c.is_cancelled) == 1]
    query = select(records.order_id, func.min(records.ordered_at), *known, *flags, func.min(records.batch_id))
    joined = query.join_from(order_records, loaded, _same(loaded)).where(records.order_id.in_(select(shared.c.order_id)))
    return joined.group_by(records.order_id)


def _same(loaded: CTE) -> ColumnElement[bool]:
    return and_(loaded.c.order_id == order_records.c.order_id, loaded.c.batch_id == order_records.c.batch_id)


def _customers(keys: Select[Any]) -> Select[Any]:
    """One row per customer who has an order, or whom a customer file names: for each attribute the latest batch that knows it."""
    records = customer_records.c
    ordered = select(orders.c.customer_id).where(orders.c.customer_id.in_(keys))
    listed = union(ordered, select(records.customer_id).where(records.source_system.is_not(None))).subquery()
    attributes = [records[column.name] for column in customers.c if column.name not in ("customer_id", "batch_id")]
    return _latest(records.customer_id, attributes).where(records.customer_id.in_(keys), records.customer_id.in_(select(listed)))


def _products(keys: Select[Any]) -> Select[Any]:
    """One row per product that was sold, or that a file lists by itself: for each attribute the latest batch that knows it."""
    records, held_back = product_records.c, import_held_back.c
    doubtful = select(held_back.product_id).where(held_back.product_id.in_(keys))  # few, if any: DuckDB would look through all lines
    is_sold = exists().where(order_lines.c.product_id == records.product_id, order_lines.c.product_id.in_(doubtful))
    only_held_back = exists().where(held_back.product_id == records.product_id, held_back.batch_id == records.batch_id)
    listed = select(records.product_id).where(records.product_id.in_(keys), or_(~only_held_back, is_sold))
    attributes = [records[column.name] for column in products.c if column.name not in ("product_id", "batch_id")]
    return _latest(records.product_id, attributes).where(records.product_id.in_(keys), records.product_id.in_(listed))


def _latest(key: Any, attributes: list[Any]) -> Select[Any]:
    batch = key.table.c.batch_id
    return (
        select(key, *[_known(column, batch.desc()) for column in attributes], func.min(batch).label("batch_id")).group_by(key).order_by(key)
    )
