"""Reading: one version of one data set, to ask questions of."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
from sqlalchemy import Executable, Select

from crm_metrics.database import duckdb_file, postgresql
from crm_metrics.database.change import bring_up_to_date
from crm_metrics.database.data_set import ADDRESS_SETTING, NAME, DataSet, data_folder, find_data_set, from_address
from crm_metrics.metric import BadInput

T = TypeVar("T")


def data_sets() -> list[DataSet]:
    """Return the data sets at hand, by name: files of the folder, or schemas of the configured server."""
    configured = os.environ.get(ADDRESS_SETTING, "")
    beside = from_address(configured) if configured else None
    if beside and not beside.is_duckdb:
        names = postgresql.retried(lambda: postgresql.schemas(beside))
    else:
        folder = beside.link.parent if beside else data_folder()
        names = [path.stem for path in folder.glob("*.duckdb") if path.is_symlink() and NAME.fullmatch(path.stem)]
    return [find_data_set(name) for name in sorted(names)]


def existing(name_or_address: str = "") -> DataSet:
    """Return the data set of that name or address; raises BadInput, naming those at hand, if nothing was ever loaded into it."""
    data_set = find_data_set(name_or_address)
    if version(data_set):
        return data_set
    known = [found.name for found in data_sets() if found.name != data_set.name]
    if not known:
        raise BadInput(
            "There is no data set {name}. `python -m crm_metrics import FILE` makes one, `python -m crm_metrics demo` a demo.",
            name=data_set.name,
        )
    raise BadInput("There is no data set {name}. There are: {known}.", name=data_set.name, known=", ".join(known))


def version(data_set: DataSet) -> int:
    """Return the number of the published version; 0 before the first import.

    One that an earlier program wrote is first brought up to the tables and columns of this one, as the next version.
    """
    number = _published(data_set)
    if not number or _is_current(data_set, number):
        return number
    bring_up_to_date(data_set)
    return _published(data_set)


def _published(data_set: DataSet) -> int:
    if data_set.is_duckdb:
        return duckdb_file.version_number(data_set.link)
    return postgresql.retried(lambda: postgresql.version(data_set))


@lru_cache(maxsize=256)
def _is_current(data_set: DataSet, number: int) -> bool:
    if data_set.is_duckdb:
        return not duckdb_file.is_older(data_set, number)
    return not postgresql.retried(lambda: postgresql.is_older_data_set(data_set))


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
            return duckdb_file.read_version(self.data_set, self.version, query)
        return postgresql.retried(lambda: postgresql.read_version(self.data_set, self.version, query))

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
    dialect = duckdb_file.DIALECT if data_set.is_duckdb else postgresql.engine(data_set.address).dialect
    compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
    return str(compiled), dict(compiled.params)
