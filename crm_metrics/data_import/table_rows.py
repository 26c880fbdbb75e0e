"""Rows of other tables than order lines: which of them other batches hold, and writing the others.

A row of the file's own table, the first of its mapping, is held if its key is; with other content it is a contradiction. Of a table that a
file names beside its own, a campaign of its members say, the row that is held stays. What is left out only for the sake of another batch is
kept in `import_held_rows`, and decided upon again when that batch is taken back. Of customers and products a later batch knows better; of
tables whose rows `is_newest` its row takes the place of the one that is held (`renewal`).
"""

from collections.abc import Set
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Select, Table, and_, case, delete, or_, select, true

from crm_metrics.data_import import ledger, left_out, records, renewal
from crm_metrics.data_import.check import LINES
from crm_metrics.data_import.check_tables import Brought, judged_rows, name_of
from crm_metrics.data_import.duplicates import HELD, KEY_CONFLICT, KEY_REPEATED, KEY_TWICE, VERDICTS
from crm_metrics.data_import.ledger import Batch, Counted
from crm_metrics.data_import.mapping import Mapping, parse_mapping
from crm_metrics.data_import.raw_table import objects_as_json
from crm_metrics.data_import.row_tables import RECORDS, TABLES, key_of
from crm_metrics.database import Writer
from crm_metrics.schema import import_held_rows, import_left_out, import_renewed_rows

Newest = Set[Table]

_HELD = pa.schema([("row_number", pa.int64()), ("table_name", pa.string()), ("is_own", pa.bool_()), ("row_content", pa.string())])


class Placed(NamedTuple):
    """What becomes of rows: verdicts on the file's own (as duplicates.verdicts), rows to load by table, and as _HELD those held back.

    renewed: by table row_number, batch_id and is_same of rows to load whose key another batch holds; of the two the later one stands.
    """

    verdicts: pa.Table
    loaded: dict[Table, pa.Table]
    held: pa.Table
    renewed: dict[Table, pa.Table]


def placed(writer: Writer, brought: tuple[Brought, ...], judged: pa.Table, batch_id: int, *, newest: Newest = frozenset()) -> Placed:
    """Return what becomes of the rows that a batch brings.

    brought: the file's own table first. judged: its rows as of check_tables.CheckedTables. newest: the tables whose rows take the place of
    those of the same keys.
    """
    own, *others = brought
    there, renewed = _divided(_compared(writer, own, batch_id), own.table, batch_id, newest)
    verdicts = _verdicts(own, judged, there)
    out, by_others = (rows["row_number"] for rows in (verdicts, verdicts.filter(pc.is_valid(verdicts["batch_id"]))))
    refused = verdicts.filter(pc.is_in(verdicts["verdict"], value_set=pa.array([KEY_CONFLICT, KEY_TWICE])))
    refused_by_others = refused.filter(pc.is_valid(refused["batch_id"]))["row_number"]
    loaded, held = {own.table: _but(own.rows, out)}, [_as_held(own.table, _only(own.rows, by_others), is_own=True)]
    renewing = {own.table: _but(renewed, out)}
    for table, rows in others:
        if table in RECORDS:
            loaded[table] = _last_known(rows, key_of(table)[0])
            continue
        left = _first_of_each(_but(rows, refused["row_number"]), table)  # a known customer's next contract is a new one
        there, renewing[table] = _divided(_compared(writer, Brought(table, left), batch_id), table, batch_id, newest)
        elsewhere = there.filter(pc.not_equal(there["batch_id"], batch_id))
        held += [_as_held(table, part) for part in (_only(rows, refused_by_others), _only(left, elsewhere["row_number"]))]
        loaded[table] = _but(left, there["row_number"])
    return Placed(verdicts, loaded, pa.concat_tables(held), renewing)


def write(writer: Writer, result: Placed, batch_id: int, source: str) -> None:
    """Load the rows, keep those held back, and derive customers and products anew. source: what a customer is said by."""
    writer.append(import_held_rows, records.with_batch(result.held, batch_id))
    said = {}
    for table, rows in result.loaded.items():
        brought = rows.drop_columns(["row_number"])
        if table not in RECORDS:
            _append(writer, table, records.with_batch(rows, batch_id), result.renewed[table])
        elif "source_system" in RECORDS[table].c:
            said[RECORDS[table]] = brought.append_column("source_system", pa.repeat(pa.scalar(source), brought.num_rows))
        else:
            said[RECORDS[table]] = brought
    if said:
        every = records.with_given(records.batch_records(LINES.empty_table()), said)
        records.write_rows(writer, every, batch_id)
        records.derive(writer, records.stage_touched(writer, every))


def _append(writer: Writer, table: Table, rows: pa.Table, renewed: pa.Table) -> None:
    """Load rows: those of their keys that earlier batches hold wait from now on, and so do the rows whose keys later ones hold."""
    if renewed.num_rows:
        is_earlier = pc.less(renewed["batch_id"], rows["batch_id"][0])
        renewal.set_aside(writer, table, _only(rows, renewed.filter(is_earlier)["row_number"]))
        later = renewed.filter(pc.invert(is_earlier))["row_number"]
        writer.append(import_renewed_rows, renewal.as_waiting(table, _only(rows, later)))
        rows = _but(rows, later)
    writer.append(table, rows.drop_columns(["row_number"]))


def decide_again(writer: Writer, batch: Batch) -> int:
    """Decide again on the rows of other tables that a batch holds back, and return how many rows of its file are loaded now."""
    held, left = import_held_rows.c, import_left_out.c
    content = writer.read(select(*[held[name] for name in _HELD.names]).where(held.batch_id == batch.batch_id))
    if not content.num_rows:
        return 0
    brought = _from_held(content)
    waiting = writer.stage("rows_waiting", brought[0].rows.select(["row_number"]))
    is_waiting = and_(left.batch_id == batch.batch_id, left.row_number.in_(select(waiting.c.row_number)))
    rows = writer.read(select(*[left[name] for name in left_out.SCHEMA.names]).where(is_waiting).order_by(left.row_number))
    judged = judged_rows(rows["row_number"], rows["row_hash"], rows["row_key"], rows["row_amount"])
    result = placed(writer, brought, judged, batch.batch_id)
    writer.connection.execute(delete(import_held_rows).where(held.batch_id == batch.batch_id))
    writer.connection.execute(delete(import_left_out).where(is_waiting))
    still_out = left_out.with_raw(left_out.from_verdicts(judged, result.verdicts), rows)
    writer.append(import_left_out, records.with_batch(still_out, batch.batch_id))
    write(writer, result, batch.batch_id, source_of(parse_mapping(batch.mapping_toml), batch.file_name))
    promoted = _but(judged, result.verdicts["row_number"])
    ledger.recount(writer, batch, Counted(promoted.num_rows, pc.sum(promoted["net_amount"]).as_py() or Decimal(0)))
    return int(promoted.num_rows)


def source_of(mapping: Mapping, file_name: str) -> str:
    """Return what a customer is said by: the name of the mapping, else that of the file."""
    return mapping.name or name_of(file_name)


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _verdicts(own: Brought, judged: pa.Table, there: pa.Table) -> pa.Table:
    """Return one row per row that must be left out, as duplicates.VERDICTS: first for what is held, then for earlier rows of the file.

    there: the rows whose keys are held, as of _compared.
    """
    rows = judged.select(["row_number", "row_key", "row_hash"]).to_pandas()
    first = rows.groupby("row_key", sort=False)[["row_number", "row_hash"]].transform("first")
    is_repeated = (rows["row_number"] != first["row_number"]).to_numpy()
    if own.table in RECORDS:  # a batch says one thing of a customer: of its rows the first
        there = _but(there.filter(there["is_same"]), judged["row_number"].filter(pa.array(is_repeated)))
    by_others = {
        "row_number": there["row_number"],
        "verdict": pc.if_else(there["is_same"].combine_chunks(), HELD, KEY_CONFLICT),
        "batch_id": there["batch_id"],
        "other_row": pa.nulls(there.num_rows, pa.int64()),
    }
    is_repeated = is_repeated & ~rows["row_number"].isin(there["row_number"].to_pandas()).to_numpy()
    same = (rows["row_hash"] == first["row_hash"])[is_repeated]
    in_file = {
        "row_number": rows["row_number"][is_repeated],
        "verdict": np.where(same, KEY_REPEATED, KEY_TWICE),
        "batch_id": pa.nulls(int(is_repeated.sum()), pa.int64()),
        "other_row": first["row_number"][is_repeated],
    }
    return pa.concat_tables([pa.table(by_others).cast(VERDICTS), pa.table(in_file).cast(VERDICTS)])


def _divided(there: pa.Table, table: Table, batch_id: int, newest: Newest) -> tuple[pa.Table, pa.Table]:
    """Return of rows whose keys are held, as of _compared, those that are left out for it, and those of which the later one stands."""
    if table in newest:
        return there.slice(0, 0), there
    is_later = pc.greater(there["batch_id"], batch_id)  # a later batch can only hold it by taking the place of this row
    return (there, there.slice(0, 0)) if table in RECORDS else (there.filter(pc.invert(is_later)), there.filter(is_later))


def _compared(writer: Writer, brought: Brought, batch_id: int) -> pa.Table:
    """Return row_number, batch_id and is_same of the rows whose key other batches brought: the last one before this, else a later one."""
    table, rows = brought
    if not rows.num_rows or writer.connection.execute(select(table.c.batch_id).limit(1)).first() is None:
        return pa.table({"row_number": pa.array([], pa.int64()), "batch_id": pa.array([], pa.int64()), "is_same": pa.array([], pa.bool_())})
    incoming = writer.stage("rows_compared", rows)
    there = writer.read(_held_query(table, table, incoming))
    if table in RECORDS or (pc.max(there["batch_id"]).as_py() or 0) < batch_id:
        return there
    waiting = renewal.waiting_before(writer, table, rows, batch_id)
    earlier = writer.read(_held_query(table, writer.stage("rows_waiting_before", waiting), incoming))
    return pa.concat_tables([_but(there, earlier["row_number"]), earlier.cast(there.schema)])


def _held_query(table: Table, held: Table, incoming: Table) -> Select[Any]:
    """One row per incoming row whose key is held: row_number, batch_id, is_same (for all that the incoming row says)."""
    names = [column.name for column in incoming.c if column.name != "row_number"]
    keys = key_of(table)
    same = [incoming.c[name].is_not_distinct_from(held.c[name]) for name in names if name not in keys]
    if table in RECORDS:
        same = [
            or_(incoming.c[name].is_(None), part) for name, part in zip([name for name in names if name not in keys], same, strict=True)
        ]
    is_same = case((and_(true(), *same), True), else_=False).label("is_same")
    has_key = and_(*[incoming.c[name] == held.c[name] for name in keys])
    return select(incoming.c.row_number, held.c.batch_id, is_same).join_from(incoming, held, has_key).order_by(incoming.c.row_number)


def _but(rows: pa.Table, numbers: pa.ChunkedArray) -> pa.Table:
    """Return the rows that have none of these numbers."""
    return rows.filter(pc.invert(pc.is_in(rows["row_number"], value_set=_whole(numbers)))) if len(numbers) else rows


def _only(rows: pa.Table, numbers: pa.ChunkedArray) -> pa.Table:
    """Return the rows that have one of these numbers."""
    return rows.filter(pc.is_in(rows["row_number"], value_set=_whole(numbers)))


def _whole(numbers: pa.ChunkedArray) -> pa.Array:
    return pa.array(numbers.to_numpy(), pa.int64())


def _first_of_each(rows: pa.Table, table: Table) -> pa.Table:
    """Return the first row of each key."""
    if rows.num_rows < 2:  # one row has one key
        return rows
    keys: pd.DataFrame = rows.select(list(key_of(table))).to_pandas()
    return rows.filter(pa.array(~keys.duplicated().to_numpy()))


def _last_known(rows: pa.Table, key: str) -> pa.Table:
    """Return one row per key with the last value known of each column."""
    others = [name for name in rows.column_names if name != key]
    grouped = rows.group_by(key, use_threads=False).aggregate([(name, "last") for name in others])
    return grouped.rename_columns([name.removesuffix("_last") for name in grouped.column_names])


# ── rows held back ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _as_held(table: Table, rows: pa.Table, *, is_own: bool = False) -> pa.Table:
    """Return rows of a table as _HELD."""
    content = rows.drop_columns(["row_number"])
    columns = [
        rows["row_number"],
        pa.repeat(pa.scalar(table.name), rows.num_rows),
        pa.repeat(pa.scalar(is_own), rows.num_rows),
        pa.array(objects_as_json(content) if rows.num_rows else [], pa.string()),
    ]
    return pa.table(columns, schema=_HELD)


def _from_held(content: pa.Table) -> tuple[Brought, ...]:
    """Return the rows of _HELD as they were brought, the file's own table first."""
    found = content.to_pandas().sort_values(["is_own", "table_name", "row_number"], ascending=[False, True, True])
    first = TABLES[str(found["table_name"].iloc[0])]
    brought = [] if found["is_own"].any() else [Brought(first, pa.table({"row_number": pa.array([], pa.int64())}))]
    for name, rows in found.groupby("table_name", sort=False):
        content = renewal.from_json(TABLES[str(name)], list(rows["row_content"]))
        brought.append(Brought(TABLES[str(name)], content.append_column("row_number", pa.array(rows["row_number"], pa.int64()))))
    return tuple(brought)
