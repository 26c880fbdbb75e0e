"""A mapping means what it says: built-in ones, mistakes told all at once, and what each setting does to a row."""

import re
import tomllib
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_metrics.data_import.check import Checked, check_rows
from crm_metrics.data_import.date_formats import contradiction
from crm_metrics.data_import.header_names import HEADERS
from crm_metrics.data_import.mapping import TARGETS, as_toml, built_in_names, from_dict, load_mapping, mapping_hash, parse_mapping
from crm_metrics.data_import.number_marks import find_marks
from crm_metrics.data_import.proposal import propose
from crm_metrics.data_import.read_file import read_file
from crm_metrics.data_import.toml_text import as_toml_text
from crm_metrics.metric import BadInput

DOCUMENT = Path(__file__).parent.parent / "docs" / "mapping.md"
COLUMNS = {name: name for name in ("order", "customer", "date", "quantity", "amount")}


def checked(text: str, columns: str = "", **settings) -> Checked:
    """Check rows written like a small table; every header is its own target unless `columns` says otherwise."""
    lines = [",".join(cell.strip() for cell in line.split("|")) for line in text.strip().splitlines()]
    header = lines[0].split(",")
    names = {name: name for name in header} if not columns else dict(pair.split("=") for pair in columns.split())
    return check_rows(read_file("\n".join(lines).encode(), "orders.csv"), from_dict({"columns": names, **settings}))


def amounts(result: Checked, column: str = "net_amount") -> list[Decimal | None]:
    return result.lines[column].to_pylist()


def proposal_of(text: str):
    return propose(read_file(text.encode(), "orders.csv"))


# ── the mapping itself ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_mappings_that_come_with_the_product_are_all_described():
    of_orders, of_tables = {"cdnow", "online_retail", "superstore"}, {"campaign_test", "complete_journey", "telco"}
    of_crm = {"crm_plain", "crm_sales_opportunities", "hubspot", "hubspot_fivetran", "salesforce", "salesforce_fivetran"}
    assert set(built_in_names()) == of_orders | of_tables | of_crm
    assert [name for name in built_in_names() if f"`{name}`" not in DOCUMENT.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("name", ["cdnow", "online_retail", "superstore"])
def test_a_mapping_written_as_toml_is_read_back_as_the_same(name):
    mapping = load_mapping(name)
    assert parse_mapping(as_toml(mapping)) == mapping


def test_every_example_in_the_document_is_a_valid_mapping():
    examples = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 4
    for example in examples:
        assert parse_mapping(example) == parse_mapping(as_toml(parse_mapping(example)))


def test_the_document_names_every_target_and_setting():
    document = DOCUMENT.read_text(encoding="utf-8")
    mapping = load_mapping("cdnow")
    settings = [
        name
        for part in (mapping, mapping.orders, mapping.dates, mapping.numbers, mapping.money, mapping.file, mapping.customers)
        for name in type(part).model_fields
    ]
    assert [name for name in [*TARGETS, *settings] if name not in document] == []
    assert set(HEADERS) == set(TARGETS)


def test_words_do_not_change_what_a_mapping_means():
    plain = from_dict({"columns": COLUMNS})
    assert mapping_hash(plain) == mapping_hash(from_dict({"columns": COLUMNS, "title": "Our shop", "source": "export"}))
    assert mapping_hash(plain) != mapping_hash(from_dict({"columns": COLUMNS, "orders": {"zero_price": "gift"}}))


def test_a_mistyped_name_is_answered_with_the_one_that_is_meant():
    with pytest.raises(BadInput, match="Did you mean online_retail"):
        load_mapping("online_retial")
    with pytest.raises(BadInput, match="Did you mean customer"):
        from_dict({"columns": {"custommer": "a"}})


def test_all_mistakes_are_told_at_once_each_with_its_key():
    with pytest.raises(BadInput) as told:
        parse_mapping(
            'columns = { order = "a", date = "b" }\ndates.formats = ["%d/%m/%Y", "%m/%d/%Y"]\n'
            'numbers = { decimal = ",", thousands = "," }\n'
        )
    for words in ("columns.customer", "columns.amount", "dates.formats", "numbers"):
        assert words in str(told.value)
    with pytest.raises(BadInput) as told:
        parse_mapping('[orders]\nid = "x"\n[dates]\ntime_zone = "Mars/Olympus"\nformats = ["%Q"]\n[money]\ncurrency = "euro"\nrate = 2\n')
    for words in ("orders.id", "dates.time_zone", "dates.formats.0", "money.currency", "money.rate "):
        assert words in str(told.value)


def test_every_missing_column_is_named_with_those_that_are_there():
    with pytest.raises(BadInput) as told:
        check_rows(read_file(b"a,b,c\nx,2024-01-31,2\n", "orders.csv"), from_dict({"columns": COLUMNS}))
    for name in COLUMNS:
        assert f"columns.{name}: there is no column {name}. The columns are: a, b, c." in str(told.value)


@given(st.dictionaries(st.text(min_size=1), st.text() | st.integers() | st.booleans() | st.lists(st.text()) | st.dates(), max_size=4))
def test_any_plain_toml_is_read_back(written):
    assert tomllib.loads(as_toml_text({"first": written})) == {"first": written}


def test_two_formats_contradict_each_other_only_if_one_text_is_two_days():
    assert contradiction(("%d/%m/%Y", "%m/%d/%Y %H:%M")) is None
    assert contradiction(("%Y-%m-%d", "%Y-%d-%m")) == ("%Y-%m-%d", "%Y-%d-%m")
    assert contradiction(("%m/%d/%Y", "%d.%m.%Y", "%Y%m%d")) is None


# ── what the settings do ────────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_of_a_customer_and_day_are_one_order_and_anonymous_rows_one_each():
    result = checked(
        """customer | date       | amount
           C1       | 2024-01-31 | 2
           C1       | 2024-01-31 | 3
           C1       | 2024-02-01 | 4
                    | 2024-01-31 | 5
                    | 2024-01-31 | 5""",
        orders={"id": "per_customer_day"},
    )
    orders = result.lines["order_id"].to_pylist()
    assert orders[:3] == ["C1 2024-01-31", "C1 2024-01-31", "C1 2024-02-01"]
    assert len(set(orders)) == 4


def test_a_credit_note_is_a_return_and_one_with_positive_amounts_is_rejected():
    result = checked(
        """order | customer | date       | quantity | unit_price
           5001  | C1       | 2024-01-31 | 2        | 10
           C5002 | C1       | 2024-02-05 | -1       | 10
           C5003 | C1       | 2024-02-05 | 1        | 10
           A9    |          | 2024-02-06 | 1        | -7.5""",
        orders={"cancellation_number": "^C"},
    )
    assert result.lines["line_kind"].to_pylist() == ["sale", "return", "return"]
    assert amounts(result) == [20, -10, Decimal("-7.5")]
    assert result.rejected["row_number"].to_pylist() == [4]


@pytest.mark.parametrize(("zero_price", "kind"), [("gift", "gift"), ("order", "sale")])
def test_a_line_that_costs_nothing_is_what_the_mapping_says(zero_price, kind):
    result = checked("order|customer|date|quantity|unit_price\nA1|C1|2024-01-31|2|0", orders={"zero_price": zero_price})
    assert result.lines["line_kind"].to_pylist() == [kind]


def test_an_adjustment_of_nothing_by_nothing_is_kept_and_is_no_purchase():
    result = checked("order|customer|date|quantity|amount\nA1|C1|2024-01-31|0|0")
    assert result.lines["line_kind"].to_pylist() == ["gift"]
    assert amounts(result) == [Decimal(0)]


def test_a_returned_order_stays_a_purchase_and_its_net_is_nothing():
    result = checked(
        "order|customer|date|amount|status\nA1|C1|2024-01-31|5|Refunded\nA2|C1|2024-01-31|7|paid", orders={"returned_status": ["refunded"]}
    )
    assert result.lines["line_kind"].to_pylist() == ["sale", "sale"]
    assert amounts(result) == [Decimal(0), Decimal(7)]
    assert amounts(result, "gross_amount") == [Decimal(5), Decimal(7)]


@pytest.mark.parametrize(
    ("money", "discount", "expected"),
    [
        ({"amount": "net", "discount": "amount"}, "5", ("25", "5", "20")),
        ({"amount": "gross", "discount": "amount"}, "5", ("20", "5", "15")),
        ({"amount": "net", "discount": "rate"}, "0.2", ("25", "5", "20")),
        ({"amount": "gross", "discount": "rate"}, "0.2", ("20", "4", "16")),
        ({"amount": "gross", "discount": "percent"}, "12.5", ("20", "2.5", "17.5")),
        ({"amount": "net", "discount": "rate"}, "", ("20", "0", "20")),
        ({"amount": "net", "discount": "rate"}, "0.3", ("28.5714", "8.5714", "20")),  # only the derived gross is rounded
    ],
)
def test_gross_less_discount_is_net_whichever_the_file_states(money, discount, expected):
    result = checked(f"order|customer|date|quantity|amount|discount\nA1|C1|2024-01-31|2|20|{discount}", money=money)
    found = [amounts(result, column)[0] for column in ("gross_amount", "discount_amount", "net_amount")]
    assert found == [Decimal(value) for value in expected]


def test_a_discount_needs_to_know_whether_the_amount_is_net():
    with pytest.raises(BadInput, match=r"money\.amount is missing"):
        checked("order|customer|date|amount|discount\nA1|C1|2024-01-31|2|0.1")


def test_a_rate_of_more_than_all_is_rejected():
    result = checked("order|customer|date|amount|discount\nA1|C1|2024-01-31|2|20", money={"amount": "net", "discount": "rate"})
    assert result.rejected["column"].to_pylist() == ["discount"]


@pytest.mark.parametrize(
    ("head", "value", "money", "cost"),
    [("cost", "3", {}, "3"), ("cost", "3", {"cost": "unit"}, "6"), ("profit", "7.5", {}, "12.5"), ("cost", "", {}, None)],
)
def test_cost_is_of_the_line_the_unit_or_what_profit_leaves_and_unknown_stays_unknown(head, value, money, cost):
    result = checked(f"order|customer|date|quantity|amount|{head}\nA1|C1|2024-01-31|2|20|{value}", money=money)
    assert amounts(result, "cost_amount") == [cost if cost is None else Decimal(cost)]


def test_currencies_are_converted_with_the_rate_and_a_currency_without_one_is_rejected():
    result = checked(
        """order | customer | date       | amount | currency
           A1    | C1       | 2024-01-31 | 10.01  | usd
           A2    | C1       | 2024-01-31 | 10     | €
           A3    | C1       | 2024-01-31 | 10     | GBP""",
        money={"reporting": "EUR", "rates": {"USD": "0.92345678"}, "rates_on": date(2024, 1, 31)},
    )
    assert amounts(result) == [Decimal("9.2438"), 10]
    assert result.lines["currency"].to_pylist() == ["USD", "EUR"]
    assert result.lines["rate_to_reporting"].to_pylist() == [Decimal("0.92345678"), 1]
    assert result.rejected["row_number"].to_pylist() == [4]
    assert result.reporting_currency == "EUR"


def test_a_file_in_one_foreign_currency_is_converted_too():
    money = {"currency": "USD", "reporting": "EUR", "rates": {"USD": "0.5"}, "rates_on": date(2024, 1, 31)}
    assert amounts(checked("order|customer|date|amount\nA1|C1|2024-01-31|3", money=money)) == [Decimal("1.5")]
    with pytest.raises(BadInput, match="USD"):
        checked("order|customer|date|amount\nA1|C1|2024-01-31|3", money={"currency": "USD", "reporting": "EUR"})


def test_a_moment_with_a_zone_falls_on_the_business_day_of_its_zone():
    """The same order is on 1 February in Shanghai and on 31 January in London (traps: time zones)."""
    days = [
        checked("order|customer|date|amount\nA1|C1|2024-01-31T20:30:00Z|3", dates={"time_zone": zone}).lines["ordered_on"].to_pylist()
        for zone in ("Asia/Shanghai", "Europe/London")
    ]
    assert days == [[date(2024, 2, 1)], [date(2024, 1, 31)]]


def test_summer_time_is_that_of_the_moment():
    dates = {"time_zone": "Europe/London"}
    lines = checked("order|customer|date|amount\nA1|C1|2024-07-01T11:00:00Z|3\nA2|C1|2024-12-01T11:00:00Z|3", dates=dates).lines
    assert lines["ordered_at"].to_pylist() == [datetime(2024, 7, 1, 12), datetime(2024, 12, 1, 11)]


def test_keys_constants_kinds_and_folded_addresses():
    result = checked(
        """order | customer  | date       | amount | line | segment
           A1    | Ann@x.org | 2024-01-31 | 3      | 1    | Consumer
           A2    | ann@X.org | 2024-01-31 | 3      | 2    | Corporate""",
        "order=order customer=customer date=date amount=amount customer_kind=segment",
        orders={"key": ["order", "line"]},
        constants={"sales_channel": "web"},
        customers={"kinds": {"Consumer": "person", "corporate": "company"}, "is_case_folded": True},
    )
    lines = result.lines
    assert lines["row_key"].to_pylist() == ["A1\x1f1", "A2\x1f2"]
    assert set(lines["customer_id"].to_pylist()) == {"ann@x.org"}
    assert lines["customer_kind"].to_pylist() == ["person", "company"]
    assert set(lines["sales_channel"].to_pylist()) == {"web"}
    assert result.unused_columns == ()


# ── proposals ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_known_header_is_proposed_by_its_mapping_s_name():
    head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    found = proposal_of(f"{head}\n536365,85123A,LAMP,6,2010-12-01 08:26:00,2.55,17850,United Kingdom")
    assert (found.built_in, found.mapping()) == ("online_retail", load_mapping("online_retail"))


def test_a_proposal_printed_as_toml_is_the_mapping_it_stands_for():
    found = proposal_of("Order ID,Customer ID,Order Date,Sales,Region\nA1,C1,31/01/2024,2.50,East\nA1,C1,31/01/2024,3.50,East\n")
    assert mapping_hash(parse_mapping(found.to_toml())) == mapping_hash(found.mapping())
    assert "# Customer ID fits by its name and its values." in found.to_toml()


def test_every_doubt_is_told_and_nothing_uncertain_is_used():
    found = proposal_of("Id,Date,Price\n1,01/02/2024,5.00\n1,03/04/2024,6.00\n2,03/04/2024,6.00\n")
    assert not found.is_certain
    with pytest.raises(BadInput) as told:
        found.mapping()
    for words in ("customer:", "date:", "amount:", "day or month first"):
        assert words in str(told.value)


def test_the_total_of_an_order_repeated_on_its_lines_is_not_added_up():
    head = "Order ID,Email,Created at,Total,Lineitem quantity,Lineitem price\n"
    found = proposal_of(
        head + "A1,a@x.org,2024-01-31,30.00,1,10.00\nA1,a@x.org,2024-01-31,30.00,2,10.00\nA2,b@x.org,2024-01-31,5.00,1,5.00\n"
    )
    assert parse_mapping(found.to_toml()) == found.mapping()
    result = check_rows(read_file((head + "A1,A@x.org,2024-01-31,30.00,2,10.00\n").encode(), "b.csv"), found.mapping())
    assert amounts(result) == [20]
    assert result.lines["customer_id"].to_pylist() == ["a@x.org"]


def test_a_status_that_is_not_understood_is_a_doubt_because_it_may_mean_no_sale():
    head = "Order ID,Customer ID,Date,Amount,Status\n"
    assert proposal_of(head + "A1,C1,2024-01-31,3.00,paid\nA2,C1,2024-01-31,3.00,cancelled\n").mapping().orders.cancelled_status == (
        "cancelled",
    )
    with pytest.raises(BadInput, match="chargeback"):
        proposal_of(head + "A1,C1,2024-01-31,3.00,chargeback\n").mapping()


def test_dates_with_a_zone_wait_for_the_zone_of_the_business_day():
    with pytest.raises(BadInput, match="time_zone"):
        proposal_of("Order ID,Customer ID,Created at,Amount\nA1,C1,2024-01-31 10:00:00 -0500,3.00\n").mapping()


@given(
    st.lists(st.decimals(0, 10**7, places=2), min_size=1, max_size=20), st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'")])
)
def test_the_marks_of_amounts_with_cents_are_found(numbers, marks):
    decimal, thousands = marks
    texts = [f"{number:,.2f}".translate({ord(","): thousands, ord("."): decimal}) for number in numbers]
    found, doubt = find_marks(texts)
    assert found is not None
    assert (found.decimal, doubt) == (decimal, "")
    assert found.thousands in ("", thousands)


def test_a_proposal_reads_the_amounts_it_was_made_from():
    rows = pa.table(
        {
            "Bestellnummer": ["A1", "A2"],
            "Kundennummer": ["1", "2"],
            "Datum": ["31.01.2024", "01.02.2024"],
            "Betrag": ["1.234,50 €", "7,00 €"],
        }
    )
    text = "\n".join(";".join(row) for row in [rows.column_names, *(list(row.values()) for row in rows.to_pylist())])
    found = proposal_of(text)
    result = check_rows(read_file(text.encode(), "b.csv"), found.mapping())
    assert pc.sum(result.lines["net_amount"]).as_py() == Decimal("1241.50")
    assert result.reporting_currency == "EUR"


def test_a_quantity_of_three_decimals_is_explained_by_amounts_with_cents():
    """ERP systems write 2.000 for two pieces; alone it could be two thousand."""
    head = "Order ID,Customer ID,Date,Quantity,Amount\n"
    raw = read_file((head + "A1,C1,2024-01-31,2.000,12.50\n").encode(), "erp.csv")
    assert amounts(check_rows(raw, propose(raw).mapping()), "quantity") == [Decimal(2)]
    with pytest.raises(BadInput, match=r"2\.000"):
        proposal_of(head + "A1,C1,2024-01-31,2.000,12\n").mapping()
    with pytest.raises(BadInput, match=r"numbers\.decimal"):
        checked("order|customer|date|quantity|amount\nA1|C1|2024-01-31|2.000|12")
