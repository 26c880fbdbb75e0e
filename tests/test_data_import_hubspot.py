"""Files of HubSpot, as its interface exports them and as Fivetran copies its tables: every row is accounted for."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from test_data_import_load import counts, stored
from written_deals import accounted, held

from crm_metrics import pipeline
from crm_metrics.data_import.cells import fitting_layout
from crm_metrics.data_import.check_tables import NotNeededError
from crm_metrics.data_import.load import checked_file, import_file
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.data_import.proposal import propose
from crm_metrics.data_import.read_file import read_file
from crm_metrics.data_import.report import ImportReport
from crm_metrics.data_import.undo import undo
from crm_metrics.database import DataSet, open_source
from crm_metrics.filters import Filters
from crm_metrics.schema import activities, contacts, customers, employees, leads, opportunities, opportunity_history, stages, tasks

HUBSPOT, FIVETRAN = load_mapping("hubspot"), load_mapping("hubspot_fivetran")

DEALS = (
    "Record ID,Deal Name,Deal Stage,Amount,Close Date,Deal owner,Pipeline,Create Date,Last Activity Date,"
    "Associated Company IDs,Associated Contact IDs,Lead source,Date entered current stage"
)
CONTACTS = (
    "Record ID,First Name,Last Name,Email,Phone Number,Lead Status,Create Date,Associated Company,Country/Region,Contact owner,"
    "Original Source,Lifecycle Stage"
)
COMPANIES = "Record ID,Company name,Website URL,Company owner,Create Date"
"""The header lines of the three exports, as HubSpot's interface offers them."""

DEAL_ROWS = (
    "101,Ten chairs,Closed Won,1200.50,2024-03-10 09:00,Ann Lee,Sales Pipeline,2024-01-05 10:11,,9;12,7,Referral,2024-03-10 09:00",
    "102,A table,Closed lost (Sales Pipeline),300,2024-02-01,Bo Poe,Sales Pipeline,2024-01-06,,9,,,2024-02-01",
    "103,Lamps,Contract sent,,2024-06-30,Ann Lee,Sales Pipeline,2024-02-02,,,,Fair,2024-03-01",
)


def load(data_set: DataSet, header: str, *rows: str, name: str = "hubspot.csv", using: Any = HUBSPOT) -> ImportReport:
    return import_file(data_set, "\n".join([header, *rows]).encode(), name, using)


# ── as its interface exports them ───────────────────────────────────────────────────────────────────────────────────────


def test_the_three_exports_are_recognised_by_their_header_lines():
    def known(header: str) -> tuple[str | None, str]:
        raw = read_file(f"{header}\n{','.join('1' for _ in header.split(','))}\n".encode(), "export.csv")
        return propose(raw).built_in, fitting_layout(raw, HUBSPOT).name

    assert [known(header) for header in (DEALS, CONTACTS, COMPANIES)] == [
        ("hubspot", "deals"),
        ("hubspot", "contacts"),
        ("hubspot", "companies"),
    ]
    assert known("Record ID,Deal Stage,Is Deal Closed?,Is Closed Won,Amount") == ("hubspot", "deals, won and closed told")
    assert known("Record ID,Call Title,Activity date,Activity assigned to,Call outcome") == ("hubspot", "calls")
    assert known("Record ID,Task Title,Task Status,Due date,Assigned to") == ("hubspot", "tasks")


@pytest.mark.slow
def test_deals_are_won_lost_or_open_by_their_stage_and_closed_only_then(any_data_set):
    assert counts(load(any_data_set, DEALS, *DEAL_ROWS)) == (3, 3, 0, 0)
    names = (
        "opportunity_id",
        "customer_id",
        "owner_id",
        "stage",
        "outcome",
        "expected_close_on",
        "closed_on",
        "deal_amount",
        "deal_source",
    )
    assert held(any_data_set, opportunities, *names) == [
        ("101", "9", "Ann Lee", "Closed Won", "won", date(2024, 3, 10), date(2024, 3, 10), Decimal("1200.5"), "Referral"),
        ("102", "9", "Bo Poe", "Closed lost (Sales Pipeline)", "lost", date(2024, 2, 1), date(2024, 2, 1), Decimal(300), None),
        ("103", None, "Ann Lee", "Contract sent", "open", date(2024, 6, 30), None, None, "Fair"),
    ]
    assert held(any_data_set, stages, "stage", "stage_order", "outcome") == [
        ("Closed Won", None, "won"),
        ("Closed lost (Sales Pipeline)", None, "lost"),
        ("Contract sent", 5, "open"),
    ]
    assert held(any_data_set, employees, "employee_id", "employee_name") == [("Ann Lee", "Ann Lee"), ("Bo Poe", "Bo Poe")]
    assert held(any_data_set, customers, "customer_id", "customer_kind") == [("9", "company")]


@pytest.mark.slow
def test_where_the_export_says_what_is_won_the_names_of_stages_do_not_matter(data_set):
    header = "Record ID,Deal Stage,Is Closed Won,Is Deal Closed?,Close Date"
    report = load(data_set, header, "1,Signed,true,true,2024-01-31", "2,Gone,false,true,2024-01-31", "3,Talking,false,false,2024-01-31")
    assert counts(report) == (3, 3, 0, 0)
    assert held(data_set, opportunities, "opportunity_id", "outcome", "closed_on") == [
        ("1", "won", date(2024, 1, 31)),
        ("2", "lost", date(2024, 1, 31)),
        ("3", "open", None),
    ]
    assert held(data_set, stages, "stage", "outcome") == [("Gone", "lost"), ("Signed", "won"), ("Talking", "open")]


@pytest.mark.slow
def test_the_files_of_one_company_know_each_other(data_set):
    load(data_set, DEALS, *DEAL_ROWS)
    load(data_set, COMPANIES, "9,Acme,acme.example,Ann Lee,2023-05-01", "12,Umbra,,,2023-05-02")
    load(
        data_set,
        f"{CONTACTS},Associated Company IDs",
        "7,Kim,Roe,kim@acme.example,,In progress,2024-01-02,Acme,DE,Ann Lee,Organic search,Lead,9",
        "8,Lou,,lou@x.example,,Unqualified,2024-01-03,,,,Paid search,Lead,",
        "9,Max,Ott,max@x.example,,,2024-01-04,Umbra,,Bo Poe,Direct traffic,Customer,12;9",
    )
    assert held(data_set, customers, "customer_id", "customer_name", "owner_id") == [("12", "Umbra", None), ("9", "Acme", "Ann Lee")]
    assert held(data_set, leads, "lead_id", "customer_id", "lead_status", "lead_source", "owner_id") == [
        ("7", "9", "working", "Organic search", "Ann Lee"),
        ("8", None, "unqualified", "Paid search", None),
        ("9", "12", "converted", "Direct traffic", "Bo Poe"),
    ]
    assert held(data_set, contacts, "contact_id", "customer_id", "contact_name") == [("7", "9", "Kim Roe"), ("9", "12", "Max Ott")]


@pytest.mark.slow
def test_calls_and_tasks_say_who_did_what_for_which_deal(data_set):
    header = "Record ID,Call Title,Activity date,Activity assigned to,Call outcome,Associated Deal IDs"
    load(data_set, header, "1,First call,2024-01-31 14:05,Ann Lee,Connected,101;103", "2,,2024-01-31 15:00,Ann Lee,No answer,")
    load(data_set, "Record ID,Task Title,Task Status,Due date,Assigned to", "1,Send the offer,Not started,2024-02-01 08:00,Bo Poe")
    assert held(
        data_set, activities, "activity_id", "activity_kind", "happened_at", "employee_id", "opportunity_id", "activity_result"
    ) == [
        ("1", "call", datetime(2024, 1, 31, 14, 5), "Ann Lee", "101", "reached"),
        ("2", "call", datetime(2024, 1, 31, 15, 0), "Ann Lee", None, "no answer"),
    ]
    assert held(data_set, tasks, "employee_id", "subject", "due_on", "done_on") == [("Bo Poe", "Send the offer", date(2024, 2, 1), None)]


@pytest.mark.slow
def test_a_later_export_takes_the_place_of_an_earlier_one_and_its_undo_gives_it_back(any_data_set):
    load(any_data_set, DEALS, *DEAL_ROWS)
    first = stored(any_data_set)
    assert load(any_data_set, DEALS, *DEAL_ROWS, name="again.csv").state == "unchanged"
    moved = DEAL_ROWS[2].replace("Contract sent", "Closed Won")
    report = load(any_data_set, DEALS, *DEAL_ROWS[:2], moved, "104,Rugs,Qualified to buy,5,,,,2024-03-02,,,,,")
    assert (report.rows_in, report.rows_quarantined) == (4, 0)
    assert held(any_data_set, opportunities, "opportunity_id", "outcome") == [
        ("101", "won"),
        ("102", "lost"),
        ("103", "won"),
        ("104", "open"),
    ]
    undo(any_data_set, 2)
    assert stored(any_data_set) == first
    undo(any_data_set, 1)
    assert held(any_data_set, opportunities, "opportunity_id") == []


MALFORMED = {
    "nothing": "",
    "only a header": f"{DEALS}\n",
    "no key": "Deal Name,Deal Stage\na,Closed won\n",
    "no stage": "Record ID,Deal Name\n1,a\n",
    "the key alone": "Record ID,Deal Stage\n1,Closed won\n2,New\n",
    "an empty key": "Record ID,Deal Stage\n1,New\n,New\n",
    "an empty stage": "Record ID,Deal Stage\n1,New\n2,\n",
    "an amount in words": "Record ID,Deal Stage,Amount\n1,New,1\n2,New,much\n",
    "a day that does not exist": "Record ID,Deal Stage,Close Date\n1,New,2024-02-30\n2,New,2024-02-28\n",
    "days of either order": "Record ID,Deal Stage,Close Date\n1,New,01/02/2024\n2,New,03/04/2024\n",
    "a key damaged by a spreadsheet": "Record ID,Deal Stage\n1.23E+11,New\n2,New\n",
    "fields missing and too many": "Record ID,Deal Stage,Amount\n1,New,1\n2,New\n3,New,1,1\n",
    "capital letters and signs": "RECORD-ID,deal stage\n1,CLOSED WON\n2,New\n",
    "a byte order mark": "\ufeffRecord ID,Deal Stage\n1,New\n2,New\n",
    "tabs": "Record ID\tDeal Stage\n1\tNew\n2\tNew\n",
    "a column twice": "Record ID,Record ID,Deal Stage\n1,1,New\n",
    "a total": "Record ID,Deal Stage,Amount\n1,New,1\n2,New,2\nTotal,,3\n",
    "flags that contradict": "Record ID,Deal Stage,Is Closed Won,Is Deal Closed?\n1,New,false,false\n2,New,true,false\n",
    "a formula": "Record ID,Deal Stage,Deal Name\n1,New,=1+1\n2,New,=cmd|' /C calc'!A0\n",
    "a quote left open": 'Record ID,Deal Stage\n"1,New\n2,New\n',
}


def test_malformed_exports_are_read_or_refused_and_each_row_is_counted():
    found = {case: accounted(content, HUBSPOT) for case, content in MALFORMED.items()}
    assert {case for case, told in found.items() if told == "refused"} == {
        "nothing",
        "only a header",
        "no key",
        "no stage",
        "days of either order",
        "a column twice",
        "a quote left open",
    }
    assert {case: told for case, told in found.items() if told not in ("refused", "2 = 2 + 0")} == {
        "an empty key": "2 = 1 + 1",
        "an empty stage": "2 = 1 + 1",
        "an amount in words": "2 = 1 + 1",
        "a day that does not exist": "2 = 1 + 1",
        "a key damaged by a spreadsheet": "2 = 1 + 1",
        "fields missing and too many": "3 = 1 + 2",
        "a total": "3 = 2 + 1",
        "flags that contradict": "2 = 1 + 1",
    }


# ── as Fivetran copies its tables ───────────────────────────────────────────────────────────────────────────────────────

FILES = {
    "deal": (
        "deal_id,is_deleted,deal_pipeline_id,deal_pipeline_stage_id,owner_id,property_dealname,property_amount,property_closedate,"
        "property_createdate",
        "1,false,p,s2,5,Chairs,100.5,2024-03-10 09:00:00,2024-01-05 10:11:12.123",
        "2,false,p,s1,5,Lamps,,2024-06-30 00:00:00,2024-01-06 10:11:12",
        "3,true,p,s1,5,Gone,7,,2024-01-07 10:11:12",
    ),
    "deal_stage": (
        "_fivetran_start,deal_id,_fivetran_active,_fivetran_end,_fivetran_synced,date_entered,source,source_id,value",
        "2024-01-05 10:11:12,1,FALSE,2024-03-10 9:00:00,2024-03-11 6:00:00,2024-01-05 10:11:12,,,s1",
        "2024-03-10 9:00:00,1,TRUE,2050-01-01 00:00:00,2024-03-11 6:00:00,2024-03-10 9:00:00,,,s2",
        "2024-01-06 10:11:12,2,TRUE,2050-01-01 00:00:00,2024-03-11 6:00:00,2024-01-06 10:11:12,,,s1",
    ),
    "deal_pipeline_stage": (
        "_fivetran_deleted,_fivetran_synced,active,closed_won,is_closed,display_order,probability,stage_id,label,pipeline_id",
        "FALSE,2024-03-11 06:00:00.054,TRUE,FALSE,FALSE,0,0.2,s1,Talking,p",
        "FALSE,2024-03-11 06:00:00.054,TRUE,TRUE,TRUE,1,1.0,s2,Signed,p",
        "TRUE,2024-03-11 06:00:00.054,TRUE,FALSE,FALSE,2,0.4,s3,Old,p",
    ),
    "owner": ("owner_id,_fivetran_synced,email,first_name,last_name", "5,2024-03-11 06:00:00,a@x.example,Ann,Lee"),
}


def test_tables_of_fivetran_are_recognised_and_those_that_only_link_are_named_as_not_needed():
    for name, (header, *rows) in FILES.items():
        raw = read_file("\n".join([header, *rows]).encode(), f"{name}.csv")
        assert (propose(raw).built_in, fitting_layout(raw, FIVETRAN).name) == ("hubspot_fivetran", name)
    with pytest.raises(NotNeededError, match="as deal_company and reads nothing"):
        checked_file(read_file(b"company_id,deal_id,type_id,category\n1,2,3,a\n", "deal_company.csv"), FIVETRAN)


@pytest.mark.slow
def test_deals_of_fivetran_have_their_stages_by_id_and_every_stage_they_came_into(any_data_set):
    reports = {name: load(any_data_set, *rows, name=f"{name}.csv", using=FIVETRAN) for name, rows in FILES.items()}
    assert {name: counts(report) for name, report in reports.items()} == {
        "deal": (3, 2, 0, 1),
        "deal_stage": (3, 3, 0, 0),
        "deal_pipeline_stage": (3, 2, 0, 1),
        "owner": (1, 1, 0, 0),
    }
    assert held(any_data_set, opportunities, "opportunity_id", "stage", "outcome", "expected_close_on", "deal_amount") == [
        ("1", "s2", "open", date(2024, 3, 10), Decimal("100.5")),
        ("2", "s1", "open", date(2024, 6, 30), None),
    ]
    assert held(any_data_set, stages, "stage", "stage_name", "stage_order", "outcome", "assumed_win_probability") == [
        ("s1", "Talking", 0, "open", Decimal("0.2")),
        ("s2", "Signed", 1, "won", Decimal(1)),
    ]
    assert held(any_data_set, opportunity_history, "opportunity_id", "changed_at", "stage", "outcome") == [
        ("1", datetime(2024, 1, 5, 10, 11, 12), "s1", None),
        ("1", datetime(2024, 3, 10, 9), "s2", None),
        ("2", datetime(2024, 1, 6, 10, 11, 12), "s1", None),
    ]
    assert held(any_data_set, employees, "employee_id", "employee_name") == [("5", "Ann Lee")]
    deals = pipeline.TABLES["deals"](open_source(any_data_set), Filters())
    assert list(zip(deals.stage_name, deals.outcome, deals.closed_on.notna(), strict=True)) == [
        ("Signed", "won", True),
        ("Talking", "open", False),
    ]


@pytest.mark.slow
def test_the_history_of_a_later_export_adds_to_the_earlier_one(data_set):
    header, *rows = FILES["deal_stage"]
    load(data_set, header, *rows[:1], using=FIVETRAN)
    load(data_set, header, *rows[1:], using=FIVETRAN)
    apart = held(data_set, opportunity_history, "opportunity_id", "change_number", "stage")
    load(data_set, header, *rows, using=FIVETRAN)
    assert held(data_set, opportunity_history, "opportunity_id", "change_number", "stage") == apart
    assert [stage for _, _, stage in apart] == ["s1", "s2", "s1"]


@pytest.mark.slow
def test_every_row_of_the_seeds_of_fivetran_is_accounted_for(data_set, shared_data):
    """Seeds of dbt_hubspot (Apache-2.0): names hashed, most columns empty, some rows deleted."""
    expected = {
        "deal": (44, 44, 0, 0),
        "deal_stage": (14, 14, 0, 0),
        "deal_pipeline_stage": (71, 69, 0, 2),
        "owner": (100, 100, 0, 0),
        "company": (24, 24, 0, 0),
        "contact": (22, 22, 0, 0),
        "engagement_call": (1, 1, 0, 0),
        "engagement_email": (1, 1, 0, 0),
        "engagement_communication": (1, 1, 0, 0),
        "engagement_meeting": (100, 100, 0, 0),
        "engagement_task": (2, 2, 0, 0),
        "engagement_note": (1, 0, 0, 1),
    }
    files = {name: shared_data / "exports_hubspot" / f"{name}_data.csv.gz" for name in expected}
    found = {name: import_file(data_set, file.read_bytes(), file.name, FIVETRAN) for name, file in files.items()}
    assert {name: counts(report) for name, report in found.items()} == expected
    again = [import_file(data_set, file.read_bytes(), file.name, FIVETRAN) for name, file in files.items() if name != "engagement_note"]
    assert {report.state for report in again} == {"unchanged"}
    for name in ("deal_company", "deal_contact", "merged_deal", "engagement_deal", "engagement", "owner_team", "deal_pipeline"):
        file = shared_data / "exports_hubspot" / f"{name}_data.csv.gz"
        with pytest.raises(NotNeededError, match=name):
            import_file(data_set, file.read_bytes(), file.name, FIVETRAN)
