"""Writing: one change at a time, whole or not at all, published as the next version."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
from sqlalchemy import Connection, Engine, Select, Table, create_engine, func, insert, select, text, update
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from crm_metrics import schema
from crm_metrics.database import duckdb_file, migration, postgresql
from crm_metrics.database.data_set import DataSet, workspace_path


@dataclass(frozen=True)
class Writer:
    """The one open transaction of a change to a data set."""

    connection: Connection
    raw: duckdb.DuckDBPyConnection | None = None

    def read(self, query: Select) -> pa.Table:
        """Return the rows of `query` as the change has left them so far."""
        return duckdb_file.answer(self.raw, query) if self.raw else postgresql.answer(self.connection, query)

    def to_disk(self) -> None:
        """Write what was changed so far to the disk, so that its memory is free again; nothing is published before the change ends."""
        if self.raw:  # on a file of its own, which is thrown away if the change fails
            self.connection.commit()
            self.raw.execute("CHECKPOINT")

    def append(self, table: Table, rows: pa.Table) -> None:
        """Add `rows` to `table`; columns that `rows` lacks stay empty."""
        if not rows.num_rows:
            return
        names = [name for name in rows.column_names if name in table.c]
        if self.raw:
            self._append_duckdb(self.raw, table.name, names, rows.select(names))
        else:
            self._append_postgresql(table.name, names, rows.select(names))

    def stage(self, name: str, rows: pa.Table) -> Table:
        """Return `rows` as a temporary table called `name`, gone when the change ends."""
        staged = Table(
            name, schema.MetaData(), *[schema.Column(field.name, _sql_type(field.type)) for field in rows.schema], prefixes=["TEMPORARY"]
        )
        self.connection.execute(text(f'DROP TABLE IF EXISTS "{name}"'))
        staged.create(self.connection)
        self.append(staged, rows)
        return staged

    @staticmethod
    def _append_duckdb(raw: duckdb.DuckDBPyConnection, name: str, names: list[str], rows: pa.Table) -> None:
        raw.register("incoming_rows", rows)
        columns = ", ".join(f'"{column}"' for column in names)
        raw.execute(f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM incoming_rows')  # noqa: S608  # names come from schema.py
        raw.unregister("incoming_rows")

    def _append_postgresql(self, name: str, names: list[str], rows: pa.Table) -> None:
        texts = pa.table([_copy_column(column) for column in rows.columns], names=names)
        columns = ", ".join(f'"{column}"' for column in names)
        options = pyarrow.csv.WriteOptions(include_header=False)
        with self.connection.connection.cursor() as cursor, cursor.copy(f'COPY "{name}" ({columns}) FROM STDIN (FORMAT csv)') as copy:  # type: ignore[attr-defined]
            for batch in texts.to_batches(max_chunksize=50_000):
                sink = pa.BufferOutputStream()
                pyarrow.csv.write_csv(pa.Table.from_batches([batch]), sink, options)
                copy.write(sink.getvalue().to_pybytes())


def _copy_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_decimal(column.type) or pa.types.is_boolean(column.type) else column


def _sql_type(kind: pa.DataType) -> Any:
    if pa.types.is_decimal(kind):
        return schema.Numeric(kind.precision, kind.scale)
    if pa.types.is_boolean(kind):
        return schema.Boolean
    if pa.types.is_integer(kind):
        return schema.BigInteger
    if pa.types.is_date(kind):
        return schema.Date
    return schema.DateTime if pa.types.is_timestamp(kind) else schema.Text


@contextmanager
def change(data_set: DataSet, *, anew: bool = False) -> Iterator[Writer]:
    """Change a data set in one transaction and publish it as the next version when the block ends without an error.

    One change at a time; a second one waits. Readers go on with the version they have. anew: the change begins with nothing in the data
    set; the numbers of versions go on, and the workspace stays.
    """
    if data_set.is_duckdb:
        with duckdb_file.locked(data_set.link), _next_version(data_set, anew=anew) as writer:
            yield writer
    else:
        with _locked_schema(data_set) as connection, _next_state(connection, data_set.name, anew=anew) as writer:
            yield writer


def bring_up_to_date(data_set: DataSet) -> None:
    """Publish a data set of an earlier program with the tables and columns of this one, unless another process was faster."""
    if data_set.is_duckdb:
        with duckdb_file.locked(data_set.link):
            if duckdb_file.is_older(data_set, duckdb_file.version_number(data_set.link)):
                with _next_version(data_set, anew=False):
                    pass
    else:
        with _locked_schema(data_set) as connection:
            if postgresql.is_older(connection):
                with _next_state(connection, data_set.name, anew=False):
                    pass


@contextmanager
def _locked_schema(data_set: DataSet) -> Iterator[Connection]:
    """Open the one transaction that may change a PostgreSQL data set."""
    with postgresql.answering(), postgresql.engine(data_set.address).begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"crm_metrics {data_set.name}"})
        yield connection


@contextmanager
def _next_state(connection: Connection, name: str, *, anew: bool) -> Iterator[Writer]:
    postgresql.prepare(connection, name)
    number = postgresql.stored_version(connection) + 1
    if anew:
        postgresql.empty(connection)
    yield Writer(connection)
    _raise_version(connection, number)
    postgresql.analyze(connection)


@contextmanager
def trial(data_set: DataSet) -> Iterator[Writer]:
    """Change a data set as `change` does and keep nothing: what would come of it can be asked of the writer inside the block."""
    if not data_set.is_duckdb:
        with postgresql.answering(), postgresql.engine(data_set.address).connect() as connection:
            postgresql.prepare(connection, data_set.name)
            yield Writer(connection)
            connection.rollback()
        return
    with tempfile.TemporaryDirectory(prefix="crm-metrics-trial-") as folder:
        path = Path(folder) / "trial.duckdb"
        if current := duckdb_file.version_number(data_set.link):
            with duckdb_file.writable(path):
                duckdb_file.copy(duckdb_file.version_path(data_set.link, current), path)
        else:
            duckdb_file.refuse_taken(data_set.link, current)
        with duckdb_file.enough_room(path), duckdb_file.connect(path) as raw, _with_tables(raw, is_new=not current) as connection:
            yield Writer(connection, raw)
            connection.rollback()


@contextmanager
def _next_version(data_set: DataSet, *, anew: bool) -> Iterator[Writer]:
    link = data_set.link
    current = duckdb_file.version_number(link)
    duckdb_file.refuse_taken(link, current)
    pending = duckdb_file.pending_path(link)
    try:
        with duckdb_file.enough_room(pending):
            with duckdb_file.writable(pending):
                duckdb_file.remove_leftovers(link, current)
            is_new = anew or not current
            begun = nullcontext() if is_new else duckdb_file.copied(duckdb_file.version_path(link, current), pending)
            with begun, _transaction(pending, is_new=is_new) as writer:
                yield writer
                _raise_version(writer.connection, current + 1)
            duckdb_file.verify(pending, current + 1)
        with duckdb_file.writable(link):
            published = pending.replace(duckdb_file.version_path(link, current + 1))
            duckdb_file.point(link, published)
    except BaseException:
        duckdb_file.remove_pending(link)
        raise
    duckdb_file.remove_leftovers(link, current + 1)


@contextmanager
def _transaction(path: Path, *, is_new: bool) -> Iterator[Writer]:
    """Open a file, give the writer of one transaction, and close the file whole."""
    connection = duckdb_file.connect(path)
    try:
        with _with_tables(connection, is_new=is_new) as transaction:
            yield Writer(transaction, connection)
            transaction.commit()
        connection.execute("CHECKPOINT")
    finally:
        connection.close()


@contextmanager
def _with_tables(raw: duckdb.DuckDBPyConnection, *, is_new: bool) -> Iterator[Connection]:
    """Open a transaction on a database that has the tables of this program."""
    if is_new:
        duckdb_file.create_tables(raw)
    with duckdb_file.engine_of(raw).connect() as connection:
        if not is_new:
            migration.bring_up(connection)
        yield connection


def _raise_version(connection: Connection, number: int) -> None:
    stored = schema.data_set
    rows = [("schema_version", str(migration.SCHEMA_VERSION)), ("data_version", str(number))]
    for setting, value in rows:
        done = connection.execute(update(stored).where(stored.c.setting == setting).values(setting_value=value))
        if not _exists(connection, setting):
            connection.execute(insert(stored).values(setting=setting, setting_value=value))
        done.close()


def _exists(connection: Connection, setting: str) -> bool:
    stored = schema.data_set
    return bool(connection.execute(select(func.count()).select_from(stored).where(stored.c.setting == setting)).scalar())


def delete(data_set: DataSet) -> None:
    """Remove a data set with all its versions and its workspace (DuckDB), or its schema (PostgreSQL)."""
    if not data_set.is_duckdb:
        with postgresql.answering(), postgresql.engine(data_set.address).begin() as connection:
            connection.execute(text(f'DROP SCHEMA IF EXISTS "{data_set.name}" CASCADE'))
        return
    with duckdb_file.locked(data_set.link):
        duckdb_file.remove_versions(data_set.link)
        with suppress(FileNotFoundError):
            workspace_path(data_set).unlink()


def workspace_engine(data_set: DataSet) -> Engine:
    """Return the engine of the workspace: SQLite beside a DuckDB data set, the same schema on PostgreSQL."""
    if not data_set.is_duckdb:
        return postgresql.engine(data_set.address)
    data_set.link.parent.mkdir(parents=True, exist_ok=True)
    return create_engine(URL.create("sqlite", database=str(workspace_path(data_set))), poolclass=NullPool)
