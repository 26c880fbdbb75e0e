"""Which data sets there are: a name or an SQLAlchemy address becomes one of them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from crm_metrics.metric import BadInput

ADDRESS_SETTING = "CRM_METRICS_DATABASE"
FOLDER_SETTING = "CRM_METRICS_DATA_DIR"
MOST_LETTERS = 41
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*(@)")


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
        return from_address(wanted)
    check_name(wanted)
    if not configured:
        return from_address(f"duckdb:///{data_folder() / wanted}.duckdb")
    beside = from_address(configured)
    if beside.is_duckdb:
        return from_address(f"duckdb:///{beside.link.parent / wanted}.duckdb")
    return from_address(beside.url.update_query_dict({"schema": wanted}).render_as_string(hide_password=False))


def from_address(address: str) -> DataSet:
    """Return the data set of an SQLAlchemy address; raises BadInput if it is none of DuckDB or PostgreSQL."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:  # the latter for a port that is no number
        raise BadInput(
            "{address!r} is not a database address. Write duckdb:///data/mine.duckdb or postgresql://user@host/database?schema=mine.",
            address=_PASSWORD.sub(r"\1***\2", address),
        ) from error
    backend = "postgresql" if url.drivername == "postgres" else url.get_backend_name()  # the short form is what many hosts hand out
    if backend == "duckdb" and url.database and url.database != ":memory:":
        path = Path(url.database).absolute()
        return DataSet(path.stem, f"duckdb:///{path}")
    if backend == "postgresql":
        return DataSet(schema_name(url), url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False))
    raise BadInput("A {backend!r} database can't hold a data set. Use a DuckDB file or PostgreSQL.", backend=backend)


def schema_name(url: URL) -> str:
    """Return the PostgreSQL schema that an address names; raises BadInput if it can't name a data set."""
    if "options" in url.query:
        raise BadInput("The address has options. Name the schema by itself: postgresql://user@host/database?schema=mine.")
    name = str(url.query.get("schema", "public"))
    check_name(name)
    return name


def check_name(name: str) -> None:
    """Raise BadInput if `name` can't name a data set."""
    if len(name) > MOST_LETTERS:
        raise BadInput(
            "{name!r} is too long to name a data set: {count} letters. Use at most {most}.",
            name=f"{name[:12]}…",
            count=len(name),
            most=MOST_LETTERS,
        )
    if not NAME.fullmatch(name):
        raise BadInput("{name!r} can't name a data set. Use lower-case letters, digits and _, beginning with a letter.", name=name)


def workspace_path(data_set: DataSet) -> Path:
    """Return the SQLite file beside a DuckDB data set that holds what the app itself writes."""
    return data_set.link.with_name(f"{data_set.name}.workspace.sqlite")
