"""Files that were made and never text, rows of other tables that a file brings, and that an undo takes back every one of them."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Boolean, Date, DateTime, Integer, Numeric, Table, select

from crm_metrics import database, schema
from crm_metrics.data_import import ledger, records, samples
from crm_metrics.data_import.load import AlreadyLoadedError, CheckedFile, import_file, load_into
from crm_metrics.data_import.made_file import made_file, made_mapping
from crm_metrics.data_import.mapping import from_dict, load_mapping
from crm_metrics.data_import.report import ImportReport
from crm_metrics.data_import.samples import cdnow_file
from crm_metrics.data_import.undo import undo
from crm_metrics.database import DataSet, find_data_set, open_source
from crm_metrics.metric import BadInput

MAPPING = made_mapping("made", "A made company", currency="CNY", time_zone="Asia/Shanghai")
MADE_AT = datetime(2026, 1, 1, 8)


def lines(*rows: tuple[str, str | None, str, str, int]) -> pa.Table:
    """Lines of one unit: order, customer, product, day, amount."""
    days = [date.fromisoformat(day) for _, _, _, day, _ in rows]
    amounts = pa.array([Decimal(amount) for *_, amount in rows], pa.decimal128(18, 4))
    return pa.table(
        {
            "order_id": [order for order, *_ in rows],
            "customer_id": pa.array([customer for _, customer, *_ in rows], pa.string()),
            "product_id": [product for _, _, product, *_ in rows],
            "ordered_at": pa.array([datetime(day.year, day.month, day.day) for day in days], pa.timestamp("us")),
            "ordered_on": days,
            "quantity": pa.array([Decimal(1)] * len(rows), pa.decimal128(18, 4)),
            "net_amount": amounts,
            "gross_amount": amounts,
            "currency": ["CNY"] * len(rows),
            "line_kind": ["sale"] * len(rows),
        }
    )


ONE = lines(("1", "a", "p", "2024-01-05", 10), ("1", "a", "q", "2024-01-05", 5), ("2", "b", "p", "2024-01-06", 7))
OTHER = lines(("3", "c", "p", "2024-02-05", 1))


def file_of(table: pa.Table, content: str = "one", **more: Any) -> CheckedFile:
    return made_file(f"{content}.made", content, table, MAPPING, imported_at=MADE_AT, **more)


def load(data_set: DataSet, *files: CheckedFile, anew: bool = False) -> list[ImportReport]:
    with database.change(data_set, anew=anew) as writer:
        return [load_into(writer, file) for file in files]


def rows_of(data_set: DataSet, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    query = select(*[table.c[name] for name in columns or table.c.keys()]).order_by(*table.primary_key.columns)
    return [tuple(row.values()) for row in open_source(data_set).arrow(query).to_pylist()]


def everything(data_set: DataSet) -> dict[str, list[Any]]:
    """Every table, the ledger's undone batches and the version left out."""
    source = open_source(data_set)
    found = {table.name: source.arrow(select(table)).to_pylist() for table in schema.metadata.sorted_tables}
    found["import_batches"] = [row for row in found["import_batches"] if row["batch_state"] == "loaded"]
    found["data_set"] = [row for row in found["data_set"] if row["setting"] != "data_version"]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def a_row_of(table: Table) -> pa.Table:
    """One row with something in every column, of no batch yet."""
    return pa.table({column.name: [_something(column.type)] for column in table.c if column.name != "batch_id"})


def _something(kind: Any) -> Any:
    if isinstance(kind, Numeric):
        return Decimal("1.5")
    for type_, value in ((Boolean, True), (Integer, 3), (DateTime, datetime(2024, 1, 5, 9)), (Date, date(2024, 1, 5))):
        if isinstance(kind, type_):
            return value
    return "x"


NOT_FROM_FILES = (schema.order_lines, schema.import_left_out, schema.import_held_back)
OTHER_TABLES = tuple(table for table in records.BROUGHT if table not in (*NOT_FROM_FILES, *records.KEYS.values()))


# ── a file that never was text ──────────────────────────────────────────────────────────────────────────────────────────


def test_made_lines_are_loaded_as_those_of_a_file(any_data_set):
    (report,) = load(any_data_set, file_of(ONE))
    assert (report.state, report.rows_in, report.rows_loaded, report.amount_loaded) == ("loaded", 3, 3, Decimal(22))
    assert rows_of(any_data_set, schema.orders, "order_id", "customer_id", "is_purchase") == [("1", "a", True), ("2", "b", True)]
    assert rows_of(any_data_set, schema.customers, "customer_id") == [("a",), ("b",)]
    assert rows_of(any_data_set, schema.order_lines, "row_number", "product_id") == [(1, "p"), (2, "q"), (3, "p")]


def test_the_ledger_holds_the_moment_given_and_the_settings_of_the_mapping(any_data_set):
    load(any_data_set, file_of(ONE))
    assert rows_of(any_data_set, schema.import_batches, "file_name", "content_hash", "imported_at") == [("one.made", "one", MADE_AT)]
    settings = dict(rows_of(any_data_set, schema.data_set))
    assert (settings["currency"], settings["time_zone"], settings["title"]) == ("CNY", "Asia/Shanghai", "A made company")


@pytest.mark.slow
def test_made_content_is_known_again(data_set):
    load(data_set, file_of(ONE))
    with pytest.raises(AlreadyLoadedError):
        load(data_set, file_of(ONE))


@pytest.mark.slow
def test_made_lines_have_the_fingerprints_of_the_same_rows_in_a_file(any_data_set):
    names = {"order": "o", "customer": "c", "product": "p", "date": "d", "quantity": "q", "amount": "a"}
    mapping = from_dict({"columns": names, "money": {"currency": "CNY"}, "dates": {"time_zone": "Asia/Shanghai", "formats": ["%Y-%m-%d"]}})
    text = "o,c,p,d,q,a\n1,a,p,2024-01-05,1,10\n1,a,q,2024-01-05,1,5\n2,b,p,2024-01-06,1,7\n"
    import_file(any_data_set, text.encode(), "orders.csv", mapping)
    (report,) = load(any_data_set, file_of(ONE))
    assert (report.rows_loaded, report.rows_duplicate) == (0, 3)


@pytest.mark.slow
def test_a_made_row_that_is_left_out_is_kept_whole(data_set):
    load(data_set, file_of(ONE))
    load(data_set, file_of(lines(("1", "a", "p", "2024-01-05", 10), ("4", None, "p", "2024-01-05", 10)), "two"))
    (kept,) = [json.loads(raw) for (raw,) in rows_of(data_set, schema.import_left_out, "raw")]
    assert kept["row"] == 1
    assert {name: kept["cells"][name] for name in ("order_id", "ordered_on", "net_amount", "row_key")} == {
        "order_id": "1",
        "ordered_on": "2024-01-05",
        "net_amount": "10.0000",
        "row_key": None,
    }


@pytest.mark.slow
def test_after_an_undo_the_settings_are_those_of_the_made_files_that_remain(data_set):
    load(data_set, file_of(ONE), file_of(OTHER, "two"))
    before = dict(rows_of(data_set, schema.data_set))
    undo(data_set, 1)
    assert dict(rows_of(data_set, schema.data_set)) == before | {"data_version": "2"}


# ── rows of other tables ────────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_of_every_table_are_loaded_with_their_batch_and_gone_after_the_undo(any_data_set):
    load(any_data_set, file_of(ONE))
    before = everything(any_data_set)
    load(any_data_set, file_of(OTHER, "two", tables={table: a_row_of(table) for table in OTHER_TABLES}))
    brought = [open_source(any_data_set).arrow(select(table)).to_pylist() for table in OTHER_TABLES]
    assert [[row["batch_id"] for row in rows] for rows in brought] == [[2]] * len(OTHER_TABLES)
    undo(any_data_set, 2)
    assert everything(any_data_set) == before


def test_every_table_that_has_a_batch_is_written_by_imports_or_derived_or_the_ledger():
    others = {table.name for table in schema.metadata.sorted_tables if "batch_id" in table.c} - {table.name for table in records.BROUGHT}
    assert others == {"orders", "customers", "products", "import_batches"}


def test_a_record_of_the_file_takes_the_place_of_what_its_lines_say(any_data_set):
    """The lines know a and b by number only; the file describes a, and lists c who never bought."""
    said = pa.table(
        {"customer_id": ["a", "c"], "customer_name": ["Anna", "Carl"], "birth_year": [1980, 1990], "source_system": ["shop"] * 2}
    )
    load(any_data_set, file_of(ONE, tables={schema.customer_records: said}))
    wanted = [("a", "Anna", 1980), ("b", None, None), ("c", "Carl", 1990)]
    assert rows_of(any_data_set, schema.customer_records, "customer_id", "customer_name", "birth_year") == wanted
    assert rows_of(any_data_set, schema.customers, "customer_id", "customer_name", "birth_year") == wanted


@pytest.mark.slow
def test_a_product_that_a_file_lists_is_there_before_it_is_sold(any_data_set):
    said = pa.table({"product_id": ["p", "new"], "price_tier": ["standard", "premium"], "unit_cost": [Decimal("1.5"), Decimal(2)]})
    load(any_data_set, file_of(ONE, tables={schema.product_records: said}))
    assert rows_of(any_data_set, schema.products, "product_id", "price_tier") == [("new", "premium"), ("p", "standard"), ("q", None)]
    undo(any_data_set, 1)
    assert rows_of(any_data_set, schema.products) == []


@pytest.mark.slow
def test_a_product_that_stands_only_in_rows_left_out_is_not_there(any_data_set):
    load(any_data_set, file_of(ONE))
    load(any_data_set, file_of(lines(("1", "z", "only here", "2024-01-05", 10)), "two"))
    assert rows_of(any_data_set, schema.products, "product_id") == [("p",), ("q",)]


@pytest.mark.slow
def test_the_latest_file_that_describes_a_customer_decides_and_its_undo_brings_the_earlier_back(any_data_set):
    named = [pa.table({"customer_id": ["a"], "customer_name": [name], "source_system": ["shop"]}) for name in ("Anna", "Anne")]
    load(any_data_set, file_of(ONE, tables={schema.customer_records: named[0]}))
    before = everything(any_data_set)
    load(any_data_set, file_of(OTHER, "two", tables={schema.customer_records: named[1]}))
    assert rows_of(any_data_set, schema.customers, "customer_id", "customer_name") == [("a", "Anne"), ("b", None), ("c", None)]
    undo(any_data_set, 2)
    assert everything(any_data_set) == before


# ── what an order can be ────────────────────────────────────────────────────────────────────────────────────────────────

ENTRY = ("campaign_id", "entry_started_at", "entry_booked_at", "was_corrected")


def with_entry(table: pa.Table, *, started: datetime, campaign: str | None = None) -> pa.Table:
    count = table.num_rows
    moments = pa.array([started] * count, pa.timestamp("us"))
    given = (pa.array([campaign] * count, pa.string()), moments, moments, pa.array([True] * count))
    for name, column in zip(ENTRY, given, strict=True):
        table = table.append_column(name, column)
    return table


@pytest.mark.slow
def test_an_order_keeps_its_campaign_and_how_it_was_entered(any_data_set):
    at = datetime(2024, 1, 5, 9, 30)
    load(any_data_set, file_of(with_entry(ONE, started=at, campaign="spring")), file_of(OTHER, "two"))
    wanted = [("1", "spring", at, at, True), ("2", "spring", at, at, True), ("3", None, None, None, None)]
    assert rows_of(any_data_set, schema.orders, "order_id", *ENTRY) == wanted
    assert rows_of(any_data_set, schema.order_records, "order_id", *ENTRY) == wanted


@pytest.mark.slow
def test_of_several_batches_the_first_that_knows_an_order_s_campaign_decides_it(any_data_set):
    further = lines(("1", "a", "r", "2024-01-05", 1))
    files = [
        ONE,
        with_entry(further, started=MADE_AT, campaign="spring"),
        with_entry(lines(("1", "a", "s", "2024-01-05", 1)), started=MADE_AT),
    ]
    load(any_data_set, *[file_of(table, str(place)) for place, table in enumerate(files)])
    assert rows_of(any_data_set, schema.orders, "order_id", "campaign_id", "batch_id")[0] == ("1", "spring", 1)


# ── several files in one change, from an empty data set ─────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_several_files_in_one_change_are_several_batches_of_one_version(any_data_set):
    reports = load(any_data_set, file_of(ONE), file_of(OTHER, "two"))
    assert [report.batch for report in reports] == [1, 2]
    assert database.version(any_data_set) == 1
    assert [row[:1] for row in rows_of(any_data_set, schema.import_batches)] == [(1,), (2,)]


@pytest.mark.slow
def test_what_is_made_anew_is_what_would_be_made_of_nothing(any_data_set):
    load(any_data_set, file_of(ONE), file_of(OTHER, "two"))
    wanted = everything(any_data_set)
    load(any_data_set, file_of(lines(("9", "z", "r", "2024-03-01", 4)), "three"))
    load(any_data_set, file_of(ONE), file_of(OTHER, "two"), anew=True)
    assert everything(any_data_set) == wanted
    assert database.version(any_data_set) == 3


@pytest.mark.slow
def test_a_change_anew_that_fails_leaves_what_was_there(any_data_set):
    load(any_data_set, file_of(OTHER))
    before = everything(any_data_set)
    with pytest.raises(AlreadyLoadedError):
        load(any_data_set, file_of(ONE), file_of(ONE), anew=True)
    assert everything(any_data_set) == before
    assert database.version(any_data_set) == 1


# ── samples ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

CSV = b"order,customer,date,amount\n1,a,2024-01-05,10\n"
OWN = from_dict({"columns": {name: name for name in ("order", "customer", "date", "amount")}})
TRUTH = {schema.demo_truth: pa.table({"topic": ["purchases"], "parameter": ["rate"], "subject": [""], "true_value": [Decimal("0.5")]})}


def test_a_file_of_the_reader_never_joins_a_demo_of_any_name(any_data_set):
    load(any_data_set, file_of(ONE, tables=TRUTH))
    with pytest.raises(BadInput, match="is a sample"):
        import_file(any_data_set, CSV, "orders.csv", OWN)
    assert database.version(any_data_set) == 1


def test_a_demo_takes_the_place_of_nothing_but_a_demo(any_data_set):
    samples.refuse_demo(any_data_set)
    assert not samples.holds_demo(any_data_set)
    load(any_data_set, file_of(ONE, tables=TRUTH))
    samples.refuse_demo(any_data_set)
    assert samples.holds_demo(any_data_set)


@pytest.mark.slow
def test_a_demo_never_takes_the_place_of_a_reader_s_files_and_says_what_is_there(any_data_set):
    import_file(any_data_set, CSV, "orders.csv", OWN)
    with pytest.raises(BadInput, match=r"holds imported files: 1, the latest orders\.csv"):
        samples.refuse_demo(any_data_set)
    undo(any_data_set, 1)
    samples.refuse_demo(any_data_set)


@pytest.mark.slow
def test_a_demo_is_not_called_cdnow_nor_takes_the_place_of_it(tmp_path, data_set):
    with pytest.raises(BadInput, match="kept for the CDNOW sample"):
        samples.refuse_demo(find_data_set(f"duckdb:///{tmp_path}/cdnow.duckdb"))
    import_file(data_set, cdnow_file().read_bytes(), "CDNOW_sample.txt", load_mapping("cdnow"))
    with pytest.raises(BadInput, match="Choose another name for the demo"):
        samples.refuse_demo(data_set)


@pytest.mark.slow
def test_a_batch_of_a_demo_can_be_taken_back_like_any_other(any_data_set):
    load(any_data_set, file_of(ONE, tables=TRUTH), file_of(OTHER, "two"))
    undo(any_data_set, 1)
    assert rows_of(any_data_set, schema.demo_truth) == []
    assert [row["batch_id"] for row in open_source(any_data_set).arrow(ledger.batches()).to_pylist() if row["batch_state"] == "loaded"] == [
        2
    ]
