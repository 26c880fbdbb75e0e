"""What mappings of a CRM need: columns joined and chosen, rows left out by a flag, what texts mean, changes numbered in order of time."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_data_import_doubts import workbook

from crm_metrics.data_import.cells import fitting_layout
from crm_metrics.data_import.change_numbers import change_numbers
from crm_metrics.data_import.check_tables import CheckedTables
from crm_metrics.data_import.load import checked_file, import_file
from crm_metrics.data_import.mapping import Mapping, as_toml, built_in_names, from_dict, load_mapping, mapping_hash, parse_mapping
from crm_metrics.data_import.proposal import propose
from crm_metrics.data_import.read_file import read_file
from crm_metrics.data_import.rejections import reason_text
from crm_metrics.metric import BadInput

DEALS = {"table": "opportunities", "columns": {"opportunity_id": "id", "outcome": ["won", "closed"]}}
MEANT = {"outcome": {"true true": "won", "false true": "lost", "false false": "open"}}


def mapping(*tables: dict[str, Any], **more: Any) -> Mapping:
    return from_dict({"tables": list(tables), **more})


def checked(text: str, *tables: dict[str, Any], **more: Any) -> CheckedTables:
    """Check a table drawn with | between its cells."""
    lines = [",".join(cell.strip() for cell in line.split("|")) for line in text.strip().splitlines()]
    found = checked_file(read_file("\n".join(lines).encode(), "deals.csv"), mapping(*tables, **more)).checked
    assert isinstance(found, CheckedTables)
    return found


def column(found: CheckedTables, name: str, table: int = 0) -> list[Any]:
    return found.brought[table].rows[name].to_pylist()


def reasons(found: CheckedTables) -> list[str]:
    return [reason_text(reason) for reason in found.rejected["reason"].to_pylist()]


# ── columns ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_several_columns_are_read_as_one_text():
    found = checked(
        "id | won | closed | name\n1 | True | true | x\n2 | false | TRUE | y\n3 | false | false | z", {**DEALS, "values": MEANT}
    )
    assert column(found, "outcome") == ["won", "lost", "open"]
    assert found.read_columns["opportunities.outcome"] == "won + closed"
    assert found.unused_columns == ("name",)


def test_columns_of_a_workbook_are_joined_as_well():
    sheet = workbook(("id", "won", "closed", "close"), (1, True, True, datetime(2024, 1, 31)), (2, False, True, datetime(2024, 2, 29)))
    found = checked_file(sheet, mapping({**DEALS, "values": MEANT, "optional": {"closed_on": "close"}})).checked
    assert isinstance(found, CheckedTables)
    assert (column(found, "outcome"), column(found, "closed_on")) == (["won", "lost"], [date(2024, 1, 31), date(2024, 2, 29)])


def test_what_the_joined_text_means_nobody_guesses_and_the_row_is_kept_as_it_came():
    found = checked("id | won | closed\n1 | true | false\n2 | true | true", {**DEALS, "values": MEANT})
    assert reasons(found) == [
        "Row 2: won + closed 'true false' is none of open, won, lost. Say in the mapping which of them it means (values)."
    ]
    assert found.rejected["raw"].to_pylist() == ['{"row": 2, "cells": {"id": "1", "won": "true", "closed": "false"}}']


def test_of_several_required_columns_none_may_be_missing_and_of_optional_ones_those_there_are_read():
    with pytest.raises(BadInput, match=r"there is no column won \+ closed"):
        checked("id | won\n1 | true", {**DEALS, "values": MEANT})
    people = {"table": "employees", "columns": {"employee_id": "id"}, "optional": {"employee_name": ["first", "middle", "last"]}}
    found = checked("id | first | last\n1 | Ann | Lee\n2 |  | Poe\n3 | |", people)
    assert column(found, "employee_name") == ["Ann Lee", "Poe", None]


def test_the_first_of_several_names_that_the_file_has_is_read():
    people = {"table": "employees", "columns": {"employee_id": "User ID | Id"}, "optional": {"team": "Department | Role"}}
    found = checked("Id | role | department\n1 | a | b", people)
    assert (column(found, "employee_id"), column(found, "team")) == (["1"], ["b"])
    with pytest.raises(BadInput, match=r"there is no column User ID | Id"):
        checked("key | name\n1 | a", people)


def test_a_text_ends_at_its_mark():
    deals = {**DEALS, "values": MEANT, "optional": {"customer_id": "companies"}, "first_of": {"customer_id": ";"}}
    found = checked("id | won | closed | companies\n1 | true | true | 12;15\n2 | true | true | 12\n3 | true | true |", deals)
    assert column(found, "customer_id") == ["12", "12", None]


# ── what texts mean ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_star_stands_for_any_text_the_longest_that_fits_decides_and_an_empty_cell_stays_empty():
    words = {"*": "open", "closed won*": "won", "closed*": "lost", "new": "open"}
    deals = {"table": "opportunities", "columns": {"opportunity_id": "id", "outcome": "stage"}, "values": {"outcome": words}}
    found = checked("id | stage\n1 | Closed Won (EMEA)\n2 | Closed: no budget\n3 | Talking\n4 |", deals)
    assert column(found, "outcome") == ["won", "lost", "open"]
    assert reasons(found) == ["Row 5: stage is empty. Fill it in."]
    named = {**deals, "values": {"outcome": {**words, "": "open"}}}
    assert column(checked("id | stage\n1 | Talking\n4 |", named), "outcome") == ["open", "open"]


def test_a_value_is_known_only_beside_another():
    deals = {
        "table": "opportunities",
        "columns": {"opportunity_id": "id", "outcome": "outcome"},
        "optional": {"closed_on": "close", "expected_close_on": "close", "next_step": "step"},
        "only": {"closed_on": {"outcome": ["won", "lost"]}, "next_step": {"is it live": [True]}},
    }
    found = checked(
        """id | outcome | close | step | Is it live
        1 | won | 2024-01-31 | a | TRUE
        2 | open | 2024-02-29 | b | false
        3 | lost | | c | true""",
        deals,
    )
    assert column(found, "closed_on") == [date(2024, 1, 31), None, None]
    assert column(found, "expected_close_on") == [date(2024, 1, 31), date(2024, 2, 29), None]
    assert column(found, "next_step") == ["a", None, "c"]
    assert found.unused_columns == ()


def test_a_mistyped_year_of_what_happened_is_left_out_and_of_what_is_expected_kept():
    deals = {
        "table": "opportunities",
        "columns": {"opportunity_id": "id", "outcome": "outcome"},
        "optional": {"created_on": "begun", "closed_on": "close", "expected_close_on": "close"},
        "only": {"closed_on": {"outcome": ["won", "lost"]}},
    }
    rows = """id | outcome | begun | close
        1 | won | 2024-01-01 | 2099-01-31
        2 | open | 2024-01-02 | 9999-12-31
        3 | lost | 0001-01-01 | 2024-03-01
        4 | won | 2024-01-03 | 2024-04-01
        5 | won | 2024-01-03 | 2024-04-01"""
    found = checked(rows, deals)
    assert column(found, "expected_close_on") == [date(9999, 12, 31), date(2024, 4, 1), date(2024, 4, 1)]
    assert [reason.split(".")[0] for reason in reasons(found)] == [
        "Row 2: close '2099-01-31' is later than 2024-04-01",
        "Row 4: begun '0001-01-01' lies before 1970-01-01",
    ]
    assert reasons(checked(rows, deals, dates={"earliest": "0001-01-01", "latest": "9999-12-31"})) == []
    alone = "id | outcome | begun | close\n1 | won | 2024-01-01 | 9999-12-31"
    assert "later than 2067-12-31" in reasons(checked(alone, deals))[0]


@pytest.mark.parametrize(
    ("name", "header", "row", "amount"),
    [
        ("salesforce_fivetran", "_fivetran_synced,id,stage_name,is_won,is_closed,created_date,amount", "x,1,a,true,true,{day},5", 5),
        ("salesforce", "Opportunity ID,Stage,Won,Closed,Created Date,Amount", '1,a,true,true,{day},"$1,234.50"', 1234.5),
        ("crm_plain", "deal_id,outcome,created,amount", '1,won,2024-01-31,"1,234.50"', 1234.5),
    ],
)
def test_moments_with_a_zone_and_amounts_with_thousands_are_read(name, header, row, amount):
    for day in ("2024-01-31 10:00:00.000 UTC", "2024-01-31T10:00:00Z", "2024-01-31 10:00:00.123+00:00"):
        found = checked_file(read_file(f"{header}\n{row.format(day=day)}".encode(), "deals.csv"), load_mapping(name)).checked
        assert isinstance(found, CheckedTables)
        assert (column(found, "created_on"), column(found, "deal_amount")) == ([date(2024, 1, 31)], [amount])


@pytest.mark.slow
def test_amounts_that_no_column_holds_together_are_refused_in_words(data_set):
    content = "deal_id,outcome,amount\n1,won,60000000000000\n2,won,60000000000000"
    with pytest.raises(BadInput, match=r"add up to 120,000,000,000,000.00"):
        import_file(data_set, content.encode(), "deals.csv", load_mapping("crm_plain"))


# ── which rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_with_another_flag_are_left_out_with_their_reason():
    deals = {**DEALS, "values": MEANT, "where": {"is_deleted": [False, ""]}}
    found = checked("id | won | closed | IsDeleted\n1 | true | true | False\n2 | true | true | true\n3 | true | true |", deals)
    assert column(found, "opportunity_id") == ["1", "3"]
    assert reasons(found) == ["Row 3: IsDeleted is 'true', and the mapping leaves such rows out (where)."]
    assert column(checked("id | won | closed\n1 | true | true", deals), "opportunity_id") == ["1"]


def test_a_flag_that_must_have_a_value_must_be_there():
    calls = {"table": "activities", "columns": {"activity_id": "id"}, "where": {"type": ["call"]}}
    with pytest.raises(BadInput, match="there is no column type"):
        checked("id | what\n1 | call", calls)


def test_a_further_table_has_the_rows_it_asks_for_and_what_is_wrong_in_others_does_not_concern_it():
    tasks = {"table": "tasks", "columns": {"task_id": "id"}}
    calls = {"table": "activities", "columns": {"activity_id": "id"}, "optional": {"minutes": "minutes"}, "where": {"type": ["call"]}}
    found = checked("id | type | minutes\n1 | Call | 5\n2 | to do | soon\n3 | call | x", tasks, calls)
    assert (column(found, "task_id"), column(found, "activity_id", 1)) == (["1", "2"], ["1"])
    assert len(reasons(found)) == 1


def test_a_further_table_has_no_rows_where_the_file_lacks_what_it_requires():
    deals = {**DEALS, "values": MEANT}
    people = {"table": "employees", "optional": {"employee_id": "owner"}}
    assert [rows.table.name for rows in checked("id | won | closed\n1 | true | true", deals, people).brought] == ["opportunities"]
    found = checked("id | won | closed | owner\n1 | true | true | Ann\n2 | true | true |", deals, people)
    assert column(found, "employee_id", 1) == ["Ann"]


# ── changes are numbered ────────────────────────────────────────────────────────────────────────────────────────────────

CHANGES = {
    "table": "opportunity_history",
    "columns": {"opportunity_id": "deal", "changed_at": "at", "stage": "stage"},
    "numbered": {"change_number": "changed_at"},
}


def test_changes_are_numbered_in_order_of_time_and_one_told_twice_is_one():
    found = checked(
        """deal | at | stage
        a | 2024-01-02 10:00 | second
        a | 2024-01-01 10:00 | first
        b | 2024-01-01 10:00 | first
        a | 2024-01-02 10:00 | second
        a |  | lost in time
        a | 2199-01-01 | too late""",
        CHANGES,
    )
    numbers = dict(
        zip(zip(column(found, "opportunity_id"), column(found, "stage"), strict=True), column(found, "change_number"), strict=True)
    )
    assert numbers["a", "first"] == numbers["b", "first"] < numbers["a", "second"]
    assert found.judged["row_key"].to_pylist().count(f"a\x1f{numbers['a', 'second']}") == 2
    assert [text.split(". ")[0] for text in reasons(found)] == ["Row 6: at is empty", "Row 7: at '2199-01-01' is later than 2067-12-31"]


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5)), max_size=12),
    st.integers(0, 5),
)
def test_an_export_of_the_last_days_alone_numbers_its_changes_as_the_whole_one_does(changes: list[tuple[str, int]], first_day: int):
    """Days apart: only changes of one second take each other's numbers."""

    def numbered(rows: list[tuple[int, tuple[str, int]]]) -> dict[int, int]:
        moments = pa.array([datetime(2024, 1, 1) + timedelta(days=day) for _, (_, day) in rows], pa.timestamp("us"))
        contents = pa.array([str(place) for place, _ in rows], pa.string())
        found = change_numbers([pa.array([deal for _, (deal, _) in rows], pa.string())], moments, contents)
        return dict(zip([place for place, _ in rows], found.to_pylist(), strict=True))

    every = list(enumerate(changes))
    whole, last = numbered(every), numbered([row for row in every if row[1][1] >= first_day])
    assert last.items() <= whole.items()
    for deal in "ab":
        of_deal = [(day, whole[place]) for place, (name, day) in every if name == deal]
        assert len({number for _, number in of_deal}) == len(of_deal)
        assert all(number < other for day, number in of_deal for later, other in of_deal if day < later)


def test_days_that_no_number_holds_have_none():
    at = pa.array([pd.Timestamp("1900-01-01"), pd.Timestamp("2067-12-31 23:59:59"), pd.Timestamp("2068-01-01")], pa.timestamp("us"))
    first, last, late = change_numbers([pa.array(["a"] * 3)], at, pa.array(["x", "y", "z"])).to_pylist()
    assert (first, late) == (None, None)
    assert last < 2**31


# ── the mapping itself ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mapping_that_asks_for_what_cannot_be_is_told_so():
    wrong = {
        **DEALS,
        "only": {"closed": {"outcome": ["won"]}, "outcome": {"outcome": ["maybe"]}},
        "numbered": {"deal_amount": "created_on"},
        "first_of": {"customer_id": ";"},
    }
    with pytest.raises(BadInput) as refused:
        mapping(wrong)
    for words in (
        "only.closed: opportunities has no such column",
        "only.outcome.outcome: 'maybe' can't be read as open, won, lost",
        "created_on can't number it",
        "columns.customer_id is missing, and first_of names values of it",
    ):
        assert words in str(refused.value)


@pytest.mark.parametrize("name", [name for name in built_in_names() if load_mapping(name).layouts])
def test_a_mapping_of_a_system_written_as_toml_is_read_back_as_the_same(name):
    shipped = load_mapping(name)
    again = parse_mapping(as_toml(shipped))
    assert again == shipped
    assert mapping_hash(again) == mapping_hash(shipped)


# ── plain files ─────────────────────────────────────────────────────────────────────────────────────────────────────────

DOCUMENT = (Path(__file__).parent.parent / "docs" / "mapping.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n([^`]*)```\n\n```csv\n([^`]*)```", DOCUMENT)


@pytest.mark.parametrize(("written", "file"), EXAMPLES)
def test_the_file_below_each_mapping_of_the_document_is_read_whole_by_it(written, file):
    raw = read_file(file.encode(), "example.csv")
    found = checked_file(raw, parse_mapping(written)).checked
    assert isinstance(found, CheckedTables)
    assert (reasons(found), found.judged.num_rows) == ([], raw.row_count)
    assert found.unused_columns == ()


def test_the_document_has_a_file_of_each_kind():
    brought = {rows.table for written, _ in EXAMPLES for rows in parse_mapping(written).tables}
    assert brought == {"opportunities", "opportunity_history", "leads", "activities", "tasks", "employees", "quotas"}


PLAIN = {
    "opportunities": "opportunity_id,outcome,stage,deal_amount,created_on,closed_on\n1,won,Offer,10,2024-01-01,2024-02-01\n",
    "opportunity_history": "deal_id,changed_at,stage\n1,2024-01-01 10:00,Offer\n",
    "opportunity_history, numbered": "deal_id,change_number,changed_at,stage\n1,1,2024-01-01 10:00,Offer\n",
    "leads": "线索编号,线索状态,创建日期,负责人\n1,合格,2024-01-01,Ann\n",
    "activities": "activity_id,activity_kind,happened_at,employee_id\n1,电话,2024-01-01,Ann\n",
    "tasks": "task_id,due_on,owner_id\n1,2024-01-01,Ann\n",
    "employees": "employee_id,employee_name,team\n1,Ann,North\n",
    "quotas": "employee_id,quarter_on,quota\n1,2024-01-01,100\n",
    "stages": "stage,stage_order,outcome\nOffer,1,open\n",
}


@pytest.mark.parametrize("layout", PLAIN)
def test_a_file_with_the_columns_of_the_data_dictionary_needs_no_mapping_of_its_own(layout):
    raw = read_file(PLAIN[layout].encode(), "plain.csv")
    proposal = propose(raw)
    assert (proposal.built_in, fitting_layout(raw, proposal.mapping()).name) == ("crm_plain", layout)
    found = checked_file(raw, proposal.mapping()).checked
    assert isinstance(found, CheckedTables)
    assert (found.judged.num_rows, found.unused_columns) == (1, ())
