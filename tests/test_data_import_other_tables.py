"""Files of other tables than order lines: contracts, campaigns, customers. Every row is accounted for, and an undo leaves no trace."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select
from test_data_import_doubts import workbook
from test_data_import_load import counts, stored
from typer.testing import CliRunner

from crm_metrics import cli
from crm_metrics.data_import import room
from crm_metrics.data_import.check_tables import CheckedTables, NotNeededError, name_of
from crm_metrics.data_import.load import checked_file, import_file
from crm_metrics.data_import.mapping import Mapping, as_toml, built_in_names, from_dict, load_mapping, mapping_hash, parse_mapping
from crm_metrics.data_import.proposal import propose
from crm_metrics.data_import.read_file import read_file
from crm_metrics.data_import.report import TABLE_LABELS, ImportReport
from crm_metrics.data_import.row_tables import TABLES
from crm_metrics.data_import.undo import undo
from crm_metrics.database import DataSet, open_source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput
from crm_metrics.schema import campaign_arms, campaign_members, campaigns, contracts, customers, order_facts, products

CONTRACTS = {
    "table": "contracts",
    "columns": {"contract_id": "id", "customer_id": "who", "monthly_amount": "price", "has_churned": "left", "started_on": "since"},
}
BUYERS = {"table": "customers", "columns": {"customer_id": "who"}, "optional": {"customer_name": "name"}}
HEADER = "id,who,price,left,since"


def mapping(*tables: dict[str, Any], **more: Any) -> Mapping:
    return from_dict({"tables": list(tables or (CONTRACTS, BUYERS)), **more})


def load(data_set: DataSet, *rows: str, using: Mapping | None = None, name: str = "contracts.csv", header: str = HEADER) -> ImportReport:
    return import_file(data_set, "\n".join([header, *rows]).encode(), name, using or mapping())


def rows_of(data_set: DataSet, *columns: Any) -> list[tuple[Any, ...]]:
    found = open_source(data_set).arrow(select(*columns).order_by(*columns)).to_pylist()
    return [tuple(row.values()) for row in found]


# ── every row is accounted for ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_a_file_brings_rows_of_several_tables_typed_as_the_database_has_them(any_data_set):
    report = load(any_data_set, "1,a,9.90,No,2024-01-31", "2,a,,YES,")
    assert (report.state, counts(report), report.amount_loaded) == ("loaded", (2, 2, 0, 0), Decimal("9.9"))
    assert dict(report.brought) == {"contracts": 2, "customers": 1}
    columns = [contracts.c[name] for name in ("contract_id", "customer_id", "monthly_amount", "has_churned", "started_on")]
    assert rows_of(any_data_set, *columns) == [("1", "a", Decimal("9.9"), False, date(2024, 1, 31)), ("2", "a", None, True, None)]
    assert rows_of(any_data_set, customers.c.customer_id) == [("a",)]


@pytest.mark.slow
def test_what_cannot_be_read_is_left_out_with_its_reason_and_kept(data_set):
    report = load(data_set, "1,a,9.90,No,2024-01-31", ",b,1,No,", "3,c,x,No,", "4,d,1,perhaps,", "5,e,1,No,2024-02-30", "Total,,10,,")
    assert counts(report) == (6, 1, 0, 5)
    said = [str(reason) for reason in report.reasons]
    for words in (
        "Row 3: id is empty",
        "Row 4: price 'x' is not a number",
        "Row 5: left 'perhaps' is neither",
        "Row 6: since",
        "Row 7 is a total",
    ):
        assert any(words in reason for reason in said)
    kept = open_source(data_set)(room.rows_left_out())
    assert list(kept.row_number) == [3, 4, 5, 6, 7]
    assert '"price": "x"' in kept.raw[1]


@pytest.mark.slow
def test_the_same_file_again_changes_nothing_and_its_undo_leaves_nothing(any_data_set):
    load(any_data_set, "1,a,9.90,No,")
    assert load(any_data_set, "1,a,9.90,No,", name="again.csv").state == "unchanged"
    assert undo(any_data_set, 1).state == "undone"
    assert [rows for rows in stored(any_data_set).values() if rows and rows[0][0][0] not in ("setting",)] == []


@pytest.mark.slow
def test_a_key_that_another_batch_holds_is_a_duplicate_or_a_contradiction(any_data_set):
    load(any_data_set, "1,a,9.90,No,", "2,b,5,No,")
    report = load(any_data_set, "1,a,9.9,no,", "2,b,5,Yes,", "3,c,7,No,", "3,c,7.00,No,", "3,c,8,No,")
    assert counts(report) == (5, 1, 2, 2)
    assert [(reason.left_out_as, reason.row_numbers) for reason in report.reasons] == [
        ("quarantined", (3,)),
        ("quarantined", (6,)),
        ("duplicate", (2,)),
        ("duplicate", (5,)),
    ]
    assert report.amount_loaded + report.amount_duplicate + report.amount_quarantined == Decimal("36.9")


@pytest.mark.slow
def test_a_row_whose_customer_is_known_already_still_brings_its_contract(data_set):
    using = mapping({"table": "customers", "columns": {"customer_id": "who"}}, {"table": "contracts", "columns": {"contract_id": "id"}})
    assert counts(load(data_set, "1,a", "2,a", "1,a", using=using, header="id,who")) == (3, 1, 2, 0)
    assert dict(load(data_set, "3,a", "2,a", using=using, header="id,who").brought) == {"customers": 0, "contracts": 1}
    assert rows_of(data_set, contracts.c.contract_id) == [("1",), ("2",), ("3",)]


@pytest.mark.slow
@pytest.mark.parametrize("undone", [1, 2])
def test_after_an_undo_the_state_is_that_of_importing_the_remaining_files(tmp_path, undone):
    """The first file decides on contracts 1 and 2, the campaign of both is named by both, and the third file repeats the second."""
    from crm_metrics.database import find_data_set

    files = [("1,a,9,No,", "2,b,5,No,"), ("1,a,9,No,", "2,b,6,No,", "3,c,7,No,"), ("2,b,6,No,", "3,c,7,No,", "4,d,1,No,", "4,d,2,No,")]
    campaign = {"table": "campaigns", "constants": {"campaign_id": "spring", "is_randomised": True}}
    using = mapping(CONTRACTS, BUYERS, campaign)
    one, other = (find_data_set(f"duckdb:///{tmp_path}/{name}.duckdb") for name in ("one", "other"))
    for place, rows in enumerate(files, 1):
        load(one, *rows, using=using)
        if place != undone:
            load(other, *rows, using=using)
    promoted = undo(one, undone).rows_promoted
    assert promoted == {1: 2, 2: 1}[undone]
    assert stored(one) == stored(other)


@pytest.mark.slow
def test_another_mapping_replaces_the_batch(any_data_set):
    load(any_data_set, "1,a,9,No,")
    report = load(any_data_set, "1,a,9,No,", using=mapping({**CONTRACTS, "constants": {"contract_kind": "monthly"}}))
    assert (report.state, counts(report)) == ("replaced", (1, 1, 0, 0))
    assert rows_of(any_data_set, contracts.c.contract_kind) == [("monthly",)]
    assert rows_of(any_data_set, customers.c.customer_id) == []


# ── customers and products ──────────────────────────────────────────────────────────────────────────────────────────────

PEOPLE = mapping(
    {
        "table": "customers",
        "columns": {"customer_id": "Id"},
        "optional": {"customer_name": "Name", "has_consent": "Newsletter", "acquisition_channel": "Channel", "acquisition_cost": "Cost"},
        "values": {"has_consent": {"opted in": True, "opted out": False}},
    },
    money={"currency": "EUR"},
)


@pytest.mark.slow
def test_a_file_of_customers_says_who_consents_and_a_later_one_knows_better(any_data_set):
    def people(*rows: str) -> ImportReport:
        return load(any_data_set, *rows, using=PEOPLE, header="Id,Name,Newsletter,Channel,Cost", name="people.csv")

    people("1,Ann,opted in,web,12.5", "2,Bob,opted out,,", "3,Eve,,,")
    report = people("1,Ann,opted in,,", "2,Bob,Opted In,web,3")
    assert counts(report) == (2, 1, 1, 0)
    columns = [customers.c[name] for name in ("customer_id", "customer_name", "has_consent", "acquisition_cost")]
    expected = [("1", "Ann", True, Decimal("12.5")), ("2", "Bob", True, Decimal(3)), ("3", "Eve", None, None)]
    assert rows_of(any_data_set, *columns) == expected
    undo(any_data_set, 2)
    assert rows_of(any_data_set, *columns) == [expected[0], ("2", "Bob", False, None), expected[2]]


@pytest.mark.slow
def test_a_batch_says_one_thing_of_a_customer_also_after_an_undo(data_set):
    """The second file says two things of Ann, of which the first batch held the later one."""
    load(data_set, "1,Ann,,,", using=PEOPLE, header="Id,Name,Newsletter,Channel,Cost", name="one.csv")
    report = load(data_set, "1,Anne,,,", "1,Ann,,,", using=PEOPLE, header="Id,Name,Newsletter,Channel,Cost", name="two.csv")
    assert counts(report) == (2, 1, 0, 1)
    undo(data_set, 1)
    assert stored(data_set)["customer_records"] != []
    assert rows_of(data_set, customers.c.customer_name) == [("Anne",)]


@pytest.mark.slow
def test_a_customer_stays_while_one_batch_that_names_him_is_loaded(any_data_set):
    """When the first is taken back, the second file says what the third says too; the third then goes, and the second remains."""
    for name, channel in (("one.csv", ""), ("two.csv", ""), ("three.csv", "web")):
        others = [f"{name},Z,,,"] if name == "two.csv" else []
        load(any_data_set, f"1,Ann,,{channel},", *others, using=PEOPLE, header="Id,Name,Newsletter,Channel,Cost", name=name)
    undo(any_data_set, 1)
    undo(any_data_set, 3)
    assert rows_of(any_data_set, customers.c.customer_name) == [("Ann",), ("Z",)]


@pytest.mark.slow
def test_a_file_of_products_gives_the_orders_their_categories(any_data_set):
    orders = from_dict({"columns": {"order": "order", "customer": "customer", "date": "date", "amount": "amount", "product": "product"}})
    import_file(any_data_set, b"order,customer,date,amount,product\n1,a,2024-01-31,10,p\n", "orders.csv", orders)
    using = mapping({"table": "products", "columns": {"product_id": "product", "category": "kind"}})
    load(any_data_set, "p,tea", "q,cups", using=using, header="product,kind")
    assert rows_of(any_data_set, products.c.product_id, products.c.category) == [("p", "tea"), ("q", "cups")]
    assert rows_of(any_data_set, order_facts.c.order_id) == [("1",)]


# ── a randomised campaign ───────────────────────────────────────────────────────────────────────────────────────────────

TEST = load_mapping("campaign_test")
ARMS = "arm,spend,visited,bought"


@pytest.mark.slow
def test_equal_rows_of_a_campaign_are_different_people(any_data_set):
    report = load(any_data_set, *["control,0,0,0"] * 40, *["treated,1.5,1,0"] * 60, using=TEST, name="spring sale.csv", header=ARMS)
    assert counts(report) == (100, 100, 0, 0)
    members = campaign_members.c
    sums = select(members.campaign_id, members.arm, func.count().label("people"), func.sum(members.outcome_spend).label("spend"))
    found = open_source(any_data_set).arrow(sums.group_by(members.campaign_id, members.arm).order_by(members.arm)).to_pylist()
    assert [tuple(row.values()) for row in found] == [("spring sale", "control", 40, 0), ("spring sale", "treated", 60, 90)]
    assert rows_of(any_data_set, campaigns.c.campaign_id, campaigns.c.is_randomised) == [("spring sale", True)]


@pytest.mark.slow
def test_a_campaign_of_25_000_people_loses_no_row_however_often_it_comes(any_data_set):
    draws = np.random.default_rng(7)
    arms, bought = draws.choice(["No E-Mail", "E-Mail"], 25_000), draws.random(25_000) < 0.05
    rows = [f"{arm},{10 * there:d},{there:d},{there:d}" for arm, there in zip(arms, bought, strict=True)]
    assert len(set(rows)) == 4
    assert counts(load(any_data_set, *rows, using=TEST, header=ARMS)) == (25_000, 25_000, 0, 0)
    assert counts(load(any_data_set, *rows, using=TEST, header=ARMS)) == (25_000, 0, 25_000, 0)
    assert counts(load(any_data_set, *rows, "E-Mail,3,1,1", using=TEST, header=ARMS)) == (25_001, 1, 25_000, 0)
    undo(any_data_set, 1)
    assert rows_of(any_data_set, func.count(campaign_members.c.member_id)) == [(25_001,)]
    undo(any_data_set, 2)
    assert rows_of(any_data_set, func.count(campaign_members.c.member_id)) == [(0,)]


def test_a_campaign_whose_control_nobody_knows_is_refused_with_its_arms(data_set):
    with pytest.raises(BadInput, match="Its values are: A, B"):
        load(data_set, "A,1,1,1", "B,1,1,0", using=TEST, header=ARMS)


@pytest.mark.slow
def test_a_copied_mapping_says_what_is_in_no_file(data_set):
    written = load_mapping("campaign_test").model_dump(exclude_defaults=True)
    tables = written["layouts"][0]["tables"]
    tables[0]["values"]["arm"] = {"A": "control", "B": "half price"}
    tables[1]["constants"] |= {"started_on": date(2024, 3, 1), "budget_amount": 500}
    shares = [
        {"table": "campaign_arms", "constants": {"campaign_id": "{file}", "arm": arm, "planned_share": share}}
        for arm, share in (("control", 0.25), ("half price", "75 %"))
    ]
    own = parse_mapping(as_toml(from_dict({"layouts": [{**written["layouts"][0], "tables": (*tables, *shares)}]})))
    load(data_set, "A,1,1,1", "B,1,1,0", using=own, header=ARMS, name="march.csv")
    assert rows_of(data_set, campaigns.c.campaign_id, campaigns.c.started_on, campaigns.c.budget_amount) == [
        ("march", date(2024, 3, 1), 500)
    ]
    assert rows_of(data_set, campaign_arms.c.arm, campaign_arms.c.planned_share) == [
        ("control", Decimal("0.25")),
        ("half price", Decimal("0.75")),
    ]


def test_a_workbook_of_two_columns_is_a_table_where_there_is_no_wider_one():
    checked = checked_file(workbook(("arm", "spend"), (0, 1.5), (1, 2.5)), TEST).checked
    assert isinstance(checked, CheckedTables)
    assert checked.brought[0].rows["arm"].to_pylist() == ["control", "treated"]


@pytest.mark.slow
def test_a_value_that_is_none_of_those_asked_for_is_left_out_with_them(data_set):
    using = mapping({"table": "customers", "columns": {"customer_id": "who", "customer_kind": "kind"}})
    report = load(data_set, "a,Person", "b,Firma", using=using, header="who,kind")
    assert [str(reason) for reason in report.reasons] == [
        "Row 3: kind 'Firma' is none of person, company. Say in the mapping which of them it means (values)."
    ]


def test_amounts_of_two_currencies_are_refused_with_what_can_be_done_about_them(data_set):
    with pytest.raises(BadInput, match="Convert them to one currency first"):
        load(data_set, "1,a,$1,No,", "2,b,€2,No,")


PEOPLE_ROWS = ("control,1,1,1", "treated,2,1,0")
MALFORMED = {
    "nothing": "",
    "only a header": f"{ARMS}\n",
    "an arm is empty": f"{ARMS}\ncontrol,1,1,1\n,2,1,0\n",
    "all arms are empty": f"{ARMS}\n,1,1,1\n,2,1,0\n",
    "spend is text": f"{ARMS}\ncontrol,abc,1,1\ntreated,2,1,0\n",
    "spend is negative": f"{ARMS}\ncontrol,-5,1,1\ntreated,2,1,0\n",
    "everything is empty": f"{ARMS}\ncontrol,,,\ntreated,,,\n",
    "a flag is 2": f"{ARMS}\ncontrol,1,2,1\ntreated,2,1,0\n",
    "flags in words": f"{ARMS}\ncontrol,1,yes,no\ntreated,2,TRUE,False\n",
    "capital letters": "ARM,Spend,VISITED,Bought\nControl,1,1,1\nTREATED,2,1,0\n",
    "a byte order mark": "\ufeff" + "\n".join([ARMS, *PEOPLE_ROWS]),
    "semicolons and decimal commas": "arm;spend;visited;bought\ncontrol;1,50;1;1\ntreated;2,00;1;0\n",
    "tabs": "\n".join([ARMS, *PEOPLE_ROWS]).replace(",", "\t"),
    "fields missing and too many": f"{ARMS}\ncontrol,1,1,1\ntreated,2,1\ntreated,2,1,0,9\n",
    "quotes": f'{ARMS}\n"control","1","1","1"\n"treated","2","1","0"\n',
    "an open quote": f'{ARMS}\n"control,1,1,1\ntreated,2,1,0\n',
    "a NUL": f"{ARMS}\ncontrol,1,1,1\ntre\x00ated,2,1,0\n",
    "no header": "\n".join(PEOPLE_ROWS),
    "a column twice": "arm,spend,spend,bought\ncontrol,1,1,1\ntreated,2,1,0\n",
    "arms as a program writes them": f"{ARMS}\n0.0,1,1,1\n1.0,2,1,0\n",
    "arms as yes and no": f"{ARMS}\nFalse,1,1,1\nTrue,2,1,0\n",
    "no spend": "arm,visited\ncontrol,1\ntreated,0\n",
    "no arm": "group,spend\ncontrol,1\ntreated,0\n",
    "a damaged customer": "arm,spend,stratum,customer\ncontrol,1,a,007\ntreated,2,b,1.23E+05\n",
    "a total": f"{ARMS}\ncontrol,1,1,1\ntreated,2,1,0\nTotal,3,2,1\n",
    "a total of a day": f"{ARMS}\ncontrol,1,1,1\ntreated,2,1,0\nSubtotal 2024-01-30,3,2,1\n",
    "blank rows": f"{ARMS}\n\ncontrol,1,1,1\n\n,,,\ntreated,2,1,0\n\n",
    "old line ends": "\r".join([ARMS, *PEOPLE_ROWS]),
    "blanks around": f"{ARMS}\n control , 1 ,1, 1\n treated,2,1,0\n",
    "many decimals": f"{ARMS}\ncontrol,1.123456789,1,1\ntreated,4.44e-16,1,0\n",
    "too large": f"{ARMS}\ncontrol,1e99,1,1\ntreated,99999999999999999999,1,0\n",
    "no numbers": f"{ARMS}\ncontrol,NaN,NaN,1\ntreated,inf,1,0\n",
    "two currencies": f"{ARMS}\ncontrol,$1,1,1\ntreated,€2,1,0\n",
    "a formula": f"{ARMS}\ncontrol,1,1,1\n=cmd|' /C calc'!A0,2,1,0\n",
    "marks of thousands": f'{ARMS}\ncontrol,"1,234.50",1,1\ntreated,2,1,0\n',
    "days that do not exist": "arm,spend,assigned_on\ncontrol,1,31/01/2024\ntreated,2,30/02/2024\n",
    "days of either order": "arm,spend,assigned_on\ncontrol,1,01/02/2024\ntreated,2,03/02/2024\n",
    "JSON": '[{"arm": "control"}]',
}


def outcome(case: str) -> str:
    """What becomes of a malformed file: 'refused', or its rows as in the file = fine + left out."""
    try:
        raw = read_file(MALFORMED[case].encode(), f"{case}.csv")
        checked = checked_file(raw, TEST).checked
    except BadInput:
        return "refused"
    assert isinstance(checked, CheckedTables)
    return f"{raw.row_count} = {checked.judged.num_rows} + {checked.rejected.num_rows}"


def test_more_than_thirty_malformed_files_are_read_or_refused_and_each_row_is_counted():
    found = {case: outcome(case) for case in MALFORMED}
    assert len(found) > 30
    assert {case for case, told in found.items() if told == "refused"} == {
        "nothing",
        "only a header",
        "all arms are empty",
        "an open quote",
        "a NUL",
        "no header",
        "a column twice",
        "no arm",
        "two currencies",
        "days of either order",
        "JSON",
    }
    assert {case: told for case, told in found.items() if told not in ("refused", "2 = 2 + 0")} == {
        "an arm is empty": "2 = 1 + 1",
        "spend is text": "2 = 1 + 1",
        "a flag is 2": "2 = 1 + 1",
        "semicolons and decimal commas": "2 = 0 + 2",
        "fields missing and too many": "3 = 1 + 2",
        "a damaged customer": "2 = 1 + 1",
        "a total": "3 = 2 + 1",
        "a total of a day": "3 = 2 + 1",
        "too large": "2 = 0 + 2",
        "no numbers": "2 = 1 + 1",
        "marks of thousands": "2 = 1 + 1",
        "days that do not exist": "2 = 1 + 1",
    }


# ── mappings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mapping_of_tables_tells_all_its_mistakes_at_once():
    wrong = {
        "table": "contracts",
        "columns": {"contract": "id"},
        "constants": {"has_churned": "perhaps", "contract_id": ""},
        "values": {"contract_kind": {"a": "b"}},
    }
    with pytest.raises(BadInput) as refused:
        from_dict({"tables": [{"table": "contract"}, wrong]})
    for words in (
        "rows of contract.",
        "contracts.columns.contract:",
        "'perhaps'",
        "columns.contract_id is missing",
        "contract_kind is missing",
    ):
        assert words in str(refused.value)


def test_a_mapping_without_tables_has_the_fingerprint_it_had_before_there_were_any():
    assert mapping_hash(load_mapping("superstore")) == "57c4ca4d660faa76d1b08b95a70a5887511fa4d340cdbbf10a1e038001cdb8b7"


def test_every_table_that_a_file_can_bring_has_a_name_for_the_reader():
    assert set(TABLES) == set(TABLE_LABELS)


@pytest.mark.parametrize("name", ["telco", "complete_journey", "campaign_test"])
def test_a_mapping_of_tables_written_as_toml_is_read_back_as_the_same(name):
    assert parse_mapping(as_toml(load_mapping(name))) == load_mapping(name)


def test_a_file_is_recognised_by_its_header_and_a_shop_s_is_none_of_these():
    def recognised(header: str) -> str | None:
        return propose(read_file(f"{header}\n{','.join('1' for _ in header.split(','))}\n".encode(), "x.csv")).built_in

    assert recognised("arm,spend,visited,bought") == "campaign_test"
    assert recognised("campaign_id,household_id") == "complete_journey"
    assert recognised("order,customer,date,amount,arm") is None


def test_the_command_line_prints_a_mapping_to_copy():
    printed = CliRunner().invoke(cli.app, ["mapping", "campaign_test"]).stdout
    assert parse_mapping(printed) == load_mapping("campaign_test")
    assert "campaign_test" in built_in_names()


def test_the_name_of_a_file_is_told_without_its_endings():
    assert name_of("Spring.sale.CSV.gz") == "Spring.sale"


# ── reference data ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_telco_churn_is_26_54_percent_and_by_contract_as_published_ibm(any_data_set, shared_data):
    file = shared_data / "telco" / "Telco-Customer-Churn.csv.gz"
    report = import_file(any_data_set, file.read_bytes(), file.name, load_mapping("telco"))
    assert counts(report) == (7043, 7043, 0, 0)
    held = open_source(any_data_set)(select(contracts.c.contract_kind, contracts.c.has_churned))
    assert round(100 * held.has_churned.astype(float).mean(), 2) == 26.54
    shares = (100 * held.has_churned.astype(float).groupby(held.contract_kind).mean()).round(2)
    assert shares.to_dict() == {"Month-to-month": 42.71, "One year": 11.27, "Two year": 2.83}
    tables = open_source(any_data_set)(room.rows_of_tables())
    tiles = room.tiles(open_source(any_data_set), Filters())
    assert "Contracts 7,043" in room.finding(tiles, tables, data_set="telco")
    assert room.besides_orders(tiles, tables) == ""  # the finding says it
    with_orders = tiles.assign(value=tiles["value"].where(tiles["metric"] != room.LINES.name, 1.0))
    assert "Contracts 7,043" in room.besides_orders(with_orders, tables)


@pytest.mark.slow
def test_complete_journey_loads_whole_84_51(data_set, shared_data):
    files = sorted((shared_data / "completejourney").iterdir())
    not_needed = [file for file in files if file.name.startswith(("coupons", "promotions"))]
    using = load_mapping("complete_journey")
    for file in not_needed:
        with pytest.raises(NotNeededError, match=file.name):
            import_file(data_set, file.read_bytes(), file.name, using)
    loaded = {
        file.name.partition(".")[0]: import_file(data_set, file.read_bytes(), file.name, using) for file in files if file not in not_needed
    }
    assert {name: report.rows_loaded for name, report in loaded.items()} == {
        "campaign_descriptions": 27,
        "campaigns": 6589,
        "coupon_redemptions": 2102,
        "demographics": 801,
        "products": 92_331,
        "transactions_sample": 75_000,
    }
    assert all(report.rows_in == report.rows_loaded for report in loaded.values())
    assert loaded["transactions_sample"].amount_loaded == Decimal("233935.24")
    assert set(rows_of(data_set, campaigns.c.is_randomised)) == {(False,)}
