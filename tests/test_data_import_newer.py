"""Exports of a CRM: a later one takes the place of an earlier one, aliases are named, and what does not join is told."""

from collections import Counter
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import extract, func, select
from test_data_import_load import assert_undo_equals_scratch, counts, stored

from crm_metrics.data_import import room
from crm_metrics.data_import.check_tables import NotNeededError
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import Mapping, from_dict, load_mapping
from crm_metrics.data_import.proposal import propose
from crm_metrics.data_import.read_file import read_file
from crm_metrics.data_import.references import nearest
from crm_metrics.data_import.report import ImportReport
from crm_metrics.data_import.undo import undo
from crm_metrics.database import DataSet, find_data_set, open_source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput
from crm_metrics.schema import customers, employees, opportunities, opportunity_history, products, stages

DEALS = {
    "table": "opportunities",
    "columns": {"opportunity_id": "id", "outcome": "outcome", "deal_amount": "amount"},
    "is_newest": True,
}
CHANGES = {
    "table": "opportunity_history",
    "columns": {"opportunity_id": "id", "change_number": "step", "deal_amount": "amount"},
    "is_newest": True,
}
HEADER = "id,outcome,amount"
WITH_STEPS = "id,outcome,amount,step"


def mapping(*tables: dict[str, Any]) -> Mapping:
    return from_dict({"tables": list(tables or (DEALS,))})


def load(data_set: DataSet, *rows: str, using: Mapping | None = None, header: str = HEADER, **more: Any) -> ImportReport:
    return import_file(data_set, "\n".join([header, *rows]).encode(), "deals.csv", using or mapping(), **more)


def rows_of(data_set: DataSet, *columns: Any) -> list[tuple[Any, ...]]:
    found = open_source(data_set).arrow(select(*columns).order_by(*columns)).to_pylist()
    return [tuple(row.values()) for row in found]


def deals(data_set: DataSet) -> list[tuple[Any, ...]]:
    return rows_of(data_set, *[opportunities.c[name] for name in ("opportunity_id", "outcome", "deal_amount", "batch_id")])


# ── newer exports ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_a_newer_export_takes_the_place_of_an_earlier_one_and_gives_it_back(any_data_set):
    load(any_data_set, "1,open,10", "2,open,20", "3,won,30")
    earlier = deals(any_data_set)
    report = load(any_data_set, "1,won,12.50", "2,open,20.0", "4,open,")
    assert counts(report) == (3, 3, 0, 0)
    assert report.renewed == (1, 1, 1, (1,), 0)
    assert any("Rows renewed, which said something else: 1" in remark for remark in report.remarks())
    assert deals(any_data_set) == [
        ("1", "won", Decimal("12.5"), 2),
        ("2", "open", Decimal(20), 2),
        ("3", "won", Decimal(30), 1),
        ("4", "open", None, 2),
    ]
    kept = open_source(any_data_set)(room.batches()).set_index("batch_id")
    assert (kept.rows_loaded.to_dict(), kept.rows_renewed.to_dict()) == ({1: 3, 2: 3}, {1: 2, 2: 0})
    assert undo(any_data_set, 2).rows_restored == 2
    assert deals(any_data_set) == earlier


@pytest.mark.slow
def test_the_same_export_again_changes_nothing_and_one_imported_later_counts_as_later(data_set):
    load(data_set, "1,won,10")
    older = load(data_set, "1,open,5", "2,open,5")
    assert [warning for warning in older.warnings() if "won or lost and are open in this file: 1" in warning]
    assert load(data_set, "1,won,10").state == "unchanged"
    assert deals(data_set) == [("1", "open", Decimal(5), 2), ("2", "open", Decimal(5), 2)]


@pytest.mark.slow
def test_what_a_newer_export_leaves_empty_is_unknown_again(data_set):
    load(data_set, "1,open,10")
    load(data_set, "1,open,")
    assert deals(data_set) == [("1", "open", None, 2)]


@pytest.mark.slow
def test_of_rows_of_one_file_with_one_key_the_first_stands_whatever_earlier_files_said(data_set):
    load(data_set, "1,open,10")
    report = load(data_set, "1,won,11", "1,won,11.0", "1,lost,12")
    assert counts(report) == (3, 1, 1, 1)
    assert deals(data_set) == [("1", "won", Decimal(11), 2)]
    undo(data_set, 1)
    assert deals(data_set) == [("1", "won", Decimal(11), 2)]


@pytest.mark.slow
def test_a_check_tells_what_would_be_renewed_and_changes_nothing(data_set):
    load(data_set, "1,open,10")
    report = load(data_set, "1,won,11", "2,open,1", check_only=True)
    assert report.renewed == (1, 0, 1, (1,), 0)
    assert deals(data_set) == [("1", "open", Decimal(10), 1)]


@pytest.mark.slow
def test_rows_of_a_further_table_are_renewed_with_those_of_the_file(data_set):
    using = mapping(DEALS, CHANGES)
    load(data_set, "1,open,10,1", using=using, header=WITH_STEPS)
    load(data_set, "1,won,12,1", "2,open,7,1", using=using, header=WITH_STEPS)
    columns = [opportunity_history.c[name] for name in ("opportunity_id", "change_number", "deal_amount")]
    assert rows_of(data_set, *columns) == [("1", 1, 12), ("2", 1, 7)]
    undo(data_set, 2)
    assert rows_of(data_set, *columns) == [("1", 1, 10)]


@pytest.mark.slow
def test_a_file_that_does_not_know_better_contradicts_what_a_newer_export_says(data_set):
    plain = mapping({**DEALS, "is_newest": False})
    load(data_set, "1,open,10", using=plain)
    load(data_set, "1,won,11")
    assert counts(load(data_set, "1,lost,0", "2,open,1", using=plain)) == (2, 1, 0, 1)
    undo(data_set, 2)
    assert deals(data_set) == [("1", "open", Decimal(10), 1), ("2", "open", Decimal(1), 3)]


@pytest.mark.slow
def test_what_contradicts_the_export_before_it_stays_out_when_another_file_is_taken_back_though_a_later_export_says_the_same(any_data_set):
    """Deal 1: won says export 2, open a file that does not know better, open export 4. Without 1 and 4 it is won."""
    load(any_data_set, "9,open,9")
    load(any_data_set, "1,won,5")
    assert counts(load(any_data_set, "1,open,1", "8,open,8", using=mapping({**DEALS, "is_newest": False}))) == (2, 1, 0, 1)
    load(any_data_set, "1,open,1")
    undo(any_data_set, 1)
    kept = open_source(any_data_set)(room.batches()).set_index("batch_id")
    assert (kept.rows_loaded[3], kept.rows_quarantined[3]) == (1, 1)
    undo(any_data_set, 4)
    assert deals(any_data_set) == [("1", "won", Decimal(5), 2), ("8", "open", Decimal(8), 3)]


ROWS = st.tuples(st.sampled_from("12"), st.sampled_from(["open", "won", "oops"]), st.sampled_from(["", "1", "2"]), st.sampled_from("12"))
FILES = st.tuples(st.lists(ROWS, min_size=1, max_size=3), st.booleans())
STEPS = st.lists(st.tuples(FILES, st.sampled_from([None, None, 0, 1])), min_size=2, max_size=5)


def drawn_file(drawn: tuple[Any, bool], number: int) -> tuple[bytes, Mapping]:
    """A file of deals and their changes. Blank lines at the end make each content a file of its own."""
    rows, is_newest = drawn
    text = "\n".join([WITH_STEPS, *[",".join(row) for row in rows]])
    return text.encode() + b"\n" * number, mapping({**DEALS, "is_newest": is_newest}, {**CHANGES, "is_newest": is_newest})


@pytest.mark.slow
@settings(max_examples=40)
@given(STEPS)
def test_after_any_newer_exports_and_undos_the_state_is_that_of_importing_the_remaining_files(tmp_path_factory, steps):
    assert_undo_equals_scratch(steps, tmp_path_factory.getbasetemp(), drawn_file)


@pytest.mark.slow
@pytest.mark.parametrize("undone", [1, 2, 3])
def test_of_three_exports_any_one_can_be_taken_back_on_both_databases(shared_data_set, undone):
    files = [("1,open,1,1", "2,open,2,1"), ("1,open,5,1", "2,open,2,1", "3,open,3,1"), ("2,won,9,1", "3,open,3,1")]
    one, other = shared_data_set(f"one_{undone}"), shared_data_set(f"other_{undone}")
    for number, rows in enumerate(files, 1):
        load(one, *rows, using=mapping(DEALS, CHANGES), header=WITH_STEPS)
        if number != undone:
            load(other, *rows, using=mapping(DEALS, CHANGES), header=WITH_STEPS)
    undo(one, undone)
    assert stored(one) == stored(other)


# ── aliases, and what does not join ─────────────────────────────────────────────────────────────────────────────────────

NAMED = {
    "table": "opportunities",
    "columns": {"opportunity_id": "id", "outcome": "stage", "product_id": "product", "owner_id": "who"},
    "values": {"outcome": {"Closed": "won"}, "product_id": {"gtxpro": "GTX Pro", "n/a": ""}},
}
NAMED_HEADER = "id,stage,product,who"
CATALOGUE = mapping({"table": "products", "columns": {"product_id": "name"}})


@pytest.mark.slow
def test_a_report_names_what_a_mapping_made_of_other_texts_and_the_ledger_keeps_it(data_set):
    rows = ("1,Closed,GTXPro,Ann", "2,Closed,gtxPro,Ann", "3,open,GTXPro,Ann", "4,open,N/A,Ann", "5,open,GTX Pro,Ann")
    report = load(data_set, *rows, using=mapping(NAMED), header=NAMED_HEADER)
    told = [
        "2 rows: product GTXPro read as GTX Pro.",
        "1 row: product gtxPro read as GTX Pro.",
        "1 row: product N/A read as unknown.",
    ]
    assert [str(note) for note in report.notes] == told
    again = load(data_set, *rows, using=mapping(NAMED), header=NAMED_HEADER)
    assert (again.state, [str(note) for note in again.notes]) == ("unchanged", told)
    assert list(room.notes(open_source(data_set), Filters()).note) == told


@pytest.mark.slow
def test_what_the_catalogue_does_not_hold_is_told_with_the_nearest_name_whichever_file_came_first(any_data_set):
    using = mapping({**NAMED, "values": {"outcome": {"Closed": "won"}}})
    load(any_data_set, "1,open,GTXPro,Ann", "2,open,GTXPro,", "3,open,,Ann", "4,open,Tea,Ann", using=using, header=NAMED_HEADER)
    (told,) = load(any_data_set, "GTX Pro", "GTX Plus Pro", using=CATALOGUE, header="name").warnings()
    assert told.startswith("Opportunities whose product is not in the catalogue: 3. GTXPro (2 rows); did you mean GTX Pro?")
    assert told.endswith('In the mapping: values.product_id = { "GTXPro" = "GTX Pro" }; Tea (1 row)')
    report = load(any_data_set, "5,open,GTX Pro,Ann", using=using, header=NAMED_HEADER)
    assert [part.rows for part in report.unjoined] == [3]
    shown = room.unjoined(open_source(any_data_set), Filters())
    found = shown[["column", "listed_in", "rows", "values"]].itertuples(index=False, name=None)
    assert list(found) == [("opportunities.product_id", "products", 3, 2)]


def test_a_name_is_compared_without_spaces_and_signs_and_with_none_where_too_many_are_known():
    assert nearest("Darcel Schlect", ["Darcel Schlecht", "Anna Snelling"]) == "Darcel Schlecht"
    assert nearest("MG-Special", ["MG Special"]) == "MG Special"
    assert nearest("Tea", ["MG Special"]) == ""
    assert nearest("a", ["a"] * 6_000) == ""


# ── CRM Sales Opportunities ─────────────────────────────────────────────────────────────────────────────────────────────

CRM = load_mapping("crm_sales_opportunities")
PIPELINE = "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value"
HEADERS = {
    "sales_pipeline": PIPELINE,
    "accounts": "account,sector,year_established,revenue,employees,office_location,subsidiary_of",
    "products": "product,series,sales_price",
    "sales_teams": "sales_agent,manager,regional_office",
    "data_dictionary": "Table,Field,Description",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HEADERS)
def test_each_file_of_the_crm_is_recognised(name):
    header = HEADERS[name]
    raw = read_file(f"{header}\n{','.join('x' * (header.count(',') + 1))}\n".encode(), f"{name}.csv")
    assert propose(raw).built_in == "crm_sales_opportunities"


@pytest.mark.slow
def test_deals_are_read_as_they_stand_and_a_lost_one_s_value_is_unknown(data_set):
    rows = ("a,Ann,GTXPro,Acme,Won,2017-01-02,2017-02-03,4514", "b,Ann,MG,,Engaging,2017-01-02,,", "c,Bob,MG,,Prospecting,,,")
    load(data_set, *rows, "d,Bob,MG,Acme,Lost,2017-01-02,2017-02-03,0", using=CRM, header=PIPELINE)
    names = ("opportunity_id", "owner_id", "product_id", "customer_id", "stage", "outcome", "created_on", "closed_on", "deal_amount")
    created, closed = date(2017, 1, 2), date(2017, 2, 3)
    assert rows_of(data_set, *[opportunities.c[name] for name in names]) == [
        ("a", "Ann", "GTX Pro", "Acme", "Won", "won", created, closed, Decimal(4514)),
        ("b", "Ann", "MG", None, "Engaging", "open", created, None, None),
        ("c", "Bob", "MG", None, "Prospecting", "open", None, None, None),
        ("d", "Bob", "MG", "Acme", "Lost", "lost", created, closed, None),
    ]
    said = [("Engaging", 2, "open"), ("Lost", None, "lost"), ("Prospecting", 1, "open"), ("Won", None, "won")]
    assert rows_of(data_set, stages.c.stage, stages.c.stage_order, stages.c.outcome) == said


GOOD = "a,Ann,GTXPro,Acme,Won,2017-01-02,2017-02-03,4514"
MALFORMED = {
    "nothing": "",
    "a header alone": f"{PIPELINE}\n",
    "no stage": "opportunity_id,sales_agent,product,account\na,Ann,GTXPro,Acme\n",
    "no key": f"{PIPELINE}\n,Ann,GTXPro,Acme,Won,2017-01-02,2017-02-03,4514\n",
    "a stage that nobody knows": f"{PIPELINE}\na,Ann,GTXPro,Acme,Signed,2017-01-02,2017-02-03,4514\n",
    "an empty stage": f"{PIPELINE}\na,Ann,GTXPro,Acme,,2017-01-02,2017-02-03,4514\n",
    "a day that is none": f"{PIPELINE}\na,Ann,GTXPro,Acme,Won,2017-02-30,2017-02-03,4514\n",
    "a day in words": f"{PIPELINE}\na,Ann,GTXPro,Acme,Won,soon,2017-02-03,4514\n",
    "days of another country": f"{PIPELINE}\na,Ann,GTXPro,Acme,Won,31/01/2017,28/02/2017,4514\n",
    "an amount in words": f"{PIPELINE}\na,Ann,GTXPro,Acme,Won,2017-01-02,2017-02-03,much\n",
    "an amount with thousands": f'{PIPELINE}\na,Ann,GTXPro,Acme,Won,2017-01-02,2017-02-03,"4,514"\n',
    "an amount in euros": f"{PIPELINE}\na,Ann,GTXPro,Acme,Won,2017-01-02,2017-02-03,€4514\n",
    "an amount beyond measure": f"{PIPELINE}\na,Ann,GTXPro,Acme,Won,2017-01-02,2017-02-03,{'9' * 30}\n",
    "a row too short": f"{PIPELINE}\n{GOOD}\nb,Ann,GTXPro\n",
    "a row too long": f"{PIPELINE}\n{GOOD}\nb,{GOOD},1,2,3\n",
    "a key twice": f"{PIPELINE}\n{GOOD}\n{GOOD}\n{GOOD.replace('4514', '1')}\n",
    "a total": f"{PIPELINE}\n{GOOD}\nTotal,,,,,,,4514\n",
    "a header twice": f"{PIPELINE}\n{PIPELINE}\n{GOOD}\n",
    "a column twice": f"{PIPELINE},deal_stage\n{GOOD},Lost\n",
    "an open quotation mark": f'{PIPELINE}\na,"Ann,GTXPro,Acme,Won,2017-01-02,2017-02-03,4514\n',
    "semicolons": f"{PIPELINE}\n{GOOD}\n".replace(",", ";"),
    "an identifier that a spreadsheet damaged": f"{PIPELINE}\n{GOOD.replace('a,', '1.23E+11,', 1)}\n",
    "zeros in the bytes": f"{PIPELINE}\n{GOOD}\n".replace("Acme", "Ac\0me"),
    "another file": "name,price\nx,1\n",
}


@pytest.mark.slow
def test_a_malformed_export_is_refused_in_words_or_every_row_is_accounted_for(data_set):
    reports: list[ImportReport] = []
    for name, text in MALFORMED.items():
        with suppress(BadInput):
            reports.append(import_file(data_set, text.encode(), f"{name}.csv", CRM, check_only=True))
    assert len(MALFORMED) - len(reports) == 7
    for report in reports:
        assert report.rows_in == report.rows_loaded + report.rows_duplicate + report.rows_quarantined, report.file
        assert report.rows_loaded < report.rows_in or report.file == "semicolons.csv", report.file


class TestCrmSalesOpportunitiesMavenAnalytics:
    """The published files, loaded with the deals first; figures of the README beside the data, and of plain pandas."""

    pytestmark = pytest.mark.slow

    @pytest.fixture(scope="class")
    @staticmethod
    def loaded(tmp_path_factory, shared_data) -> tuple[DataSet, dict[str, ImportReport]]:
        folder = shared_data / "crm_sales_opportunities"
        data_set = find_data_set(f"duckdb:///{tmp_path_factory.mktemp('crm')}/crm.duckdb")
        names = ("sales_pipeline", "sales_teams", "products", "accounts")
        reports = {name: import_file(data_set, (folder / f"{name}.csv.gz").read_bytes(), f"{name}.csv.gz", CRM) for name in names}
        with pytest.raises(NotNeededError):
            import_file(data_set, (folder / "data_dictionary.csv.gz").read_bytes(), "data_dictionary.csv.gz", CRM)
        return data_set, reports

    @pytest.fixture(scope="class")
    @staticmethod
    def plain(shared_data) -> pd.DataFrame:
        return pd.read_csv(shared_data / "crm_sales_opportunities" / "sales_pipeline.csv.gz", parse_dates=["engage_date", "close_date"])

    def test_every_row_is_loaded_and_the_reports_name_the_aliases(self, loaded):
        reports = loaded[1]
        assert {name: counts(report) for name, report in reports.items()} == {
            "sales_pipeline": (8800, 8800, 0, 0),
            "sales_teams": (35, 35, 0, 0),
            "products": (7, 7, 0, 0),
            "accounts": (85, 85, 0, 0),
        }
        assert reports["sales_pipeline"].amount_loaded == Decimal(10_005_534)
        assert [str(note) for note in reports["sales_pipeline"].notes] == [
            "1,480 rows: product GTXPro read as GTX Pro.",
            "2,473 rows: close_value 0 read as unknown.",
        ]
        assert "12 rows: sector technolgy read as technology." in map(str, reports["accounts"].notes)
        assert [report.unjoined for report in reports.values()] == [()] * 4

    def test_deals_by_stage_and_outcome_and_those_without_an_account(self, loaded, plain):
        row, source = opportunities.c, open_source(loaded[0])
        held = source(select(row.stage, row.outcome, func.count().label("deals")).group_by(row.stage, row.outcome))
        assert {(stage, outcome): deals for stage, outcome, deals in held.itertuples(index=False)} == {
            ("Won", "won"): 4238,
            ("Lost", "lost"): 2473,
            ("Engaging", "open"): 1589,
            ("Prospecting", "open"): 500,
        }
        without = source(select(row.outcome, row.opportunity_id).where(row.customer_id.is_(None)))
        assert (len(without), set(without.outcome)) == (1425, {"open"})
        assert set(without.opportunity_id) == set(plain.opportunity_id[plain.account.isna()])
        assert source(select(row.stage).where(row.created_on.is_(None))).stage.tolist() == ["Prospecting"] * 500

    def test_what_was_won_and_how_long_it_took(self, loaded, plain):
        row = opportunities.c
        held = open_source(loaded[0])(select(row.outcome, row.deal_amount, row.created_on, row.closed_on).where(row.outcome != "open"))
        held["days"] = (pd.to_datetime(held.closed_on) - pd.to_datetime(held.created_on)).dt.days
        won, lost = held[held.outcome == "won"], held[held.outcome == "lost"]
        assert (float(won.deal_amount.sum()), round(float(won.deal_amount.mean()), 2)) == (10_005_534, 2360.91)
        assert lost.deal_amount.isna().all()
        assert (round(won.days.mean(), 2), won.days.median(), round(lost.days.mean(), 2)) == (51.78, 57, 41.48)
        assert (round(100 * len(won) / len(held), 2), round(100 * len(won) / 8800, 2)) == (63.15, 48.16)
        beside = plain[plain.deal_stage == "Won"]
        assert won.days.mean() == pytest.approx((beside.close_date - beside.engage_date).dt.days.mean())

    def test_won_value_by_seller_region_of_the_owner_and_quarter(self, loaded, plain):
        row, source = opportunities.c, open_source(loaded[0])
        won = func.sum(row.deal_amount).label("won")
        of_won = select(won).where(row.outcome == "won")
        sellers = source(of_won.add_columns(row.owner_id).group_by(row.owner_id).order_by(won.desc()))
        assert (sellers.owner_id[0], float(sellers.won[0])) == ("Darcel Schlecht", 1_153_214)
        joined = of_won.join_from(opportunities, employees, employees.c.employee_id == row.owner_id)
        regions = source(joined.add_columns(employees.c.region).group_by(employees.c.region)).set_index("region").won.astype(float)
        assert regions.to_dict() == {"West": 3_568_647, "Central": 3_346_293, "East": 3_090_594}
        quarter = extract("quarter", row.closed_on).label("quarter")
        quarters = source(of_won.add_columns(quarter).group_by(quarter).order_by(quarter)).won.astype(float).tolist()
        assert quarters == [1_134_672, 3_086_111, 2_982_255, 2_802_496]
        beside = plain[plain.deal_stage == "Won"].groupby("sales_agent").close_value.sum()
        assert sellers.set_index("owner_id").won.astype(float).to_dict() == beside.to_dict()

    def test_every_product_joins_and_sectors_are_spelt_in_one_way(self, loaded):
        source = open_source(loaded[0])
        of_product = products.c.product_id == opportunities.c.product_id
        assert len(source(select(products.c.category).join_from(opportunities, products, of_product))) == 8800
        named = source(select(customers.c.industry, customers.c.customer_kind))
        assert (Counter(named.industry)["technology"], Counter(named.industry)["technolgy"]) == (12, 0)
        assert set(named.customer_kind) == {"company"}

    def test_the_deals_of_next_week_take_the_place_of_this_week_s_and_give_it_back(self, loaded, plain):
        next_week = plain.assign(deal_stage=plain.deal_stage.replace("Prospecting", "Engaging")).tail(8000)
        report = import_file(loaded[0], next_week.to_csv(index=False).encode(), "next week.csv", CRM)
        assert report.renewed == (500, 7500, 0, (1,), 0)
        assert len(deals(loaded[0])) == 8800
        assert undo(loaded[0], 5).rows_restored == 8000
        assert {batch for *_, batch in deals(loaded[0])} == {1}
