"""What DuckDB and PostgreSQL don't say alike, or don't answer equally fast when it is said alike."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Integer,
    Interval,
    Select,
    Table,
    Text,
    cast,
    func,
    insert,
    literal,
    literal_column,
    text,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from crm_metrics.periods import Grain


class _IsOneOf(FunctionElement[bool]):
    """Whether the first clause is among the second, a list."""

    type = Boolean()
    inherit_cache = True


@compiles(_IsOneOf)
def _any(element: _IsOneOf, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(_IsOneOf, "duckdb")
def _contains(element: _IsOneOf, compiler: Any, **options: Any) -> str:
    """DuckDB looks each of a column's few different values up once; IN joins every row, which takes seven times as long."""
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"list_contains({values}, {column})"


def is_one_of(column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
    """Return whether the text column is one of `values`; unknown where the column is empty."""
    return column == values[0] if len(values) == 1 else _IsOneOf(column, literal(list(values), ARRAY(Text)))


def days_between(earlier: ColumnElement[Any], later: ColumnElement[Any]) -> ColumnElement[int]:
    """Return the days from one day to another."""
    return type_coerce(later - earlier, Integer)


def bucket_on(day: ColumnElement[Any], grain: Grain) -> ColumnElement[Any]:
    """Return the first day of the day's week, month, quarter or year."""
    # a constant, not a bound value: databases don't see that two of those are the same expression, which GROUP BY needs
    return day if grain == "day" else cast(func.date_trunc(literal_column(f"'{grain}'"), cast(day, DateTime)), Date)


def bucket_end(day: ColumnElement[Any], grain: Grain) -> ColumnElement[Any]:
    """Return the last day of the day's week, month, quarter or year."""
    length = {"day": "1 day", "week": "7 days", "month": "1 month", "quarter": "3 months", "year": "1 year"}[grain]
    whole: ColumnElement[Any] = literal_column(f"INTERVAL '{length}' - INTERVAL '1 day'", Interval)
    return day if grain == "day" else cast(cast(bucket_on(day, grain), DateTime) + whole, Date)


def median(values: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the median of the group."""
    # DuckDB wants a constant here, not a bound value
    return func.percentile_cont(literal_column("0.5")).within_group(values)


def insert_rows(connection: Connection, table: Table, rows: Select[Any]) -> None:
    """Add rows to a table, and let PostgreSQL know how many there are now, or it plans for an empty table."""
    connection.execute(insert(table).from_select([column.name for column in rows.selected_columns], rows))
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ANALYZE {table.name}"))
