"""Order entry before and after the go-live: its cost, orders corrected, and how satisfied customers are; and the demo's truth."""

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select

from crm_metrics import database, facts, schema
from crm_metrics.database import DataSet, Source, open_source
from crm_metrics.filters import Filters
from crm_metrics.pipeline.people import tables
from crm_metrics.pipeline.people.terms import HOURS_PER_MONTH, UNSTATED, GoLive
from crm_metrics.scope import Scope

ALL, LIVE = Filters(), GoLive(dt.date(2024, 7, 1))


def changes(source: Source, filters: Filters = ALL, go_live: GoLive = LIVE) -> Any:
    """The table before_after, to be named by its measures."""
    return tables.before_after(source, filters, go_live=go_live).set_index("measure")


def entered(data_set: DataSet) -> DataSet:
    """Two people at 30 and 50 an hour before, the first after. Orders: 1 of 2 corrected before, none of 1 after, and one of
    unknown. Answers of the north: 4 and 2 before, 5 after; of the south 1 after; one invitation without answer, and one answer on
    recommending.
    """
    early, late = dt.date(2024, 6, 1), dt.date(2024, 8, 1)
    days = [early, early, late, late]
    rows = {
        schema.employees: {
            "employee_id": ["a", "b"],
            "role": ["order entry"] * 2,
            "hourly_cost": pa.array([Decimal(30), Decimal(50)], pa.decimal128(18, 4)),
            "left_on": pa.array([None, dt.date(2024, 7, 1)], pa.date32()),
            "batch_id": [1] * 2,
        },
        schema.customers: {"customer_id": ["n", "s"], "home_region": ["North", "South"], "batch_id": [1, 1]},
        schema.orders: {
            "order_id": ["1", "2", "3", "4"],
            "customer_id": ["n"] * 4,
            "ordered_on": days,
            "ordered_at": pa.array([dt.datetime.combine(on, dt.time()) for on in days], pa.timestamp("us")),
            "was_corrected": pa.array([True, False, False, None], pa.bool_()),
            "is_purchase": [True] * 4,
            "is_cancelled": [False] * 4,
            "order_region": ["North"] * 4,
            "batch_id": [1] * 4,
        },
        schema.surveys: {
            "survey_id": [str(number) for number in range(6)],
            "customer_id": ["n", "n", "n", "s", "n", "n"],
            "survey_kind": [*["satisfaction"] * 5, "recommendation"],
            "answered_on": pa.array([early, early, late, late, None, late], pa.date32()),
            "score": pa.array([4, 2, 5, 1, None, 9], pa.int32()),
            "batch_id": [1] * 6,
        },
        schema.opportunities: {
            "opportunity_id": ["d"],
            "outcome": ["open"],
            "created_on": [dt.date(2024, 12, 31)],
            "region": ["North"],
            "batch_id": [1],
        },
    }
    with database.change(data_set) as writer:
        for table, columns in rows.items():
            writer.append(table, pa.table(columns))
        facts.rebuild(writer.connection)
    return data_set


@pytest.mark.slow
def test_cost_of_entry_corrected_orders_and_satisfied_customers_are_those_counted_by_hand(any_data_set):
    source = open_source(entered(any_data_set))
    found = changes(source)
    assert found.loc["order_entry_cost", ["before", "after"]].to_list() == pytest.approx([80 * HOURS_PER_MONTH, 30 * HOURS_PER_MONTH])
    assert found.loc["orders_corrected", ["before", "before_n", "after", "after_n"]].to_list() == [0.5, 2, 0, 1]
    assert found.loc["satisfied_share", ["before", "before_n", "after", "after_n"]].to_list() == [0.5, 2, 0.5, 2]
    north = changes(source, Filters(scope=Scope(regions=("North",))))
    assert north.loc["satisfied_share", ["after", "after_n"]].to_list() == [1, 1]


@pytest.mark.slow
def test_where_nobody_is_known_to_enter_orders_nothing_is_known_of_their_cost(data_set):
    written = {"opportunity_id": ["d"], "outcome": ["open"], "created_on": [dt.date(2024, 12, 31)], "batch_id": [1]}
    with database.change(data_set) as writer:
        writer.append(schema.opportunities, pa.table(written))
        facts.rebuild(writer.connection)
    found = changes(open_source(data_set))
    assert all(math.isnan(found.loc[name, "before"]) for name in ("order_entry_cost", "orders_corrected", "satisfied_share"))


@pytest.mark.slow
def test_the_intervals_hold_how_many_orders_the_demo_corrects(demo):
    source = open_source(demo)
    row = schema.demo_truth.c
    truth = source(select(row.subject, row.true_value).where(row.parameter == "corrected_share")).set_index("subject")["true_value"]
    found = changes(source, go_live=UNSTATED).loc["orders_corrected"]
    assert found["before_low"] <= truth["before"] <= found["before_high"]
    assert found["after_low"] <= truth["after"] <= found["after_high"]
