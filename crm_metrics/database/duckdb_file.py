"""DuckDB files: hardened connections, one reader per published version, and how a finished file becomes the published one."""

import fcntl
import glob
import os
import re
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb_sqlalchemy import ConnectionWrapper
from duckdb_sqlalchemy import Dialect as DuckDBDialect
from sqlalchemy import Engine, Select, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateTable

from crm_metrics import schema
from crm_metrics.database import migration
from crm_metrics.database.data_set import DataMoved, DataSet
from crm_metrics.metric import BadInput

MEMORY_SETTING = "CRM_METRICS_MEMORY"
THREADS_SETTING = "CRM_METRICS_THREADS"
KEPT_VERSIONS = 2
DIALECT = DuckDBDialect(paramstyle="qmark")
_readers: dict[tuple[str, int], duckdb.DuckDBPyConnection] = {}
_readers_lock = threading.Lock()


def version_number(link: Path) -> int:
    """Return the number of the version that `link` points to; 0 where there is none. Raises BadInput for a file of another program."""
    target = _NUMBERED.search(link.readlink().name) if link.is_symlink() else None
    if target is None and (link.exists() or link.is_symlink()):
        raise BadInput("{path} is a file of another program. Give the data set another name.", path=link)
    return int(target[1]) if target else 0


_NUMBERED = re.compile(r"-([0-9]{6,})\.duckdb$")


def version_path(link: Path, number: int) -> Path:
    """Return the file of one version."""
    return link.with_name(f"{link.stem}-{number:06d}.duckdb")


def pending_path(link: Path) -> Path:
    """Return the file that a change works on until it is finished; no other program has one of this name."""
    return link.with_name(f".{link.stem}.pending.duckdb")


def read_version(data_set: DataSet, number: int, query: Select) -> pa.Table:
    """Return the rows of `query` in one version, 0 being an empty one."""
    cursor = reader(data_set, number).cursor()
    try:
        return answer(cursor, query)
    finally:
        cursor.close()


def is_older(data_set: DataSet, number: int) -> bool:
    """Return whether an earlier program wrote a version."""
    rows = read_version(data_set, number, migration.stored()).to_pylist()
    return migration.is_older(rows[0]["setting_value"] if rows else None)


def answer(cursor: duckdb.DuckDBPyConnection, query: Select) -> pa.Table:
    """Return the rows of `query` with exact decimals."""
    compiled = query.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    values = [compiled.params[name] for name in compiled.positiontup or []]
    return cursor.execute(str(compiled), values).to_arrow_table()


def reader(data_set: DataSet, number: int) -> duckdb.DuckDBPyConnection:
    """Return the process's connection to one version; every question gets a cursor of its own."""
    key = (data_set.address if number else "", number)
    with _readers_lock:
        if key not in _readers:
            _forget_old_readers(data_set.address)
            _readers[key] = _open_version(data_set, number) if number else _empty()
        return _readers[key]


def _open_version(data_set: DataSet, number: int) -> duckdb.DuckDBPyConnection:
    path = version_path(data_set.link, number)
    if not path.exists():  # two imports came between asking for the version and opening it
        raise DataMoved
    return connect(path, read_only=True)


def _forget_old_readers(address: str) -> None:
    held = sorted(number for held_address, number in _readers if held_address == address)
    for number in held[: len(held) + 1 - KEPT_VERSIONS]:
        del _readers[address, number]


def _empty() -> duckdb.DuckDBPyConnection:
    connection = connect(None)
    create_tables(connection)
    return connection


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every table of schema.py in a database that holds none."""
    connection.execute(_all_tables())


@cache
def _all_tables() -> str:
    statements = [str(CreateTable(table).compile(dialect=DIALECT)) for table in schema.TABLES]
    return ";\n".join(["BEGIN", *statements, "COMMIT"])


def engine_of(connection: duckdb.DuckDBPyConnection) -> Engine:
    """Return an SQLAlchemy engine on one open connection."""
    return create_engine("duckdb://", creator=lambda: ConnectionWrapper(connection), poolclass=StaticPool)


def connect(path: Path | None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
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
    "SET enable_progress_bar = false",  # it would be written among what a command prints
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
    connection = connect(None)
    try:
        yield connection
    finally:
        connection.close()


def verify(path: Path, number: int) -> None:
    """Open the finished file as a reader would; an error here leaves the old version published."""
    with connect(path, read_only=True) as connection:
        stored = connection.execute("SELECT setting_value FROM data_set WHERE setting = 'data_version'").fetchone()
    if stored is None or int(stored[0]) != number:
        raise RuntimeError(f"{path.name} holds version {stored}, not {number}.")


def _is_ours(link: Path, path: Path, number: int) -> bool:
    """Return whether a file that is named like version `number` is one, and not another program's."""
    with _readers_lock:  # a file that is being opened elsewhere in this process can't be opened anew
        if (f"duckdb:///{link}", number) in _readers:
            return True
        try:
            verify(path, number)
        except (duckdb.Error, RuntimeError, ValueError):
            return False
    return True


def _own_versions(link: Path) -> Iterator[tuple[int, Path]]:
    for number, path in _named_like_versions(link):
        if _is_ours(link, path, number):
            yield number, path


def _named_like_versions(link: Path) -> Iterator[tuple[int, Path]]:
    for path in sorted(link.parent.glob(f"{glob.escape(link.stem)}-*.duckdb")):
        if named := _NUMBERED.fullmatch(path.name.removeprefix(link.stem)):
            yield int(named[1]), path


def refuse_taken(link: Path, current: int) -> None:
    """Raise BadInput if the file of the next version is another program's, or if there are versions and their link is lost."""
    path = version_path(link, current + 1)
    if not current and (lost := [own for _, own in _own_versions(link)]):
        raise BadInput(
            "{path} holds a data set whose link is missing. Put it back with: ln -s {name} {link}. Or give the new data set another name.",
            path=lost[-1],
            name=lost[-1].name,
            link=link,
        )
    if path.exists() and not _is_ours(link, path, current + 1):
        raise BadInput("{path} is a file of another program. Give the data set another name.", path=path)


@contextmanager
def copied(source: Path, target: Path) -> Iterator[None]:
    """Copy a file, and let the disk write the copy while the block changes it: else the end of the change waits for the whole file."""
    with writable(target):
        copy(source, target)
    # DuckDB's lock on the file goes with the first handle that this process closes: keep it open until the block has ended.
    with target.open("rb") as written, ThreadPoolExecutor(1) as pool:
        on_disk = pool.submit(os.fsync, written.fileno())
        yield
        with writable(target):
            on_disk.result()


def copy(source: Path, target: Path) -> None:
    """Copy a file; where two files can share their blocks, as on XFS and Btrfs, that takes neither time nor room."""
    try:
        with source.open("rb") as whole, target.open("wb") as part:
            while os.copy_file_range(whole.fileno(), part.fileno(), _COPIED_AT_ONCE):
                pass
    except (AttributeError, OSError):  # not on Linux, or from one file system to another
        shutil.copyfile(source, target)


_COPIED_AT_ONCE = 1 << 30


def point(link: Path, path: Path) -> None:
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


def remove_leftovers(link: Path, current: int) -> None:
    """Remove what a killed import left behind and versions older than the last two; files of other programs stay."""
    remove_pending(link)
    for number, path in _named_like_versions(link) if current else ():
        if not current - KEPT_VERSIONS < number <= current and _is_ours(link, path, number):
            path.unlink(missing_ok=True)


def remove_pending(link: Path) -> None:
    """Remove the file of an unfinished change."""
    for path in (pending_path(link), pending_path(link).with_name(f"{pending_path(link).name}.wal")):
        path.unlink(missing_ok=True)


def remove_versions(link: Path) -> None:
    """Remove the link, every version, and the process's connections to them."""
    link.unlink(missing_ok=True)
    for _, path in _own_versions(link):
        path.unlink(missing_ok=True)
    with _readers_lock:
        for key in [key for key in _readers if key[0] == f"duckdb:///{link}"]:
            del _readers[key]


@contextmanager
def locked(link: Path) -> Iterator[None]:
    """Let one process at a time change the data set of `link`; others wait."""
    path = link.with_name(f".{link.stem}.lock")
    with writable(path):
        link.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Raise BadInput, naming the path, where the disk is full or may not be written inside the block."""
    try:
        yield
    except OSError as error:
        raise _not_writable(Path(error.filename2 or error.filename or path), error.strerror or str(error)) from error


@contextmanager
def enough_room(path: Path) -> Iterator[None]:
    """Raise BadInput, naming the path, where DuckDB finds the disk full inside the block."""
    try:
        yield
    except (duckdb.Error, DBAPIError) as error:
        problem = next((sign for sign in _NO_ROOM if sign in str(error)), None)
        if problem is None:
            raise
        raise _not_writable(path, problem) from error


_NO_ROOM = ("No space left on device", "File too large", "Disk quota exceeded", "Read-only file system", "Input/output error")


def _not_writable(path: Path, problem: str) -> BadInput:
    return BadInput(
        "{path} can't be written: {problem}. Free some room, or choose a folder where you may write.", path=path, problem=problem
    )
