"""From revenue to profit per customer: hand-worked, and what must always hold."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cost_shop import COSTS, CUSTOMERS, MEMBERS, ORDERS, SPEND, cost_shop, fill
from hypothesis import given
from hypothesis import strategies as st

from crm_metrics import database
from crm_metrics.customer_profit import COSTS as COST_COLUMNS
from crm_metrics.customer_profit import (
    MARKETING,
    SERVED,
    SOLD,
    costing,
    customer_amounts,
    customer_profits,
    margins,
    profits,
    unallocated_costs,
)
from crm_metrics.filters import CUSTOMER_UNKNOWN, Filters
from crm_metrics.scope import Scope
from crm_metrics.segments.rule import Condition, Opposite, Segment

JANUARY = Filters(start=date(2024, 1, 1), end=date(2024, 1, 31))


@pytest.fixture(scope="module")
def duckdb_shop(tmp_path_factory):
    return cost_shop(database.find_data_set(f"duckdb:///{tmp_path_factory.mktemp('shop')}/mine.duckdb"))


def by_customer(source, filters) -> Any:
    """Profits by customer_id; customer unknown under ''."""
    made = source.remember(customer_profits, filters)
    return made.assign(customer_id=made["customer_id"].fillna("")).set_index("customer_id")


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_part_of_profit_is_as_worked_by_hand(any_data_set):
    """The cost shop, all dates.

    ann  sold 150 after a discount of 20, of which 6 came back with goods of 30; the cancelled order's discount was never given
         list 164 - returns 30 - discount 14 = 120; goods 40 + 20 - 12 = 48; service 5, a visit 7; won for 12, a third of the mailing: 10
         profit 72 - 12 - 22 = 38
    ben  list 10, goods 8; delivery 4, reward 1, training 2, return handling 1.50 on no day; won for 6, a third of the mailing: 10
         profit 2 - 8.50 - 16 = -22.50
    unknown  40 - 10 = 30
    """
    found = by_customer(cost_shop(any_data_set), Filters())
    assert found.index.tolist() == ["ann", "ben", ""]
    columns = ["orders", "list_revenue", "returns", "discount", "net_revenue", "cost_of_goods", "cost_to_serve", "marketing", "profit"]
    assert found.loc["ann", columns].tolist() == pytest.approx([2, 164, 30, 14, 120, 48, 12, 22, 38])
    assert found.loc["ben", columns].tolist() == pytest.approx([1, 10, 0, 0, 10, 8, 8.5, 16, -22.5])
    assert found.loc["", columns].tolist() == pytest.approx([1, 40, 0, 0, 40, 10, 0, 0, 30])
    assert found.loc["ben", list(SERVED)].tolist() == [0, 0, 4, 1.5, 1, 2]
    assert found.loc["ann", ["service_minutes", "visit_minutes"]].tolist() == [30, 120]


def test_costs_of_nobody_and_of_who_never_ordered_are_no_customers(any_data_set):
    """Service 9 of nobody; delivery 3 of zoe, who never ordered; a third of the mailing, and all posters, which had no members."""
    found: Any = cost_shop(any_data_set)(unallocated_costs(Filters())).iloc[0]
    assert found[["service_cost", "delivery_cost", "service_minutes", "campaign_cost", "undated"]].tolist() == pytest.approx(
        [9, 3, 60, 17, 1]
    )
    assert found[["visit_cost", "other_cost", "acquisition_cost"]].isna().all()


def test_a_cost_counts_in_the_period_of_its_day_and_without_a_day_in_every_one(duckdb_shop):
    """January: ann was won the day before, ben with the first purchase on the 15th; the mailing and the visit are of February."""
    found = by_customer(duckdb_shop, JANUARY)
    assert found.loc["ann", ["net_revenue", "cost_to_serve", "marketing"]].tolist() == [100, 5, 0]
    assert found.loc["ben", ["net_revenue", "cost_to_serve", "marketing"]].tolist() == [10, 8.5, 6]
    april = by_customer(duckdb_shop, Filters(start=date(2024, 4, 1), end=date(2024, 4, 30)))
    assert april[["orders", "return_handling_cost"]].values.tolist() == [[0, 1.5]]  # ben alone


@pytest.mark.parametrize(
    "filters",
    [Filters(region=("North",)), Filters(channel=("web",)), Filters(category=("tea",)), Filters(scope=Scope("north", ("North",)))],
    ids=["region", "channel", "category", "scope"],
)
def test_where_orders_are_chosen_costs_of_customers_are_left_out(duckdb_shop, filters):
    found = by_customer(duckdb_shop, filters)
    assert found[[*COST_COLUMNS, "cost_to_serve", "marketing"]].isna().all(axis=None)
    assert found.loc["ann", ["orders", "profit"]].tolist() == [1, 60]
    assert (found["profit"] == found["gross_margin"]).all()


def test_acquisition_campaigns_count_only_where_customers_have_no_cost_of_being_won(data_set):
    free = [(name, name, None, None) for name, *_ in CUSTOMERS]
    source = fill(data_set, customers=free, members=[("fair", "ann", "treated")], spend=[("fair", "2024-01-02", 1000)])
    assert by_customer(source, Filters()).loc["ann", "marketing"] == 1000


def test_what_nobody_recorded_is_unknown_and_takes_nothing_away(data_set):
    orders = [(*order[:6], [(kind, count, net, None, cost) for kind, count, net, _, cost in order[6]]) for order in ORDERS]
    found = by_customer(fill(data_set, orders), Filters())
    assert found[["discount", "cost_to_serve", "marketing", *SERVED, *MARKETING]].isna().all(axis=None)
    assert found["profit"].tolist() == [72, 2, 30]


@pytest.mark.slow
def test_segments_and_customer_unknown_are_the_whole(duckdb_shop):
    """Segments choose customers, so that their costs stay: each cost is in one of the parts, nobody's with customer unknown."""
    rule = Condition("orders", low=2)
    parts = [Segment("two", rule), Segment("fewer", Opposite(rule)), CUSTOMER_UNKNOWN]
    whole, chosen = Filters(end=date(2024, 3, 1)), [Filters(end=date(2024, 3, 1), segments=(part,)) for part in parts]
    assert [by_customer(duckdb_shop, one).index.tolist() for one in chosen] == [["ann"], ["ben"], [""]]
    sums = sum(by_customer(duckdb_shop, one)["profit"].sum() for one in chosen)
    assert sums == pytest.approx(by_customer(duckdb_shop, whole)["profit"].sum())
    nobody = [duckdb_shop(unallocated_costs(one)).iloc[0]["campaign_cost"] for one in (whole, *chosen)]
    assert nobody[0] == pytest.approx(17)
    assert np.nansum(nobody[1:]) == pytest.approx(17)


@pytest.mark.slow  # two shops
def test_the_order_in_which_rows_came_changes_nothing(tmp_path):
    found = []
    for number, step in enumerate((1, -1)):
        data_set = database.find_data_set(f"duckdb:///{tmp_path}/shop{number}.duckdb")
        source = fill(
            data_set, ORDERS[::step], costs=COSTS[::step], customers=CUSTOMERS[::step], members=MEMBERS[::step], spend=SPEND[::step]
        )
        found.append(source.remember(customer_profits, Filters()))
    pd.testing.assert_frame_equal(found[0], found[1])


def test_an_empty_data_set_has_no_customers(data_set):
    source = database.open_source(data_set)
    assert len(source.remember(customer_profits, Filters())) == 0


def test_the_amounts_name_all_columns_that_profits_need(duckdb_shop):
    assert list(duckdb_shop(customer_amounts(Filters())).columns) == ["customer_number", "customer_id", "orders", *SOLD, *COST_COLUMNS]


# ── costs known in part ─────────────────────────────────────────────────────────────────────────────────────────────────


def amounts_of(net, costed, cost):
    return pd.DataFrame({"net_revenue": net, "gross_revenue": net, "discount": np.nan, "costed_revenue": costed, "cost_of_goods": cost})


def test_revenue_without_a_cost_has_the_cost_share_of_the_rest():
    """96 of 100 have costs, 48; the other 4 cost half as well."""
    found = margins(amounts_of([60.0, 40.0], [60.0, 36.0], [30.0, 18.0]))
    assert found["cost_of_goods"].tolist() == [30, 20]


def test_with_costs_of_less_than_95_percent_profit_is_unknown():
    amounts = amounts_of([60.0, 40.0], [60.0, 34.0], [30.0, 18.0])
    assert costing(amounts).coverage == 0.94
    assert margins(amounts)[["cost_of_goods", "gross_margin"]].isna().all(axis=None)
    assert margins(amounts)["net_revenue"].tolist() == [60, 40]


# ── always ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

MONEY = st.floats(-1000, 1000).map(lambda value: round(value, 2))
COST = st.one_of(st.none(), st.floats(0, 500).map(lambda value: round(value, 2)))


@st.composite
def any_amounts(draw):
    rows = draw(st.lists(st.tuples(*[MONEY] * 3, *[COST] * len(COST_COLUMNS)), min_size=1, max_size=8))
    frame = pd.DataFrame(rows, columns=["net_revenue", "gross_revenue", "discount", *COST_COLUMNS], dtype=float)
    share = draw(st.sampled_from([0.96, 1.0]))
    frame = frame.assign(costed_revenue=frame["net_revenue"] * share, cost_of_goods=frame["net_revenue"] * share * 0.6, orders=1.0)
    return frame.assign(customer_number=range(1, len(frame) + 1), customer_id=[f"c{number}" for number in range(len(frame))])


@given(any_amounts())
def test_the_parts_of_every_row_and_of_the_sum_come_to_its_profit(amounts):
    made = profits(amounts)
    parts = made[["list_revenue", "returns", "discount", "cost_of_goods", *SERVED, *MARKETING]].fillna(0.0)
    left = parts["list_revenue"] - parts.drop(columns="list_revenue").sum(axis=1)
    if made["profit"].notna().all():
        assert left.to_numpy() == pytest.approx(made["profit"].to_numpy(), abs=1e-6)
        assert left.sum() == pytest.approx(made["profit"].sum(), abs=1e-6)
    else:
        assert amounts["net_revenue"].sum() <= 0  # nothing was sold that costs could be a share of
