"""Clocks of the import: a large CSV into an empty data set, and into a copy of the shop one day's file, its undo and a late file."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv
from sqlalchemy import update

from benchmarks.shop import BATCH, CATEGORIES, CHANNELS, FIRST_ON, LAST_ON, PRODUCTS, REGIONS, Size, customer_key
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import Mapping, as_toml, from_dict, load_mapping
from crm_metrics.data_import.undo import undo
from crm_metrics.database import DataSet, change, find_data_set
from crm_metrics.schema import import_batches

CSV_LINES = 1_000_000
DAYS = 3  # files of one day, imported one after the other; the median counts
LINES_AN_INVOICE = 21  # as in Online Retail, 541,909 lines in 25,900 invoices
_INVOICED_FROM, _INVOICED_DAYS = date(2010, 12, 1), 373


class Imported(NamedTuple):
    """How many lines of a file, and how many seconds from its bytes to the published version."""

    lines: int
    seconds: float

    @property
    def lines_per_second(self) -> float:
        """Lines a second."""
        return self.lines / self.seconds


class ImportTimes(NamedTuple):
    """table: a large CSV into an empty data set; None on PostgreSQL.

    day: one day's lines into the shop. undone: taking them back. late: as many lines, spread over the year before.
    """

    table: Imported | None
    day: Imported
    undone: Imported
    late: Imported


def measured_imports(data_set: DataSet, size: Size, *, csv_lines: int = CSV_LINES) -> ImportTimes:
    """Return what imports take. A DuckDB shop is copied first; in PostgreSQL all that was imported is taken back in the end."""
    lines = max(size.lines // ((LAST_ON - FIRST_ON).days + 1), 1)
    with _copy(data_set) as copy:
        _with_mapping(copy)
        table = (
            _imported(find_data_set(_beside(copy)), retail_file(csv_lines), load_mapping("online_retail"))[0] if copy.is_duckdb else None
        )
        days = [LAST_ON + timedelta(days=number) for number in range(1, DAYS + 1)]
        brought = [_imported(copy, day_file(size, lines, day, day), MAPPING) for day in days]
        undone = _undone(copy, brought[-1][1])
        late, batch = _imported(copy, day_file(size, lines, LAST_ON - timedelta(days=364), LAST_ON), MAPPING)
        if not copy.is_duckdb:
            for number in (batch, *[number for _, number in brought[:-1]]):
                undo(copy, number)
    day = Imported(lines, median(each.seconds for each, _ in brought))
    return ImportTimes(table, day, Imported(lines, undone), late)


def _imported(data_set: DataSet, content: bytes, mapping: Mapping) -> tuple[Imported, int]:
    """Return what an import took, and the number of its batch."""
    begun = perf_counter()
    report = import_file(data_set, content, "orders.csv", mapping)
    seconds = perf_counter() - begun
    if report.batch is None:
        raise RuntimeError(f"Nothing was loaded: {report}")
    return Imported(report.rows_in, seconds), report.batch


def _undone(data_set: DataSet, batch: int) -> float:
    begun = perf_counter()
    undo(data_set, batch)
    return perf_counter() - begun


@contextmanager
def _copy(data_set: DataSet) -> Iterator[DataSet]:
    """Give a copy of a DuckDB data set, on the same disk, that goes with the block; one of PostgreSQL is given itself."""
    if not data_set.is_duckdb:
        yield data_set
        return
    with tempfile.TemporaryDirectory(dir=data_set.link.parent, prefix="copy-") as folder:
        version, link = data_set.link.resolve(), Path(folder) / data_set.link.name
        shutil.copyfile(version, link.with_name(version.name))
        link.symlink_to(version.name)
        yield find_data_set(f"duckdb:///{link}")


def _with_mapping(data_set: DataSet) -> None:
    """Enter a mapping for the batch that made the shop, as an undo reads those of all batches that stay."""
    with change(data_set) as writer:
        writer.connection.execute(update(import_batches).where(import_batches.c.batch_id == BATCH).values(mapping_toml=as_toml(MAPPING)))


def _beside(copy: DataSet) -> str:
    return f"duckdb:///{copy.link.with_name('retail.duckdb')}"


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def retail_file(lines: int) -> bytes:
    """Return a CSV in the shape of Online Retail: a quarter without a customer, one invoice in fifty a cancellation, a hundredth twice."""
    random, number = np.random.default_rng(1), np.arange(lines)
    number = np.where(random.random(lines) < 0.01, np.maximum(number - 1, 0), number)  # the line before once more
    invoice = number // LINES_AN_INVOICE
    stock = random.integers(10_000, 14_000, lines)[number]
    is_cancelled = _of_order(invoice, random.random) < 0.02
    minute = np.sort(random.integers(0, _INVOICED_DAYS * 600, invoice[-1] + 1))[invoice]
    moment = np.datetime64(_INVOICED_FROM, "s") + np.timedelta64(8, "h") + (minute // 600 * 1440 + minute % 600).astype("timedelta64[m]")
    customer = _of_order(invoice, lambda size: random.integers(12_000, 18_000, size)).astype(str)
    columns = {
        "InvoiceNo": np.char.add(np.where(is_cancelled, "C", ""), (invoice + 536_365).astype(str)),
        "StockCode": stock.astype(str),
        "Description": np.char.add("WHITE HANGING HEART T-LIGHT HOLDER ", stock.astype(str)),
        "Quantity": np.where(is_cancelled, -1, 1) * random.integers(1, 25, lines)[number],
        "InvoiceDate": np.char.replace(np.datetime_as_string(moment), "T", " "),
        "UnitPrice": random.integers(25, 1_500, lines)[number] / 100,
        "CustomerID": np.where(_of_order(invoice, random.random) < 0.25, "", customer),
        "Country": np.where(_of_order(invoice, random.random) < 0.9, "United Kingdom", "Germany"),
    }
    return _as_csv(columns)


MAPPING = from_dict(
    {
        "name": "shop",
        "title": "A day of the benchmark's shop",
        "columns": {
            "order": "order",
            "customer": "customer",
            "date": "day",
            "product": "product",
            "category": "category",
            "quantity": "pieces",
            "unit_price": "price",
            "order_region": "region",
            "sales_channel": "channel",
        },
        "dates": {"time_zone": "Asia/Shanghai"},
        "money": {"currency": "CNY"},
    },
    "shop",
)
"""How the files of `day_file` are read."""


def day_file(size: Size, lines: int, first: date, last: date) -> bytes:
    """Return a CSV of new orders of the shop's customers, three lines each, from the first to the last day."""
    random, order = np.random.default_rng(last.toordinal()), np.arange(lines) // 3
    product = random.integers(1, PRODUCTS + 1, lines)
    days = _of_order(order, lambda count: random.integers(0, (last - first).days + 1, count))
    columns = {
        "order": [f"{first:%Y%m%d}-{number}" for number in order],
        "customer": [customer_key(number) for number in _of_order(order, lambda count: random.integers(1, size.customers + 1, count))],
        "day": np.datetime_as_string(np.datetime64(first) + days.astype("timedelta64[D]")),
        "product": [f"P{number:09d}" for number in product],
        "category": np.array(CATEGORIES)[product % len(CATEGORIES)],
        "pieces": random.integers(1, 4, lines),
        "price": random.integers(500, 20_000, lines) / 100,
        "region": np.array(REGIONS)[_of_order(order, lambda count: random.integers(0, len(REGIONS), count))],
        "channel": np.array(CHANNELS)[_of_order(order, lambda count: random.integers(0, len(CHANNELS), count))],
    }
    return _as_csv(columns)


def _of_order(order: np.ndarray, drawn: Any) -> np.ndarray:
    """Return for each line what is drawn for its order."""
    values: np.ndarray = drawn(order[-1] + 1)[order]
    return values


def _as_csv(columns: dict[str, Any]) -> bytes:
    written = BytesIO()
    csv.write_csv(pa.table(columns), written)
    return written.getvalue()
