"""Loading order files: what is a duplicate, what contradicts, what an undo brings back, and that every report balances."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from crm_metrics import database, schema
from crm_metrics.data_import import ledger, left_out
from crm_metrics.data_import.load import checked_file, import_file, load_into
from crm_metrics.data_import.mapping import Mapping, from_dict, load_mapping
from crm_metrics.data_import.read_file import read_file
from crm_metrics.data_import.report import ImportReport
from crm_metrics.data_import.undo import take_back, undo
from crm_metrics.database import DataSet, Writer, find_data_set, open_source
from crm_metrics.metric import BadInput

COLUMNS = {
    "order": "order",
    "customer": "customer",
    "date": "date",
    "quantity": "quantity",
    "amount": "amount",
    "product": "product",
    "customer_name": "name",
    "order_region": "region",
}
HEADER = "order,customer,date,quantity,amount,product,name,region,line"


def mapping(**more: Any) -> Mapping:
    return from_dict({"columns": COLUMNS, "dates": {"formats": ["%Y-%m-%d"]}, **more})


KEYLESS = mapping()
KEYED = mapping(orders={"key": ["line"]})


def content(*rows: str) -> bytes:
    """A file with the given rows; what a row leaves off at its end is empty."""
    width = HEADER.count(",")
    return "\n".join([HEADER, *[row + "," * (width - row.count(",")) for row in rows]]).encode() + b"\n"


def load(data_set: DataSet, *rows: str, using: Mapping = KEYLESS, name: str = "orders.csv", **more: Any) -> ImportReport:
    return import_file(data_set, content(*rows), name, using, **more)


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.rows_in, report.rows_loaded, report.rows_duplicate, report.rows_quarantined


def state(read: Callable[[Any], Any]) -> dict[str, list[tuple[Any, ...]]]:
    """All tables, whole and in order, batches counted from 1 in order of loading; versions, undone batches and moments left out.

    Asserts that each key is held once, which DuckDB does not guard.
    """
    loaded = [row["batch_id"] for row in read(ledger.batches()).to_pylist() if row["batch_state"] == "loaded"]
    places = {batch_id: place for place, batch_id in enumerate(sorted(loaded), 1)}
    held = {table: read(select(table)).to_pylist() for table in TABLES}
    for table, rows in held.items():
        keys = [tuple(row[column.name] for column in table.primary_key.columns) for row in rows]
        assert len(keys) == len(set(keys)) or not table.primary_key.columns, f"{table.name} holds a key twice"
    _name_baskets(held[schema.order_facts], held[schema.basket_categories])
    numbered = {None: None} | {row["customer_number"]: row["customer_id"] for row in held[schema.customer_facts]}
    for row in (row for table in schema.FACTS if "customer_number" in table.c for row in held[table]):
        row["customer_number"] = numbered[row["customer_number"]]  # it, too, depends on the order of loading
    return {table.name: sorted((_plain(row, places) for row in rows if _counts(row)), key=repr) for table, rows in held.items()}


def _name_baskets(orders: list[dict[str, Any]], baskets: list[dict[str, Any]]) -> None:
    """Put what a basket holds in the place of its number, which depends on the order of loading."""
    held: dict[int, list[tuple[str, bool]]] = {}
    for row in baskets:
        held.setdefault(row["basket_number"], []).append((repr(row["category"]), row["is_sold"]))
    for row in (*orders, *baskets):
        row["basket_number"] = sorted(held[row["basket_number"]])


TABLES = list(schema.metadata.sorted_tables)


def _counts(row: dict[str, Any]) -> bool:
    return row.get("batch_state", "loaded") == "loaded" and row.get("setting") != "data_version"


def _plain(row: dict[str, Any], places: dict[int, int]) -> tuple[Any, ...]:
    row = {name: value for name, value in row.items() if name != "imported_at"}
    row |= {"batch_id": places[row["batch_id"]]} if "batch_id" in row else {}
    if row.get("reason_values"):
        values = json.loads(row["reason_values"])
        row["reason_values"] = values | ({"batch": places[values["batch"]]} if "batch" in values else {})
    return tuple(row.items())


def stored(data_set: DataSet) -> dict[str, list[tuple[Any, ...]]]:
    return state(open_source(data_set).arrow)


def total(data_set: DataSet, column: Any, *conditions: Any) -> Any:
    return open_source(data_set).arrow(select(func.sum(column).label("x")).where(*conditions)).to_pylist()[0]["x"]


# ── duplicates ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_the_same_file_under_another_name_changes_nothing(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10", "1,a,2024-01-05,2,20")
    before, published = stored(any_data_set), database.version(any_data_set)
    report = load(any_data_set, "1,a,2024-01-05,1,10", "1,a,2024-01-05,2,20", name="copy.csv")
    assert (report.state, report.batch, counts(report)) == ("unchanged", 1, (2, 0, 2, 0))
    assert database.version(any_data_set) == published
    assert stored(any_data_set) == before


def test_the_same_content_packed_is_the_same_file(data_set):
    import gzip

    load(data_set, "1,a,2024-01-05,1,10")
    assert import_file(data_set, gzip.compress(content("1,a,2024-01-05,1,10")), "orders.csv.gz", KEYLESS).state == "unchanged"


def test_equal_rows_of_one_file_are_different_purchases(any_data_set):
    report = load(any_data_set, *["1,a,2024-01-05,1,10"] * 3)
    assert counts(report) == (3, 3, 0, 0)
    assert report.amount_loaded == 30


def test_a_row_of_an_overlapping_file_counts_as_loaded_as_often_as_earlier_batches_hold_it(any_data_set):
    """Earlier: x x. File: x x x y. So two are duplicates, x and y are loaded."""
    load(any_data_set, *["1,a,2024-01-05,1,10"] * 2)
    report = load(any_data_set, *["1,a,2024-01-05,1,10"] * 3, "2,b,2024-01-06,1,7")
    assert counts(report) == (4, 2, 2, 0)
    assert [float(amount) for amount in (report.amount_in, report.amount_loaded, report.amount_duplicate)] == [37, 17, 20]
    assert total(any_data_set, schema.order_lines.c.net_amount) == 37


@pytest.mark.slow
def test_two_earlier_batches_together_do_not_hold_a_row_twice(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10", "3,a,2024-01-07,1,1")
    load(any_data_set, "1,a,2024-01-05,1,10", "4,a,2024-01-08,1,1")
    assert counts(load(any_data_set, *["1,a,2024-01-05,1,10"] * 2)) == (2, 1, 1, 0)


def test_a_keyed_row_is_a_duplicate_only_with_the_same_content(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10,p,A,N,L1", using=KEYED)
    report = load(any_data_set, "1,a,2024-01-05,1,10,p,A,N,L1", "1,a,2024-01-05,1,11,p,A,N,L1", "1,a,2024-01-05,1,10,p,A,N,L2", using=KEYED)
    # the second row repeats a key within the file too; what is loaded decides first
    assert counts(report) == (3, 1, 1, 1)
    assert str(report.reasons[0]) == "Batch 1 holds key 'L1' with other content. Correct the row, or undo that batch first."
    assert report.reasons[0].row_numbers == (3,)


def test_a_key_that_stands_twice_in_one_file_is_loaded_once(any_data_set):
    rows = ["1,a,2024-01-05,1,10,p,A,N,L1", "1,a,2024-01-05,1,10,p,A,N,L1", "1,a,2024-01-05,1,12,p,A,N,L1"]
    report = load(any_data_set, *rows, using=KEYED)
    assert counts(report) == (3, 1, 1, 1)
    assert [str(reason) for reason in report.reasons] == [
        "Key 'L1' stands also in row 2, with other content. Give each row a key of its own.",
        "The same row with the same key stands already in row 2.",
    ]


@pytest.mark.slow
def test_a_keyed_file_does_not_double_what_a_keyless_one_brought(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10,p,A,N,L1", using=KEYLESS)
    assert counts(load(any_data_set, "1,a,2024-01-05,1,10,p,A,N,L1", "1,a,2024-01-05,1,3,p,A,N,L2", using=KEYED)) == (2, 1, 1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("row", ["1,b,2024-01-05,1,5", "1,a,2024-02-05,1,5"])
def test_an_order_loaded_with_another_customer_or_day_goes_to_quarantine_and_names_the_batch(any_data_set, row):
    load(any_data_set, "1,a,2024-01-05,1,10")
    report = load(any_data_set, row, "2,b,2024-01-06,1,1")
    assert counts(report) == (2, 1, 0, 1)
    assert "Batch 1 holds order '1' with another customer" in str(report.reasons[0])
    assert total(any_data_set, schema.order_lines.c.net_amount) == 11


@pytest.mark.slow
def test_further_lines_of_a_loaded_order_join_it(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10")
    load(any_data_set, "1,,2024-01-05,1,5")
    found = open_source(any_data_set).arrow(select(schema.orders)).to_pylist()
    assert [(row["order_id"], row["customer_id"], row["batch_id"]) for row in found] == [("1", "a", 1)]
    assert total(any_data_set, schema.order_lines.c.net_amount) == 15


@pytest.mark.slow
def test_a_return_on_a_later_day_lowers_revenue_on_its_own_day_and_is_no_purchase(any_data_set):
    load(any_data_set, "1,a,2024-01-05,2,20")
    load(any_data_set, "1,a,2024-02-01,-1,-10")
    orders = open_source(any_data_set).arrow(select(schema.orders).order_by(schema.orders.c.ordered_on)).to_pylist()
    assert [(row["order_id"], row["ordered_on"], row["is_purchase"]) for row in orders] == [
        ("1", date(2024, 1, 5), True),
        ("1/2024-02-01", date(2024, 2, 1), False),
    ]


@pytest.mark.slow
def test_rows_added_to_orders_that_earlier_imports_hold_are_named_with_their_money(any_data_set):
    """Batch 1: order 1 of 10, order 2 of 20, order 3 of 30. A newer export: order 1 now 12, order 2 as it was, order 3 with a line more
    of 5, and order 4. So 2 orders get 2 rows worth 17 in addition, loaded like order 4."""
    load(any_data_set, "1,a,2024-01-05,1,10", "2,b,2024-01-06,1,20", "3,c,2024-01-07,1,30")
    newer = ["1,a,2024-01-05,1,12", "2,b,2024-01-06,1,20", "3,c,2024-01-07,1,30", "3,c,2024-01-07,1,5", "4,d,2024-01-08,1,1"]
    for report in (load(any_data_set, *newer, check_only=True), load(any_data_set, *newer)):
        assert counts(report) == (5, 3, 2, 0)
        assert report.joined == (2, 2, Decimal(17), (1,))
        assert report.as_json()["orders_joined"] == {"orders": 2, "rows": 2, "amount": 17.0, "batches": [1]}
        told = [warning for warning in report.warnings() if "earlier imports hold with other rows: 2 (batch 1)" in warning]
        assert len(told) == 1
        assert "2, worth 17.00" in told[0]
        assert "undo 1" in told[0]
    assert total(any_data_set, schema.order_lines.c.net_amount) == 78


@pytest.mark.slow
def test_the_app_shows_what_was_read_and_warns_of_orders_that_may_count_twice(data_set):
    from streamlit.testing.v1 import AppTest

    load(data_set, "1,a,2024-01-05,1,10")
    report = load(data_set, "1,a,2024-01-05,1,12")

    def page() -> None:
        from crm_metrics.ui import upload

        upload.show_last_report()

    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["loaded_report"] = report
    shown = app.run()
    assert not shown.exception
    assert ["worth 12.00" in warning.value.replace("\\", "") for warning in shown.warning] == [True]
    captions = [caption.value.replace("\\", "") for caption in shown.caption]
    assert any("Amount of the line = amount" in caption for caption in captions)
    assert "Not read: line." in captions


@pytest.mark.slow
def test_a_file_that_overlaps_in_whole_rows_joins_no_order(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10", "2,b,2024-01-06,1,20")
    report = load(any_data_set, "2,b,2024-01-06,1,20", "3,c,2024-01-07,1,30")
    assert (counts(report), report.joined, report.as_json()["orders_joined"]) == ((2, 1, 1, 0), None, None)


@pytest.mark.slow
def test_a_batch_that_is_replaced_is_not_joined(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10")
    corrected = from_dict({"columns": {**COLUMNS, "amount": "quantity"}, "dates": {"formats": ["%Y-%m-%d"]}})
    assert load(any_data_set, "1,a,2024-01-05,1,10", using=corrected).joined is None


# ── what is kept, what is said ──────────────────────────────────────────────────────────────────────────────────────────


def test_rows_left_out_are_kept_whole_with_their_reason(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10")
    load(any_data_set, "1,a,2024-01-05,1,10", "2,b,no date,1,7", "3,c,2024-01-07,1,nonsense", "4,c,2024-01-07,1,1")
    rows = open_source(any_data_set).arrow(ledger.left_out_rows(2)).to_pylist()
    assert [(row["row_number"], row["left_out_as"], row["row_amount"]) for row in rows] == [
        (2, "duplicate", Decimal("10.0000")),
        (3, "quarantined", Decimal("7.0000")),
        (4, "quarantined", None),
    ]
    assert json.loads(rows[1]["raw"])["cells"]["date"] == "no date"
    assert "nonsense" in rows[2]["raw"]


def test_the_report_names_every_row_left_out_and_says_how_many_amounts_are_unreadable(data_set):
    bad = [f"{n},b,no date,1,2" for n in range(2, 16)]
    report = load(data_set, "1,a,2024-01-05,1,10", *bad, "99,c,2024-01-07,1,nonsense")
    assert counts(report) == (16, 1, 0, 15)
    assert report.rows_amount_unknown == 1
    assert [len(reason.row_numbers) for reason in report.reasons] == [14, 1]
    shown = report.as_json()
    assert shown["reasons"][0]["rows"] == 14
    assert shown["reasons"][0]["example_rows"] == list(range(3, 13))
    assert shown["amount_quarantined"] == 28.0


def test_a_check_writes_nothing_and_says_what_the_import_then_says(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10")
    before, published = stored(any_data_set), database.version(any_data_set)
    rows = ["1,a,2024-01-05,1,10", "2,b,2024-01-06,1,5", "3,b,no date,1,5"]
    checked = load(any_data_set, *rows, check_only=True)
    assert (checked.state, checked.batch) == ("checked", None)
    assert (stored(any_data_set), database.version(any_data_set)) == (before, published)
    assert counts(load(any_data_set, *rows)) == counts(checked)


def test_a_check_of_the_first_file_leaves_no_data_set_behind(tmp_path):
    load(find_data_set(f"duckdb:///{tmp_path}/new.duckdb"), "1,a,2024-01-05,1,10", check_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_one_row_is_told_in_the_singular(data_set):
    load(data_set, "1,a,2024-01-05,1,10")
    load(data_set, "1,a,2024-01-05,1,10", "2,b,2024-01-06,1,5", "3,c,2024-01-07,1,nonsense")
    told = list(load(data_set, "1,a,2024-01-05,1,10", "3,c,2024-01-07,1,nonsense", "4,d,2024-01-07,1,1").remarks())
    assert "The amount of 1 quarantined row could not be read." in told
    assert "Row 2: Batch 1 already holds this row." in told
    undone = list(undo(data_set, 1).remarks())
    assert "1 row of a later batch came in where this one had held the same." in undone
    assert not [remark for remark in told if "1 rows" in remark or "Rows 2" in remark]


def test_progress_grows_from_nothing_to_all(data_set):
    told: list[float] = []
    load(data_set, "1,a,2024-01-05,1,10", progress=lambda _step, share: told.append(share))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_reporting_currency_is_refused(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10", using=mapping(money={"currency": "GBP"}))
    with pytest.raises(BadInput, match="amounts in EUR, but this data set holds GBP"):
        load(any_data_set, "2,a,2024-01-06,1,10", using=mapping(money={"currency": "EUR"}))
    assert database.version(any_data_set) == 1


@pytest.mark.slow
def test_after_the_only_batch_is_undone_another_currency_may_come(data_set):
    load(data_set, "1,a,2024-01-05,1,10", using=mapping(money={"currency": "GBP"}))
    undo(data_set, 1)
    load(data_set, "2,a,2024-01-06,1,10", using=mapping(money={"currency": "EUR"}))
    assert ("setting", "currency") in [row[0] for row in stored(data_set)["data_set"]]


# ── undo ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_undo_of_the_last_batch_returns_the_exact_earlier_state(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10,p,Anna,N", "2,b,2024-01-06,1,20,q,Bob,S")
    before = stored(any_data_set)
    load(any_data_set, "1,a,2024-01-05,1,10,p,Anna,N", "1,a,2024-01-05,1,3,r,Anne,W", "3,c,2024-01-08,1,1", "2,z,2024-01-06,1,9")
    report = undo(any_data_set, 2)
    assert (report.state, counts(report)) == ("undone", (4, 2, 1, 1))
    assert stored(any_data_set) == before


@pytest.mark.slow
def test_undo_of_an_earlier_batch_lets_in_what_later_ones_had_left_out(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10", "2,b,2024-01-06,1,20")
    load(any_data_set, "1,a,2024-01-05,1,10", "3,c,2024-01-08,1,1")
    report = undo(any_data_set, 1)
    assert report.rows_promoted == 1
    assert total(any_data_set, schema.order_lines.c.net_amount) == 11
    batch = open_source(any_data_set).arrow(ledger.batches()).to_pylist()[0]
    assert (batch["rows_in"], batch["rows_loaded"], batch["rows_duplicate"]) == (2, 2, 0)


@pytest.mark.slow
def test_after_overlapping_imports_and_an_undo_each_key_is_held_once(data_set):
    load(data_set, "1,a,2024-01-05,1,10,p,Anna,N", "2,b,2024-01-06,1,20,q,Bob,S")
    load(data_set, "1,a,2024-01-05,1,10,p,Anna,N", "1,a,2024-01-05,1,3,r,Anne,W", "2,b,2024-01-06,1,5,p,Bob,S")
    assert stored(data_set)
    undo(data_set, 1)
    assert stored(data_set)


@pytest.mark.slow
def test_an_undone_file_can_be_imported_again(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10")
    before = stored(any_data_set)
    undo(any_data_set, 1)
    assert load(any_data_set, "1,a,2024-01-05,1,10").batch == 2
    assert stored(any_data_set) == before


@pytest.mark.slow
def test_a_corrected_mapping_replaces_the_batch(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10")
    corrected = from_dict({"columns": {**COLUMNS, "amount": "quantity"}, "dates": {"formats": ["%Y-%m-%d"]}})
    report = load(any_data_set, "1,a,2024-01-05,1,10", using=corrected)
    assert (report.state, report.replaced_batch, report.batch) == ("replaced", 1, 2)
    assert total(any_data_set, schema.order_lines.c.net_amount) == 1
    states = {row["batch_id"]: row["batch_state"] for row in open_source(any_data_set).arrow(ledger.batches()).to_pylist()}
    assert states == {1: "replaced", 2: "loaded"}


@pytest.mark.slow
def test_the_undo_of_a_replacing_batch_leaves_neither_and_says_so(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10")
    load(any_data_set, "1,a,2024-01-05,1,10", using=mapping(money={"currency": "GBP"}))
    report = undo(any_data_set, 2)
    assert (report.state, report.replaced_batch) == ("undone", 1)
    assert [remark for remark in report.remarks() if "Batch 1, which this one had replaced, does not come back by itself" in remark]
    assert total(any_data_set, schema.order_lines.c.net_amount) is None
    assert load(any_data_set, "1,a,2024-01-05,1,10").batch == 3
    assert undo(any_data_set, 3).replaced_batch is None


@pytest.mark.slow
def test_a_batch_that_is_not_there_or_gone_is_not_undone(data_set):
    with pytest.raises(BadInput, match="There is no batch 1"):
        undo(data_set, 1)
    load(data_set, "1,a,2024-01-05,1,10")
    undo(data_set, 1)
    with pytest.raises(BadInput, match="already taken back"):
        undo(data_set, 1)


@pytest.mark.slow
def test_a_loaded_row_stays_when_the_batch_that_decided_its_order_is_undone(data_set):
    """Order 1: batch 1 says a, batch 2 says b (quarantined), batch 3 says a again. Batch 1 undone: a stays, b stays out."""
    load(data_set, "1,a,2024-01-05,1,10")
    load(data_set, "1,b,2024-01-05,1,20")
    load(data_set, "1,a,2024-01-05,1,30")
    undo(data_set, 1)
    assert total(data_set, schema.order_lines.c.net_amount) == 30
    assert json.loads(open_source(data_set).arrow(ledger.left_out_rows(2)).to_pylist()[0]["reason_values"])["batch"] == 3


@pytest.mark.slow
def test_a_row_whose_key_stands_earlier_in_its_file_keeps_that_verdict_when_another_batch_is_taken_back(any_data_set):
    """Batch 1: B. Batch 2: A B without keys. Batch 3: A B, both of key L1. Batch 1 undone: the key of batch 3 is still that of its A."""
    a, b = "1,a,2024-01-05,1,10,p,A,N", "1,a,2024-01-05,1,11,p,A,N"
    load(any_data_set, b)
    load(any_data_set, a, b)
    load(any_data_set, f"{a},L1", f"{b},L1", using=KEYED)
    undo(any_data_set, 1)
    left = open_source(any_data_set).arrow(ledger.left_out_rows(3)).to_pylist()
    assert [(row["row_number"], row["left_out_as"]) for row in left] == [(2, "duplicate"), (3, "quarantined")]
    assert left[1]["reason"] == left_out.REASONS[left_out.KEY_TWICE]


@pytest.mark.slow
def test_the_latest_batch_that_knows_a_name_decides_it(any_data_set):
    load(any_data_set, "1,a,2024-01-05,1,10,p,Anna,N")
    load(any_data_set, "2,a,2024-01-06,1,10,p,Anne,N")
    load(any_data_set, "3,a,2024-01-07,1,10,p,,N")
    names = select(schema.customers.c.customer_name, schema.customers.c.batch_id)
    assert open_source(any_data_set).arrow(names).to_pylist() == [{"customer_name": "Anne", "batch_id": 1}]
    undo(any_data_set, 2)
    assert open_source(any_data_set).arrow(names).to_pylist() == [{"customer_name": "Anna", "batch_id": 1}]


# ── properties ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# Few different rows, so that files overlap. An order has one customer and one day: then nothing depends on who came first.
ORDERS = {"1": ("a", "2024-01-05"), "2": ("b", "2024-01-05"), "3": ("", "2024-01-06"), "4": ("a", "2024-02-01")}
ROWS = st.builds(
    lambda order, quantity, product, key: (order, quantity, product, key),
    st.sampled_from(sorted(ORDERS)),
    st.sampled_from(["1", "2", "-1", "oops"]),
    st.sampled_from("pq"),
    st.sampled_from(["L1", "L2"]),
)
FILES = st.tuples(st.lists(ROWS, min_size=1, max_size=6), st.booleans(), st.sampled_from(["Anna", "Anne", ""]))
STEPS = st.lists(st.tuples(FILES, st.sampled_from([None, None, 0, 1])), min_size=1, max_size=5)


def drawn_file(drawn: tuple[Any, bool, str], number: int) -> tuple[bytes, Mapping]:
    rows, is_keyed, name = drawn
    lines = []
    for order, quantity, product, key in rows:
        customer, day = ORDERS[order]
        amount = quantity if quantity != "oops" else "1"
        lines.append(f"{order},{customer},{day},{quantity},{amount},{product},{name},N,{key if is_keyed else ''}")
    # a different blank line at the end makes each content a file of its own
    return content(*lines) + b"\n" * number, KEYED if is_keyed else KEYLESS


@contextmanager
def unpublished(folder: Path) -> Iterator[Writer]:
    with database.trial(find_data_set(f"duckdb:///{folder}/never.duckdb")) as writer:
        yield writer


def put(writer: Writer, file: tuple[bytes, Mapping]) -> ImportReport:
    data, using = file
    return load_into(writer, checked_file(read_file(data, "f.csv"), using))


def assert_undo_equals_scratch(
    steps: Any, folder: Path, made: Callable[[Any, int], tuple[bytes, Mapping]] = drawn_file
) -> list[ImportReport]:
    """Import each file; after some, undo one of the loaded batches. At the end it must be as if only the others had been imported.

    made: the file of what was drawn. Gives the report of each import.
    """
    remaining: dict[int, tuple[bytes, Mapping]] = {}
    reports = []
    with unpublished(folder) as writer:
        for number, (drawn, undone) in enumerate(steps):
            file = made(drawn, number)
            report = put(writer, file)
            assert report.rows_in == report.rows_loaded + report.rows_duplicate + report.rows_quarantined == len(drawn[0])
            assert report.batch is not None
            reports.append(report)
            remaining[report.batch] = file
            if undone is not None:
                taken = sorted(remaining)[undone % len(remaining)]
                take_back(writer, ledger.find_loaded(writer, taken), ledger.UNDONE)
                del remaining[taken]
        after_undo = state(writer.read)
    with unpublished(folder) as writer:
        for number in sorted(remaining):
            put(writer, remaining[number])
        from_scratch = state(writer.read)
    for name in from_scratch:
        assert after_undo[name] == from_scratch[name], name
    return reports


def assert_orders_undone_equal_scratch(steps: Any, folder: Path) -> None:
    """The same for files of orders, whose amounts add up too."""
    for report, (drawn, _) in zip(assert_undo_equals_scratch(steps, folder), steps, strict=True):
        assert report.amount_in == sum(1 if quantity == "oops" else int(quantity) for _, quantity, _, _ in drawn[0])


@pytest.mark.slow
@settings(max_examples=75)  # two seconds each
@given(STEPS)
def test_after_any_imports_and_undos_the_state_is_that_of_importing_the_remaining_files(tmp_path_factory, steps):
    assume(not keys_depend_on_who_came_first([file for file, _ in steps]))
    assert_orders_undone_equal_scratch(steps, tmp_path_factory.getbasetemp())


def keys_depend_on_who_came_first(files: list[Any]) -> bool:
    """Return whether a key has two contents, one of them held by an earlier file without keys.

    While that file is loaded the other content may come in, and what is loaded stays when that file is taken back.
    """
    told = [(is_keyed, {(row[:3], row[3]) for row in rows}) for rows, is_keyed, _ in files]
    for place, (is_keyed, rows) in enumerate(told):
        held = set() if is_keyed else {content for content, _ in rows}
        later = set().union(*[rows for is_keyed, rows in told[place + 1 :] if is_keyed])
        if any(content in held and any(key == other for rest, other in later if rest != content) for content, key in later):
            return True
    return False


@pytest.mark.slow
def test_a_loaded_row_stays_when_another_of_its_key_could_come_in_again(any_data_set):
    """Batch 1: x without a key. Batch 2: x of key L1, held by batch 1. Batch 3: y of key L1. Batch 1 undone: y stays, x stays out."""
    x, y = "1,a,2024-01-05,1,10,p,A,N", "1,a,2024-01-05,1,11,p,A,N"
    load(any_data_set, x)
    load(any_data_set, f"{x},L1", using=KEYED)
    load(any_data_set, f"{y},L1", using=KEYED)
    undo(any_data_set, 1)
    assert total(any_data_set, schema.order_lines.c.net_amount) == 11
    left = open_source(any_data_set).arrow(ledger.left_out_rows(2)).to_pylist()
    assert [row["reason"] for row in left] == [left_out.REASONS[left_out.KEY_CONFLICT]]


CONFLICTS = st.lists(st.tuples(st.sampled_from("12"), st.sampled_from("ab"), st.sampled_from(["1", "2"])), min_size=1, max_size=4)


@pytest.mark.slow
@settings(max_examples=5)
@given(CONFLICTS, CONFLICTS)
def test_after_an_undo_orders_that_contradicted_it_are_as_if_it_had_never_been(tmp_path_factory, first, second):
    """Two batches that may give one order two customers; the first undone must leave exactly the second."""
    files = [content(*[f"{order},{customer},2024-01-05,1,{amount}" for order, customer, amount in rows]) for rows in (first, second)]
    folder = tmp_path_factory.getbasetemp()
    with unpublished(folder) as writer:
        put(writer, (files[0], KEYLESS))
        put(writer, (files[1] + b"\n", KEYLESS))
        take_back(writer, ledger.find_loaded(writer, 1), ledger.UNDONE)
        after_undo = state(writer.read)
    with unpublished(folder) as writer:
        put(writer, (files[1] + b"\n", KEYLESS))
        assert after_undo == state(writer.read)


# ── published figures ───────────────────────────────────────────────────────────────────────────────────────────────────


def is_identified() -> Any:
    return schema.orders.c.order_id == schema.order_lines.c.order_id, schema.orders.c.customer_id.is_not(None)


def test_cdnow_loads_whole_fader_and_hardie_2001(any_data_set, cdnow_file):
    """6,919 transactions of 2,357 customers, $244,091.94, 1997-01-01 to 1998-06-30."""
    report = import_file(any_data_set, cdnow_file.read_bytes(), cdnow_file.name, load_mapping("cdnow"))
    assert counts(report) == (6919, 6919, 0, 0)
    assert report.amount_loaded == Decimal("244091.94")
    assert (report.first_on, report.last_on) == (date(1997, 1, 1), date(1998, 6, 30))
    customers = open_source(any_data_set).arrow(select(func.count().label("n")).select_from(schema.customers)).to_pylist()
    assert customers == [{"n": 2357}]


@pytest.mark.slow
def test_online_retail_has_its_three_revenues_chen_sain_guo_2012(any_data_set, shared_data):
    """541,909 rows; 9,747,747.93 net; 8,300,065.81 of known customers; 8,911,407.90 sold in 18,532 orders of 4,338 customers."""
    path = shared_data / "online_retail" / "online_retail.csv.gz"
    report = import_file(any_data_set, path.read_bytes(), path.name, load_mapping("online_retail"))
    assert counts(report) == (541_909, 541_909, 0, 0)
    assert round(report.amount_loaded, 2) == Decimal("9747747.93")
    net, lines = schema.order_lines.c.net_amount, schema.order_lines.c
    assert round(total(any_data_set, net, *is_identified()), 2) == Decimal("8300065.81")
    sold = [lines.line_kind == "sale", lines.quantity > 0]
    assert round(total(any_data_set, net, *is_identified(), *sold), 2) == Decimal("8911407.90")
    columns = [schema.orders.c.order_id, schema.orders.c.customer_id]
    query = select(*[func.count(column.distinct()) for column in columns]).where(*is_identified(), *sold)
    assert [list(row.values()) for row in open_source(any_data_set).arrow(query).to_pylist()] == [[18_532, 4_338]]


def test_a_file_without_a_row_that_can_be_right_is_refused_and_changes_nothing(tmp_path):
    data_set = database.find_data_set(f"duckdb:///{tmp_path}/mine.duckdb")
    content = b"order,customer,date,amount\n1,a,never,10\n2,b,2024-01-05,ten\n"
    mapping = from_dict({"columns": {name: name for name in ("order", "customer", "date", "amount")}})
    report = import_file(data_set, content, "wrong.csv", mapping)
    assert (report.state, report.rows_in, report.rows_loaded, report.rows_quarantined) == ("refused", 2, 0, 2)
    assert database.version(data_set) == 0
