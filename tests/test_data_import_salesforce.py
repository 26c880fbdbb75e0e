"""Files of Salesforce, as exported and as Fivetran copies its tables: every row is accounted for."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from test_data_import_load import counts, stored
from written_deals import accounted, held

from crm_metrics.data_import.cells import fitting_layout
from crm_metrics.data_import.check_tables import NotNeededError
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.data_import.proposal import propose
from crm_metrics.data_import.read_file import read_file
from crm_metrics.data_import.report import ImportReport
from crm_metrics.data_import.undo import undo
from crm_metrics.database import DataSet
from crm_metrics.schema import activities, contacts, customers, employees, leads, opportunities, opportunity_history, stages, tasks

SALESFORCE, FIVETRAN = load_mapping("salesforce"), load_mapping("salesforce_fivetran")

OPPORTUNITY = (
    "Id,IsDeleted,AccountId,IsPrivate,Name,Description,StageName,Amount,Probability,ExpectedRevenue,TotalOpportunityQuantity,CloseDate,"
    "Type,NextStep,LeadSource,IsClosed,IsWon,ForecastCategory,ForecastCategoryName,CampaignId,HasOpportunityLineItem,Pricebook2Id,OwnerId,"
    "CreatedDate,CreatedById"
)
"""The header line of its export of opportunities."""


def opportunity(key: str, stage: str, close: str, won: str, closed: str, *, amount: str = "100", deleted: str = "false") -> str:
    said = {
        "Id": key,
        "IsDeleted": deleted,
        "AccountId": "001A",
        "Name": f"deal {key}",
        "StageName": stage,
        "Amount": amount,
        "CloseDate": close,
        "LeadSource": "Web",
        "IsClosed": closed,
        "IsWon": won,
        "OwnerId": "005A",
        "CreatedDate": "2024-01-05T10:11:12.000Z",
    }
    return ",".join(said.get(name, "") for name in OPPORTUNITY.split(","))


ROWS = (
    opportunity("006A", "Signed", "2024-03-10", "true", "true", amount="1200.50"),
    opportunity("006B", "Gone", "2024-02-01", "false", "true"),
    opportunity("006C", "Qualification", "2024-06-30", "false", "false", amount=""),
    opportunity("006D", "Qualification", "2024-06-30", "false", "false", deleted="true"),
)
HISTORY = (
    "Id,OpportunityId,CreatedById,CreatedDate,StageName,Amount,ExpectedRevenue,CloseDate,Probability,ForecastCategory,SystemModstamp,"
    "IsDeleted"
)
CHANGES = (
    "008A,006A,005A,2024-01-05T10:11:12.000Z,Qualification,1000,,2024-04-30,20,Pipeline,,false",
    "008B,006A,005A,2024-02-05T10:11:12.000Z,Qualification,1200.50,,2024-04-30,20,Pipeline,,false",
    "008C,006A,005A,2024-03-10T09:00:00.000Z,Signed,1200.50,,2024-03-10,100,Closed,,false",
    "008D,006C,005A,2024-01-05T10:11:12.000Z,Qualification,,,2024-06-30,20,Pipeline,,false",
)


def load(data_set: DataSet, header: str, *rows: str, name: str = "salesforce.csv", using: Any = SALESFORCE) -> ImportReport:
    return import_file(data_set, "\n".join([header, *rows]).encode(), name, using)


# ── as exported ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("header", "layout"),
    [
        (OPPORTUNITY, "Opportunity, won and closed told"),
        (HISTORY, "OpportunityHistory"),
        (
            "Opportunity ID,Opportunity Name,Stage,Amount,Close Date,Created Date,Opportunity Owner,Account Name,Lead Source,Age",
            "Opportunity",
        ),
        ("Id,StageName", "Opportunity"),
        ("Opportunity ID,Stage", "Opportunity"),
        ("Opportunity ID,Opportunity Name,Stage,Won,Closed,Close Date", "Opportunity, won and closed told"),
        ("Id,IsDeleted,LastName,FirstName,Company,Status,LeadSource,OwnerId,IsConverted,ConvertedDate,CreatedDate,Industry,Name", "Lead"),
        ("Lead ID,First Name,Last Name,Company / Account,Lead Source,Lead Status,Lead Owner,Create Date", "Lead"),
        ("Id,WhoId,WhatId,Subject,ActivityDate,Status,Priority,OwnerId,AccountId,IsClosed,TaskSubtype,CompletedDateTime", "Task"),
        ("Id,WhoId,WhatId,Subject,ActivityDateTime,ActivityDate,DurationInMinutes,StartDateTime,OwnerId,Type", "Event"),
        ("Id,Username,LastName,FirstName,Name,Department,IsActive,ManagerId", "User"),
        ("Id,IsDeleted,Name,Type,BillingCountry,Industry,OwnerId,AccountSource", "Account"),
        ("Id,IsDeleted,AccountId,LastName,FirstName,Name,Phone,Email,Title,OwnerId", "Contact"),
    ],
)
def test_an_export_is_known_by_its_header_line(header, layout):
    raw = read_file(f"{header}\n{','.join('1' for _ in header.split(','))}\n".encode(), "export.csv")
    assert (propose(raw).built_in, fitting_layout(raw, SALESFORCE).name) == ("salesforce", layout)


@pytest.mark.parametrize(
    "header",
    [
        "Name,Email,Financial Status,Paid at,Currency,Subtotal,Shipping,Taxes,Total,Created at,Lineitem quantity,Lineitem price,"
        "Billing Name,Billing Company,Billing Country,Notes,Id,Tags,Source,Phone",
        "id,name,industry,city",
        "id,status,company,total",
        "id,subject,date",
        "id,name,stage",
    ],
)
def test_a_file_of_another_system_is_not_taken_for_one_of_these(header):
    assert propose(read_file(f"{header}\n{','.join('1' for _ in header.split(','))}\n".encode(), "other.csv")).built_in is None


@pytest.mark.slow
def test_opportunities_are_won_or_lost_by_their_flags_whatever_the_stage_is_called(any_data_set):
    report = load(any_data_set, OPPORTUNITY, *ROWS)
    assert counts(report) == (4, 3, 0, 1)
    assert [str(reason) for reason in report.reasons] == ["Row 5: IsDeleted is 'true', and the mapping leaves such rows out (where)."]
    names = ("opportunity_id", "customer_id", "owner_id", "created_on", "stage", "outcome", "expected_close_on", "closed_on", "deal_amount")
    created = date(2024, 1, 5)
    assert held(any_data_set, opportunities, *names) == [
        ("006A", "001A", "005A", created, "Signed", "won", date(2024, 3, 10), date(2024, 3, 10), Decimal("1200.5")),
        ("006B", "001A", "005A", created, "Gone", "lost", date(2024, 2, 1), date(2024, 2, 1), Decimal(100)),
        ("006C", "001A", "005A", created, "Qualification", "open", date(2024, 6, 30), None, None),
    ]
    assert held(any_data_set, stages, "stage", "stage_order", "outcome") == [
        ("Gone", None, "lost"),
        ("Qualification", 2, "open"),
        ("Signed", None, "won"),
    ]


@pytest.mark.slow
def test_the_history_is_numbered_in_order_of_time_and_a_later_export_goes_on(any_data_set):
    assert counts(load(any_data_set, HISTORY, *CHANGES[:2])) == (2, 2, 0, 0)
    first = stored(any_data_set)
    assert load(any_data_set, HISTORY, *CHANGES[:2], name="again.csv").state == "unchanged"
    load(any_data_set, HISTORY, *CHANGES[1:], name="last days.csv")
    names = ("opportunity_id", "changed_at", "stage", "deal_amount", "expected_close_on")
    assert held(any_data_set, opportunity_history, *names) == [
        ("006A", datetime(2024, 1, 5, 10, 11, 12), "Qualification", Decimal(1000), date(2024, 4, 30)),
        ("006A", datetime(2024, 2, 5, 10, 11, 12), "Qualification", Decimal("1200.5"), date(2024, 4, 30)),
        ("006A", datetime(2024, 3, 10, 9), "Signed", Decimal("1200.5"), date(2024, 3, 10)),
        ("006C", datetime(2024, 1, 5, 10, 11, 12), "Qualification", None, date(2024, 6, 30)),
    ]
    numbered = held(any_data_set, opportunity_history, "opportunity_id", "change_number", "changed_at")
    assert [moment for _, _, moment in numbered[:3]] == sorted(moment for _, _, moment in numbered[:3])
    undo(any_data_set, 2)
    assert stored(any_data_set) == first


@pytest.mark.slow
def test_a_report_names_stages_owners_and_accounts_in_words(data_set):
    header = "Opportunity ID,Opportunity Name,Stage,Amount,Close Date,Created Date,Opportunity Owner,Account Name,Lead Source,Age"
    rows = ("006A,Chairs,Closed Won,100,1/31/2024,1/5/2024,Ann Lee,Acme,Web,26", "006B,Lamps,Proposal,50,6/30/2024,1/6/2024,Bo Poe,Umbra,,")
    footer = '"Copyright (c) 2000-2024 salesforce.com, inc. All rights reserved."'
    report = load(data_set, header, *rows, footer)
    assert counts(report) == (3, 2, 0, 1)
    assert held(data_set, opportunities, "opportunity_id", "customer_id", "owner_id", "outcome", "created_on", "closed_on") == [
        ("006A", "Acme", "Ann Lee", "won", date(2024, 1, 5), date(2024, 1, 31)),
        ("006B", "Umbra", "Bo Poe", "open", date(2024, 1, 6), None),
    ]
    assert held(data_set, employees, "employee_id", "employee_name") == [("Ann Lee", "Ann Lee"), ("Bo Poe", "Bo Poe")]
    assert held(data_set, customers, "customer_id", "customer_name") == [("Acme", "Acme"), ("Umbra", "Umbra")]


@pytest.mark.slow
def test_the_files_of_one_company_know_each_other(data_set):
    load(data_set, OPPORTUNITY, *ROWS)
    load(data_set, "Id,Username,FirstName,LastName,Name,Department,ManagerId", "005A,ann@x.example,Ann,Lee,Ann Lee,West,005B")
    load(data_set, "Id,IsDeleted,Name,Industry,BillingCountry,OwnerId", "001A,false,Acme,Banking,Germany,005A", "001B,true,Old,,,")
    load(data_set, "Id,AccountId,FirstName,LastName,Email", "003A,001A,Kim,Roe,kim@acme.example", "003B,,Lou,,lou@x.example")
    load(
        data_set,
        "Id,IsDeleted,LastName,Company,Status,LeadSource,OwnerId,CreatedDate,ConvertedDate,ConvertedAccountId,ConvertedOpportunityId",
        "00QA,false,Roe,Acme,Closed - Converted,Web,005A,2024-01-02T08:00:00.000Z,2024-01-05,001A,006A",
        "00QB,false,Ott,Umbra,Open - Not Contacted,Phone,005A,2024-01-03T08:00:00.000Z,,,",
        "00QC,false,Moe,Umbra,Closed - Not Converted,Phone,005A,2024-01-03T08:00:00.000Z,,,",
    )
    assert held(data_set, employees, "employee_id", "employee_name", "team", "manager_id") == [("005A", "Ann Lee", "West", "005B")]
    assert held(data_set, customers, "customer_id", "customer_name", "industry") == [("001A", "Acme", "Banking")]
    assert held(data_set, contacts, "contact_id", "customer_id", "contact_name") == [("003A", "001A", "Kim Roe")]
    assert held(data_set, leads, "lead_id", "lead_status", "converted_on", "opportunity_id") == [
        ("00QA", "converted", date(2024, 1, 5), "006A"),
        ("00QB", "new", None, None),
        ("00QC", "unqualified", None, None),
    ]


@pytest.mark.slow
def test_a_call_that_was_made_is_a_task_and_an_activity_and_only_deals_are_named_as_deals(data_set):
    load(
        data_set,
        "Id,WhoId,WhatId,Subject,ActivityDate,Status,OwnerId,AccountId,TaskSubtype,CompletedDateTime,CallDisposition",
        "00TA,003A,006A,Call Acme,2024-01-31,Completed,005A,001A,Call,2024-01-31T14:05:00.000Z,reached",
        "00TB,00QA,001A,Send the offer,2024-02-01,Not Started,005A,001A,Task,,",
    )
    load(
        data_set,
        "Id,WhoId,WhatId,Subject,StartDateTime,DurationInMinutes,OwnerId,Type",
        "00UA,00QA,006C,First meeting,2024-02-02T10:00:00.000Z,45,005A,Meeting",
        "00UB,,5001,Visit,2024-02-03T10:00:00.000Z,60,005A,Site visit",
    )
    assert held(data_set, tasks, "task_id", "opportunity_id", "due_on", "done_on") == [
        ("00TA", "006A", date(2024, 1, 31), date(2024, 1, 31)),
        ("00TB", None, date(2024, 2, 1), None),
    ]
    assert held(data_set, activities, "activity_id", "activity_kind", "happened_at", "lead_id", "opportunity_id", "minutes") == [
        ("00TA", "call", datetime(2024, 1, 31, 14, 5), None, "006A", None),
        ("00UA", "meeting", datetime(2024, 2, 2, 10), "00QA", "006C", Decimal(45)),
        ("00UB", "Site visit", datetime(2024, 2, 3, 10), None, None, Decimal(60)),
    ]


MALFORMED = {
    "nothing": "",
    "only a header": f"{OPPORTUNITY}\n",
    "no key": "Name,StageName,IsWon,IsClosed\na,New,false,false\n",
    "no stage": "Id,Name,IsWon,IsClosed\n1,a,false,false\n",
    "one flag of two, and a stage that says it": "Id,Name,StageName,IsWon\n1,a,Closed Won,true\n2,b,New,false\n",
    "flags as numbers": "Id,StageName,IsWon,IsClosed\n1,a,1,1\n2,b,0,0\n",
    "flags in words": "Id,StageName,IsWon,IsClosed\n1,a,TRUE,TRUE\n2,b,False,True\n",
    "flags that contradict": "Id,StageName,IsWon,IsClosed\n1,a,true,false\n2,b,false,false\n",
    "a flag is empty": "Id,StageName,IsWon,IsClosed\n1,a,,true\n2,b,false,false\n",
    "all deleted": "Id,IsDeleted,StageName,IsWon,IsClosed\n1,true,a,true,true\n2,1,b,true,true\n",
    "an empty key": "Id,StageName,IsWon,IsClosed\n,a,true,true\n2,b,true,true\n",
    "an amount in words": "Id,StageName,IsWon,IsClosed,Amount\n1,a,true,true,much\n2,b,true,true,5\n",
    "an amount with its currency": "Id,StageName,IsWon,IsClosed,Amount\n1,a,true,true,USD 10.50\n2,b,true,true,USD 5\n",
    "a day that does not exist": "Id,StageName,IsWon,IsClosed,CloseDate\n1,a,true,true,2024-02-30\n2,b,true,true,2024-02-28\n",
    "days of either order": "Id,StageName,IsWon,IsClosed,CloseDate\n1,a,true,true,01/02/2024\n2,b,true,true,03/04/2024\n",
    "capital letters and signs": "ID,Stage_Name,IS_WON,Is Closed\n1,a,true,true\n2,b,false,false\n",
    "a byte order mark": "\ufeffId,StageName,IsWon,IsClosed\n1,a,true,true\n2,b,true,true\n",
    "semicolons": "Id;StageName;IsWon;IsClosed\n1;a;true;true\n2;b;true;true\n",
    "fields missing and too many": "Id,StageName,IsWon,IsClosed\n1,a,true\n2,b,true,true\n3,c,true,true,x\n",
    "a key twice, the same": "Id,StageName,IsWon,IsClosed\n1,a,true,true\n1,a,true,true\n",
    "a history without moments": f"{HISTORY}\n008A,006A,,,New,1,,,,,,\n008B,006A,,2024-01-01T00:00:00.000Z,New,1,,,,,,\n",
    "a history without a deal": f"{HISTORY}\n008A,,,2024-01-01 00:00,New,1,,,,,,\n008B,006A,,2024-01-01 00:00,New,1,,,,,,\n",
    "field history": "Id,OpportunityId,Field,OldValue,NewValue,CreatedDate\n1,006A,Amount,1,2,2024-01-01T00:00:00.000Z\n",
    "another object": "Id,Foo,Bar\n1,2,3\n",
}


def test_malformed_exports_are_read_or_refused_and_each_row_is_counted():
    found = {case: accounted(content, SALESFORCE) for case, content in MALFORMED.items()}
    assert {case for case, told in found.items() if told == "refused"} == {
        "nothing",
        "only a header",
        "no key",
        "no stage",
        "days of either order",
        "field history",
        "another object",
    }
    assert {case: told for case, told in found.items() if told not in ("refused", "2 = 2 + 0")} == {
        "flags that contradict": "2 = 1 + 1",
        "a flag is empty": "2 = 1 + 1",
        "all deleted": "2 = 0 + 2",
        "an empty key": "2 = 1 + 1",
        "an amount in words": "2 = 1 + 1",
        "a day that does not exist": "2 = 1 + 1",
        "fields missing and too many": "3 = 1 + 2",
        "a history without moments": "2 = 1 + 1",
        "a history without a deal": "2 = 1 + 1",
    }


# ── as Fivetran copies its tables ───────────────────────────────────────────────────────────────────────────────────────

FIVETRAN_COLUMNS = "_fivetran_synced,account_id,amount,close_date,created_date,id,is_closed,is_deleted,is_won,name,owner_id,stage_name"
VERSIONS = (
    "FALSE,2024-01-05 10:11:12,2024-03-10 08:59:59,2024-03-11 06:00:00,001A,100,2024-04-30 00:00:00,2024-01-05 10:11:12,006A,false,false,"
    "false,a,5,New",
    "TRUE,2024-03-10 09:00:00,9999-12-31 23:59:59,2024-03-11 06:00:00,001A,120,2024-03-10 00:00:00,2024-01-05 10:11:12,006A,true,false,"
    "true,a,5,Signed",
)


@pytest.mark.slow
def test_versions_of_an_opportunity_are_its_history(any_data_set):
    now = "2024-03-11 06:00:00,001A,120,2024-03-10 00:00:00,2024-01-05 10:11:12,006A,true,false,true,a,5,Signed"
    assert counts(load(any_data_set, FIVETRAN_COLUMNS, now, name="opportunity.csv", using=FIVETRAN)) == (1, 1, 0, 0)
    header = f"_fivetran_active,_fivetran_start,_fivetran_end,{FIVETRAN_COLUMNS}"
    assert counts(load(any_data_set, header, *VERSIONS, name="opportunity_history.csv", using=FIVETRAN)) == (2, 2, 0, 0)
    assert held(any_data_set, opportunity_history, "changed_at", "stage", "outcome", "deal_amount", "expected_close_on", "owner_id") == [
        (datetime(2024, 1, 5, 10, 11, 12), "New", "open", Decimal(100), date(2024, 4, 30), "5"),
        (datetime(2024, 3, 10, 9), "Signed", "won", Decimal(120), date(2024, 3, 10), "5"),
    ]
    assert held(any_data_set, opportunities, "opportunity_id", "outcome", "closed_on") == [("006A", "won", date(2024, 3, 10))]
    assert held(any_data_set, stages, "stage", "outcome") == [("New", "open"), ("Signed", "won")]


@pytest.mark.slow
def test_every_row_of_the_seeds_of_fivetran_is_accounted_for(data_set, shared_data):
    """Seeds of dbt_salesforce (Apache-2.0): names hashed, all opportunities deleted, some users and accounts too."""
    expected = {
        "opportunity": (10, 0, 0, 10),
        "opportunity_history": (10, 0, 0, 10),
        "lead": (1, 1, 0, 0),
        "task": (10, 10, 0, 0),
        "event": (10, 10, 0, 0),
        "user": (10, 4, 0, 6),
        "account": (10, 1, 0, 9),
        "contact": (4, 3, 0, 1),
    }
    files = {name: shared_data / "exports_salesforce" / f"sf_{name}_data.csv.gz" for name in expected}
    for file in files.values():
        assert propose(read_file(file.read_bytes(), file.name)).built_in == "salesforce_fivetran"
    found = {name: import_file(data_set, file.read_bytes(), file.name, FIVETRAN) for name, file in files.items()}
    assert {name: counts(report) for name, report in found.items()} == expected
    assert {name for name, report in found.items() if report.state == "refused"} == {"opportunity", "opportunity_history"}
    again = {name: import_file(data_set, file.read_bytes(), file.name, FIVETRAN) for name, file in files.items()}
    assert {report.state for name, report in again.items() if found[name].state != "refused"} == {"unchanged"}
    for name in ("account_history", "contact_history", "opportunity_line_item", "order", "product_2", "user_role"):
        file = shared_data / "exports_salesforce" / f"sf_{name}_data.csv.gz"
        with pytest.raises(NotNeededError, match=name):
            import_file(data_set, file.read_bytes(), file.name, FIVETRAN)
