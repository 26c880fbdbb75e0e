"""PostgreSQL: one schema is one data set; reads see one version and survive a restart of the server."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

import pyarrow as pa
from sqlalchemy import Connection, Engine, Select, create_engine, delete, event, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from crm_metrics import schema
from crm_metrics.database import migration
from crm_metrics.database.data_set import DataMoved, DataSet, schema_name
from crm_metrics.metric import BadInput

READ_SECONDS = 15  # a restart of the server loses no read (measured: pre-ping alone lost 2,719 of them in 10 restarts)
_LONGEST_WAIT = 0.4  # seconds between two attempts; with five in all, ever further apart, restarts in a row still lost one
T = TypeVar("T")


@lru_cache(maxsize=8)
def engine(address: str) -> Engine:
    """Return the engine of one PostgreSQL schema; tables are found by search path, connections are checked before use."""
    url = make_url(address)
    name = schema_name(url)
    plain = url.difference_update_query(["schema"]).set(drivername="postgresql+psycopg")
    made = create_engine(plain, pool_pre_ping=True, pool_size=10, max_overflow=20)
    if "schema" in url.query:

        @event.listens_for(made, "connect")
        def _use_schema(connection: Any, _record: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f'SET search_path TO "{name}"')
            connection.commit()

    return made


def version(data_set: DataSet) -> int:
    """Return the number of the published version; 0 before the first import."""
    with engine(data_set.address).connect() as connection:
        return published_version(connection)


def published_version(connection: Connection) -> int:
    """Return the version of the schema's data; 0 before the first import."""
    return stored_version(connection) if _is_ours(connection) else 0


def _is_ours(connection: Connection) -> bool:
    query = "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('data_set') AND attname = 'setting_value'"
    return connection.execute(text(query)).first() is not None


def make_schema(connection: Connection, name: str) -> None:
    """Make the schema where it is missing. IF NOT EXISTS asks for the right to make schemas even where it is there."""
    if not connection.execute(text("SELECT 1 FROM pg_namespace WHERE nspname = :name"), {"name": name}).first():
        connection.execute(text(f'CREATE SCHEMA "{name}"'))


def prepare(connection: Connection, name: str) -> None:
    """Make the schema and its tables where they are missing; raises BadInput if another program has its tables there."""
    make_schema(connection, name)
    if not _is_ours(connection):
        held = text("SELECT table_name FROM information_schema.tables WHERE table_schema = :name ORDER BY table_name")
        foreign = [table for (table,) in connection.execute(held, {"name": name}) if table in schema.metadata.tables]
        if foreign:
            raise BadInput(
                "The schema {name} holds tables of another program: {tables}. Choose another schema, for instance ?schema=mine.",
                name=name,
                tables=", ".join(foreign),
            )
    schema.metadata.create_all(connection)
    migration.bring_up(connection)


def empty(connection: Connection) -> None:
    """Delete every row of the data set. Not TRUNCATE, which makes readers wait for the end of the change."""
    for table in reversed(schema.metadata.sorted_tables):
        connection.execute(delete(table))


def stored_version(connection: Connection) -> int:
    """Return the version that the table `data_set` names."""
    stored = schema.data_set
    return int(connection.execute(select(stored.c.setting_value).where(stored.c.setting == "data_version")).scalar() or 0)


def is_older(connection: Connection) -> bool:
    """Return whether an earlier program wrote the data set."""
    return migration.is_older(connection.execute(migration.stored()).scalar())


def is_older_data_set(data_set: DataSet) -> bool:
    """Return whether an earlier program wrote a data set that is published."""
    with engine(data_set.address).connect() as connection:
        return is_older(connection)


def analyze(connection: Connection) -> None:
    """Count the rows anew, or the planner goes on with the sizes of an empty schema."""
    connection.execute(text(f"ANALYZE {', '.join(schema.metadata.tables)}"))


def schemas(beside: DataSet) -> list[str]:
    """Return the names of the data sets on the server of `beside`, itself included."""
    query = text("SELECT table_schema FROM information_schema.tables WHERE table_name = 'data_set'")
    with engine(beside.address).connect() as connection:
        found = [row[0] for row in connection.execute(query)]
    return found if beside.name in found else [*found, beside.name]


def read_version(data_set: DataSet, number: int, query: Select) -> pa.Table:
    """Return the rows of `query`; raises DataMoved if the schema holds another version by now."""
    snapshot = engine(data_set.address).execution_options(isolation_level="REPEATABLE READ")
    with snapshot.connect() as connection:
        if published_version(connection) != number:
            raise DataMoved
        return answer(connection, query)


def answer(connection: Connection, query: Select) -> pa.Table:
    """Return the rows of `query` with exact decimals."""
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


def retried(action: Callable[[], T]) -> T:
    """Return `action()`, tried again for READ_SECONDS while the server restarts; raises BadInput if it stays away or does not allow it."""
    give_up_at, wait = time.monotonic() + READ_SECONDS, 0.05
    with answering():
        while True:
            try:
                return action()
            except OperationalError as error:
                if time.monotonic() > give_up_at or any(sign in str(error.orig) for sign in _HOPELESS):
                    raise
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)


# signs of a connection that no waiting mends; psycopg gives them no SQLSTATE
_HOPELESS = (
    "authentication failed",
    "no password supplied",
    "does not exist",
    "failed to resolve host",
    "no pg_hba.conf entry",
    "permission denied for database",
    "not permitted to log in",
    "does not support SSL",
)


@contextmanager
def answering() -> Iterator[None]:
    """Raise BadInput where the server can't be reached, or does not allow what is asked, inside the block."""
    try:
        yield
    except (OperationalError, ProgrammingError) as error:
        told = _sentence(error)
        if told is None:
            raise
        raise told from error


_NOT_REACHED = ("08", "28", "3D", "57P")  # classes of SQLSTATE: connection, who asks, which database, shutting down
_REFUSED = ("42501", "3F000", "53")  # no right to it, or to its schema; no room for it


def _sentence(error: DBAPIError) -> BadInput | None:
    state, problem = getattr(error.orig, "sqlstate", None), " ".join(str(error.orig).split()).rstrip(".?")
    if isinstance(error, OperationalError) and (state is None or state.startswith(_NOT_REACHED)):
        return BadInput(
            "The PostgreSQL server does not answer: {problem}. Check the address, the password and that the server runs.", problem=problem
        )
    if state is not None and state.startswith(_REFUSED):
        return BadInput(
            "PostgreSQL refuses: {problem}. Ask its administrator for the right to create a schema and write to it, or for room.",
            problem=problem,
        )
    return None
