"""Brings a data set that an earlier program wrote to the tables and columns of this one, before it is read or changed.

Only what is missing is added, so that any earlier form is brought up in one step. A new column is empty in the rows that are there:
one that may not be empty needs a value, and a step of its own here.
The facts are made anew.
"""

from typing import Any

from sqlalchemy import Connection, Select, select, text
from sqlalchemy.schema import CreateTable

from crm_metrics import facts, schema

SCHEMA_VERSION = 9
"""Raised with every table or column that schema.py gains."""


def stored() -> Select[Any]:
    """At most one row: the schema_version that a data set was written with."""
    return select(schema.data_set.c.setting_value).where(schema.data_set.c.setting == "schema_version")


def is_older(schema_version: str | None) -> bool:
    """Return whether this is a version that an earlier program wrote.

    >>> is_older("1"), is_older(str(SCHEMA_VERSION))
    (True, False)
    """
    return int(schema_version or 0) < SCHEMA_VERSION


def bring_up(connection: Connection) -> None:
    """Add the tables and columns that a data set of an earlier program lacks, in the transaction that is open."""
    if not is_older(connection.execute(stored()).scalar()):
        return
    for table in schema.metadata.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))
    query = text("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()")
    held = {(row.table_name, row.column_name) for row in connection.execute(query)}
    for table in schema.metadata.sorted_tables:
        for column in table.c:
            if (table.name, column.name) not in held:
                kind = column.type.compile(dialect=connection.dialect)
                connection.execute(text(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}'))
    if connection.dialect.name == "postgresql":  # DuckDB needs no index; one can be of a column that was just added
        for index in (index for table in schema.metadata.sorted_tables for index in table.indexes):
            index.create(connection, checkfirst=True)
    facts.rebuild(connection, in_steps=True)
