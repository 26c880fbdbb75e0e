"""What has been loaded, and is it fit to use?"""

from typing import Any

import pandas as pd
from sqlalchemy import Select, and_, case, func, literal, select, union_all

from crm_metrics.data_import import references
from crm_metrics.data_import.report import TABLE_LABELS, notes_of
from crm_metrics.data_import.row_tables import TABLES as BRINGABLE
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.language import noop, t
from crm_metrics.metric import Metric, ratio, tile, value_text
from crm_metrics.schema import customers, import_batches, import_left_out, import_renewed_rows, order_facts
from crm_metrics.scope import scope_conditions

# ── query ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def held(filters: Filters) -> Select[Any]:
    """One row: lines, orders, orders_with_customer, customers, lines_with_cost, net_revenue, net_revenue_identified.

    Over all dates: this room is about the data set, not about a period.
    """
    rows, is_known = order_facts.c, order_facts.c.customer_number.is_not(None)
    return select(
        func.coalesce(func.sum(rows.lines), 0).label("lines"),
        func.count().label("orders"),
        func.coalesce(func.sum(case((is_known, 1), else_=0)), 0).label("orders_with_customer"),
        select(func.count()).select_from(customers).scalar_subquery().label("customers"),
        func.coalesce(func.sum(rows.costed_lines), 0).label("lines_with_cost"),
        func.sum(rows.net_revenue).label("net_revenue"),
        func.sum(case((is_known, rows.net_revenue), else_=0)).label("net_revenue_identified"),
    ).where(*scope_conditions(filters.scope, order_facts))


def rows_of_tables() -> Select[Any]:
    """One row per table that files can bring rows of besides order lines: table_name, rows."""
    counts = [select(literal(name).label("table_name"), func.count().label("rows")).select_from(table) for name, table in BRINGABLE.items()]
    held = union_all(*counts).subquery()
    return select(held.c.table_name, held.c.rows).where(held.c.rows > 0).order_by(held.c.table_name)


def batches() -> Select[Any]:
    """One row per import, the latest first.

    batch_id, file_name, table_name (of the file's own rows), imported_at (UTC), batch_state, rows and net amounts, days, rows_renewed (rows
    of the file's own that a later export took the place of).
    """
    ledger, waiting = import_batches.c, import_renewed_rows.c
    left_out = [ledger.content_hash, ledger.mapping_hash, ledger.mapping_toml, ledger.notes]
    shown = [column for column in ledger if column not in left_out]
    is_own = and_(waiting.batch_id == ledger.batch_id, waiting.table_name == ledger.table_name)
    renewed = select(func.count()).select_from(import_renewed_rows).where(is_own).correlate(import_batches).scalar_subquery()
    return select(*shown, renewed.label("rows_renewed")).order_by(ledger.batch_id.desc())


def noted() -> Select[Any]:
    """One row per loaded batch whose file gave reason to say something, the latest first: batch_id, file_name, notes (JSON)."""
    ledger = import_batches.c
    is_noted = [ledger.notes.is_not(None), ledger.batch_state == "loaded"]
    return select(ledger.batch_id, ledger.file_name, ledger.notes).where(*is_noted).order_by(ledger.batch_id.desc())


def rows_left_out() -> Select[Any]:
    """One row per row of a loaded file that was not loaded: batch_id, row_number, left_out_as, reason, column_name, row_amount, raw."""
    rows = import_left_out.c
    source = import_left_out.join(import_batches, import_batches.c.batch_id == rows.batch_id)
    place, cause = [rows.batch_id, rows.row_number], [rows.left_out_as, rows.reason, rows.reason_values, rows.column_name]
    query = select(*place, *cause, rows.row_amount, rows.raw).select_from(source)
    loaded = import_batches.c.batch_state == "loaded"
    return query.where(loaded).order_by(rows.batch_id.desc(), rows.row_number)


# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────

LINES = Metric("lines", noop("Order lines"), "count", "neither", noop("Rows of files that were loaded: order lines, returns included."))
ORDERS_HELD = Metric(
    "orders_held", noop("Orders held"), "count", "neither", noop("Orders, credit notes and cancelled orders, over all dates.")
)
CUSTOMERS_HELD = Metric("customers_held", noop("Customers held"), "count", "neither", noop("Customers that a file named, over all dates."))
IDENTIFIED_SHARE = Metric(
    "revenue_identified_share",
    noop("Revenue with a customer"),
    "share",
    "higher",
    noop("Net revenue of orders whose customer is known / net revenue of all orders, over all dates."),
)
COSTED_SHARE = Metric(
    "lines_with_cost_share",
    noop("Lines with a cost"),
    "share",
    "higher",
    noop("Order lines whose cost of goods is known / order lines. Margin is shown for these lines only."),
)
LEFT_OUT = Metric(
    "rows_quarantined",
    noop("Rows in quarantine"),
    "count",
    "lower",
    noop("Rows of loaded files that can't be right and were not loaded; each is kept with its reason."),
)
METRICS = (LINES, ORDERS_HELD, CUSTOMERS_HELD, IDENTIFIED_SHARE, COSTED_SHARE, LEFT_OUT)
_WITHOUT_ORDERS = (CUSTOMERS_HELD, LEFT_OUT)


def shown_metrics(tiles: pd.DataFrame) -> tuple[Metric, ...]:
    """Return the metrics that say something of these data: without orders those about orders do not."""
    return METRICS if tiles.set_index("metric").value[LINES.name] else _WITHOUT_ORDERS


def health(totals: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high, unit, n, from the one row of `held` and the rows of `batches`."""
    row = totals.iloc[0]
    loaded = ledger[ledger.batch_state == "loaded"]
    values = {
        LINES: (row.lines, row.lines),
        ORDERS_HELD: (row.orders, row.orders),
        CUSTOMERS_HELD: (row.customers, row.customers),
        IDENTIFIED_SHARE: (ratio(row.net_revenue_identified, row.net_revenue), row.orders),
        COSTED_SHARE: (ratio(row.lines_with_cost, row.lines), row.lines),
        LEFT_OUT: (loaded.rows_quarantined.sum(), loaded.rows_in.sum()),
    }
    return pd.DataFrame([tile(metric, value, int(n)) for metric, (value, n) in values.items()])


def finding(tiles: pd.DataFrame, tables: pd.DataFrame, *, data_set: str) -> str:
    """Return the first sentence of the page, from the tiles and the rows of `rows_of_tables`."""
    values = tiles.set_index("metric").value
    if not values[LINES.name]:
        return without_orders(tables, data_set=data_set) or t("The data set “{name}” is empty.", name=data_set)
    return t(
        "“{name}” holds {lines} order lines of {orders} orders; {share} of the revenue has a customer, {left} rows are in quarantine.",
        name=data_set,
        lines=value_text(values[LINES.name], "count", exact=True),
        orders=value_text(values[ORDERS_HELD.name], "count", exact=True),
        share=value_text(values[IDENTIFIED_SHARE.name], "share"),
        left=value_text(values[LEFT_OUT.name], "count", exact=True),
    )


def without_orders(tables: pd.DataFrame, *, data_set: str) -> str:
    """Return what a data set without orders holds; "" where it is empty. tables: the rows of `rows_of_tables`."""
    return "" if tables.empty else t("“{name}” holds no orders. It holds: {tables}.", name=data_set, tables=_counts(tables))


def besides_orders(tiles: pd.DataFrame, tables: pd.DataFrame) -> str:
    """Return what a data set with orders holds besides them; "" where there is nothing else, or the finding says it."""
    has_orders = tiles.set_index("metric").value[LINES.name] > 0
    return t("It also holds: {tables}.", tables=_counts(tables)) if has_orders and not tables.empty else ""


def _counts(tables: pd.DataFrame) -> str:
    counts = zip(tables["table_name"].astype(str), tables["rows"].astype(float), strict=True)
    return t("; ").join(f"{t(TABLE_LABELS[table])} {value_text(rows, 'count', exact=True)}" for table, rows in counts)


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def tiles(source: Source, filters: Filters) -> pd.DataFrame:
    """Return what the data set holds: metric, value, low, high, unit, n."""
    return health(source(held(filters)), source(batches()))


def ledger(source: Source, _filters: Filters) -> pd.DataFrame:
    """Return one row per import, the latest first."""
    return source(batches())


def left_out(source: Source, _filters: Filters) -> pd.DataFrame:
    """Return one row per row of a loaded file that was not loaded, with its reason."""
    return source(rows_left_out())


def held_tables(source: Source, _filters: Filters) -> pd.DataFrame:
    """Return what the data set holds besides orders: table_name, rows."""
    return source(rows_of_tables())


def notes(source: Source, _filters: Filters) -> pd.DataFrame:
    """Return what files gave reason to say, other names that a mapping gave among it: batch_id, file_name, note."""
    rows = source(noted())
    kept = zip(rows["batch_id"], rows["file_name"], rows["notes"], strict=True)
    told = [(batch, file, str(note)) for batch, file, notes in kept for note in notes_of(notes)]
    return pd.DataFrame(told, columns=["batch_id", "file_name", "note"])


def not_joined(source: Source, _filters: Filters) -> tuple[references.Unjoined, ...]:
    """Return what rows name and the table that lists it does not hold."""
    return references.unjoined(source.arrow)


def unjoined(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the same as a table: column, listed_in, rows, values (different ones), told."""
    found = not_joined(source, filters)
    rows = [(part.column, part.listed, part.rows, part.values, str(part)) for part in found]
    return pd.DataFrame(rows, columns=["column", "listed_in", "rows", "values", "told"])


TABLES = {
    "tiles": tiles,
    "batches": ledger,
    "left_out": left_out,
    "tables": held_tables,
    "notes": notes,
    "unjoined": unjoined,
}
