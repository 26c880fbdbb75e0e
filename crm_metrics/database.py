"""The only connection: data sets, their published versions, reading and writing.

A data set is one database. With DuckDB it is `<folder>/<name>.duckdb`, a symbolic link that points to the published version
`<name>-000124.duckdb`; an import changes a copy and moves the link, so a reader never sees a half-written file and a kill
leaves the old version in place. With PostgreSQL it is one schema, and one transaction does the same work.
See docs/decisions/0001-published-versions.md.
"""

import fcntl
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from duckdb_sqlalchemy import ConnectionWrapper
from duckdb_sqlalchemy import Dialect as DuckDBDialect
from sqlalchemy import Connection, Engine, Executable, Select, Table, create_engine, event, func, insert, select, text, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import NullPool, StaticPool

from crm_metrics import schema
from crm_metrics.metric import BadInput

ADDRESS_SETTING = "CRM_METRICS_DATABASE"
FOLDER_SETTING = "CRM_METRICS_DATA_DIR"
MEMORY_SETTING = "CRM_METRICS_MEMORY"
THREADS_SETTING = "CRM_METRICS_THREADS"
SCHEMA_VERSION = "1"
KEPT_VERSIONS = 2
READ_ATTEMPTS = 5  # a restart of the server loses no read (measured: pre-ping alone lost 2,719 of them in 10 restarts)
_MOST_ROWS = (schema.order_lines, schema.orders, schema.customers, schema.products)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")

T = TypeVar("T")
_DUCKDB = DuckDBDialect(paramstyle="qmark")


@dataclass(frozen=True)
class DataSet:
    """One database. name: as the reader sees it. address: SQLAlchemy address; for PostgreSQL with `?schema=<name>`."""

    name: str
    address: str

    @property
    def url(self) -> URL:
        """The parsed address."""
        return make_url(self.address)

    @property
    def is_duckdb(self) -> bool:
        """Whether the data set is a DuckDB file."""
        return self.url.get_backend_name() == "duckdb"

    @property
    def link(self) -> Path:
        """The link to the published version (DuckDB only)."""
        return Path(self.url.database or "")


class DataMoved(Exception):
    """The data set was published anew since this page began; asking again (`open_source`) gives the new version."""


# ── which data sets there are ───────────────────────────────────────────────────────────────────────────────────────────


def data_folder() -> Path:
    """Return the folder of the DuckDB data sets."""
    return Path(os.environ.get(FOLDER_SETTING, "data")).absolute()


def find_data_set(name_or_address: str = "") -> DataSet:
    """Return the data set of that name or SQLAlchemy address; without one, that of CRM_METRICS_DATABASE.

    A name is looked for beside the configured address: another file of the folder, or another schema of the server.
    Raises BadInput if the address is not one of DuckDB or PostgreSQL, or the name is not plain lower-case letters.
    """
    configured = os.environ.get(ADDRESS_SETTING, "")
    wanted = name_or_address or configured or "mine"
    if ":" in wanted:
        return _from_address(wanted)
    if not _NAME.fullmatch(wanted):
        raise BadInput("{name!r} can't name a data set. Use lower-case letters, digits and _, beginning with a letter.", name=wanted)
    if not configured:
        return _from_address(f"duckdb:///{data_folder() / wanted}.duckdb")
    beside = _from_address(configured)
    if beside.is_duckdb:
        return _from_address(f"duckdb:///{beside.link.parent / wanted}.duckdb")
    return _from_address(beside.url.update_query_dict({"schema": wanted}).render_as_string(hide_password=False))


def data_sets() -> list[DataSet]:
    """Return the data sets at hand, by name: files of the folder, or schemas of the configured server."""
    configured = os.environ.get(ADDRESS_SETTING, "")
    beside = _from_address(configured) if configured else None
    if beside and not beside.is_duckdb:
        names = _postgresql_schemas(beside)
    else:
        folder = beside.link.parent if beside else data_folder()
        names = [path.stem for path in folder.glob("*.duckdb") if _NAME.fullmatch(path.stem)]
    return [find_data_set(name) for name in sorted(names)]


def _from_address(address: str) -> DataSet:
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise BadInput(
            "{address!r} is not a database address. Write duckdb:///data/mine.duckdb or postgresql://user@host/database?schema=mine.",
            address=address,
        ) from error
    backend = url.get_backend_name()
    if backend == "duckdb" and url.database and url.database != ":memory:":
        path = Path(url.database).absolute()
        return DataSet(path.stem, f"duckdb:///{path}")
    if backend == "postgresql":
        return DataSet(_schema_name(url), url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False))
    raise BadInput("A {backend!r} database can't hold a data set. Use a DuckDB file or PostgreSQL.", backend=backend)


def _schema_name(url: URL) -> str:
    name = str(url.query.get("schema", "public"))
    if not _NAME.fullmatch(name):
        raise BadInput("{name!r} can't name a data set. Use lower-case letters, digits and _, beginning with a letter.", name=name)
    return name


def _postgresql_schemas(beside: DataSet) -> list[str]:
    query = text("SELECT table_schema FROM information_schema.tables WHERE table_name = 'data_set'")
    with postgresql_engine(beside.address).connect() as connection:
        found = [row[0] for row in connection.execute(query)]
    return found if beside.name in found else [*found, beside.name]


# ── versions ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def version(data_set: DataSet) -> int:
    """Return the number of the published version; 0 before the first import."""
    if data_set.is_duckdb:
        return _version_number(data_set.link)
    with _retried(lambda: postgresql_engine(data_set.address).connect()) as connection:
        return _postgresql_version(connection)


def _version_number(link: Path) -> int:
    if not link.is_symlink():
        if link.exists():
            raise BadInput("{path} is a file of another program. Give the data set another name.", path=link)
        return 0
    return int(link.readlink().stem.rpartition("-")[2])


def _version_path(link: Path, number: int) -> Path:
    return link.with_name(f"{link.stem}-{number:06d}.duckdb")


def _postgresql_version(connection: Connection) -> int:
    exists = connection.execute(text("SELECT to_regclass('data_set')")).scalar()
    return _stored_version(connection) if exists else 0


def _stored_version(connection: Connection) -> int:
    stored = schema.data_set
    return int(connection.execute(select(stored.c.setting_value).where(stored.c.setting == "data_version")).scalar() or 0)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Source:
    """One version of one data set, to ask questions of: `source(query)` gives a frame, `source.remember` keeps an answer.

    Decimals come as floats (sums are made exactly, in the database), days as datetime.date-like timestamps.
    """

    data_set: DataSet
    version: int
    _kept: dict[tuple[Any, ...], Any] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, query: Select) -> pd.DataFrame:
        """Return the rows of `query`.

        Raises DataMoved if PostgreSQL holds a newer version by now.
        """
        return arrow_to_frame(self.arrow(query))

    def arrow(self, query: Select) -> pa.Table:
        """Return the rows of `query` with exact decimals."""
        if self.data_set.is_duckdb or self.version == 0:
            return _duckdb_arrow(self.data_set, self.version, query)
        return _retried(lambda: _postgresql_arrow(self.data_set, self.version, query))

    def remember(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return `function(self, *arguments)`, computed once per version."""
        key = (function.__module__, function.__qualname__, arguments)
        if key not in self._kept:
            self._kept[key] = function(self, *arguments)
        kept: T = self._kept[key]
        return kept


def open_source(data_set: DataSet) -> Source:
    """Return the published version of `data_set`; before the first import an empty one."""
    return Source(data_set, version(data_set))


def arrow_to_frame(table: pa.Table) -> pd.DataFrame:
    """Return `table` as a frame: decimals as float64, days as datetime64."""
    columns = []
    for column in table.columns:
        kind = column.type
        if pa.types.is_decimal(kind):
            columns.append(column.cast(pa.float64()))
        elif pa.types.is_date(kind):
            columns.append(column.cast(pa.timestamp("us")))
        else:
            columns.append(column)
    return pa.table(columns, names=table.column_names).to_pandas()


def statement_text(data_set: DataSet, query: Executable) -> tuple[str, dict[str, Any]]:
    """Return the SQL text of `query` on that database and its bound values, for cache keys and "Show SQL"."""
    dialect = _DUCKDB if data_set.is_duckdb else postgresql_engine(data_set.address).dialect
    compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
    return str(compiled), dict(compiled.params)


def _duckdb_arrow(data_set: DataSet, number: int, query: Select) -> pa.Table:
    cursor = _duckdb_reader(data_set, number).cursor()
    try:
        return _duckdb_answer(cursor, query)
    finally:
        cursor.close()


def _duckdb_answer(cursor: duckdb.DuckDBPyConnection, query: Select) -> pa.Table:
    compiled = query.compile(dialect=_DUCKDB, compile_kwargs={"render_postcompile": True})
    values = [compiled.params[name] for name in compiled.positiontup or []]
    return cursor.execute(str(compiled), values).to_arrow_table()


def _postgresql_arrow(data_set: DataSet, number: int, query: Select) -> pa.Table:
    engine = postgresql_engine(data_set.address).execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        if _postgresql_version(connection) != number:
            raise DataMoved
        return _postgresql_answer(connection, query)


def _postgresql_answer(connection: Connection, query: Select) -> pa.Table:
    result = connection.execute(query)
    types = [_ARROW_OF.get(code) for code in _type_codes(result)]
    rows = result.fetchall()
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [[] for _ in types]
    arrays = [_arrow_array(values, kind) for values, kind in zip(columns, types, strict=True)]
    return pa.table(arrays, names=list(result.keys()))


# PostgreSQL type codes: an all-empty column still has its type
_ARROW_OF = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int64(),
    23: pa.int64(),
    25: pa.string(),
    1043: pa.string(),
    700: pa.float64(),
    701: pa.float64(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1700: pa.decimal128(38, 10),
}


def _type_codes(result: Any) -> list[int]:
    return [column.type_code for column in result.cursor.description]


def _arrow_array(values: Any, kind: pa.DataType | None) -> pa.Array:
    return pa.array(list(values), type=kind)


def _retried(action: Callable[[], T]) -> T:
    for attempt in range(1, READ_ATTEMPTS):
        try:
            return action()
        except OperationalError:
            time.sleep(0.2 * 2**attempt)
    return action()


_readers: dict[tuple[str, int], duckdb.DuckDBPyConnection] = {}
_readers_lock = threading.Lock()


def _duckdb_reader(data_set: DataSet, number: int) -> duckdb.DuckDBPyConnection:
    """Return the process's connection to one version; every question gets a cursor of its own."""
    key = (data_set.address if number else "", number)
    with _readers_lock:
        if key not in _readers:
            _forget_old_readers(data_set.address)
            _readers[key] = _open_version(data_set, number) if number else _empty()
        return _readers[key]


def _open_version(data_set: DataSet, number: int) -> duckdb.DuckDBPyConnection:
    path = _version_path(data_set.link, number)
    if not path.exists():  # two imports came between asking for the version and opening it
        raise DataMoved
    return _connect(path, read_only=True)


def _forget_old_readers(address: str) -> None:
    held = sorted(number for held_address, number in _readers if held_address == address)
    for number in held[: len(held) + 1 - KEPT_VERSIONS]:
        del _readers[address, number]


def _empty() -> duckdb.DuckDBPyConnection:
    connection = _connect(None)
    engine = create_engine("duckdb://", creator=lambda: ConnectionWrapper(connection), poolclass=StaticPool)
    schema.metadata.create_all(engine)
    return connection


def _connect(path: Path | None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file (None: in memory) that reads and writes nothing else (see docs/decisions/0002-hardened-duckdb.md)."""
    config: dict[str, Any] = {"memory_limit": os.environ.get(MEMORY_SETTING, "4GB"), "preserve_insertion_order": "true"}
    if threads := os.environ.get(THREADS_SETTING, ""):
        config["threads"] = threads
    connection = duckdb.connect(str(path or ":memory:"), read_only=read_only, config=config)
    if path:
        connection.execute(f"SET temp_directory = '{_quoted(path.parent / '.spill')}'")
    for setting in _HARDENING:
        connection.execute(setting)
    return connection


_HARDENING = (
    "SET max_temp_directory_size = '50GB'",
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give an empty in-memory DuckDB that reads no files, for work on Arrow tables registered by name."""
    connection = _connect(None)
    try:
        yield connection
    finally:
        connection.close()


@lru_cache(maxsize=8)
def postgresql_engine(address: str) -> Engine:
    """Return the engine of one PostgreSQL schema; tables are found by search path, connections are checked before use."""
    url = make_url(address)
    name = _schema_name(url)
    plain = url.difference_update_query(["schema"]).set(drivername="postgresql+psycopg")
    engine = create_engine(plain, pool_pre_ping=True, pool_size=10, max_overflow=20)
    if "schema" in url.query:

        @event.listens_for(engine, "connect")
        def _use_schema(connection: Any, _record: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f'SET search_path TO "{name}"')
            connection.commit()

    return engine


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Writer:
    """The one open transaction of a change to a data set."""

    connection: Connection
    raw: duckdb.DuckDBPyConnection | None = None

    def read(self, query: Select) -> pa.Table:
        """Return the rows of `query` as the change has left them so far."""
        return _duckdb_answer(self.raw, query) if self.raw else _postgresql_answer(self.connection, query)

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
def change(data_set: DataSet) -> Iterator[Writer]:
    """Change a data set in one transaction and publish it as the next version when the block ends without an error.

    One change at a time; a second one waits. Readers go on with the version they have.
    """
    if data_set.is_duckdb:
        with _locked(data_set.link), _next_version(data_set) as writer:
            yield writer
        return
    engine = postgresql_engine(data_set.address)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"crm_metrics {data_set.name}"})
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{data_set.name}"'))
        schema.metadata.create_all(connection)
        yield Writer(connection)
        _raise_version(connection, _stored_version(connection) + 1)
        for table in _MOST_ROWS:  # or the planner goes on with the sizes of an empty schema
            connection.execute(text(f'ANALYZE "{table.name}"'))


@contextmanager
def trial(data_set: DataSet) -> Iterator[Writer]:
    """Change a data set as `change` does and keep nothing: what would come of it can be asked of the writer inside the block."""
    if not data_set.is_duckdb:
        with postgresql_engine(data_set.address).connect() as connection:
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{data_set.name}"'))
            schema.metadata.create_all(connection)
            yield Writer(connection)
            connection.rollback()
        return
    with tempfile.TemporaryDirectory(prefix="crm-metrics-trial-") as folder:
        path = Path(folder) / "trial.duckdb"
        if current := _version_number(data_set.link):
            shutil.copyfile(_version_path(data_set.link, current), path)
        with _connect(path) as raw:
            engine = create_engine("duckdb://", creator=lambda: ConnectionWrapper(raw), poolclass=StaticPool)
            if not current:
                schema.metadata.create_all(engine)
            with engine.connect() as connection:
                yield Writer(connection, raw)
                connection.rollback()


@contextmanager
def _next_version(data_set: DataSet) -> Iterator[Writer]:
    link = data_set.link
    current = _version_number(link)
    path = _version_path(link, current + 1)
    _remove_leftovers(link, current)
    if current:
        shutil.copyfile(_version_path(link, current), path)
    connection = _connect(path)
    engine = create_engine("duckdb://", creator=lambda: ConnectionWrapper(connection), poolclass=StaticPool)
    try:
        if not current:
            schema.metadata.create_all(engine)
        with engine.begin() as transaction:
            yield Writer(transaction, connection)
            _raise_version(transaction, current + 1)
        connection.execute("CHECKPOINT")
    except BaseException:
        connection.close()
        path.unlink(missing_ok=True)
        raise
    connection.close()
    _verify(path, current + 1)
    _point(link, path)
    _remove_leftovers(link, current + 1)


def _raise_version(connection: Connection, number: int) -> None:
    stored = schema.data_set
    rows = [("schema_version", SCHEMA_VERSION), ("data_version", str(number))]
    for setting, value in rows:
        done = connection.execute(update(stored).where(stored.c.setting == setting).values(setting_value=value))
        if not _exists(connection, setting):
            connection.execute(insert(stored).values(setting=setting, setting_value=value))
        done.close()


def _exists(connection: Connection, setting: str) -> bool:
    stored = schema.data_set
    return bool(connection.execute(select(func.count()).select_from(stored).where(stored.c.setting == setting)).scalar())


def _verify(path: Path, number: int) -> None:
    """Open the finished file as a reader would; an error here leaves the old version published."""
    with _connect(path, read_only=True) as connection:
        stored = connection.execute("SELECT setting_value FROM data_set WHERE setting = 'data_version'").fetchone()
    if stored is None or int(stored[0]) != number:
        raise RuntimeError(f"{path.name} holds version {stored}, not {number}.")


def _point(link: Path, path: Path) -> None:
    """Move the link to `path` in one step that survives a power cut."""
    with path.open("rb") as written:
        os.fsync(written.fileno())
    pending = link.with_name(f".{link.name}.pending")
    pending.unlink(missing_ok=True)
    pending.symlink_to(path.name)
    pending.replace(link)
    folder = os.open(link.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove_leftovers(link: Path, current: int) -> None:
    """Remove what a killed import left behind and versions older than the last two."""
    for path in link.parent.glob(f"{link.stem}-*.duckdb*"):
        number = path.name.removeprefix(f"{link.stem}-")[:6]
        if number.isdigit() and not current - KEPT_VERSIONS < int(number) <= current:
            path.unlink(missing_ok=True)


@contextmanager
def _locked(link: Path) -> Iterator[None]:
    link.parent.mkdir(parents=True, exist_ok=True)
    with link.with_name(f".{link.stem}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def delete(data_set: DataSet) -> None:
    """Remove a data set with all its versions and its workspace (DuckDB), or its schema (PostgreSQL)."""
    if not data_set.is_duckdb:
        with postgresql_engine(data_set.address).begin() as connection:
            connection.execute(text(f'DROP SCHEMA IF EXISTS "{data_set.name}" CASCADE'))
        return
    with _locked(data_set.link):
        data_set.link.unlink(missing_ok=True)
        _remove_leftovers(data_set.link, -KEPT_VERSIONS)
        with suppress(FileNotFoundError):
            workspace_path(data_set).unlink()


# ── the workspace ───────────────────────────────────────────────────────────────────────────────────────────────────────


def workspace_path(data_set: DataSet) -> Path:
    """Return the SQLite file beside a DuckDB data set that holds what the app itself writes."""
    return data_set.link.with_name(f"{data_set.name}.workspace.sqlite")


def workspace_engine(data_set: DataSet) -> Engine:
    """Return the engine of the workspace: SQLite beside a DuckDB data set, the same schema on PostgreSQL."""
    if not data_set.is_duckdb:
        return postgresql_engine(data_set.address)
    data_set.link.parent.mkdir(parents=True, exist_ok=True)
    return create_engine(URL.create("sqlite", database=str(workspace_path(data_set))), poolclass=NullPool)
