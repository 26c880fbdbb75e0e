"""What every table of the room must stand: sparse and contradictory data, readers of one region, and both databases alike."""

import datetime as dt
import warnings
import zlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from written_deals import at, write

from crm_metrics.database import DataSet, find_data_set, open_source
from crm_metrics.filters import Filters
from crm_metrics.pipeline import TABLES
from crm_metrics.pipeline.deals import tables as deals_tables
from crm_metrics.pipeline.people import tables as people_tables
from crm_metrics.scope import Scope

D = dt.date
REGIONS, CUSTOMERS = ("North", "South"), 40
GO_LIVE = [{"topic": "plan", "parameter": "go_live_on", "subject": "", "true_text": "2024-06-01", "place": 1}]


def company(region: str, *, deals: int = 60, worth: int = 1, of: str = "") -> dict[str, list[dict[str, Any]]]:
    """Deals, their history and all beside them of one region; every key begins with it. of: the region whose customers it sells to, on
    whose deals it works too and whose sellers own its deals; empty: its own. Where deals are worth more they come later.
    """

    def key(name: str, number: int) -> str:
        return f"{region} {name}{number}"

    def worked(name: str, number: int) -> str:
        return f"{of or region} {name}{number}"

    rows, history = [], []
    for number in range(deals):
        created, outcome = D(2024, 1, 1) + dt.timedelta(number * 5 % 290 + 60 * (worth > 1)), ("open", "won", "lost")[number % 3]
        stage = {"won": "Won", "lost": "Lost"}.get(outcome, ("Talk", "Offer")[number % 2])
        row: dict[str, Any] = {"opportunity_id": key("deal", number), "created_on": created, "outcome": outcome, "stage": stage}
        row |= {"deal_amount": (100 + number) * worth, "customer_id": worked("customer", number % (5 if outcome == "won" else 7))}
        row |= {"owner_id": worked("seller", number % 3) if number % 2 else key("seller", number % 3)}
        row |= {"region": region if number % 2 else None, "deal_source": key("source", number % 2), "closed_on": None}
        row |= {"lost_reason": key("reason", number % 2) if outcome == "lost" else None}
        path: list[Any] = [("Talk", "open", created), ("Offer", "open", created + dt.timedelta(1))]
        if outcome != "open":
            path += [(stage, outcome, created + dt.timedelta(number % 40 + 1))]
            row["closed_on"] = path[-1][-1]
        if outcome != "open" and number % 11 == 4:
            row["closed_on"] += dt.timedelta(12)
            path += [("Talk", "open", row["closed_on"] - dt.timedelta(5)), (stage, outcome, row["closed_on"])]
        row["has_scorecard"] = number % 4 == 0
        row["expected_close_on"] = D(2024, 12, 1) + dt.timedelta(number)
        rows.append(row)
        told = {name: row[name] for name in ("opportunity_id", "deal_amount", "expected_close_on", "owner_id")}
        for change, (entered, ending, day) in enumerate(path):
            history.append({**told, "change_number": change + 1, "changed_at": at(day, 9 + change), "stage": entered, "outcome": ending})
    told = {"opportunities": rows, "opportunity_history": history, **worked_by(region, of or region, deals, worth)}
    return {**told, **bought(region, of or region, worth), **asked(region, worth=0 if of else worth)}


def worked_by(region: str, of: str, deals: int, worth: int) -> dict[str, list[dict[str, Any]]]:
    """The people of a region, and what they do for the deals of one: those of another call before its own do, and long after. Some have
    tasks for deals in the East, which are another's.
    """
    sellers = [f"{region} seller{number}" for number in range(3)]
    people = [{"employee_id": name, "team": f"{region} team{name[-1] == '1'}", "region": region, "role": "sales"} for name in sellers]
    clerk = {"team": "entry", "region": region, "role": "order entry"}
    clerks = [{**clerk, "employee_id": f"{region} clerk{number}", "hourly_cost": (30 + number**2) * worth} for number in range(3)]
    leads = [
        {
            "lead_id": f"{region} lead{number}",
            "created_on": D(2024, 1 + number % 9, 3),
            "owner_id": sellers[number % 3],
            "lead_status": "new",
        }
        | {"qualified_on": D(2024, 10, 1) if number % 4 == 0 else None, "converted_on": D(2024, 10, 2) if number % 6 == 0 else None}
        for number in range(24)
    ]
    after = 3 if region == of else 1
    days = [D(2024, 1, 1) + dt.timedelta(number * 5 % 290 + after + 60 * (after == 1 and number % 2)) for number in range(deals)]
    calls = [
        {"activity_id": f"{region} call{number}", "activity_kind": "call", "happened_at": at(day), "activity_count": worth}
        | {"employee_id": sellers[number % 3], "opportunity_id": f"{of} deal{number}", "customer_id": f"{of} customer{number % 7}"}
        for number, day in enumerate(days)
    ]
    due = [D(2024, 1, 1) + dt.timedelta(number * 5) for number in range(24)]
    tasks = [
        {
            "task_id": f"{region} task{kept}{number}",
            "employee_id": sellers[number % 3],
            "opportunity_id": f"{kept} deal{number}",
            "due_on": day,
        }
        | {"stage": "Talk", "done_on": day + dt.timedelta(number % 2) if number % 4 else None}
        for kept in (of, "East")
        for number, day in enumerate(due)
    ]
    quotas = [{"employee_id": name, "quarter_on": D(2024, 10, 1), "quota_amount": 900 * worth} for name in sellers]
    return {"employees": people + clerks, "leads": leads, "activities": calls, "tasks": tasks, "quotas": quotas}


def bought(region: str, of: str, worth: int) -> dict[str, list[dict[str, Any]]]:
    """Orders placed in a region by the customers of one, by each at its own pace; three of them came late to their own region."""
    orders, lines = [], []
    for number in range(200):
        who, place = number % CUSTOMERS, number // CUSTOMERS
        day = D(2023, 1, 1) + dt.timedelta(place * (60 + who * 11 % 90) + number * 7 % 50 + (500 * (who < 3) if region == of else 400))
        order = {
            "order_id": f"{region} order{number}",
            "customer_id": f"{of} customer{who}",
            "ordered_on": day,
            "ordered_at": at(day),
        }
        order |= {"entry_started_at": at(day), "entry_booked_at": at(day) + dt.timedelta(minutes=number % 9 + worth, seconds=7)}
        orders.append({**order, "order_region": region, "is_purchase": True, "is_cancelled": False, "was_corrected": number % 5 == 0})
        number_of_row = zlib.crc32(str(order["order_id"]).encode())
        line = {"row_number": number_of_row, "order_id": order["order_id"], "line_kind": "sale", "row_hash": ""}
        lines.append({**line, "quantity": Decimal(1), "net_amount": Decimal(worth * (10 + number))})
    return {"orders": orders, "order_lines": lines}


def asked(region: str, *, worth: int) -> dict[str, list[dict[str, Any]]]:
    """The customers of a region, what they asked service and how satisfied they are; none where worth is 0."""
    count = CUSTOMERS if worth else 0
    customers = [
        {"customer_id": f"{region} customer{number}", "customer_name": f"{region} name{number}", "home_region": region}
        | {"owner_id": f"{region} seller0"}
        for number in range(count)
    ]
    tickets = [
        {"ticket_id": f"{region} ticket{number}", "customer_id": f"{region} customer{number}", "opened_at": at(D(2024, 1, 1))}
        | {"opportunity_id": f"{region} deal{number}"}
        for number in range(count)
    ]
    surveys = [
        {"survey_id": f"{region} survey{number}", "customer_id": f"{region} customer{number}", "survey_kind": "satisfaction"}
        | {"answered_on": D(2024, 3, 1) + dt.timedelta(number * 5), "score": number % 5 + 1}
        for number in range(count)
    ]
    return {"customers": customers, "service_tickets": tickets, "surveys": surveys}


def published(data_set: DataSet, *parts: dict[str, list[dict[str, Any]]], backwards: bool = False, **others: Any) -> DataSet:
    """Publish companies together. backwards: the rows in the other order."""
    rows = {name: [row for part in parts for row in part[name]] for name in parts[0]}
    rows = {name: found[::-1] if backwards else found for name, found in rows.items()}
    return write(data_set, rows.pop("opportunities"), rows.pop("opportunity_history"), **rows, **others)


def answers(data_set: DataSet, filters: Filters) -> dict[str, pd.DataFrame]:
    source = open_source(data_set)
    return {name: table(source, filters) for name, table in TABLES.items()}


def assert_alike(found: dict[str, pd.DataFrame], expected: dict[str, pd.DataFrame]) -> None:
    for name, frame in expected.items():
        left, right = (one.drop(columns="deal_number", errors="ignore").reset_index(drop=True) for one in (found[name], frame))
        pd.testing.assert_frame_equal(left, right, check_dtype=False, obj=name)


# ── sparse and contradictory ────────────────────────────────────────────────────────────────────────────────────────────


def without(name: str, **values: Any) -> dict[str, list[dict[str, Any]]]:
    """Return a company all rows of one table of which have these values."""
    return {table: [{**row, **values} for row in rows] if table == name else rows for table, rows in company("North").items()}


NOTHING: dict[str, list[dict[str, Any]]] = {"opportunities": [], "opportunity_history": []}
SPARSE: dict[str, tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]] = {
    "nothing": (NOTHING, {}),
    "leads and calls alone": ({**company("North"), **NOTHING}, {}),
    "one open deal": (company("North", deals=1), {}),
    "no stages": (company("North"), {"stages": []}),
    "stages without order": (company("North"), {"stages": [{"stage": name} for name in ("Talk", "Offer", "Won", "Lost")]}),
    "no values": (without("opportunities", deal_amount=None), {}),
    "values below zero": (without("opportunities", deal_amount=-5), {}),
    "no owners": (without("opportunities", owner_id=None), {}),
    "no days": ({**without("opportunities", created_on=None, closed_on=None), "opportunity_history": []}, {}),
    "history of open rows": (without("opportunities", outcome="open", closed_on=None), {}),
    "closed before created": (without("opportunities", created_on=D(2024, 12, 31)), {}),
    "all in one moment": (without("opportunity_history", changed_at=at(D(2024, 5, 5))), {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SPARSE)
def test_every_table_answers_on_sparse_and_contradictory_data_without_a_warning(data_set, name):
    rows, others = SPARSE[name]
    published(data_set, rows, **others)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)  # of connections that other tests left to the garbage collector
        for filters in (Filters(), Filters(start=D(2024, 3, 1), end=D(2024, 8, 31))):
            assert answers(data_set, filters).keys() == TABLES.keys()


def test_a_deal_closed_before_its_creation_took_no_days_wherever_days_are_told(data_set):
    days = {"created_on": D(2024, 5, 1), "outcome": "won", "owner_id": "a", "deal_amount": 10}
    deals = [{**days, "opportunity_id": "1", "closed_on": D(2024, 3, 1)}, {**days, "opportunity_id": "2", "closed_on": D(2024, 5, 9)}]
    source = open_source(write(data_set, deals))
    assert deals_tables.tiles(source, Filters()).set_index("metric").loc["won_cycle_days", "value"] == 4
    assert people_tables.people_detail(source, Filters())["days_to_win"].tolist() == [4]


# ── nothing of later days ───────────────────────────────────────────────────────────────────────────────────────────────

HELD = {"held", "days_held", "deal_basis", "conversion_basis", "waterfall_basis"}  # what the data hold, whatever the day
OWNED = {"people_detail", "teams_detail", "owner_tiles", "owners", "unassigned", "repurchase_due"}  # owners of customers: known today alone


def stood(made: dict[str, list[dict[str, Any]]], day: dt.date) -> dict[str, list[dict[str, Any]]]:
    """Return the rows as they stood at the end of a day."""

    def by(row: dict[str, Any], name: str) -> bool:
        value = row[name]
        return value is not None and (value.date() if isinstance(value, dt.datetime) else value) <= day

    days = {"opportunity_history": "changed_at", "leads": "created_on", "activities": "happened_at", "service_tickets": "opened_at"}
    days |= {"surveys": "answered_on", "orders": "ordered_on"}
    kept = made | {table: [row for row in made[table] if by(row, name)] for table, name in days.items()}
    last = {row["opportunity_id"]: row for row in kept["opportunity_history"]}
    deals = []
    for row in made["opportunities"]:
        if then := last.get(row["opportunity_id"]):
            known = {name: then[name] for name in ("stage", "outcome", "deal_amount", "expected_close_on", "owner_id")}
            closed_on = then["changed_at"].date() if then["outcome"] != "open" else None
            reason = row["lost_reason"] if closed_on == row["closed_on"] else None
            deals.append({**row, **known, "closed_on": closed_on, "lost_reason": reason, "has_scorecard": None})
    leads = [
        {**row, "lead_status": None} | {name: row[name] if by(row, name) else None for name in ("qualified_on", "converted_on")}
        for row in kept["leads"]
    ]
    tickets = [row if row["opportunity_id"] in last else {**row, "opportunity_id": None} for row in kept["service_tickets"]]
    tasks = [row if by(row, "done_on") else {**row, "done_on": None} for row in made["tasks"]]
    placed = {row["order_id"] for row in kept["orders"]}
    lines = [row for row in made["order_lines"] if row["order_id"] in placed]
    return kept | {"opportunities": deals, "leads": leads, "service_tickets": tickets, "tasks": tasks, "order_lines": lines}


@pytest.mark.slow
@pytest.mark.parametrize("day", [D(2024, 5, 20), D(2024, 8, 9), D(2024, 10, 18)], ids=str)
def test_on_a_past_day_every_table_says_what_the_data_said_then(data_set, tmp_path, day):
    then, made = find_data_set(f"duckdb:///{tmp_path}/then.duckdb"), company("North", deals=480)
    published(data_set, made, demo_truth=GO_LIVE)
    published(then, stood(made, day), demo_truth=GO_LIVE)
    known, asked_later = answers(then, Filters(as_of=day)), answers(data_set, Filters(as_of=day))
    assert_alike(asked_later, {name: frame for name, frame in known.items() if name not in HELD | OWNED})


# ── what a reader of one region sees, and both databases ────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("filters", [Filters(), Filters(start=D(2024, 3, 1), end=D(2024, 8, 31))], ids=["all", "period"])
def test_a_reader_of_one_region_sees_in_every_table_what_stands_there_without_the_others(data_set, tmp_path, filters):
    own = find_data_set(f"duckdb:///{tmp_path}/own.duckdb")
    others = (company("South", worth=1_000_000), company("East", deals=240, worth=1_000_000, of="North"))
    published(data_set, company("North", deals=240), *others, demo_truth=GO_LIVE)
    published(own, company("North", deals=240), demo_truth=GO_LIVE)
    assert_alike(answers(data_set, replace(filters, scope=Scope("manager", REGIONS[:1]))), answers(own, filters))


@pytest.mark.slow
def test_a_reader_of_one_region_is_told_of_nobody_in_another_who_looks_after_its_customers(data_set):
    north = company("North")
    north["customers"] = [{**row, "owner_id": "South seller0"} for row in north["customers"]]
    source = open_source(published(data_set, north, company("South")))
    found = people_tables.people_detail(source, Filters(scope=Scope("manager", REGIONS[:1])))["employee_id"].dropna()
    assert len(found)
    assert found.str.startswith("North").all()


@pytest.mark.slow
@pytest.mark.postgresql
@pytest.mark.parametrize("filters", [Filters(), Filters(start=D(2024, 3, 1), end=D(2024, 8, 31))], ids=["all", "period"])
def test_every_table_is_the_same_on_both_databases_whatever_the_order_of_rows(data_set, postgresql_schema, filters):
    other = published(find_data_set(postgresql_schema), company("North", deals=240), company("South", worth=3), backwards=True)
    assert_alike(answers(other, filters), answers(published(data_set, company("North", deals=240), company("South", worth=3)), filters))
