"""Takes a batch back and leaves no trace of it: what later batches left out because of it comes in.

A batch that the one taken back had replaced stays away: its rows were not kept, and the report says that its file has to be
imported again. A row that is loaded stays loaded. So the result is that of importing the remaining batches in order, except where two of
them contradict each other about an order, or about a key of a row, that the batch taken back had decided: there the one that is loaded
stays. What the batch had brought anew is again what the batch before it said.
See docs/decisions/0003-import-ledger-and-undo.md.
"""

from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Select, Table, and_, delete, select, union

from crm_metrics import database, deal_facts
from crm_metrics.data_import import duplicates, ledger, left_out, records, renewal, settings, table_rows
from crm_metrics.data_import.ledger import Batch
from crm_metrics.data_import.report import ImportReport, report_of
from crm_metrics.database import DataSet, Writer
from crm_metrics.schema import import_held_back, import_left_out, order_lines


def undo(data_set: DataSet, batch_id: int) -> ImportReport:
    """Take one batch back, publish the data set without it, and return what the batch had brought.

    Raises BadInput if no such batch is loaded.
    """
    with database.change(data_set) as writer:
        batch = ledger.find_loaded(writer, batch_id)
        left = writer.read(ledger.left_out_rows(batch_id))
        replaced_batch = ledger.replaced_batch(writer, batch)
        came_in = take_back(writer, batch, ledger.UNDONE)
    report = report_of(batch, "undone", left, rows_promoted=came_in.promoted, replaced_batch=replaced_batch)
    return replace(report, rows_restored=came_in.restored)


class CameIn(NamedTuple):
    """Rows that are loaded after a batch was taken back: promoted, which it held back; restored, whose place its own had taken."""

    promoted: int
    restored: int


def take_back(writer: Writer, batch: Batch, state: str) -> CameIn:
    """Remove all that a batch brought and said, and load what it held back of later batches and renewed of earlier ones."""
    touched = records.stage_touched_by(writer, batch.batch_id)
    lines = order_lines.c
    contents = writer.read(select(lines.row_hash, lines.row_key).where(lines.batch_id == batch.batch_id).distinct())
    keys = renewal.keys_of(writer, batch.batch_id)
    for table in records.BROUGHT:
        writer.connection.execute(delete(table).where(table.c.batch_id == batch.batch_id))
    ledger.set_state(writer, batch.batch_id, state)
    records.derive(writer, touched)
    restored = renewal.come_back(writer, keys)
    freed = writer.stage("contents_taken_back", contents)
    rows_promoted = 0
    for other in ledger.loaded_batches(writer):  # an earlier one can hold back what it said once more of a customer of a later one
        rows_promoted += table_rows.decide_again(writer, other)
        rows_promoted += _decide_again(writer, other, freed) if other.batch_id > batch.batch_id else 0
    settings.settle_again(writer)
    deal_facts.rebuild(writer.connection)
    return CameIn(rows_promoted, restored)


def _decide_again(writer: Writer, batch: Batch, freed: Table) -> int:
    """Decide again on the rows that a batch left out because of other batches, and return how many are loaded now."""
    left = writer.read(_candidates(batch.batch_id, freed))
    if not left.num_rows:
        return 0
    chosen = writer.stage("rows_decided_again", left.select(["row_number"]))
    held_back = import_held_back.c
    lines = writer.read(_of_rows(select(*held_back), import_held_back, batch.batch_id, chosen).order_by(held_back.row_number))
    found = duplicates.verdicts(writer, lines, batch.batch_id)
    for table in (import_left_out, import_held_back):
        writer.connection.execute(_of_rows(delete(table), table, batch.batch_id, chosen))
    still_out = left_out.with_raw(left_out.from_verdicts(lines, found), left)
    promoted, kept = left_out.divided(lines, found)
    writer.append(import_left_out, records.with_batch(still_out, batch.batch_id))
    writer.append(import_held_back, kept)
    writer.append(order_lines, promoted)
    records.derive(writer, records.stage_touched(writer, records.batch_records(promoted)))
    ledger.recount(writer, batch)
    return int(promoted.num_rows)


def _candidates(batch_id: int, freed: Table) -> Select[Any]:
    """One row per row of a batch that was left out for the sake of what is now taken back: row_number, raw."""
    left = import_left_out.c
    contradicting = left.reason.in_(left_out.CONTRADICTIONS)
    disputed = select(left.row_key).where(left.batch_id == batch_id, contradicting)
    tests = [  # each a statement of its own: PostgreSQL does not join over OR
        contradicting,
        and_(left.left_out_as == left_out.DUPLICATE, left.row_key.in_(disputed)),  # a key is its first row's, also one held elsewhere
        and_(left.left_out_as == left_out.DUPLICATE, left.row_hash.in_(select(freed.c.row_hash))),
        and_(left.left_out_as == left_out.DUPLICATE, left.row_key.in_(select(freed.c.row_key))),
    ]
    found = union(*[select(left.row_number).where(left.batch_id == batch_id, test) for test in tests]).subquery()
    lines = select(import_held_back.c.row_number).where(import_held_back.c.batch_id == batch_id)
    return (
        select(left.row_number, left.raw)
        .join_from(import_left_out, found, found.c.row_number == left.row_number)
        .where(left.batch_id == batch_id, left.row_number.in_(lines))
        .order_by(left.row_number)
    )


def _of_rows(statement: Any, table: Table, batch_id: int, chosen: Table) -> Any:
    return statement.where(table.c.batch_id == batch_id, table.c.row_number.in_(select(chosen.c.row_number)))
