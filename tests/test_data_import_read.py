"""Reading a file and checking its rows: published totals, exactness, and that no row is lost or counted twice."""

import csv
import gzip
import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_metrics.data_import.check import LINES, Checked, check_rows, recheck
from crm_metrics.data_import.date_formats import DAY_FIRST, MONTH_FIRST, USUAL, as_pattern
from crm_metrics.data_import.mapping import Mapping, from_dict, load_mapping
from crm_metrics.data_import.proposal import propose
from crm_metrics.data_import.raw_table import ragged_as_json, rows_as_json
from crm_metrics.data_import.read_file import read_file
from crm_metrics.data_import.rejections import REJECTED, reason_text
from crm_metrics.data_import.values import FINE, parse_dates, parse_numbers
from crm_metrics.language import speaking
from crm_metrics.metric import BadInput

HEAD = ["order", "customer", "date", "quantity", "amount"]
MAPPING = {"columns": {name: name for name in HEAD}, "dates": {"formats": ["%Y-%m-%d"]}}


def mapped(**changes) -> Mapping:
    return from_dict(MAPPING | changes)


def as_csv(rows: list[list[str]], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def checked(*rows: str, head: str = ",".join(HEAD), mapping: Mapping | None = None, **options) -> Checked:
    return check_rows(read_file("\n".join([head, *rows]).encode(), "orders.csv"), mapping or mapped(), **options)


def total(lines: pa.Table, column: str = "net_amount") -> Decimal:
    return pc.sum(lines[column]).as_py()


def distinct(lines: pa.Table, column: str) -> int:
    return pc.count_distinct(lines[column]).as_py()


# ── published totals ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cdnow_sample_has_the_published_6919_rows_2357_customers_and_244091_94_dollars(cdnow_file):
    lines = check_rows(read_file(cdnow_file.read_bytes(), cdnow_file.name), load_mapping("cdnow")).lines
    assert (lines.num_rows, distinct(lines, "customer_id"), total(lines)) == (6_919, 2_357, Decimal("244091.94"))
    assert pc.min_max(lines["ordered_on"]).as_py() == {"min": date(1997, 1, 1), "max": date(1998, 6, 30)}
    assert set(lines["line_kind"].to_pylist()) == {"sale"}  # 8 purchases of 0 dollars count, as in the published figures


def test_cdnow_customer_1516_has_the_26_repeat_purchases_published_under_that_number(cdnow_file):
    """Fader, Hardie and Lee's spreadsheets and BTYD name customers by their number in the sample, not in the master file."""
    lines = check_rows(read_file(cdnow_file.read_bytes(), cdnow_file.name), load_mapping("cdnow")).lines
    of_customer = lines.filter((pc.field("customer_id") == "1516") & (pc.field("ordered_on") <= pa.scalar(date(1997, 9, 30))))
    assert distinct(of_customer, "ordered_on") - 1 == 26


def test_cdnow_master_has_the_published_69659_rows_and_23570_customers(cdnow_master_file):
    lines = check_rows(read_file(cdnow_master_file.read_bytes(), cdnow_master_file.name), load_mapping("cdnow")).lines
    assert (lines.num_rows, distinct(lines, "customer_id")) == (69_659, 23_570)


@pytest.mark.slow
def test_online_retail_has_its_three_published_revenues(shared_data):
    """UCI 352; figures of ../shared/data/README.md: all rows, identified signed, identified positive."""
    content = (shared_data / "online_retail" / "online_retail.csv.gz").read_bytes()
    result = check_rows(read_file(content, "online_retail.csv.gz"), load_mapping("online_retail"))
    lines, cent = result.lines, Decimal("0.01")
    assert (lines.num_rows, result.rejected.num_rows) == (541_909, 0)
    identified = lines.filter(pc.is_valid(pc.field("customer_id")))
    sales = identified.filter(pc.field("line_kind") == "sale")
    assert [total(part).quantize(cent) for part in (lines, identified, sales)] == [
        Decimal("9747747.93"),
        Decimal("8300065.81"),
        Decimal("8911407.90"),
    ]
    assert (sales.num_rows, distinct(sales, "order_id"), distinct(sales, "customer_id")) == (397_884, 18_532, 4_338)
    assert distinct(identified, "customer_id") == 4_372
    raw = read_file(content, "online_retail.csv.gz").table
    assert raw.num_rows - raw.group_by(raw.column_names).aggregate([]).num_rows == 5_268  # exact duplicates, none dropped
    assert lines.num_rows - distinct(lines, "row_hash") == 5_270  # two rows more differ only in their description


def test_superstore_is_proposed_and_read_with_its_sales_and_profit(shared_data):
    """Tableau's sample: sales 2,297,200.86, profit 286,397.02, four decimals kept; dates are d/m/Y."""
    raw = read_file((shared_data / "superstore" / "Superstore_plain.csv.gz").read_bytes(), "superstore")
    result = check_rows(raw, propose(raw).mapping())
    assert (result.lines.num_rows, distinct(result.lines, "order_id"), distinct(result.lines, "customer_id")) == (9_994, 5_009, 793)
    assert total(result.lines) == Decimal("2297200.8603")
    assert (total(result.lines) - total(result.lines, "cost_amount")).quantize(Decimal("0.01")) == Decimal("286397.02")
    assert "Discount" in result.unused_columns


@pytest.mark.slow
@pytest.mark.parametrize(("name", "amount"), [("OnlinePurchases", 3_391_432), ("POSPurchases", 2_250_877)])
def test_the_two_contoso_shops_are_read_with_their_totals(shared_data, name, amount):
    raw = read_file((shared_data / "contoso_ci" / f"{name}.txt.gz").read_bytes(), name)
    assert total(check_rows(raw, propose(raw).mapping()).lines) == amount


# ── nothing is lost ─────────────────────────────────────────────────────────────────────────────────────────────────────

CELLS = {
    "order": st.sampled_from(["A1", "A2", "007", "1E5", "1.2E+05", "", "N/A", "C9"]),
    "customer": st.sampled_from(["C1", "C2", "", "NULL", "1.0", "客户", "=1+1"]),
    "date": st.sampled_from(
        ["2024-01-31", "2024-02-01", "2024-02-30", "2099-01-01", "1900-01-01", "", "31/01/2024", "45322", "２０２４-01-05"]
    ),
    "quantity": st.sampled_from(["1", "2", "-1", "0", "1.5", "", "two", "1E5", "99999999999999999"]),
    "amount": st.sampled_from(["1.00", "-2.50", "0", "1.23456", "(3.00)", "$4", "5 €", "", "1,234.00", "1e400", "\u22127"]),
}
ROWS = st.lists(st.tuples(*(CELLS[name] for name in HEAD)).map(list), min_size=1, max_size=12)
LENGTHS = st.lists(st.integers(1, 7), min_size=12, max_size=12)


@given(rows=ROWS, lengths=LENGTHS)
def test_every_row_is_loaded_or_rejected_and_never_both(rows, lengths):
    """Rows of any length: too short and too long ones are rejected as well; a row of one empty cell is a blank line."""
    cut = [[*row, "x", "y"][:length] if length < 3 else row for row, length in zip(rows, lengths, strict=False)]
    raw = read_file(as_csv([HEAD, *cut, ["A1", "C1", "2024-01-31", "1", "€1"]]), "orders.csv")
    result = check_rows(raw, mapped(money={"currency": "EUR"}))
    numbers = result.lines["row_number"].to_pylist() + result.rejected["row_number"].to_pylist()
    blank = [at + 2 for at, row in enumerate(cut) if not any(row)]
    assert sorted(numbers + blank) == list(range(2, len(cut) + 3))
    assert raw.row_count == result.lines.num_rows + result.rejected.num_rows
    assert result.lines.schema == LINES
    assert result.rejected.schema == REJECTED


@given(rows=ROWS)
def test_rejected_rows_read_again_from_their_json_keep_their_number_and_content(rows):
    raw = read_file(as_csv([HEAD, *rows]), "orders.csv") if any(map(any, rows)) else None
    if raw is None:
        return
    try:
        first = check_rows(raw, mapped())
    except BadInput:
        return  # Euro and dollar signs in one file are refused as a whole
    again = recheck(rows_as_json(raw, np.arange(raw.table.num_rows)), first.mapping)
    assert again.lines.equals(first.lines)
    assert again.rejected.equals(first.rejected)


def test_a_ragged_row_stays_rejected_when_it_is_read_again():
    raw = read_file(b"order,customer,date,quantity,amount\nA1,C1\nA2,C1,2024-01-31,1,2\n", "orders.csv")
    again = recheck([ragged_as_json(raw.ragged[0]), *rows_as_json(raw, np.array([0]))], mapped())
    assert (again.lines["row_number"].to_pylist(), again.rejected["row_number"].to_pylist()) == ([3], [2])


@given(
    cells=st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\ufeff"), max_size=12), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    ),
    delimiter=st.sampled_from(",;\t|"),
)
def test_what_a_csv_writer_wrote_is_read_back_cell_by_cell_with_its_line_number(cells, delimiter):
    head = ["first name", "second name", "third name"]
    content = as_csv([head, *cells], delimiter)
    reader = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter)
    expected, line = [], 0
    for row in reader:
        if any(cell.strip() for cell in row) and row != head:
            expected.append((line + 1, row))
        line = reader.line_num
    if not expected:
        return
    raw = read_file(content, "cells.csv")
    assert raw.columns == tuple(head)
    assert [list(row.values()) for row in raw.table.to_pylist()] == [row for _, row in expected]
    assert raw.row_numbers.to_pylist() == [number for number, _ in expected]


# ── exact ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(
    number=st.decimals(-(10**13), 10**13, places=4),
    decimal=st.sampled_from(".,"),
    grouped=st.booleans(),
    sign=st.sampled_from(["", "€", " EUR"]),
)
def test_a_number_of_four_decimals_is_read_exactly_in_every_notation(number, decimal, grouped, sign):
    thousands = "," if decimal == "." else "."
    text = f"{number:,.4f}" if grouped else f"{number:.4f}"
    text = text.translate({ord(","): thousands, ord("."): decimal}) + sign
    read = parse_numbers(pa.array([text]), decimal, thousands)
    assert read.values.to_pylist() == [number]


@given(number=st.decimals(-(10**9), 10**9, places=6).filter(lambda number: number != round(number, 4)))
def test_a_number_of_more_decimals_is_never_rounded(number):
    assert parse_numbers(pa.array([f"{number:.6f}"])).values.to_pylist() == [None]


@given(
    moment=st.datetimes(datetime(1900, 3, 1), datetime(2199, 12, 31)).map(lambda moment: moment.replace(microsecond=0)),
    text_format=st.sampled_from(
        ["%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d %b %Y %H:%M:%S", "%Y%m%d%H%M%S", "%B %d, %Y %H:%M:%S"]
    ),
)
def test_a_date_is_read_as_strptime_reads_it(moment, text_format):
    text = moment.strftime(text_format)
    assert parse_dates(pa.array([text]), (as_pattern(text_format),), None).values.to_pylist() == [datetime.strptime(text, text_format)]


@given(day=st.dates(date(1583, 1, 1), date(2400, 12, 31)))
def test_a_day_of_any_usual_notation_is_that_day(day):
    texts = [day.isoformat(), f"{day.year}年{day.month}月{day.day}日", f"{day:%Y%m%d}", f"{day.day} {day:%B} {day.year}"]
    assert set(parse_dates(pa.array(texts), USUAL, None).values.to_pylist()) == {datetime(day.year, day.month, day.day)}
    for pattern, text in ((DAY_FIRST, f"{day.day}.{day.month}.{day.year}"), (MONTH_FIRST, f"{day.month}/{day.day}/{day.year}")):
        assert parse_dates(pa.array([text]), (pattern,), None).values.to_pylist() == [datetime(day.year, day.month, day.day)]


@given(year=st.integers(1900, 2100), month=st.integers(0, 14), number=st.integers(0, 33))
def test_a_day_that_the_calendar_lacks_is_no_date(year, month, number):
    try:
        exists = bool(date(year, month, number))
    except ValueError:
        exists = False
    assert (parse_dates(pa.array([f"{year}-{month}-{number}"]), USUAL, None).problems[0] == FINE) == exists


def test_an_excel_serial_day_counts_from_1899_12_30():
    assert parse_dates(pa.array(["45322.25"]), ("excel_serial",), None).values.to_pylist() == [datetime(1899, 12, 30) + timedelta(45322.25)]


# ── the same content is the same row ────────────────────────────────────────────────────────────────────────────────────


def test_a_row_has_one_fingerprint_in_every_encoding_delimiter_and_column_order():
    rows = [HEAD, ["A1", "客户", "2024-01-31", "2", "20.00"], ["A2", "客户", "2024-02-01", "1", "5.50"]]
    turned = [row[::-1] for row in [rows[0], rows[2], rows[1]]]
    plain = check_rows(read_file(as_csv(rows), "a.csv"), mapped()).lines
    other = check_rows(read_file(as_csv(turned, ";").decode().encode("utf-16"), "b.txt"), mapped()).lines
    assert set(plain["row_hash"].to_pylist()) == set(other["row_hash"].to_pylist())
    assert distinct(plain, "row_hash") == 2
    assert {len(text) for text in plain["row_hash"].to_pylist()} == {32}


SAME = "order;customer;date;quantity;amount;product;name\nA1;C1;2024-01-31;1;10.00;P1;Cup\nA2;C2;2024-02-01;2;20.50;P2;Pot\n"
OTHERWISE = {
    "an extra column": "order;customer;date;quantity;amount;product;note\nA1;C1;2024-01-31;1;10.00;P1;x\nA2;C2;2024-02-01;2;20.50;P2;y\n",
    "other decimals": "order;customer;date;quantity;amount;product\nA1;C1;2024-01-31;1;10;P1\nA2;C2;2024-02-01;2.0;20.5;P2\n",
    "decimal commas and German dates": "order;customer;date;quantity;amount;product\nA1;C1;31.01.2024;1;10,00;P1\n"
    "A2;C2;01.02.2024;2;20,50;P2\n",
    "another name of the product": SAME.replace("Cup", "Mug"),
    "another order of columns": "product;amount;quantity;date;customer;order\nP1;10.00;1;2024-01-31;C1;A1\nP2;20.50;2;2024-02-01;C2;A2\n",
}


@pytest.mark.parametrize("text", OTHERWISE.values(), ids=OTHERWISE)
def test_the_same_sale_has_the_same_fingerprint_when_it_is_exported_otherwise(text):
    """Only what makes a row the same sale counts; else a re-export doubles the revenue."""
    columns = {name: name for name in (*HEAD, "product")}

    def hashes(text: str) -> list[str]:
        marks = {"decimal": "," if "10,00" in text else "."}
        names = columns | ({"product_name": "name"} if ";name" in text else {})
        raw = read_file(text.encode(), "a.csv")
        return check_rows(raw, from_dict({"columns": names, "numbers": marks})).lines["row_hash"].to_pylist()

    assert hashes(text) == hashes(SAME)


@pytest.mark.parametrize("change", [("A2", "A3"), ("C2", "C3"), ("02-01", "02-02"), ("20.50", "20.51"), ("P2", "P3"), (";2;", ";3;")])
def test_another_sale_has_another_fingerprint(change):
    mapping = from_dict({"columns": {name: name for name in (*HEAD, "product")}})
    first, other = (check_rows(read_file(text.encode(), "a.csv"), mapping).lines for text in (SAME, SAME.replace(*change)))
    assert first["row_hash"][0] == other["row_hash"][0]
    assert first["row_hash"][1] != other["row_hash"][1]


def test_an_order_that_was_processing_and_is_completed_is_the_same_sale_and_a_cancelled_one_is_not():
    head = "order,customer,date,quantity,amount,status\n"
    mapping = mapped(columns={name: name for name in (*HEAD, "status")}, orders={"cancelled_status": ["cancelled"]})
    hashes = [
        check_rows(read_file(f"{head}A1,C1,2024-01-31,1,2,{status}\n".encode(), "a.csv"), mapping).lines["row_hash"][0].as_py()
        for status in ("processing", "completed", "cancelled")
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_two_cells_that_change_places_change_the_fingerprint():
    lines = checked("A1,B1,2024-01-31,1,2", "B1,A1,2024-01-31,1,2", "A1,B1,2024-01-31,2,1").lines
    assert distinct(lines, "row_hash") == 3


def test_the_content_hash_is_of_the_unpacked_content():
    content = as_csv([HEAD, ["A1", "C1", "2024-01-31", "1", "2"]])
    assert read_file(gzip.compress(content), "a.csv.gz").content_hash == read_file(content, "b.csv").content_hash


def test_rows_that_are_orders_of_their_own_keep_their_name_in_another_file():
    mapping = mapped(orders={"id": "per_row"}, columns={name: name for name in HEAD if name != "order"})
    first = checked("x,C1,2024-01-31,1,2", "x,C1,2024-01-31,1,2", mapping=mapping).lines["order_id"].to_pylist()
    later = checked("y,C2,2024-02-05,1,9", "x,C1,2024-01-31,1,2", mapping=mapping).lines["order_id"].to_pylist()
    assert len(set(first)) == 2
    assert later[1] == first[0]


# ── a few rules by hand ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_latest_day_is_an_argument_and_never_the_clock():
    rows = ["A1,C1,2024-01-31,1,2", "A2,C1,2024-02-02,1,2"]
    assert checked(*rows, latest_on=date(2024, 2, 1)).rejected["row_number"].to_pylist() == [3]
    assert checked(*rows).rejected.num_rows == 0
    assert checked(*rows, mapping=mapped(dates={"formats": ["%Y-%m-%d"], "latest": date(2024, 1, 31)})).rejected[
        "row_number"
    ].to_pylist() == [3]


def test_a_reason_is_told_in_both_languages_and_shows_the_value():
    reason = checked("A1,C1,2024-02-30,1,2").rejected["reason"][0].as_py()
    assert reason_text(reason) == "Row 2: date '2024-02-30' is not a date as the mapping writes them. Write dates as YYYY-MM-DD."
    with speaking("zh"):
        assert reason_text(reason).startswith("第 2 行：date '2024-02-30'")


def test_the_money_of_a_rejected_row_is_told_where_it_can_be_read():
    rejected = checked("A1,C1,soon,1,2.50", "A2,C1,2024-01-31,1,much").rejected
    assert rejected["money"].to_pylist() == [Decimal("2.5000"), None]


def test_lines_of_one_order_take_its_earliest_minute():
    mapping = mapped(dates={"formats": ["%Y-%m-%d %H:%M"]})
    lines = checked("A1,C1,2024-01-31 10:05,1,2", "A1,C1,2024-01-31 10:04,1,2", mapping=mapping).lines
    assert lines["ordered_at"].to_pylist() == [datetime(2024, 1, 31, 10, 4)] * 2


def test_a_return_under_the_number_of_its_order_keeps_its_own_day():
    lines = checked("A1,C1,2024-01-31,2,20", "A1,C1,2024-03-15,-1,-10").lines
    assert lines["ordered_on"].to_pylist() == [date(2024, 1, 31), date(2024, 3, 15)]
    assert lines["line_kind"].to_pylist() == ["sale", "return"]


def test_a_row_without_a_customer_takes_the_one_of_its_order_and_a_note_says_so():
    result = checked("A1,C1,2024-01-31,2,20", "A1,,2024-01-31,1,10", "A2,,2024-01-31,1,10")
    assert result.lines["customer_id"].to_pylist() == ["C1", "C1", None]
    assert [str(note) for note in result.notes] == ["1 rows without a customer took the customer of their order."]


def test_an_excel_file_and_its_csv_are_the_same_lines(tmp_path: Path):
    import xlsxwriter

    path = tmp_path / "orders.xlsx"
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, ["A1", 17850, datetime(2024, 1, 31), 2, 20.25])
    from_excel = check_rows(read_file(path.read_bytes(), "orders.xlsx"), mapped()).lines
    from_text = checked("A1,17850,2024-01-31,2,20.25").lines
    assert from_excel.equals(from_text)


def test_a_cell_of_300_kilobytes_with_line_breaks_is_read():
    text = "line\n" * 60_000
    result = checked(f'A1,C1,2024-01-31,2,20.00,"{text}"', "A2,C1,2024-01-31,1,2,x", head="order,customer,date,quantity,amount,note")
    assert result.lines["row_number"].to_pylist() == [2, 60_003]


def test_a_cell_of_12_megabytes_is_read():
    head = "order,customer,date,quantity,amount,note"
    assert checked("A1,C1,2024-01-31,2,20.00," + "x" * 12_000_000, "A2,C1,2024-01-31,1,2,x", head=head).lines.num_rows == 2


def test_a_day_after_the_import_is_told_as_such_and_one_after_the_mapping_s_latest_names_the_setting():
    rows, limited = ["A1,C1,2024-02-02,1,2"], mapped(dates={"formats": ["%Y-%m-%d"], "latest": date(2024, 1, 31)})
    of_today = reason_text(checked(*rows, latest_on=date(2024, 2, 1)).rejected["reason"][0].as_py())
    assert "2024-02-01" in of_today
    assert "dates.latest" not in of_today
    assert "dates.latest" in reason_text(checked(*rows, mapping=limited, latest_on=date(2025, 1, 1)).rejected["reason"][0].as_py())


def test_a_sheet_that_was_chosen_among_several_stands_in_the_proposed_mapping():
    content = (Path(__file__).parent / "malformed" / "files" / "two_order_sheets.xlsx").read_bytes()
    with pytest.raises(BadInput, match="January, February"):
        read_file(content, "orders.xlsx")
    assert propose(read_file(content, "orders.xlsx", sheet="February")).mapping().file.sheet == "February"
