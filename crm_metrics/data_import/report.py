"""What an import or an undo did: one value, its balance, and how it is printed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import.duplicates import Joined
from crm_metrics.data_import.ledger import Batch
from crm_metrics.data_import.left_out import reason_values
from crm_metrics.data_import.mapping import Target
from crm_metrics.data_import.raw_table import Note
from crm_metrics.data_import.references import Unjoined
from crm_metrics.data_import.renewal import Renewed
from crm_metrics.language import date_text, noop, t
from crm_metrics.metric import DASH

State = Literal["loaded", "unchanged", "replaced", "checked", "refused", "undone"]
EXAMPLE_ROWS = 10  # enough to find the place in the file; `quarantine BATCH` prints all
HEADLINES: dict[State, str] = {
    "loaded": noop("{file}: loaded as batch {batch}."),
    "unchanged": noop("{file}: batch {batch} already holds this content. Nothing was changed."),
    "replaced": noop("{file}: loaded as batch {batch} in place of batch {replaced_batch}, which had another mapping."),
    "checked": noop("{file}: checked only. Nothing was loaded."),
    "refused": noop("{file}: no row can be right as the mapping reads it. Nothing was loaded. Correct the mapping."),
    "undone": noop("{file}: batch {batch} was taken back."),
}

TARGET_LABELS: dict[Target, str] = {
    "order": noop("Order number"),
    "customer": noop("Customer number"),
    "date": noop("Date of the order"),
    "quantity": noop("Quantity"),
    "unit_price": noop("Price of one unit"),
    "amount": noop("Amount of the line"),
    "discount": noop("Discount"),
    "cost": noop("Cost of goods"),
    "profit": noop("Profit of the line"),
    "currency": noop("Currency"),
    "status": noop("Status of the order"),
    "product": noop("Product number"),
    "product_name": noop("Product name"),
    "category": noop("Product category"),
    "customer_name": noop("Customer name"),
    "customer_kind": noop("Person or company"),
    "home_region": noop("Region of the customer"),
    "order_region": noop("Region of the order"),
    "sales_channel": noop("Sales channel"),
}


TABLE_LABELS = {
    "activities": noop("Activities"),
    "campaign_arms": noop("Arms of campaigns"),
    "campaign_members": noop("Members of campaigns"),
    "campaign_spend": noop("Costs of campaigns"),
    "campaign_touches": noop("Touches by campaigns"),
    "campaigns": noop("Campaigns"),
    "contacts": noop("Contact persons"),
    "contracts": noop("Contracts"),
    "costs_to_serve": noop("Costs to serve"),
    "customers": noop("Customers"),
    "employees": noop("Employees"),
    "leads": noop("Leads"),
    "opportunities": noop("Opportunities"),
    "opportunity_history": noop("Changes of opportunities"),
    "preferences": noop("Preferences"),
    "products": noop("Products"),
    "quotas": noop("Quotas"),
    "service_tickets": noop("Service tickets"),
    "stages": noop("Pipeline stages"),
    "surveys": noop("Surveys"),
    "targets": noop("Targets"),
    "tasks": noop("Tasks"),
}
"""What a reader calls the tables that a file can bring rows of."""


def _label(target: str) -> str:
    """Return what a column is read as: in words for order lines, else table and column as a mapping names them."""
    labels = {str(name): label for name, label in TARGET_LABELS.items()}
    return t(labels[target]) if target in labels else target


@dataclass(frozen=True)
class Reason:
    """Rows left out for one reason. reason: English template. example: its values in the first row. row_numbers: all of them."""

    reason: str
    example: dict[str, Any]
    left_out_as: Literal["duplicate", "quarantined"]
    column: str | None
    row_numbers: tuple[int, ...]

    def __str__(self) -> str:
        return t(self.reason, **self.example)


@dataclass(frozen=True)
class ImportReport:
    """What came of one file: rows_in = rows_loaded + rows_duplicate + rows_quarantined, and the same for the net amounts.

    batch: number in the ledger; None when nothing was loaded. Amounts are net, in the reporting currency; that of the quarantined
    rows counts what could be read, and rows_amount_unknown says in how many it could not. first_on, last_on: business days of the
    rows loaded. replaced_batch: the batch this one replaces, or had replaced when it is taken back. rows_promoted: rows of later
    batches that came in where an undone batch had held the same. columns_read: what each column was read as. columns_not_read: all
    others. notes: what the file itself gave reason to say. joined: rows added to orders that earlier batches hold.
    brought: rows by table, of a file that brings other rows than order lines; amounts are then of its first table, as row_tables.SUMMED.
    renewed: how a newer export stands to earlier ones. rows_restored: rows that an undone batch had taken the place of, which stand again.
    unjoined: what the rows name and no other table lists.
    """

    file: str
    batch: int | None
    state: State
    rows_in: int
    rows_loaded: int
    rows_duplicate: int
    rows_quarantined: int
    amount_loaded: Decimal
    amount_duplicate: Decimal
    amount_quarantined: Decimal
    rows_amount_unknown: int = 0
    first_on: date | None = None
    last_on: date | None = None
    reasons: tuple[Reason, ...] = ()
    replaced_batch: int | None = None
    rows_promoted: int = 0
    columns_read: tuple[tuple[str, str], ...] = ()
    columns_not_read: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    joined: Joined | None = None
    brought: tuple[tuple[str, int], ...] = ()
    renewed: Renewed | None = None
    rows_restored: int = 0
    unjoined: tuple[Unjoined, ...] = ()

    @property
    def amount_in(self) -> Decimal:
        """Return the net amount of the file, as far as it could be read."""
        return self.amount_loaded + self.amount_duplicate + self.amount_quarantined

    def as_json(self) -> dict[str, Any]:
        """Return the report as a plain object whose keys stay as they are."""
        amounts = {name: float(getattr(self, name)) for name in ("amount_in", "amount_loaded", "amount_duplicate", "amount_quarantined")}
        rows = {name: getattr(self, name) for name in ("rows_in", "rows_loaded", "rows_duplicate", "rows_quarantined")}
        return {
            "file": self.file,
            "batch": self.batch,
            "state": self.state,
            **rows,
            **amounts,
            "rows_amount_unknown": self.rows_amount_unknown,
            "first_on": self.first_on.isoformat() if self.first_on else None,
            "last_on": self.last_on.isoformat() if self.last_on else None,
            "reasons": [_reason_json(reason) for reason in self.reasons],
            "replaced_batch": self.replaced_batch,
            "rows_promoted": self.rows_promoted,
            "tables": dict(self.brought),
            "renewed": {**self.renewed._asdict(), "batches": list(self.renewed.batches)} if self.renewed else None,
            "rows_restored": self.rows_restored,
            "unjoined": [str(part) for part in self.unjoined],
            "orders_joined": _joined_json(self.joined) if self.joined else None,
            "columns_read": dict(self.columns_read),
            "columns_not_read": list(self.columns_not_read),
            "notes": [str(note) for note in self.notes],
        }

    @property
    def amount_label(self) -> str:
        """Return what the amounts are: net amounts of order lines, which have days, or those of another table."""
        return t("Net amount") if self.first_on else t("Amount")

    def headline(self) -> str:
        """Return what happened, in one sentence."""
        return t(HEADLINES[self.state], file=self.file, batch=self.batch, replaced_batch=self.replaced_batch)

    def classes(self) -> list[tuple[str, int, Decimal]]:
        """Return label, rows and net amount of each class of rows; the last three add up to the first."""
        return [
            (t("Rows in the file"), self.rows_in, self.amount_in),
            (t("Would be loaded") if self.state == "checked" else t("Loaded"), self.rows_loaded, self.amount_loaded),
            (t("Duplicate"), self.rows_duplicate, self.amount_duplicate),
            (t("Quarantined"), self.rows_quarantined, self.amount_quarantined),
        ]

    def warnings(self) -> Iterator[str]:
        """Give the sentences that a reader must not miss: what may count twice or be out of date, and what does not join."""
        if self.joined:
            yield _joined_text(self.joined)
        if self.renewed and self.renewed.reopened:
            yield t(
                "Deals that were won or lost and are open in this file: {n}. If it is an older export, take it back: what is imported last "
                "stands.",
                n=f"{self.renewed.reopened:,}",
            )
        yield from (str(part) for part in self.unjoined)

    def remarks(self) -> Iterator[str]:
        """Give the sentences under the table: period, columns, notes, rows promoted, reasons with their rows."""
        if self.first_on and self.last_on:
            yield t("Business days {first} to {last}.", first=date_text(self.first_on), last=date_text(self.last_on))
        if self.brought:
            yield t("Rows by table: {tables}.", tables="; ".join(f"{t(TABLE_LABELS[name])} {rows:,}" for name, rows in self.brought))
        if self.columns_read:
            yield t("Read: {columns}.", columns="; ".join(f"{_label(target)} = {name}" for target, name in self.columns_read))
        if self.columns_not_read:
            yield t("Not read: {columns}.", columns="; ".join(self.columns_not_read))
        yield from (str(note) for note in self.notes)
        yield from self._counted_remarks()
        for reason in self.reasons:
            rows = rows_text(reason.row_numbers)
            if len(reason.row_numbers) == 1:
                yield str(reason) if "{row}" in reason.reason else t("Row {row}: {reason}", row=rows, reason=reason)
            else:
                yield t("{n} rows: {reason} Rows {rows}", n=f"{len(reason.row_numbers):,}", reason=reason, rows=rows)

    def _counted_remarks(self) -> Iterator[str]:
        if self.renewed and self.renewed.batches:
            yield _renewed_text(self.renewed)
        if self.rows_restored == 1:
            yield t("1 row of an earlier import stands again, which this one had taken the place of.")
        elif self.rows_restored:
            yield t("{n} rows of earlier imports stand again, which this one had taken the place of.", n=f"{self.rows_restored:,}")
        has_amounts = bool(self.first_on or self.amount_in or not self.brought)
        if self.rows_amount_unknown == 1 and has_amounts:
            yield t("The amount of 1 quarantined row could not be read.")
        elif self.rows_amount_unknown and has_amounts:
            yield t("The amount of {n} quarantined rows could not be read.", n=f"{self.rows_amount_unknown:,}")
        if self.rows_promoted == 1:
            yield t("1 row of a later batch came in where this one had held the same.")
        elif self.rows_promoted:
            yield t("{n} rows of later batches came in where this one had held the same.", n=f"{self.rows_promoted:,}")
        if self.state == "undone" and self.replaced_batch:
            yield t(
                "Batch {batch}, which this one had replaced, does not come back by itself: import its file again with its mapping.",
                batch=self.replaced_batch,
            )


def _joined_text(joined: Joined) -> str:
    return t(
        "Orders that earlier imports hold with other rows: {orders} (batch {batches}). Rows of this file counted in addition: {rows}, "
        "worth {amount}. If it is a newer export of the same orders, they count twice: take the earlier import back with "
        "`python -m crm_metrics undo {batch}`.",
        orders=f"{joined.orders:,}",
        batches=", ".join(str(batch) for batch in joined.batches),
        rows=f"{joined.rows:,}",
        amount=f"{joined.amount:,.2f}",
        batch=joined.batches[0],
    )


def _renewed_text(renewed: Renewed) -> str:
    return t(
        "A newer export of what earlier imports brought (batch {batches}). Rows renewed, which said something else: {changed}; rows that "
        "say the same: {unchanged}; new rows: {new}.",
        batches=", ".join(str(batch) for batch in renewed.batches),
        changed=f"{renewed.changed:,}",
        unchanged=f"{renewed.unchanged:,}",
        new=f"{renewed.new:,}",
    )


def _joined_json(joined: Joined) -> dict[str, Any]:
    return {"orders": joined.orders, "rows": joined.rows, "amount": float(joined.amount), "batches": list(joined.batches)}


def rows_text(row_numbers: tuple[int, ...]) -> str:
    """Return the first row numbers, and how many more there are.

    >>> rows_text((3, 5))
    '3, 5'
    >>> rows_text(tuple(range(1, 15)))
    '1, 2, 3, 4, 5, 6, 7, 8, 9, 10 … (+4)'
    """
    shown = ", ".join(str(row) for row in row_numbers[:EXAMPLE_ROWS])
    more = len(row_numbers) - EXAMPLE_ROWS
    return f"{shown} … (+{more:,})" if more > 0 else shown or DASH


def report_of(batch: Batch, state: State, left_out: pa.Table, *, rows_promoted: int = 0, replaced_batch: int | None = None) -> ImportReport:
    """Return the report of one batch of the ledger. left_out: its rows of `import_left_out`."""
    is_unknown = pc.and_(pc.equal(left_out["left_out_as"], "quarantined"), pc.is_null(left_out["row_amount"]))
    return ImportReport(
        file=batch.file_name,
        batch=batch.batch_id or None,
        state=state,
        rows_in=batch.rows_in,
        rows_loaded=batch.rows_loaded,
        rows_duplicate=batch.rows_duplicate,
        rows_quarantined=batch.rows_quarantined,
        amount_loaded=batch.amount_loaded,
        amount_duplicate=batch.amount_duplicate,
        amount_quarantined=batch.amount_quarantined,
        rows_amount_unknown=pc.sum(is_unknown).as_py() or 0,
        first_on=batch.first_on,
        last_on=batch.last_on,
        reasons=grouped_reasons(left_out),
        replaced_batch=replaced_batch,
        rows_promoted=rows_promoted,
        notes=notes_of(batch.notes),
    )


def notes_as_json(notes: tuple[Note, ...]) -> str | None:
    """Return notes as the ledger keeps them; None without any."""
    return json.dumps([note._asdict() for note in notes], ensure_ascii=False, default=str) if notes else None


def notes_of(kept: str | None) -> tuple[Note, ...]:
    """Return the notes that the ledger keeps."""
    return tuple(Note(**note) for note in json.loads(kept or "[]"))


def grouped_reasons(left_out: pa.Table) -> tuple[Reason, ...]:
    """Return the reasons of rows left out with all their row numbers, quarantined ones first, then the most frequent."""
    kinds = left_out.select(["left_out_as", "reason", "column_name", "row_number", "reason_values"]).sort_by("row_number")
    grouped = kinds.group_by(["left_out_as", "reason", "column_name"], use_threads=False).aggregate(
        [("row_number", "list"), ("reason_values", "first")]
    )
    found = [
        Reason(
            row["reason"], reason_values(row["reason_values_first"]), row["left_out_as"], row["column_name"], tuple(row["row_number_list"])
        )
        for row in grouped.to_pylist()
    ]
    return tuple(sorted(found, key=lambda reason: (reason.left_out_as == "duplicate", -len(reason.row_numbers), reason.reason)))


def _reason_json(reason: Reason) -> dict[str, Any]:
    return {
        "reason": reason.reason,
        "example": str(reason),
        "left_out_as": reason.left_out_as,
        "column": reason.column,
        "rows": len(reason.row_numbers),
        "example_rows": list(reason.row_numbers[:EXAMPLE_ROWS]),
    }
