"""What would load wrong money or wrong days in silence is asked about first."""

import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import pyarrow.compute as pc
import pytest
import xlsxwriter

from crm_metrics.data_import.check import Checked, check_rows
from crm_metrics.data_import.mapping import Mapping, from_dict, parse_mapping
from crm_metrics.data_import.proposal import Proposal, propose
from crm_metrics.data_import.raw_table import RawTable
from crm_metrics.data_import.read_file import read_file
from crm_metrics.metric import BadInput


def raw_of(*lines: str) -> RawTable:
    return read_file(("\n".join(lines) + "\n").encode(), "orders.csv")


def proposal_of(*lines: str) -> Proposal:
    return propose(raw_of(*lines))


def loaded(*lines: str) -> Checked:
    raw = raw_of(*lines)
    return check_rows(raw, propose(raw).mapping())


def net(result: Checked) -> Decimal:
    return pc.sum(result.lines["net_amount"]).as_py()


def workbook(*rows: Sequence[object]) -> RawTable:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"default_date_format": "dd/mm/yyyy"}) as book:
        for at, row in enumerate(rows):
            book.add_worksheet().write_row(0, 0, row) if not book.worksheets() else book.worksheets()[0].write_row(at, 0, row)
    return read_file(content.getvalue(), "orders.xlsx")


# ── amounts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

BY_LINE = "Order ID,Customer ID,Date,Product,Quantity,Price"


@pytest.mark.parametrize("name", ["Amount", "total_price", "实付金额"])
def test_an_order_total_repeated_on_its_lines_is_never_added_up_whatever_its_name(name):
    """Truth by hand: 50 + 40 + 30 = 120; added up by line it would be 210."""
    lines: tuple[str, ...] = ("1,A,2024-01-31,p1,2,10.00,50.00", "1,A,2024-01-31,p2,1,30.00,50.00", "2,B,2024-02-01,p1,1,10.00,40.00")
    lines += ("2,B,2024-02-01,p2,1,30.00,40.00", "3,A,2024-02-02,p2,1,30.00,30.00")
    found = proposal_of(f"{BY_LINE},{name}", *lines)
    with pytest.raises(BadInput, match="total of the whole order"):
        found.mapping()
    with pytest.raises(BadInput, match="undecided"):
        parse_mapping(found.to_toml())
    decided = parse_mapping("\n".join(line for line in found.to_toml().splitlines() if not line.startswith("undecided")))
    assert net(check_rows(raw_of(f"{BY_LINE},{name}", *lines), decided)) == 120


def test_an_amount_that_is_the_same_on_all_lines_of_every_order_is_asked_about_without_a_price_too():
    lines = ("1,A,2024-01-31,50", "1,A,2024-01-31,50", "2,B,2024-02-01,40", "2,B,2024-02-01,40", "3,A,2024-02-02,30")
    with pytest.raises(BadInput, match="total of the whole order"):
        proposal_of("Order ID,Customer ID,Date,Amount", *lines).mapping()


def test_a_line_total_called_total_that_is_quantity_times_price_is_a_line_amount():
    assert net(loaded(f"{BY_LINE},Total", "1,A,2024-01-31,p1,2,10.00,20.00", "1,A,2024-01-31,p2,1,30.00,30.00")) == 50


@pytest.mark.parametrize("name", ["discount", "discount_amount", "Lineitem discount", "优惠金额"])
def test_a_discount_beside_quantity_and_price_is_asked_about(name):
    """Truth by hand: 2 x 10 - 5 + 10 + 30 - 3 = 52; without the discount 60."""
    lines = ("1,A,2024-01-31,2,10.00,5.00", "2,B,2024-02-01,1,10.00,0", "3,A,2024-02-02,1,30.00,3.00")
    head = f"order_id,customer_id,order_date,quantity,unit_price,{name}"
    with pytest.raises(BadInput, match=name):
        proposal_of(head, *lines).mapping()
    with pytest.raises(BadInput, match="undecided"):
        parse_mapping(proposal_of(head, *lines).to_toml())


def test_a_discount_of_nothing_is_no_doubt():
    assert net(loaded("order_id,customer_id,order_date,quantity,unit_price,discount", "1,A,2024-01-31,2,10.00,0")) == 20


def test_an_amount_before_the_discount_is_asked_about_and_one_after_it_is_read():
    head = "order_id,customer_id,order_date,quantity,unit_price,discount,amount"
    with pytest.raises(BadInput, match="discount"):
        proposal_of(head, "1,A,2024-01-31,2,10.00,5.00,20.00").mapping()
    assert net(loaded(head, "1,A,2024-01-31,2,10.00,5.00,15.00")) == 15


def test_an_amount_is_never_proposed_by_its_content_beside_quantity_and_price():
    found = proposal_of(
        "order_id,customer_id,order_date,quantity,unit_price,rebate", "1,A,2024-01-31,2,10.00,5.00", "2,A,2024-01-31,2,10.00,3.00"
    )
    assert {field.target: field.column for field in found.fields}["amount"] is None
    assert 'amount = "' not in found.to_toml()


def test_a_doubtful_mark_stays_unset_so_that_the_importer_asks_too():
    lines = ("Order ID,Customer,Order Date,Total", "1,A,2024-01-31,1.234", "2,B,2024-02-01,15")
    mapping = parse_mapping(proposal_of(*lines).to_toml())
    assert mapping.numbers.decimal is None
    with pytest.raises(BadInput, match=r"numbers\.decimal"):
        check_rows(raw_of(*lines), mapping)


@pytest.mark.parametrize("more", [(), ('3,A,2024-02-01,1.250,"12,50"',)])
def test_two_decimal_marks_in_two_columns_are_asked_about(more):
    lines = ("Order ID,Customer ID,Date,Quantity,Price", '1,A,2024-01-31,2.5,"12,50"', '2,A,2024-01-31,1.5,"10,00"', *more)
    with pytest.raises(BadInput, match=r"point.*comma|comma.*point"):
        proposal_of(*lines).mapping()
    parse_mapping(proposal_of(*lines).to_toml())


# ── columns that nobody reads ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_payment_status_voids_what_failed_and_what_was_refunded():
    head = "Order ID,Customer ID,Order Date,Total,Payment Status,Fulfillment Status"
    lines = ("1,A,2024-01-31,10.00,Paid,Shipped", "2,B,2024-01-31,20.00,Failed,Unfulfilled", "3,B,2024-01-31,20.00,Refunded,Cancelled")
    assert net(loaded(head, *lines)) == 10


def test_a_second_status_that_voids_what_the_first_sells_is_asked_about():
    head = "Order ID,Customer ID,Order Date,Total,Order Status,Payment Status"
    assert net(loaded(head, "1,A,2024-01-31,10.00,Completed,Paid")) == 10
    with pytest.raises(BadInput, match="Payment Status"):
        proposal_of(head, "1,A,2024-01-31,10.00,Completed,Refunded").mapping()


def test_a_type_that_says_refund_beside_a_positive_amount_is_asked_about():
    head = "Order ID,Customer ID,Order Date,Total,Type"
    with pytest.raises(BadInput, match="Type"):
        proposal_of(head, "1,A,2024-01-31,10.00,Sale", "2,B,2024-02-01,11.00,Refund").mapping()
    assert net(loaded(head, "1,A,2024-01-31,10.00,Sale", "2,B,2024-02-01,-4.00,Refund")) == 6


def test_an_amount_refunded_beside_the_sale_is_asked_about():
    head = "Order ID,Customer ID,Order Date,Quantity,Unit Price,Refund Amount"
    with pytest.raises(BadInput, match="Refund Amount"):
        proposal_of(head, "1,A,2024-01-31,1,10,10", "2,B,2024-02-01,1,20,0").mapping()
    assert net(loaded(head, "1,A,2024-01-31,1,10,0", "2,B,2024-02-01,1,20,0")) == 30


def test_what_was_read_as_what_and_what_was_not_read_is_told():
    lines = ("Order ID,Customer ID,Order Date,Total,Colour", "1,A,2024-01-31,10.00,red")
    found, result = proposal_of(*lines), loaded(*lines)
    assert (
        found.read_columns
        == result.read_columns
        == {"order": "Order ID", "customer": "Customer ID", "date": "Order Date", "amount": "Total"}
    )
    assert found.unused_columns == result.unused_columns == ("Colour",)


def test_two_currencies_are_told_with_the_proposal():
    found = proposal_of("Order ID,Customer ID,Order Date,Total,Currency", "1,A,2024-01-31,10.00,EUR", "2,B,2024-02-01,11.00,USD")
    with pytest.raises(BadInput, match="EUR, USD"):
        found.mapping()
    signs = proposal_of("Order ID,Customer ID,Order Date,Total", "1,A,2024-01-31,€10.00", "2,B,2024-02-01,$11.00")
    with pytest.raises(BadInput, match=r"\$, €"):
        signs.mapping()


# ── dates ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_dates_that_an_american_excel_swapped_are_asked_about():
    """D/M/Y opened by an American Excel: days up to 12 become dates with day and month swapped, the others stay text."""
    head = ["Order ID", "Customer ID", "Order Date", "Total"]
    raw = workbook(head, ["1", "A", datetime(2024, 5, 2), 10], ["2", "A", "13/02/2024", 10], ["3", "B", datetime(2024, 12, 3), 10])
    with pytest.raises(BadInput, match="swapped"):
        propose(raw).mapping()
    columns = {"order": "Order ID", "customer": "Customer ID", "date": "Order Date", "amount": "Total"}
    with pytest.raises(BadInput, match="swapped"):
        check_rows(raw, from_dict({"columns": columns}))
    whole = workbook(head, ["1", "A", datetime(2024, 5, 22), 10], ["2", "A", "13/02/2024", 10])
    assert check_rows(whole, propose(whole).mapping()).lines.num_rows == 2


def test_a_year_day_and_month_is_never_read_as_year_month_and_day():
    lines = ("order,customer,date,amount", "1,A,2024-31-01,10", *(f"{at},B,2024-{at:02d}-02,11" for at in range(2, 13)))
    with pytest.raises(BadInput, match="2024-31-01"):
        loaded(*lines)
    columns: dict[str, object] = {"columns": {name: name for name in ("order", "customer", "date", "amount")}}
    with pytest.raises(BadInput, match="2024-31-01"):
        check_rows(raw_of(*lines), from_dict(columns))
    told: Mapping = from_dict(columns | {"dates": {"formats": ["%Y-%d-%m"]}})
    assert check_rows(raw_of(*lines), told).lines["ordered_on"][1].as_py().isoformat() == "2024-02-02"
    assert check_rows(raw_of(*lines, "99,B,2024-02-28,11"), from_dict(columns)).rejected.num_rows == 1


def test_the_only_date_column_is_named_with_the_value_that_can_not_be_read():
    with pytest.raises(BadInput, match=r"Order Date.*31\.01\.24.*dates\.formats"):
        proposal_of("Order ID,Customer ID,Order Date,Total", "1,A,31.01.24,10", "2,B,01.02.24,11").mapping()
    with pytest.raises(BadInput, match=r"Total.*ten"):
        proposal_of("Order ID,Customer ID,Order Date,Total", "1,A,2024-01-31,ten", "2,B,2024-01-31,five").mapping()


def test_one_bad_cell_does_not_refuse_a_small_file():
    result = loaded("Order ID,Customer ID,Order Date,Total", "1,A,2024-01-31,10", "2,B,2024-01-31,11", "3,B,soon,12", "4,B,2024-02-01,12")
    assert (result.lines.num_rows, result.rejected["row_number"].to_pylist()) == (3, [4])


# ── customers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_address_knows_customers_better_than_a_name():
    result = loaded(
        "Order ID,Customer,Email,Order Date,Total", "1,John Smith,js1@x.com,2024-01-31,1", "2,John Smith,js2@y.com,2024-02-01,1"
    )
    assert result.lines["customer_id"].to_pylist() == ["js1@x.com", "js2@y.com"]


def test_a_shopify_export_waits_for_the_discount_and_then_comes_out_right():
    """Truth by hand: 40 + 20 - 10, an order wholly refunded, 60 + 7.50: 117.50. The currency stands on the first line of an order only."""
    head = "Name,Email,Financial Status,Currency,Subtotal,Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price"
    lines = (
        "#1001,a@x.com,paid,USD,50.00,10.00,2024-01-31,2,Mug,20.00",
        "#1001,a@x.com,,,,,2024-01-31,1,Cup,20.00",
        "#1002,b@x.com,refunded,USD,20.00,0.00,2024-02-01,1,Mug,20.00",
        "#1003,B@x.com,paid,USD,67.50,0.00,2024-02-03,3,Mug,20.00",
        "#1003,B@x.com,,,,,2024-02-03,1,Tea,7.50",
    )
    proposed = proposal_of(head, *lines).to_toml()
    assert proposed.startswith('undecided = ["Discount Amount"]')
    decided = proposed.replace('undecided = ["Discount Amount"]', 'money.amount = "gross"').replace("# discount =", "discount =")
    result = check_rows(raw_of(head, *lines), parse_mapping(decided))
    assert (net(result), result.rejected.num_rows) == (Decimal("117.50"), 0)
