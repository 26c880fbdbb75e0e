"""The dashboard of a shop, served by one or several processes, and its rooms' pages."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from browser import running_dashboard

from crm_metrics import database
from crm_metrics.database import DataSet
from crm_metrics.ui.choices import DEFAULT_DATA
from crm_metrics.ui.start import PAGES

ROOM_PAGES = tuple(name for name, (section, *_) in PAGES.items() if section != "Data")
"""Pages that answer a question about the shop; the others are about files, words and the demo."""

_END = 2_000  # characters of each log that are shown with an error


@contextmanager
def serving(data_set: DataSet, *, threads: int, processes: int = 1) -> Iterator[list[str]]:
    """Give the address of each process that serves the dashboard of `data_set` until the block ends."""
    folder = {database.FOLDER_SETTING: str(data_set.link.parent), DEFAULT_DATA: data_set.name}
    where = folder if data_set.is_duckdb else {database.ADDRESS_SETTING: data_set.address}
    with tempfile.TemporaryDirectory(prefix="crm-served-") as logs, ExitStack() as servers:
        settings = {**where, database.THREADS_SETTING: str(threads)}
        served = [servers.enter_context(running_dashboard(Path(logs) / str(number), settings)) for number in range(processes)]
        try:
            yield [dashboard.address for dashboard in served]
        except Exception as problem:
            problem.add_note("\n".join(dashboard.log.read_text(encoding="utf-8", errors="replace")[-_END:] for dashboard in served))
            raise
