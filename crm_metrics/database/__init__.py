"""The only connection: data sets, their published versions, reading and writing.

A data set is one database. With DuckDB it is `<folder>/<name>.duckdb`, a symbolic link that points to the published version
`<name>-000124.duckdb`; an import changes a copy and moves the link, so a reader never sees a half-written file and a kill
leaves the old version in place. With PostgreSQL it is one schema, and one transaction does the same work.
See docs/decisions/0001-published-versions.md.
"""

from crm_metrics.database.change import Writer, change, delete, trial, workspace_engine
from crm_metrics.database.data_set import (
    ADDRESS_SETTING,
    FOLDER_SETTING,
    DataMoved,
    DataSet,
    data_folder,
    find_data_set,
    workspace_path,
)
from crm_metrics.database.duckdb_file import KEPT_VERSIONS, MEMORY_SETTING, THREADS_SETTING, scratch
from crm_metrics.database.postgresql import READ_SECONDS, make_schema, retried
from crm_metrics.database.postgresql import engine as postgresql_engine
from crm_metrics.database.source import Source, arrow_to_frame, data_sets, existing, open_source, statement_text, version

__all__ = [
    "ADDRESS_SETTING",
    "FOLDER_SETTING",
    "KEPT_VERSIONS",
    "MEMORY_SETTING",
    "READ_SECONDS",
    "THREADS_SETTING",
    "DataMoved",
    "DataSet",
    "Source",
    "Writer",
    "arrow_to_frame",
    "change",
    "data_folder",
    "data_sets",
    "delete",
    "existing",
    "find_data_set",
    "make_schema",
    "open_source",
    "postgresql_engine",
    "retried",
    "scratch",
    "statement_text",
    "trial",
    "version",
    "workspace_engine",
    "workspace_path",
]
