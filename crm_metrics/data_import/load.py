"""Loads an order file into a data set: once, whole or not at all, with a report that balances.

See docs/decisions/0003-import-ledger-and-undo.md for what counts as a duplicate and how a batch can be taken back. The module
`made_file` makes lines that never were text into such a file.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Table

from crm_metrics import database, deal_facts
from crm_metrics.data_import import duplicates, ledger, left_out, records, references, returns, settings, table_rows
from crm_metrics.data_import.cells import fitting_layout, located
from crm_metrics.data_import.check import Checked, check_rows
from crm_metrics.data_import.check_tables import CheckedTables, check_tables
from crm_metrics.data_import.ledger import Batch
from crm_metrics.data_import.mapping import Mapping, as_toml, mapping_hash
from crm_metrics.data_import.raw_table import RawTable, rows_as_json
from crm_metrics.data_import.read_file import read_file
from crm_metrics.data_import.renewal import Renewed, renewed_of
from crm_metrics.data_import.report import ImportReport, State, notes_as_json, report_of
from crm_metrics.data_import.row_tables import TABLES
from crm_metrics.data_import.samples import refuse_own_file
from crm_metrics.data_import.undo import CameIn, take_back
from crm_metrics.database import DataSet, Writer
from crm_metrics.language import noop
from crm_metrics.metric import BadInput
from crm_metrics.schema import import_held_back, import_left_out, order_lines

Progress = Callable[[str, float], None]
READING, CHECKING, COMPARING = noop("Reading the file"), noop("Checking every row"), noop("Comparing with earlier imports")
WRITING, PUBLISHING, DONE = noop("Writing"), noop("Publishing"), noop("Done")
MOST = Decimal(10) ** 14
"""From here on a sum has more digits than a column of amounts."""


class AlreadyLoadedError(Exception):
    """The same content is loaded already, with the same mapping."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch.batch_id)
        self.batch = batch


@dataclass(frozen=True)
class CheckedFile:
    """A file as it was read and checked: of order lines, or of rows of other tables.

    mapping: with what the file decided. mapping_hash: of the mapping as it was given.

    tables: rows of other tables that the file brings, without batch_id. Of customer_records, product_records and order_records they
    take the place of what the lines say of the same keys. imported_at: moment to enter in the ledger; None is now.
    """

    raw: RawTable
    checked: Checked | CheckedTables
    mapping: Mapping
    mapping_hash: str
    tables: dict[Table, pa.Table] = field(default_factory=dict)
    imported_at: datetime | None = None

    @property
    def has_rows(self) -> bool:
        """Return whether any row of the file can be right."""
        rows = self.checked.judged if isinstance(self.checked, CheckedTables) else self.checked.lines
        return bool(rows.num_rows)


class _Decided(NamedTuple):
    """What becomes of a file's rows: those to load and those left out, how to write it, and what the report says besides.

    joined: orders joined. brought: rows by table. renewed: of the file's own rows, those whose keys were known.
    """

    loaded: pa.Table
    left: pa.Table
    write: Callable[[], None]
    joined: duplicates.Joined | None = None
    brought: tuple[tuple[str, int], ...] = ()
    renewed: Renewed | None = None


def import_file(  # noqa: PLR0913  # what a file is (four) and how it is to be loaded
    data_set: DataSet,
    content: bytes,
    file_name: str,
    mapping: Mapping,
    *,
    check_only: bool = False,
    progress: Progress | None = None,
    latest_on: date | None = None,
) -> ImportReport:
    """Load the order lines of a file, or its rows of other tables, as one batch, publish them, and return what came of every row.

    check_only: report and load nothing. progress: called with an English step and the share done, 0 to 1. latest_on: days after it
    can't be right. A file without a row that can be right is refused and changes nothing.
    The same content loaded before with the same mapping changes nothing; with another mapping it is replaced.
    Raises BadInput if the file can't be read with the mapping, if its currency or time zone is not the data set's, or if the data
    set is a sample that the file is no part of.
    """
    tell = progress or _silent
    tell(READING, 0.0)
    raw = read_file(content, file_name, encoding=mapping.file.encoding, sheet=mapping.file.sheet)
    return import_table(data_set, raw, mapping, check_only=check_only, progress=progress, latest_on=latest_on)


def import_table(  # as import_file
    data_set: DataSet,
    raw: RawTable,
    mapping: Mapping,
    *,
    check_only: bool = False,
    progress: Progress | None = None,
    latest_on: date | None = None,
) -> ImportReport:
    """Load a file that was read already, as `import_file` does."""
    tell = progress or _silent
    refuse_own_file(data_set, raw, mapping)
    fingerprint = mapping_hash(mapping)
    if batch := _published_batch(data_set, raw.content_hash, fingerprint):
        return _unchanged(batch, raw)
    tell(CHECKING, 0.3)
    file = checked_file(raw, mapping, latest_on=latest_on)
    check_only = check_only or not file.has_rows
    tell(COMPARING, 0.6)
    try:
        with _transaction(data_set, check_only=check_only) as writer:
            report = load_into(writer, file, check_only=check_only, tell=tell)
            tell(DONE if check_only else PUBLISHING, 0.95)
    except AlreadyLoadedError as already:
        return _unchanged(already.batch, raw)
    tell(DONE, 1.0)
    return report


def checked_file(raw: RawTable, mapping: Mapping, *, latest_on: date | None = None) -> CheckedFile:
    """Return the file with every row checked, orders of returns named."""
    layout = fitting_layout(raw, mapping)
    if layout.tables or not layout.is_needed:
        rows = check_tables(raw, mapping, layout)
        return CheckedFile(raw, rows, settings.resolved(rows), mapping_hash(mapping))
    checked = check_rows(raw, mapping, latest_on)
    checked = replace(checked, lines=returns.with_own_orders(checked.lines, mapping))
    return CheckedFile(raw, checked, settings.resolved(checked), mapping_hash(mapping))


def _silent(_step: str, _share: float) -> None:
    """Tell nobody."""


def _transaction(data_set: DataSet, *, check_only: bool) -> AbstractContextManager[Writer]:
    return database.trial(data_set) if check_only else database.change(data_set)


def _published_batch(data_set: DataSet, content_hash: str, fingerprint: str) -> Batch | None:
    rows = database.open_source(data_set).arrow(ledger.loaded_content(content_hash)).to_pylist()
    return Batch(**rows[0]) if rows and rows[0]["mapping_hash"] == fingerprint else None


def _unchanged(batch: Batch, raw: RawTable) -> ImportReport:
    """Return the report of a file that is loaded already: every row that was loaded is a duplicate now."""
    again = replace(
        batch,
        file_name=raw.name,
        rows_loaded=0,
        rows_duplicate=batch.rows_loaded + batch.rows_duplicate,
        amount_loaded=Decimal(0),
        amount_duplicate=batch.amount_loaded + batch.amount_duplicate,
    )
    return report_of(again, "unchanged", left_out.SCHEMA.empty_table())


def load_into(writer: Writer, file: CheckedFile, *, check_only: bool = False, tell: Progress = _silent) -> ImportReport:
    """Load a file in the change that `writer` has open, and return what came of every row.

    Raises AlreadyLoadedError if the same content is loaded with the same mapping.
    """
    earlier = ledger.find_content(writer, file.raw.content_hash)
    if earlier and earlier.mapping_hash == file.mapping_hash:
        raise AlreadyLoadedError(earlier)
    came_in = take_back(writer, earlier, ledger.REPLACED) if earlier else CameIn(0, 0)
    settings.settle(writer, file.mapping)
    batch_id = ledger.next_batch_id(writer)
    if isinstance(file.checked, CheckedTables):
        decided = _decided_rows(writer, file, file.checked, batch_id)
    else:
        decided = _decided_lines(writer, file, file.checked, batch_id)
    batch = _batch(file, batch_id, decided.loaded, decided.left)
    tell(WRITING, 0.7)
    if not check_only:
        ledger.enter(writer, batch)
        writer.append(import_left_out, records.with_batch(decided.left, batch_id))
        decided.write()
        deal_facts.rebuild(writer.connection, only_names=isinstance(file.checked, Checked) and not file.tables)
        writer.to_disk()
    state: State = "checked" if check_only else "replaced" if earlier else "loaded"
    if not file.has_rows:
        state = "refused"
    shown = replace(batch, batch_id=0) if check_only else batch
    report = report_of(shown, state, decided.left, rows_promoted=came_in.promoted, replaced_batch=earlier.batch_id if earlier else None)
    return replace(
        report,
        columns_read=_columns_read(file),
        columns_not_read=file.checked.unused_columns,
        joined=decided.joined,
        brought=decided.brought,
        renewed=decided.renewed,
        rows_restored=came_in.restored,
        unjoined=() if check_only else references.unjoined(writer.read, [name for name, _ in decided.brought]),
    )


def _decided_lines(writer: Writer, file: CheckedFile, checked: Checked, batch_id: int) -> _Decided:
    lines = records.with_batch(records.in_order_of_time(checked.lines), batch_id)
    found = duplicates.verdicts(writer, lines, batch_id)
    loaded, held_back = left_out.divided(lines, found)

    def write() -> None:
        writer.append(order_lines, loaded)
        writer.append(import_held_back, held_back)
        said = records.with_given(records.batch_records(lines), file.tables)
        records.write_rows(writer, {**file.tables, **said}, batch_id)
        records.derive(writer, records.stage_touched(writer, said))

    left = _left_out(file, lines, found)
    return _Decided(loaded, left, write, joined=duplicates.joined_orders(writer, loaded, batch_id))


def _decided_rows(writer: Writer, file: CheckedFile, checked: CheckedTables, batch_id: int) -> _Decided:
    rows = checked.judged
    newest = frozenset(TABLES[part.table] for part in fitting_layout(file.raw, file.mapping).tables if part.is_newest)
    result = table_rows.placed(writer, checked.brought, rows, batch_id, newest=newest)

    def write() -> None:
        table_rows.write(writer, result, batch_id, table_rows.source_of(file.mapping, file.raw.name))

    loaded = left_out.divided(rows, result.verdicts)[0]
    brought = tuple((table.name, found.num_rows) for table, found in result.loaded.items())
    own = checked.brought[0].table
    renewed = renewed_of(writer, own, result.loaded[own], result.renewed[own]) if own in newest else None
    return _Decided(loaded, _left_out(file, rows, result.verdicts), write, brought=brought, renewed=renewed)


def _columns_read(file: CheckedFile) -> tuple[tuple[str, str], ...]:
    if isinstance(file.checked, CheckedTables):
        return tuple(file.checked.read_columns.items())
    return tuple((str(target), column) for target, column in located(file.raw, file.mapping).items())


def _left_out(file: CheckedFile, lines: pa.Table, found: pa.Table) -> pa.Table:
    rows = left_out.from_verdicts(lines, found)
    places = pc.index_in(rows["row_number"], value_set=file.raw.row_numbers).to_numpy()
    cells = pa.table({"row_number": rows["row_number"], "raw": pa.array(rows_as_json(file.raw, places), pa.string())})
    return pa.concat_tables([left_out.with_raw(rows, cells), left_out.from_rejected(file.checked.rejected)]).sort_by("row_number")


def _batch(file: CheckedFile, batch_id: int, loaded: pa.Table, left: pa.Table) -> Batch:
    is_duplicate = pc.equal(left["left_out_as"], left_out.DUPLICATE)
    duplicate, quarantined = left.filter(is_duplicate), left.filter(pc.invert(is_duplicate))
    days = pc.min_max(loaded["ordered_on"]).as_py() if "ordered_on" in loaded.column_names else {"min": None, "max": None}
    return Batch(
        batch_id=batch_id,
        content_hash=file.raw.content_hash,
        mapping_hash=file.mapping_hash,
        mapping_toml=as_toml(file.mapping),
        file_name=file.raw.name,
        table_name=file.checked.brought[0].table.name if isinstance(file.checked, CheckedTables) else order_lines.name,
        notes=notes_as_json(file.checked.notes),
        imported_at=file.imported_at or datetime.now(UTC).replace(tzinfo=None),
        rows_in=file.raw.row_count,
        rows_loaded=loaded.num_rows,
        rows_duplicate=duplicate.num_rows,
        rows_quarantined=quarantined.num_rows,
        amount_loaded=_sum(loaded["net_amount"]),
        amount_duplicate=_sum(duplicate["row_amount"]),
        amount_quarantined=_sum(quarantined["row_amount"]),
        first_on=days["min"],
        last_on=days["max"],
    )


def _sum(amounts: pa.ChunkedArray) -> Decimal:
    total: Decimal = pc.sum(amounts).as_py() or Decimal(0)
    if abs(total) >= MOST:
        raise BadInput(
            "The amounts of the rows add up to {total}, more than a data set can hold. Look for amounts that are mistyped or stand in "
            "another column.",
            total=f"{total:,.2f}",
        )
    return total
