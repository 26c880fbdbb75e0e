"""Rows that a later export brings anew: they wait, and come back when that export is taken back.

Of a table whose rows are `is_newest` the row of the last batch stands, whether it says the same as the one before or not: so which row
stands follows from the batches and their order alone, and nothing is left of a batch that was taken back.
"""

import json
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Select, Table, and_, delete, exists, func, select

from crm_metrics.data_import.check_tables import key_texts
from crm_metrics.data_import.raw_table import objects_as_json
from crm_metrics.data_import.row_tables import TABLES, columns_of, key_of, kind_of
from crm_metrics.data_import.row_values import TYPES
from crm_metrics.database import Writer
from crm_metrics.schema import import_renewed_rows, opportunities

_WAITING = import_renewed_rows.c


class Renewed(NamedTuple):
    """Rows of a newer export whose keys earlier batches held.

    changed: rows that say something else. unchanged: rows that say the same. new: rows of new keys. batches: the earlier ones. reopened:
    deals that were won or lost and are open in this file.
    """

    changed: int
    unchanged: int
    new: int
    batches: tuple[int, ...]
    reopened: int = 0


def renewed_of(writer: Writer, table: Table, rows: pa.Table, held: pa.Table) -> Renewed:
    """Return how rows of a file that are to be loaded stand to earlier batches.

    held: row_number, batch_id and is_same of those with a known key.
    """
    same = pc.sum(held["is_same"]).as_py() or 0
    batches = tuple(sorted(pc.unique(held["batch_id"]).to_pylist()))
    reopened = _reopened(writer, rows) if table is opportunities and held.num_rows else 0
    return Renewed(held.num_rows - same, same, rows.num_rows - held.num_rows, batches, reopened)


def _reopened(writer: Writer, rows: pa.Table) -> int:
    is_open = rows.filter(pc.equal(rows["outcome"], "open")).select(["opportunity_id"])
    now_open = writer.stage("deals_now_open", is_open)
    closed = select(func.count().label("deals")).join_from(
        opportunities, now_open, now_open.c.opportunity_id == opportunities.c.opportunity_id
    )
    return int(writer.read(closed.where(opportunities.c.outcome != "open"))["deals"][0].as_py())


def set_aside(writer: Writer, table: Table, rows: pa.Table) -> None:
    """Let the rows that a table holds with the keys of `rows` wait."""
    if not rows.num_rows:
        return
    keys = writer.stage("keys_renewed", rows.select(list(key_of(table))))
    is_same = and_(*[table.c[name] == keys.c[name] for name in key_of(table)])
    held = writer.read(select(*table.c).join_from(table, keys, is_same))
    writer.append(import_renewed_rows, as_waiting(table, held))
    writer.connection.execute(delete(table).where(exists().where(is_same)))


def as_waiting(table: Table, rows: pa.Table) -> pa.Table:
    """Return rows of a table, with their batch_id, as import_renewed_rows."""
    nothing = pa.nulls(rows.num_rows, pa.string())
    content = pa.table({name: rows[name] if name in rows.column_names else nothing for name in columns_of(table)})
    columns = {
        "batch_id": rows["batch_id"],
        "table_name": pa.repeat(pa.scalar(table.name), rows.num_rows),
        "row_key": key_texts(rows, table),
        "row_content": pa.array(objects_as_json(content) if rows.num_rows else [], pa.string()),
    }
    return pa.table(columns)


def keys_of(writer: Writer, batch_id: int) -> dict[Table, pa.Table]:
    """Return the keys of a batch's rows, as texts, in each table of which rows of other batches wait: row_key."""
    names = writer.read(select(_WAITING.table_name).where(_WAITING.batch_id != batch_id).distinct()).column(0).to_pylist()
    found = {}
    for table in (TABLES[name] for name in names):
        rows = writer.read(select(*[table.c[name] for name in key_of(table)]).where(table.c.batch_id == batch_id))
        found[table] = pa.table({"row_key": key_texts(rows, table)})
    return found


def come_back(writer: Writer, keys: dict[Table, pa.Table]) -> int:
    """Load of each key that no batch holds any more the row that waited last, and return how many rows that are."""
    return sum(_come_back(writer, table, freed) for table, freed in keys.items() if freed.num_rows)


def _come_back(writer: Writer, table: Table, freed: pa.Table) -> int:
    rows = writer.read(_last_waiting(table, writer.stage("keys_freed", freed)))
    if not rows.num_rows:
        return 0
    writer.append(table, from_json(table, rows["row_content"].to_pylist()).append_column("batch_id", rows["batch_id"]))
    loaded = writer.stage("rows_come_back", rows.select(["batch_id", "row_key"]))
    is_loaded = exists().where(loaded.c.batch_id == _WAITING.batch_id, loaded.c.row_key == _WAITING.row_key)
    writer.connection.execute(delete(import_renewed_rows).where(_WAITING.table_name == table.name, is_loaded))
    return int(rows.num_rows)


def _last_waiting(table: Table, keys: Table, before: int | None = None) -> Select[Any]:
    """One row per key whose rows wait: batch_id, row_key, row_content, of the last batch, or of the last one before `before`."""
    last = select(_WAITING.row_key, func.max(_WAITING.batch_id).label("batch_id")).join_from(
        import_renewed_rows, keys, keys.c.row_key == _WAITING.row_key
    )
    asked = [_WAITING.table_name == table.name, *([_WAITING.batch_id < before] if before else [])]
    found = last.where(*asked).group_by(_WAITING.row_key).cte("last_waiting")
    is_last = and_(found.c.row_key == _WAITING.row_key, found.c.batch_id == _WAITING.batch_id)
    rows = select(_WAITING.batch_id, _WAITING.row_key, _WAITING.row_content).join_from(import_renewed_rows, found, is_last)
    return rows.where(_WAITING.table_name == table.name)


def waiting_before(writer: Writer, table: Table, rows: pa.Table, batch_id: int) -> pa.Table:
    """Return of each key of `rows` the row that waits, with its batch_id, of the last batch before this one."""
    keys = pa.table({"row_key": pc.unique(key_texts(rows, table))})
    found = writer.read(_last_waiting(table, writer.stage("keys_compared", keys), batch_id))
    return from_json(table, found["row_content"].to_pylist()).append_column("batch_id", found["batch_id"])


def from_json(table: Table, contents: list[str]) -> pa.Table:
    """Return rows of a table that were kept as JSON of texts, all with the same columns."""
    said, columns = [json.loads(text) for text in contents], {}
    for name in said[0] if said else columns_of(table):
        columns[name] = pa.array([row[name] for row in said], pa.string()).cast(TYPES[kind_of(columns_of(table)[name])])
    return pa.table(columns)
