"""What rows name and no other table holds: products that the catalogue lacks, accounts and employees whom nobody lists."""

import difflib
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import pyarrow as pa
from sqlalchemy import Column, Select, Table, exists, func, select

from crm_metrics.language import noop, t
from crm_metrics.schema import activities, customers, employees, leads, opportunities, opportunity_history, products, quotas, tasks

REFERENCES: tuple[tuple[Column[Any], Table, str], ...] = (
    (opportunities.c.product_id, products, noop("Opportunities whose product is not in the catalogue: {n}.")),
    (opportunities.c.customer_id, customers, noop("Opportunities whose account is not among the customers: {n}.")),
    (opportunities.c.owner_id, employees, noop("Opportunities whose owner is not among the employees: {n}.")),
    (opportunity_history.c.owner_id, employees, noop("Changes of opportunities whose owner is not among the employees: {n}.")),
    (leads.c.product_id, products, noop("Leads whose product is not in the catalogue: {n}.")),
    (leads.c.customer_id, customers, noop("Leads whose customer is not among the customers: {n}.")),
    (leads.c.owner_id, employees, noop("Leads whose owner is not among the employees: {n}.")),
    (activities.c.employee_id, employees, noop("Activities of somebody who is not among the employees: {n}.")),
    (tasks.c.employee_id, employees, noop("Tasks of somebody who is not among the employees: {n}.")),
    (quotas.c.employee_id, employees, noop("Quotas of somebody who is not among the employees: {n}.")),
)
"""Columns of deals and what belongs to them, with the table that lists what they name, and the words for rows that it lacks."""
_SHOWN = 5  # values of a column that are named one by one
_COMPARED = 5_000  # names that a value is compared with; a tenth of a second


class Unjoined(NamedTuple):
    """Values of a column, like opportunities.product_id, that the table `listed` does not hold.

    text: the words for it, of `rows` rows. values: how many there are. shown: of the first ones, most rows first, value, rows and the
    nearest one listed or "".
    """

    column: str
    listed: str
    text: str
    rows: int
    values: int
    shown: tuple[tuple[str, int, str], ...]

    def __str__(self) -> str:
        told = [_told(self.column.rpartition(".")[2], *value) for value in self.shown]
        if self.values > len(told):
            told.append(t("and {n} more", n=f"{self.values - len(told):,}"))
        return f"{t(self.text, n=f'{self.rows:,}')} {t('; ').join(told)}"


def _told(column: str, value: str, rows: int, near: str) -> str:
    counted = t("{value} (1 row)", value=value) if rows == 1 else t("{value} ({n} rows)", value=value, n=f"{rows:,}")
    if not near:
        return counted
    said = f"values.{column} = {{ {_quoted(value)} = {_quoted(near)} }}"
    return t("{value}; did you mean {near}? In the mapping: {said}", value=counted, near=near, said=said)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unjoined(read: Callable[[Select[Any]], pa.Table], brought: Collection[str] | None = None) -> tuple[Unjoined, ...]:
    """Return what does not join; a table that lists nothing asks nothing.

    read: returns the rows of a query. brought: names of tables, where only their rows and the rows that name them are asked.
    """
    found = []
    for column, listed, text in REFERENCES:
        is_asked = brought is None or {column.table.name, listed.name} & set(brought)
        if is_asked and (rows := read(not_listed(column, listed)).to_pylist()):
            known = read(select(*listed.primary_key.columns).limit(_COMPARED + 1)).column(0).to_pylist()
            shown = tuple((row["value"], row["rows"], nearest(row["value"], known)) for row in rows[:_SHOWN])
            found.append(Unjoined(str(column), listed.name, text, sum(row["rows"] for row in rows), len(rows), shown))
    return tuple(found)


def not_listed(column: Column[Any], listed: Table) -> Select[Any]:
    """One row per value of a column that `listed`, where it lists anything, does not hold: value, rows; most rows first."""
    (key,) = listed.primary_key.columns
    count = func.count().label("rows")
    conditions = (column.is_not(None), ~exists().where(key == column), exists().where(listed.c.batch_id.is_not(None)))
    return select(column.label("value"), count).where(*conditions).group_by(column).order_by(count.desc(), column)


def nearest(value: str, known: list[str]) -> str:
    """Return the text among those known that is most alike, spaces, signs and capital letters aside.

    "" where none is alike, or where too many are known to compare with each.

    >>> nearest("GTXPro", ["GTX Basic", "GTX Plus Pro", "GTX Pro"])
    'GTX Pro'
    """
    if len(known) > _COMPARED:
        return ""
    plain = {"".join(sign for sign in text.lower() if sign.isalnum()): text for text in known}
    near = difflib.get_close_matches("".join(sign for sign in value.lower() if sign.isalnum()), plain, n=1, cutoff=0.8)
    return plain[near[0]] if near else ""
