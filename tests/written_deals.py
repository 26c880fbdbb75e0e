"""Deals, their history, leads, activities and people written down in a test, published as a data set."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlalchemy import select

from crm_metrics import database, facts, schema
from crm_metrics.data_import.check_tables import CheckedTables
from crm_metrics.data_import.load import checked_file
from crm_metrics.data_import.mapping import Mapping
from crm_metrics.data_import.read_file import read_file
from crm_metrics.database import DataSet
from crm_metrics.metric import BadInput

STAGES = [("Talk", 1, "open"), ("Offer", 2, "open"), ("Haggle", 3, "open"), ("Won", 4, "won"), ("Lost", 5, "lost")]
TYPES = {
    "created_on": pa.date32(),
    "closed_on": pa.date32(),
    "expected_close_on": pa.date32(),
    "qualified_on": pa.date32(),
    "converted_on": pa.date32(),
}
TYPES |= {"changed_at": pa.timestamp("us"), "happened_at": pa.timestamp("us"), "deal_amount": pa.decimal128(18, 4)}


Rows = Sequence[dict[str, Any]]


def at(day: dt.date, hour: int = 9) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour))


def write(data_set: DataSet, deals: Rows, history: Rows = (), **others: Rows) -> DataSet:
    """Publish deals (each at least opportunity_id; outcome is 'open' unless given) and their changes (opportunity_id, change_number,
    changed_at, …); others: rows of leads, activities, employees, products, customers, stages by the table's name. Stages: STAGES unless
    given.
    """
    stages = [{"stage": name, "stage_order": order, "outcome": outcome} for name, order, outcome in STAGES]
    rows = {
        "opportunities": [{"outcome": "open", **deal} for deal in deals],
        "opportunity_history": list(history),
        "stages": stages,
        **others,
    }
    with database.change(data_set) as writer:
        for name, written in rows.items():
            if written:
                writer.append(schema.metadata.tables[name], _table(written))
        facts.rebuild(writer.connection)
    return data_set


def _table(rows: Rows) -> pa.Table:
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    if "deal_amount" in columns:
        columns["deal_amount"] = [None if value is None else Decimal(str(value)) for value in columns["deal_amount"]]
    arrays = {name: pa.array(values, TYPES.get(name)) for name, values in columns.items()}
    return pa.table({**arrays, "batch_id": [1] * len(rows)})


def accounted(content: str, mapping: Mapping) -> str:
    """What becomes of a malformed file: 'refused', or its rows as in the file = fine + left out."""
    try:
        raw = read_file(content.encode(), "malformed.csv")
        found = checked_file(raw, mapping).checked
    except BadInput:
        return "refused"
    assert isinstance(found, CheckedTables)
    return f"{raw.row_count} = {found.judged.num_rows} + {found.rejected.num_rows}"


def held(data_set: DataSet, table: Any, *names: str) -> list[tuple[Any, ...]]:
    """The rows of a table, these columns, in their order."""
    columns = [table.c[name] for name in names]
    return [tuple(row.values()) for row in database.open_source(data_set).arrow(select(*columns).order_by(*columns)).to_pylist()]
