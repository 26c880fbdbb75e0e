"""Who owns what: owners, blind spots, deals handed on and what service brought, counted by hand."""

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from written_deals import at, write

from crm_metrics.database import DataSet, open_source
from crm_metrics.filters import Filters
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.pipeline.ownership import statistic, tables, words
from crm_metrics.scope import Scope

ALL = Filters()
DAY = dt.date(2024, 1, 1)


def by(frame: pd.DataFrame, names: str | list[str]) -> Any:
    """The rows of a frame, to be named by these columns."""
    return frame.set_index(names)


def day(number: int) -> dt.date:
    return DAY + dt.timedelta(number)


def five(data_set: DataSet) -> DataSet:
    """Four open deals and a lost one on day 100; Ann is there, Bob has left; c1 was asked by service, c2 visited, c3 never."""
    deals = [
        {"opportunity_id": "a", "owner_id": "ann", "customer_id": "c1", "deal_amount": 60, "next_step": "call"},
        {"opportunity_id": "b", "owner_id": "bob", "customer_id": "c2", "deal_amount": 30, "expected_close_on": day(90)},
        {"opportunity_id": "c", "customer_id": "c3", "next_step": "call", "expected_close_on": day(120)},
        {"opportunity_id": "d", "owner_id": "ann", "deal_amount": 10, "next_step": "call", "expected_close_on": day(100)},
        {"opportunity_id": "e", "owner_id": "ann", "outcome": "lost", "closed_on": day(100), "deal_source": "service"},
    ]
    history = [
        {
            "opportunity_id": "a",
            "change_number": number,
            "changed_at": at(day(when), hour),
            "owner_id": owner,
            "deal_amount": 60,
            "stage": "Talk",
        }
        for number, (when, hour, owner) in enumerate([(0, 9, "bob"), (50, 9, "bob"), (60, 9, "ann")], 1)
    ]
    return write(
        data_set,
        [{"created_on": day(0), **deal} for deal in deals],
        history,
        employees=[
            {"employee_id": "ann", "employee_name": "Ann", "region": "North", "left_on": None},
            {"employee_id": "bob", "employee_name": "Bob", "region": "South", "left_on": day(95)},
        ],
        customers=[
            {"customer_id": "c1", "customer_kind": "company", "owner_id": "ann", "home_region": "North"},
            {"customer_id": "c2", "customer_kind": "company", "owner_id": "bob", "home_region": "South"},
            {"customer_id": "c3", "customer_kind": "company", "owner_id": None, "home_region": "North"},
            {"customer_id": "p1", "customer_kind": "person", "owner_id": None, "home_region": "North"},
        ],
        contacts=[{"contact_id": "k1", "customer_id": "c1"}],
        activities=[
            {
                "activity_id": "x1",
                "activity_kind": "visit",
                "happened_at": at(day(85)),
                "employee_id": "bob",
                "customer_id": "c2",
                "opportunity_id": None,
            },
            {
                "activity_id": "x2",
                "activity_kind": "call",
                "happened_at": at(day(1)),
                "employee_id": "ann",
                "customer_id": "c1",
                "opportunity_id": "a",
            },
        ],
        service_tickets=[
            {"ticket_id": "t1", "customer_id": "c1", "opened_at": at(day(0), 4), "opportunity_id": "a"},
            {"ticket_id": "t2", "customer_id": "c1", "opened_at": at(day(80)), "opportunity_id": None},
        ],
    )


@pytest.fixture(scope="module")
def source(shared_data_set):
    return open_source(five(shared_data_set("five")))


def test_flags_are_raised_where_something_is_missing(source):
    rows = by(tables.blind_spots(source, ALL), "opportunity_id")
    raised = {key: [flag for flag in statistic.FLAGS if rows.loc[key, flag]] for key in rows.index}
    assert raised == {
        "a": ["no_expected_close_on"],
        "b": ["no_next_step", "no_owner", "is_overdue", "no_contact_people"],
        "c": ["no_contact", "no_owner", "no_deal_amount", "no_contact_people"],
        "d": ["no_contact", "no_customer_id", "no_contact_people"],
    }
    assert rows.index.to_list() == ["b", "c", "d", "a"]  # the most flags first, then the largest value
    assert rows["days_without_contact"].to_dict() == {"a": 20, "b": 15, "c": 100, "d": 100}


def test_a_question_to_service_is_a_contact_and_fewer_days_make_more_blind_spots(source):
    assert tables.blind_spots(source, ALL, DealTerms(), 14)["no_contact"].sum() == 4
    assert tables.blind_spots(source, ALL, DealTerms(), 16)["no_contact"].sum() == 3


def test_owners_have_their_customers_and_open_deals_and_nobody_comes_last(source):
    rows = tables.owners(source, ALL)
    assert rows["owner_id"].to_list() == ["ann", "bob", ""]
    assert rows[["customers", "open_deals"]].to_numpy().tolist() == [[1, 2], [1, 1], [1, 1]]  # persons never have an owner
    assert rows["open_value"].to_list()[:2] == [70.0, 30.0]
    assert rows["share_of_value"].to_list()[:2] == [0.7, 0.3]
    assert rows["has_left"].to_list() == [False, True, False]
    assert "Owners who have left: 1; they still have 1 open deals" in words.owners_finding(rows)


def test_customers_of_nobody_are_those_without_owner_and_of_who_has_left(source):
    assert tables.unassigned(source, ALL)["customer_id"].to_list() == ["c2", "c3"]


def test_on_an_earlier_day_nobody_had_left_and_whose_customers_they_were_is_not_known(source):
    early = Filters(end=day(70))
    rows = by(tables.owners(source, early), "owner_id")
    assert not rows["has_left"].any()
    assert rows["customers"].isna().all()
    assert not len(tables.unassigned(source, early))
    assert by(tables.blind_spots(source, early), "opportunity_id").loc["a", "days_without_contact"] == 69


def test_customers_whom_one_person_alone_is_in_touch_with_come_first(data_set):
    visits = [("c1", "ann", 10), ("c1", "ann", 20), ("c2", "ann", 30), ("c2", "bob", 40), ("c2", "bob", 41), ("c3", "bob", 50)]
    source = open_source(
        write(
            data_set,
            [{"opportunity_id": "a", "created_on": day(0)}],
            customers=[{"customer_id": key, "customer_kind": "company", "owner_id": "ann"} for key in ("c1", "c2", "c3")],
            activities=[
                {
                    "activity_id": f"v{number}",
                    "activity_kind": "visit",
                    "happened_at": at(day(when)),
                    "employee_id": who,
                    "customer_id": whom,
                }
                for number, (whom, who, when) in enumerate(visits)
            ],
        )
    )
    rows = tables.known_to_one(source, ALL)
    assert rows[["customer_id", "contacts", "people"]].to_numpy().tolist() == [["c1", 2, 1], ["c2", 3, 2]]
    assert words.known_finding(rows).startswith("1 of 2 customers")
    assert not len(tables.known_to_one(source, Filters(end=day(19))))


def test_a_deal_is_handed_on_where_its_owner_changes(source):
    rows = tables.reassigned(source, ALL)
    assert rows[["opportunity_id", "earlier_owner_name", "new_owner_name"]].to_numpy().tolist() == [["a", "Bob", "Ann"]]
    assert rows["changed_on"].to_list() == [pd.Timestamp(day(60))]
    assert not len(tables.reassigned(source, Filters(start=day(61))))


def test_hours_run_from_the_service_contact_to_the_deal_and_to_the_first_activity(source):
    rows = by(tables.handover(source, ALL), "step")
    assert rows["median_hours"].to_dict() == {"to_deal": 5.0, "to_action": 29.0}


def test_deals_from_service_are_those_it_brought_and_those_that_say_so(source):
    rows = by(tables.from_service(source, ALL), "source")
    assert rows["deals"].to_dict() == {"service": 2, "others": 3}
    assert rows.loc["service", ["contacts", "deals_per_1000_contacts"]].to_list() == [2, 1_000.0]
    assert tables.service_trend(source, ALL)[["contacts", "deals"]].to_numpy().tolist() == [[2, 1]]


def test_a_field_that_no_deal_has_is_no_blind_spot(data_set):
    source = open_source(write(data_set, [{"opportunity_id": "a", "created_on": day(0), "owner_id": "x"}]))
    rows, fields = tables.blind_spots(source, ALL), tables.completeness(source, ALL)
    assert rows["blind_spots"].to_list() == [0]
    assert set(fields.loc[~fields["is_recorded"], "field"]) == {"next_step", *statistic.KEY_FIELDS}
    assert "Next step" in words.blind_note(rows, fields)
    assert math.isnan(by(tables.owner_tiles(source, ALL), "metric").loc["without_contact_share", "value"])


def test_nobody_sees_deals_or_customers_of_another_region(source):
    north = Filters(scope=Scope(regions=("North",)))
    assert set(tables.blind_spots(source, north)["opportunity_id"]) == {"a", "d"}
    assert tables.unassigned(source, north)["customer_id"].to_list() == ["c3"]
    assert tables.service_trend(source, north)["contacts"].to_list() == [2]


def test_intervals_of_quantiles_hold_the_truth_as_often_as_they_say():
    random, truth = np.random.default_rng(11), math.log(2)
    rows = [statistic.duration_row(pd.Series(random.exponential(size=60))) for _ in range(400)]
    held = [row["median_low"] <= truth <= row["median_high"] for row in rows]
    assert 0.93 <= np.mean(held) <= 0.99


def test_of_one_duration_nothing_is_known_but_itself():
    row = statistic.duration_row(pd.Series([3.0, math.nan]))
    assert [row["known"], row["median_hours"]] == [1, 3.0]
    assert math.isnan(row["mean_low"])
    assert math.isnan(row["p90_high"])
