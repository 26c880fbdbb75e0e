"""Which rows does the data set already hold, and which contradict what it holds?

A row without a key counts as held as often as earlier batches hold its content: a file with three equal rows, of which earlier
batches hold two, brings one. A row with a key is held if its key is; with other content it is a contradiction. So is an order
that is loaded with another customer or another business day.
"""

from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Select, Table, and_, case, exists, func, insert, literal, or_, select

from crm_metrics.data_import.order_rules import DAYS_APART
from crm_metrics.database import Writer
from crm_metrics.schema import order_lines, orders

HELD = "held"
KEY_REPEATED = "key repeated"
KEY_TWICE = "key twice"
KEY_CONFLICT = "key conflict"
ORDER_CONFLICT = "order conflict"
VERDICTS = pa.schema([("row_number", pa.int64()), ("verdict", pa.string()), ("batch_id", pa.int64()), ("other_row", pa.int64())])
_COMPARED = ["row_number", "row_hash", "row_key", "order_id", "customer_id"]


def verdicts(writer: Writer, lines: pa.Table, batch_id: int) -> pa.Table:
    """Return one row per line that must be left out: row_number, verdict, batch_id (that holds it), other_row (of the same file).

    lines: rows of batch `batch_id`, as of check.check_rows, none of them loaded. A line without a verdict is to be loaded.
    """
    has_keys = lines["row_key"].null_count < lines.num_rows
    is_first = writer.connection.execute(select(order_lines.c.batch_id).limit(1)).first() is None
    if not lines.num_rows or (is_first and not has_keys):
        return VERDICTS.empty_table()
    incoming = writer.stage("incoming_rows_compared", _with_day_limits(lines))
    found = writer.stage("incoming_rows_left_out", VERDICTS.empty_table())
    steps = [_by_key] if has_keys else []
    for step in [*steps, _by_content, _by_order]:
        query = step(incoming, found, batch_id)
        writer.connection.execute(insert(found).from_select(VERDICTS.names, query))
    return writer.read(select(*[found.c[name] for name in VERDICTS.names])).cast(VERDICTS)


class Joined(NamedTuple):
    """Rows that join orders of earlier batches: how many orders, rows of the new batch, their net amount, and the earlier batches."""

    orders: int
    rows: int
    amount: Decimal
    batches: tuple[int, ...]


def joined_orders(writer: Writer, loaded: pa.Table, batch_id: int) -> Joined | None:
    """Return which lines to be loaded join orders that earlier batches hold; None where none does.

    They may be further lines of these orders, or the same lines exported anew with other content: only the reader can tell.
    loaded: the lines without a verdict.
    """
    incoming = writer.stage("orders_compared", pa.table({"order_id": pc.unique(loaded["order_id"])}))
    earlier = order_lines.c.batch_id < batch_id
    query = select(order_lines.c.order_id, order_lines.c.batch_id).where(earlier, order_lines.c.order_id.in_(select(incoming.c.order_id)))
    held = writer.read(query.distinct())
    if not held.num_rows:
        return None
    orders_held = pc.unique(held["order_id"])
    rows = loaded.filter(pc.is_in(loaded["order_id"], value_set=orders_held))
    amount = pc.sum(rows["net_amount"]).as_py() or Decimal(0)
    return Joined(len(orders_held), rows.num_rows, amount, tuple(sorted(pc.unique(held["batch_id"]).to_pylist())))


def _with_day_limits(lines: pa.Table) -> pa.Table:
    """Return what is compared, with the first and last day on which the order can have been loaded."""
    days = lines["ordered_on"].cast(pa.int32())
    limits = {name: pc.add(days, pa.scalar(shift, pa.int32())) for name, shift in (("not_before", -DAYS_APART), ("not_after", DAYS_APART))}
    compared = lines.select(_COMPARED)
    for name, values in limits.items():
        compared = compared.append_column(name, values.cast(pa.date32()))
    return compared


def _undecided(incoming: Table, found: Table) -> Any:
    return ~exists().where(found.c.row_number == incoming.c.row_number)


def _by_key(incoming: Table, _found: Table, batch_id: int) -> Select[Any]:
    """One row per keyed line whose key is loaded, or stands earlier in the same file."""
    lines = order_lines.c
    keys = select(incoming.c.row_key).where(incoming.c.row_key.is_not(None))
    columns = [
        func.min(lines.batch_id).label("batch_id"),
        func.min(lines.row_number).label("other_row"),
        func.min(lines.row_hash).label("row_hash"),
    ]
    held = select(lines.row_key, *columns).where(lines.row_key.in_(keys)).group_by(lines.row_key).cte("held_keys")
    first = (
        select(
            incoming.c.row_number,
            incoming.c.row_key,
            incoming.c.row_hash,
            _first_of_key(incoming, incoming.c.row_number).label("first_row"),
            _first_of_key(incoming, incoming.c.row_hash).label("first_hash"),
        )
        .where(incoming.c.row_key.is_not(None))
        .cte("keyed_rows")
    )
    is_held, is_own = held.c.row_key.is_not(None), held.c.batch_id == batch_id
    same = first.c.row_hash == func.coalesce(held.c.row_hash, first.c.first_hash)
    in_this_file = or_(~is_held, is_own)
    verdict = case((and_(in_this_file, same), KEY_REPEATED), (in_this_file, KEY_TWICE), (same, HELD), else_=KEY_CONFLICT)
    other_row = case((in_this_file, func.coalesce(held.c.other_row, first.c.first_row)))
    return (
        select(first.c.row_number, verdict, case((~in_this_file, held.c.batch_id)), other_row)
        .join_from(first, held, held.c.row_key == first.c.row_key, isouter=True)
        .where(or_(is_held, first.c.row_number > first.c.first_row))
    )


def _first_of_key(incoming: Table, column: Any) -> Any:
    return func.first_value(column).over(partition_by=incoming.c.row_key, order_by=incoming.c.row_number)


def _by_content(incoming: Table, found: Table, batch_id: int) -> Select[Any]:
    """One row per line that earlier batches hold; of equal lines the first ones, as many as are held."""
    lines = order_lines.c
    contents = select(incoming.c.row_hash)
    keyless = func.sum(case((lines.row_key.is_(None), 1), else_=0))
    columns = [func.count().label("rows"), keyless.label("keyless_rows"), func.min(lines.batch_id).label("batch_id")]
    earlier = and_(lines.batch_id < batch_id, lines.row_hash.in_(contents))
    held = select(lines.row_hash, *columns).where(earlier).group_by(lines.row_hash).cte("held_contents")
    copy = func.row_number().over(partition_by=incoming.c.row_hash, order_by=incoming.c.row_number)
    # A key is part of the content: a keyed line can only be the same as one that was loaded when no key was known.
    limit = case((incoming.c.row_key.is_(None), held.c.rows), else_=held.c.keyless_rows)
    copies = (
        select(incoming.c.row_number, held.c.batch_id, copy.label("copy"), limit.label("held"))
        .join_from(incoming, held, held.c.row_hash == incoming.c.row_hash)
        .where(_undecided(incoming, found))
        .cte("copies")
    )
    return select(copies.c.row_number, literal(HELD), copies.c.batch_id, literal(None)).where(copies.c.copy <= copies.c.held)


def _by_order(incoming: Table, found: Table, _batch_id: int) -> Select[Any]:
    """One row per line whose order is loaded with another customer or business day. An unknown customer contradicts none."""
    is_other_day = or_(orders.c.ordered_on < incoming.c.not_before, orders.c.ordered_on > incoming.c.not_after)
    differs = or_(orders.c.customer_id != incoming.c.customer_id, is_other_day)
    return (
        select(incoming.c.row_number, literal(ORDER_CONFLICT), orders.c.batch_id, literal(None))
        .join_from(incoming, orders, orders.c.order_id == incoming.c.order_id)
        .where(differs, _undecided(incoming, found))
    )
