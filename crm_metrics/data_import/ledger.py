"""The ledger of imports: which file was loaded when, with which mapping, and what came of it."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, func, insert, select, update

from crm_metrics.database import Writer
from crm_metrics.metric import BadInput
from crm_metrics.schema import import_batches, import_left_out, order_lines, order_records

LOADED, UNDONE, REPLACED = "loaded", "undone", "replaced"


@dataclass(frozen=True)
class Batch:
    """One row of the ledger; see schema.import_batches for the columns."""

    batch_id: int
    content_hash: str
    mapping_hash: str
    mapping_toml: str
    file_name: str
    imported_at: datetime | None
    batch_state: str = LOADED
    rows_in: int = 0
    rows_loaded: int = 0
    rows_duplicate: int = 0
    rows_quarantined: int = 0
    amount_loaded: Decimal = Decimal(0)
    amount_duplicate: Decimal = Decimal(0)
    amount_quarantined: Decimal = Decimal(0)
    first_on: date | None = None
    last_on: date | None = None
    table_name: str | None = None
    notes: str | None = None


COLUMNS = tuple(field.name for field in fields(Batch))


def batches() -> Select[Any]:
    """One row per import, the latest first."""
    return select(*[import_batches.c[name] for name in COLUMNS]).order_by(import_batches.c.batch_id.desc())


def left_out_rows(batch_id: int) -> Select[Any]:
    """One row per row of the batch's file that was not loaded, in the order of the file."""
    return select(import_left_out).where(import_left_out.c.batch_id == batch_id).order_by(import_left_out.c.row_number)


def loaded_content(content_hash: str) -> Select[Any]:
    """At most one row: the loaded batch with this content."""
    return batches().where(import_batches.c.content_hash == content_hash, import_batches.c.batch_state == LOADED)


def find_content(writer: Writer, content_hash: str) -> Batch | None:
    """Return the loaded batch with this content."""
    row = writer.connection.execute(loaded_content(content_hash)).first()
    return Batch(*row) if row else None


def find_loaded(writer: Writer, batch_id: int) -> Batch:
    """Return a loaded batch; raises BadInput if there is none of that number, or if it was already taken back."""
    row = writer.connection.execute(batches().where(import_batches.c.batch_id == batch_id)).first()
    if row is None:
        raise BadInput("There is no batch {batch}. `python -m crm_metrics batches` lists them.", batch=batch_id)
    batch = Batch(*row)
    if batch.batch_state == REPLACED:
        raise BadInput(
            "Batch {batch} was replaced by a later one. `python -m crm_metrics batches` lists those that are loaded.", batch=batch_id
        )
    if batch.batch_state != LOADED:
        raise BadInput("Batch {batch} was already taken back. `python -m crm_metrics batches` lists those that are loaded.", batch=batch_id)
    return batch


def replaced_batch(writer: Writer, batch: Batch) -> int | None:
    """Return the number of the batch that `batch` took the place of: the one of the same content before it, if it was replaced."""
    same = and_(import_batches.c.content_hash == batch.content_hash, import_batches.c.batch_id < batch.batch_id)
    earlier = writer.connection.execute(batches().where(same).limit(1)).first()
    return earlier.batch_id if earlier and earlier.batch_state == REPLACED else None


def one_batch(batch_id: int) -> Select[Any]:
    """At most one row: the batch of that number, whatever became of it."""
    return batches().where(import_batches.c.batch_id == batch_id)


def loaded_batches(writer: Writer) -> list[Batch]:
    """Return the loaded batches, in order."""
    query = batches().where(import_batches.c.batch_state == LOADED).order_by(None).order_by(import_batches.c.batch_id)
    return [Batch(*row) for row in writer.connection.execute(query)]


def next_batch_id(writer: Writer) -> int:
    """Return the number of the next batch; numbers of batches taken back are not used again."""
    return int(writer.connection.execute(select(func.coalesce(func.max(import_batches.c.batch_id), 0) + 1)).scalar_one())


def enter(writer: Writer, batch: Batch) -> None:
    """Write a new row of the ledger."""
    writer.connection.execute(insert(import_batches).values({name: getattr(batch, name) for name in COLUMNS}))


def set_state(writer: Writer, batch_id: int, state: str) -> None:
    """Mark a batch as undone or replaced."""
    writer.connection.execute(update(import_batches).where(import_batches.c.batch_id == batch_id).values(batch_state=state))


class Counted(NamedTuple):
    """Rows and net amount of one class."""

    rows: int
    amount: Decimal


def recount(writer: Writer, batch: Batch, added: Counted | None = None) -> Batch:
    """Return the batch with rows and amounts counted again from the tables, and write them to the ledger.

    added: rows of other tables than order lines that came in; the lines are not counted then.
    """
    if added is None:
        first_on, last_on, rows, amount = writer.connection.execute(_loaded_sums(batch.batch_id)).one()
    else:
        rows, amount = batch.rows_loaded + added.rows, batch.amount_loaded + added.amount
        first_on, last_on = batch.first_on, batch.last_on
    left = {row[0]: Counted(int(row[1]), Decimal(row[2] or 0)) for row in writer.connection.execute(_left_out_sums(batch.batch_id))}
    duplicate, quarantined = (left.get(kind, Counted(0, Decimal(0))) for kind in ("duplicate", "quarantined"))
    counted = replace(
        batch,
        rows_loaded=int(rows),
        rows_duplicate=duplicate.rows,
        rows_quarantined=quarantined.rows,
        amount_loaded=Decimal(amount or 0),
        amount_duplicate=duplicate.amount,
        amount_quarantined=quarantined.amount,
        first_on=first_on,
        last_on=last_on,
    )
    changed = {name: getattr(counted, name) for name in COLUMNS if name.startswith(("rows_", "amount_", "first_", "last_"))}
    writer.connection.execute(update(import_batches).where(import_batches.c.batch_id == batch.batch_id).values(changed))
    return counted


def _loaded_sums(batch_id: int) -> Select[Any]:
    days = [func.min(order_records.c.ordered_on), func.max(order_records.c.ordered_on)]
    said = and_(order_records.c.order_id == order_lines.c.order_id, order_records.c.batch_id == order_lines.c.batch_id)
    lines = order_lines.join(order_records, said)
    return select(*days, func.count(), func.sum(order_lines.c.net_amount)).select_from(lines).where(order_lines.c.batch_id == batch_id)


def _left_out_sums(batch_id: int) -> Select[Any]:
    kind = import_left_out.c.left_out_as
    sums = select(kind, func.count(), func.sum(import_left_out.c.row_amount))
    return sums.where(import_left_out.c.batch_id == batch_id).group_by(kind)


def loaded_mappings(writer: Writer) -> list[str]:
    """Return the mappings of the loaded batches, in order of loading."""
    query = select(import_batches.c.mapping_toml).where(import_batches.c.batch_state == LOADED).order_by(import_batches.c.batch_id)
    return list(writer.connection.execute(query).scalars())
