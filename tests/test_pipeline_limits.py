"""On which side of a limit a day, a moment or a quarter lies."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from written_deals import at, write

from crm_metrics import database, schema
from crm_metrics.database import open_source
from crm_metrics.filters import Filters
from crm_metrics.periods import Period
from crm_metrics.pipeline.conversion import statistic as conversion
from crm_metrics.pipeline.conversion import tables as conversion_tables
from crm_metrics.pipeline.deals import query as deals_query
from crm_metrics.pipeline.deals.terms import ALL_DEALS
from crm_metrics.pipeline.forecast.history import day_number
from crm_metrics.pipeline.forecast.simulation import won_in
from crm_metrics.pipeline.forecast.terms import quarter_window
from crm_metrics.pipeline.funnel import tables as funnel_tables
from crm_metrics.pipeline.ownership import query as ownership_query
from crm_metrics.pipeline.ownership import statistic
from crm_metrics.pipeline.people import query as people_query
from crm_metrics.pipeline.people.terms import GoLive
from crm_metrics.pipeline.waterfall.statistic import States, transitions

D = dt.date


def test_what_happened_at_midnight_is_of_the_day_that_begins(data_set):
    """Days without a clock are stored so: a history of days would otherwise be known a day early."""
    midnight, was = at(D(2024, 6, 2), 0), {"opportunity_id": "a", "outcome": "open"}
    history = [{**was, "change_number": 1, "changed_at": at(D(2024, 5, 1)), "stage": "Talk"}]
    history += [{**was, "change_number": 2, "changed_at": midnight, "stage": "Offer"}]
    calls = [{"activity_id": "1", "activity_kind": "call", "happened_at": midnight}]
    source = open_source(
        write(data_set, [{"opportunity_id": "a", "created_on": D(2024, 5, 1), "stage": "Offer"}], history, activities=calls)
    )
    for day, stage, made in ((D(2024, 6, 1), "Talk", 0), (D(2024, 6, 2), "Offer", 1)):
        assert source(deals_query.deal_rows(Filters(), on=day))["stage"].tolist() == [stage]
        assert source(deals_query.activity_rows(Filters(), until=day).select()).shape[0] == made


def test_an_expected_day_is_no_closing_where_a_history_tells_another(data_set):
    row = {"opportunity_id": "a", "created_on": D(2024, 1, 1), "expected_close_on": D(2024, 1, 20), "outcome": "won", "stage": "Won"}
    history = [{"opportunity_id": "a", "change_number": 1, "changed_at": at(D(2024, 1, 1)), "stage": "Talk", "outcome": "open"}]
    history += [{"opportunity_id": "a", "change_number": 2, "changed_at": at(D(2024, 3, 1)), "stage": "Won", "outcome": "won"}]
    source = open_source(write(data_set, [row, {**row, "opportunity_id": "b"}], history))
    assert source(deals_query.deal_rows(Filters(), on=D(2024, 2, 1)))["outcome"].tolist() == ["open", "won"]


@pytest.mark.slow
def test_the_end_that_a_history_lacks_or_contradicts_is_that_of_the_row(data_set):
    row = {"created_on": D(2024, 1, 1), "closed_on": D(2024, 3, 1), "outcome": "lost"}
    told = [("a", "open"), ("b", "won"), ("c", "lost")]
    history = [{"opportunity_id": one, "change_number": 1, "changed_at": at(D(2024, 1, 1)), "outcome": outcome} for one, outcome in told]
    source = open_source(write(data_set, [{**row, "opportunity_id": one} for one, _ in told], history))
    changes = source(deals_query.changes(Filters()))
    ends = changes[changes["change_number"] == deals_query.CLOSING]
    assert ends[["deal_number", "outcome"]].to_numpy().tolist() == [[1, "lost"], [2, "lost"]]


@pytest.mark.slow
def test_a_won_deal_that_is_set_to_lost_is_not_reopened(data_set):
    ends = [("Talk", "open"), ("Won", "won"), ("Lost", "lost")]
    history = [
        {"opportunity_id": "a", "change_number": place, "changed_at": at(D(2024, 1, 1 + place)), "stage": stage, "outcome": outcome}
        for place, (stage, outcome) in enumerate(ends, 1)
    ]
    deals = [{"opportunity_id": "a", "created_on": D(2024, 1, 2), "outcome": "lost", "stage": "Lost", "closed_on": D(2024, 1, 4)}]
    source = open_source(write(data_set, deals, history))
    assert funnel_tables.detours(source, Filters())["reopened"].tolist() == [0] * 4


@pytest.mark.slow
def test_another_value_in_the_same_stage_is_no_way_back_and_a_history_from_the_first_day_has_its_creation(data_set):
    history = [
        {"opportunity_id": "a", "change_number": place, "changed_at": at(D(2024, 1, place)), "stage": "Talk", "deal_amount": place}
        for place in (1, 2)
    ]
    source = open_source(write(data_set, [{"opportunity_id": "a", "created_on": D(2024, 1, 1), "stage": "Talk"}], history))
    assert funnel_tables.detours(source, Filters())["went_back"].tolist() == [0] * 4
    assert source(deals_query.changes(Filters()))["change_number"].tolist() == [1, 2]


@pytest.mark.slow
def test_a_deal_won_on_the_last_day_that_it_is_followed_is_a_hit(data_set):
    created = D(2024, 1, 1)
    deals = [
        {"opportunity_id": str(days), "created_on": created, "closed_on": created + dt.timedelta(days), "outcome": "won"}
        for days in (180, 181)
    ]
    day = people_query.DealDay(D(2025, 1, 1), None)
    sides = open_source(write(data_set, deals))(people_query.deal_sides(Filters(), ALL_DEALS, day, GoLive(D(2024, 6, 1))))
    assert sides[["n", "hits", "days"]].to_numpy().tolist() == [[2, 1, 180]]


@pytest.mark.slow
def test_who_acts_in_the_moment_of_the_question_has_acted(data_set):
    asked = at(D(2024, 5, 2))
    tickets = [{"ticket_id": "t", "opened_at": asked, "opportunity_id": "a"}]
    calls = [{"activity_id": "1", "activity_kind": "call", "happened_at": asked, "opportunity_id": "a"}]
    deals = [{"opportunity_id": "a", "created_on": D(2024, 5, 2)}]
    source = open_source(write(data_set, deals, service_tickets=tickets, activities=calls))
    assert source(ownership_query.service_handovers(Filters()))["acted_at"].tolist() == [pd.Timestamp(asked)]


def test_no_hours_lead_to_a_deal_that_was_there_before_the_question():
    days = pd.to_datetime(["2024-05-01", "2024-05-03"])
    nothing = pd.to_datetime(["", ""])
    tickets = pd.DataFrame(
        {"opened_at": pd.to_datetime(["2024-05-02 10:00"] * 2), "created_on": days, "created_at": nothing, "acted_at": nothing}
    )
    assert statistic.hours_to(tickets)["to_deal"].fillna(-1).tolist() == [-1, 24]


def test_a_blind_spot_is_more_days_without_contact_than_are_asked_for():
    today = pd.Timestamp("2024-06-30")
    rows = pd.DataFrame({"deal_number": [1, 2], "opportunity_id": ["a", "b"], "outcome": "open", "owner_id": "x", "next_step": "y"})
    rows = rows.assign(deal_amount=1.0, customer_id="c", created_on=today, expected_close_on=[today, today - pd.Timedelta(days=1)])
    contacts = pd.DataFrame({"deal_number": [1, 2], "of_deal_on": [today - pd.Timedelta(days=days) for days in (30, 31)]})
    contacts = contacts.assign(of_customer_on=contacts["of_deal_on"], asked_on=contacts["of_deal_on"], contact_people=1.0)
    found = statistic.open_deals(rows, contacts, set(), today, days=30).sort_values("opportunity_id")
    assert found["no_contact"].tolist() == [False, True]
    assert found["is_overdue"].tolist() == [False, True]


def test_a_deal_closed_before_the_period_does_not_move_in_closed():
    day = np.array(["2024-01-31"], dtype="datetime64[D]")
    unseen, sure = np.zeros(1, np.int8), np.ones(1, bool)
    before = States(unseen, np.array([5]), sure, day, sure, sure)
    after = before._replace(outcome=np.array([2], np.int8))
    assert transitions(before, after, before_on=D(2024, 1, 31), window=None).empty
    later = after._replace(close_on=day + 1)
    assert len(transitions(before, later, before_on=D(2024, 1, 31), window=None)) == 2


def test_the_last_day_of_a_window_is_in_it():
    day, one = np.array(["2024-03-31"], dtype="datetime64[D]"), np.ones(1, bool)
    deal = States(np.array([1], np.int8), np.array([5]), one, day, one, one)
    found = transitions(deal, deal, before_on=D(2024, 1, 31), window=Period(D(2024, 1, 1), D(2024, 3, 31)))
    assert found["deals"].tolist() == [1, 1]  # at the start and at the end


def test_a_deal_followed_for_just_an_age_is_no_younger():
    counts = pd.DataFrame({"cohort": "q", "cohort_name": "q", "duration": [30, 60, 90], "won": [1, 0, 0], "lost": 0, "censored": [0, 1, 1]})
    ages = conversion.cohorts(counts, conversion.WON_LOST, is_of_periods=True).set_index("age_days")
    assert ages.loc[[30, 60, 180], "is_unfinished"].tolist() == [False, False, True]


@pytest.mark.slow
def test_a_win_is_no_way_back_whatever_place_its_stage_has(data_set):
    stages = [{"stage": "Won", "stage_order": 1, "outcome": "won"}, {"stage": "Offer", "stage_order": 2, "outcome": "open"}]
    history = [
        {"opportunity_id": "a", "change_number": place, "changed_at": at(D(2024, 1, place)), "stage": stage, "outcome": outcome}
        for place, (stage, outcome) in enumerate([("Offer", "open"), ("Won", "won")], 1)
    ]
    deals = [{"opportunity_id": "a", "created_on": D(2024, 1, 1), "outcome": "won", "stage": "Won", "closed_on": D(2024, 1, 2)}]
    source = open_source(write(data_set, deals, history, stages=stages))
    assert conversion_tables.stage_times(source, Filters())[["passed_share", "back_share"]].to_numpy().tolist() == [[1, 0]]


def test_a_win_on_the_first_and_on_the_last_day_is_of_the_quarter():
    days = [day_number(day) for day in (D(2023, 12, 31), D(2024, 1, 1), D(2024, 3, 31), D(2024, 4, 1))]
    standing: Any = SimpleNamespace(state=np.full(4, 3), entered=np.array(days))
    told: Any = SimpleNamespace(won=3)
    assert won_in(standing, told, quarter_window(D(2024, 1, 1), D(2024, 2, 1))).tolist() == [False, True, True, False]


@pytest.mark.slow
def test_a_task_due_today_and_not_done_by_its_end_is_overdue(data_set):
    due = pa.array([D(2024, 5, 2), D(2024, 5, 3)], pa.date32())
    tasks = pa.table({"task_id": ["today", "tomorrow"], "employee_id": ["x", "x"], "due_on": due, "batch_id": [1, 1]})
    with database.change(data_set) as writer:
        writer.append(schema.tasks, tasks)
    late = open_source(data_set)(people_query.overdue_tasks(Filters(), ALL_DEALS, people_query.DealDay(D(2024, 5, 2), None)))
    assert late["task_id"].tolist() == ["today"]
