"""How are we doing, and why did it change: hand-checked on a small shop, against pandas on a random one, and against published figures."""

import math
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url
from streamlit.testing.v1 import AppTest

from crm_metrics import database, executive_kpis, facts, workspace
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.executive_kpis import query, statistic, why
from crm_metrics.executive_kpis.figure import with_others
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.language import speaking
from crm_metrics.periods import Period, bucket_start
from crm_metrics.schema import order_lines, orders, products, targets
from crm_metrics.scope import Scope

BACKENDS = ["duckdb", pytest.param("postgresql", marks=pytest.mark.postgresql)]
Q2 = Filters(start=date(2024, 4, 1), end=date(2024, 6, 30))
TEA, MUG = "tea", "mug"
ORDERS = [  # order, customer, day, region, channel, cancelled, lines: product, kind, quantity, amount, cost
    ("o1", "A", "2023-12-31", "North", "web", False, [(TEA, "sale", 1, 10, 4)]),
    ("o2", "A", "2024-01-10", "North", "web", False, [(TEA, "sale", 2, 20, None), (MUG, "sale", 1, 30, None)]),
    ("o3", "B", "2024-02-05", "South", "shop", False, [(MUG, "sale", 1, 40, 18)]),
    ("o4", None, "2024-03-01", None, "shop", False, [(TEA, "sale", 1, 25, None)]),
    ("o5", "A", "2024-04-02", "North", "web", False, [(TEA, "sale", 1, 10, 4), (MUG, "sale", 1, 30, None)]),
    ("o6", "A", "2024-05-05", "South", "shop", False, [(MUG, "sale", 1, 50, 20)]),
    ("o7", "C", "2024-05-06", "South", "web", False, [(TEA, "sale", 3, 30, 12)]),
    ("r1", "B", "2024-05-10", "South", "shop", False, [(MUG, "return", -1, -40, None)]),
    ("x1", "C", "2024-06-01", "South", "web", True, [(TEA, "cancelled", 1, 0, None)]),
    ("g1", "D", "2024-06-02", "North", "web", False, [(MUG, "gift", 1, 0, None)]),
    ("o8", None, "2024-06-15", "North", "shop", False, [(TEA, "sale", 1, 15, None)]),
    ("x2", "C", "2024-06-30", "South", "web", True, [(TEA, "cancelled", 1, 0, None)]),
]


def amounts(values):
    """Arrow column of exact amounts; None stays empty."""
    return pa.array([None if value is None else Decimal(str(value)) for value in values], pa.decimal128(18, 4))


def fill(data_set, rows, categories):
    """Write orders with their lines, and the category of each product, as an import would."""
    lines = [(order[0], *line) for order in rows for line in order[6]]
    days = [date.fromisoformat(order[2]) for order in rows]
    is_purchase = [not order[5] and any(kind == "sale" and count > 0 for _, kind, count, *_ in order[6]) for order in rows]
    with database.change(data_set) as writer:
        writer.append(
            orders,
            pa.table(
                {
                    "order_id": [order[0] for order in rows],
                    "customer_id": pa.array([order[1] for order in rows], pa.string()),
                    "ordered_at": pa.array([datetime.combine(day, datetime.min.time()) for day in days], pa.timestamp("us")),
                    "ordered_on": pa.array(days, pa.date32()),
                    "order_region": pa.array([order[3] for order in rows], pa.string()),
                    "sales_channel": pa.array([order[4] for order in rows], pa.string()),
                    "is_purchase": is_purchase,
                    "is_cancelled": [order[5] for order in rows],
                    "batch_id": [1] * len(rows),
                }
            ),
        )
        writer.append(
            order_lines,
            pa.table(
                {
                    "batch_id": [1] * len(lines),
                    "row_number": list(range(1, len(lines) + 1)),
                    "order_id": [line[0] for line in lines],
                    "product_id": pa.array([line[1] for line in lines], pa.string()),
                    "line_kind": [line[2] for line in lines],
                    "quantity": amounts(line[3] for line in lines),
                    "net_amount": amounts(line[4] for line in lines),
                    "cost_amount": amounts(line[5] for line in lines),
                    "row_hash": [str(number) for number in range(len(lines))],
                }
            ),
        )
        known = {"product_id": list(categories), "category": list(categories.values()), "batch_id": [1] * len(categories)}
        writer.append(products, pa.table(known))
        facts.rebuild(writer.connection)


def new_data_set(backend, request, name, folder):
    """A data set of its own on `backend`."""
    if backend == "duckdb":
        return database.find_data_set(f"duckdb:///{folder}/{name}.duckdb")
    address = make_url(request.getfixturevalue("postgresql_address")).update_query_dict({"schema": name})
    return database.find_data_set(address.render_as_string(hide_password=False))


@pytest.fixture(scope="module", params=BACKENDS)
def shop(request, tmp_path_factory):
    """The shop of ORDERS.

    order customer day    region channel  lines                            net
    o1    A     23-12-31  North  web      tea 10 (cost 4)                   10
    o2    A     24-01-10  North  web      tea 20, mug 30                    50
    o3    B     24-02-05  South  shop     mug 40 (cost 18)                  40
    o4    -     24-03-01  -      shop     tea 25                            25
    ------------------------------------- first quarter: 115, of these 90 of A and B
    o5    A     24-04-02  North  web      tea 10 (cost 4), mug 30           40
    o6    A     24-05-05  South  shop     mug 50 (cost 20)                  50
    o7    C     24-05-06  South  web      tea 30 (cost 12)                  30
    r1    B     24-05-10  South  shop     mug returned                     -40
    x1    C     24-06-01  South  web      cancelled                          0
    g1    D     24-06-02  North  web      a mug as a gift                    0
    o8    -     24-06-15  North  shop     tea 15                            15
    x2    C     24-06-30  South  web      cancelled: the data end here       0
    ------------------------------------- second quarter: 95, of these 80 of A, B and C
    """
    data_set = new_data_set(request.param, request, "executive_shop", tmp_path_factory.mktemp("shop"))
    fill(data_set, ORDERS, {TEA: "drinks", MUG: "dishes"})
    yield database.open_source(data_set)
    database.delete(data_set)


def values(source, filters):
    return executive_kpis.tiles(source, filters).set_index("metric")["value"]


# ── tiles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_tiles_have_the_agreed_columns_and_one_row_for_each_declared_metric(shop):
    tiles = executive_kpis.tiles(shop, Q2)
    assert list(tiles.columns) == ["metric", "value", "low", "high", "unit", "n"]
    assert tiles["metric"].tolist() == [metric.name for metric in executive_kpis.METRICS]
    assert tiles["unit"].tolist() == [metric.unit for metric in executive_kpis.METRICS]


def test_second_quarter_by_hand(shop):
    expected = {
        "net_revenue": 95,
        "net_revenue_identified": 80,
        "gross_revenue": 135,
        "gross_revenue_identified": 120,
        "returns": 40,
        "revenue_customer_unknown": 15,
        "gross_margin": 54,  # (10 - 4) + (50 - 20) + (30 - 12); lines without a cost are in neither
        "gross_margin_share": 54 / 90,
        "orders": 4,
        "orders_identified": 3,
        "active_customers": 2,  # A and C: B only returned, D only got a gift
        "new_customers": 1,
        "returning_customers": 1,
        "average_order_value": 95 / 4,
        "orders_per_customer": 3 / 2,
        "repeat_rate": 1 / 2,
    }
    assert values(shop, Q2).to_dict() == pytest.approx(expected)


def test_n_says_what_each_value_is_counted_over(shop):
    counted = executive_kpis.tiles(shop, Q2).set_index("metric")["n"]
    assert counted["net_revenue"] == 8  # every order, return and credit note of the quarter
    assert counted["gross_margin_share"] == 3
    assert counted["average_order_value"] == 4
    assert counted["repeat_rate"] == 2


def test_only_the_repeat_rate_has_an_interval_and_it_is_wilsons(shop):
    tiles = executive_kpis.tiles(shop, Q2).set_index("metric")
    assert tiles.index[tiles["low"].notna()].tolist() == ["repeat_rate"]
    low, high = tiles.loc["repeat_rate", ["low", "high"]]
    assert (low, high) == pytest.approx((0.0945, 0.9055), abs=1e-4)  # 1 of 2


def test_an_old_customer_is_not_new_when_the_period_starts_later(shop):
    later = replace(Q2, start=date(2024, 4, 1), end=date(2024, 4, 30))
    assert values(shop, later)[["active_customers", "new_customers", "returning_customers"]].tolist() == [1, 0, 1]


def test_a_customer_who_first_came_elsewhere_is_not_new_in_a_region(shop):
    in_south = values(shop, replace(Q2, region=("South",)))
    assert in_south[["active_customers", "new_customers"]].tolist() == [2, 1]  # A came to the North first


def test_over_all_dates_every_active_customer_was_new_once(shop):
    everything = values(shop, Filters())
    assert everything[["active_customers", "new_customers", "returning_customers"]].tolist() == [3, 3, 0]
    assert everything["net_revenue"] == 220


def test_a_return_lowers_revenue_on_its_own_day_and_no_other(shop):
    first_quarter = Filters(start=date(2024, 1, 1), end=date(2024, 3, 31))
    assert values(shop, first_quarter)["returns"] == 0
    day_of_return = Filters(start=date(2024, 5, 10), end=date(2024, 5, 10))
    only_return = values(shop, day_of_return)
    assert only_return[["net_revenue", "gross_revenue", "returns", "orders", "active_customers"]].tolist() == [-40, 0, 40, 0, 0]


def test_cancelled_orders_and_gifts_are_no_purchases_and_make_nobody_active(shop):
    june = values(shop, Filters(start=date(2024, 6, 1), end=date(2024, 6, 14)))
    assert june[["net_revenue", "orders", "active_customers"]].tolist() == [0, 0, 0]
    assert june[["average_order_value", "orders_per_customer", "repeat_rate"]].isna().all()


def test_sales_without_a_customer_are_in_revenue_and_orders_and_in_no_customer_count(shop):
    anonymous = values(shop, Filters(start=date(2024, 6, 15), end=date(2024, 6, 15)))
    assert anonymous[["net_revenue", "revenue_customer_unknown", "orders"]].tolist() == [15, 15, 1]
    assert anonymous[["orders_identified", "active_customers"]].tolist() == [0, 0]


def test_a_category_takes_the_lines_of_an_order_apart_and_counts_the_order_once_in_each(shop):
    drinks, dishes = (values(shop, replace(Q2, category=(name,))) for name in ("drinks", "dishes"))
    assert drinks[["net_revenue", "orders", "active_customers"]].tolist() == [55, 3, 2]
    assert dishes[["net_revenue", "orders", "active_customers", "returns"]].tolist() == [40, 2, 1, 40]
    assert drinks["net_revenue"] + dishes["net_revenue"] == values(shop, Q2)["net_revenue"]
    both = values(shop, replace(Q2, category=("drinks", "dishes")))
    assert both.to_dict() == pytest.approx(values(shop, Q2).to_dict())  # o5 has both, and is one order still


def test_gross_margin_is_unknown_and_not_zero_where_no_cost_is_known(shop):
    without_costs = values(shop, Filters(start=date(2024, 1, 1), end=date(2024, 1, 31)))
    assert without_costs[["gross_margin", "gross_margin_share"]].isna().all()


def test_the_part_of_revenue_with_known_costs(shop):
    assert executive_kpis.costed_share(executive_kpis.tiles(shop, Q2)) == pytest.approx(90 / 95)
    assert math.isnan(executive_kpis.costed_share(executive_kpis.tiles(shop, Filters(start=date(2024, 1, 1), end=date(2024, 1, 31)))))


def test_a_reader_sees_only_the_regions_of_the_scope(shop):
    scoped = values(shop, replace(Q2, scope=Scope(regions=("North",))))
    assert scoped[["net_revenue", "active_customers"]].tolist() == [55, 1]


def test_reconciliation_adds_up_line_by_line(shop):
    steps = executive_kpis.reconciliation(shop, Q2)
    assert dict(zip(steps["step"], steps["amount"], strict=True)) == {
        "gross_revenue": 135,
        "returns": -40,
        "net_revenue": 95,
        "revenue_customer_unknown": -15,
        "net_revenue_identified": 80,
        "returns_identified": 40,
        "gross_revenue_identified": 120,
    }
    level = 0.0
    for amount, is_total in zip(steps["amount"], steps["is_total"], strict=True):
        level = level + amount if not is_total or not level else level
        assert not is_total or level == pytest.approx(amount)


# ── comparison ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def compared(source, filters):
    return executive_kpis.comparison(source, filters).set_index("metric")


def test_each_metric_stands_beside_the_quarter_before(shop):
    table = compared(shop, Q2)
    assert table.loc["net_revenue", ["value", "compared_value"]].tolist() == [95, 115]
    assert table.loc["net_revenue", "change"] == pytest.approx(-20 / 115)
    assert table.loc["net_revenue", "is_good"] is False
    assert table.loc["orders", ["value", "compared_value"]].tolist() == [4, 3]
    assert table.loc["orders", "is_good"] is True
    assert (table["reason"] == "").all()


def test_shares_change_in_points_and_all_else_relatively(shop):
    table = compared(shop, Q2)
    assert table.loc["repeat_rate", "change"] == pytest.approx(0.5 - 0.0)
    assert table.loc["gross_margin_share", "change"] == pytest.approx(0.6 - 22 / 40)
    assert table.index[table["change_kind"] == "points"].tolist() == ["gross_margin_share", "repeat_rate"]


def test_more_returns_are_worse_and_sales_without_a_customer_have_no_good_direction(shop):
    returns = replace(Q2, start=date(2024, 5, 10), end=date(2024, 5, 12), compare="previous")
    assert math.isnan(compared(shop, returns).loc["returns", "change"])  # from 0 there is no relative change
    table = compared(shop, Q2)
    assert table.loc["revenue_customer_unknown", "is_good"] is None
    more, fewer = (statistic.is_good(change, executive_kpis.METRICS[4]) for change in (0.2, -0.2))
    assert (executive_kpis.METRICS[4].name, more, fewer) == ("returns", False, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        (replace(Q2, compare="none"), "not_chosen"),
        (Filters(), "all_dates"),
        (Filters(start=date(2023, 12, 31), end=date(2024, 6, 30)), "all_dates"),
        (Filters(start=date(2023, 12, 31)), "all_dates"),
        (Filters(end=date(2024, 12, 31)), "all_dates"),
        (Filters(start=date(2024, 7, 1), end=date(2024, 7, 31)), "data_end_earlier"),
        (replace(Q2, compare="last_year"), "data_begin_later"),
        (Filters(start=date(2024, 1, 1), end=date(2024, 6, 30)), "data_begin_later"),
    ],
)
def test_without_a_whole_period_to_compare_with_there_is_no_change_and_a_reason(shop, filters, reason):
    table = executive_kpis.comparison(shop, filters)
    assert table["compared_value"].isna().all()
    assert table["change"].isna().all()
    assert set(table["is_good"]) == {None}
    assert set(table["reason"]) == {reason}
    for parts in (executive_kpis.parts, executive_kpis.by_region, executive_kpis.by_channel, executive_kpis.by_category):
        assert parts(shop, filters).empty
    assert executive_kpis.trend_compared(shop, filters).empty


def test_equal_shares_are_neither_better_nor_worse_whatever_the_last_digits_of_the_arithmetic():
    repeat_rate = executive_kpis.METRICS[-1]
    change = statistic.change_of(0.1 + 0.2, 0.3, metric=repeat_rate)
    assert (repeat_rate.unit, change, statistic.is_good(change, repeat_rate)) == ("share", 0, None)
    assert statistic.is_good(5.55e-17, repeat_rate) is None
    assert statistic.change_of(3 * 1.1, 3.3, metric=executive_kpis.METRICS[0]) == 0


@pytest.mark.slow
def test_a_period_cut_by_the_end_of_the_data_is_compared_with_as_many_days(tmp_path):
    """Data end on 9 May: May's nine days stand beside the nine before, 22 to 30 April, and not beside the whole of April."""
    data_set = database.find_data_set(f"duckdb:///{tmp_path}/cut.duckdb")
    days = ["2024-03-01", "2024-04-01", "2024-04-22", "2024-04-30", "2024-05-01", "2024-05-09"]
    fill(data_set, [(f"o{day}", "A", day, "North", "web", False, [(TEA, "sale", 1, 10, None)]) for day in days], {TEA: "drinks"})
    source = database.open_source(data_set)
    may = Filters(start=date(2024, 5, 1), end=date(2024, 5, 31))
    assert compared(source, may).loc["net_revenue", ["value", "compared_value"]].tolist() == [20, 20]
    assert sentence(source, may).startswith("Net revenue was $20.00 from May 1, 2024 to May 9, 2024, about the same as the 9 days before")
    for open_ended in (replace(may, end=None), replace(may, end=date(2024, 5, 9))):
        pd.testing.assert_frame_equal(executive_kpis.comparison(source, open_ended), executive_kpis.comparison(source, may))


def test_the_finding_names_the_day_the_data_begin_where_the_period_begins_before_them(shop):
    assert "from Dec 31, 2023 to Jun 30, 2024" in sentence(shop, Filters(start=date(2023, 7, 1), end=date(2024, 6, 30)))


# ── targets ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=BACKENDS)
def aims(request, tmp_path):
    """The shop with targets of 30 net revenue for April and May in its own data, 10 for the South in April; none for June."""
    name = "executive_aims"
    data_set = new_data_set(request.param, request, name, tmp_path)
    fill(data_set, ORDERS, {TEA: "drinks", MUG: "dishes"})
    rows = [("net_revenue", date(2024, 4, 1), ""), ("net_revenue", date(2024, 5, 1), ""), ("net_revenue", date(2024, 4, 1), "South")]
    with database.change(data_set) as writer:
        columns = {"metric": [row[0] for row in rows], "month_on": [row[1] for row in rows], "region": [row[2] for row in rows]}
        writer.append(targets, pa.table({**columns, "target_value": amounts([30, 30, 10]), "batch_id": [1, 1, 1]}))
    yield data_set
    database.delete(data_set)


def aimed_at(data_set, filters, metric="net_revenue"):
    table = executive_kpis.comparison(database.open_source(data_set), filters).set_index("metric")
    return table.loc[metric, "target"], table.loc[metric, "target_share"]


@pytest.mark.slow
def test_a_period_has_a_target_only_when_each_of_its_months_has_one(aims):
    april_and_may = replace(Q2, end=date(2024, 5, 31))
    assert aimed_at(aims, april_and_may) == pytest.approx((60, 80 / 60))
    assert np.isnan(aimed_at(aims, Q2)).all()
    assert target_reasons(aims, Q2)["net_revenue"] == "months_missing"


@pytest.mark.slow
def test_a_month_cut_by_the_period_gives_its_target_in_proportion_to_its_days(aims):
    assert aimed_at(aims, replace(Q2, end=date(2024, 5, 30)))[0] == pytest.approx(30 + 30 * 30 / 31)
    assert aimed_at(aims, replace(Q2, start=date(2024, 4, 16), end=date(2024, 5, 1)))[0] == pytest.approx(30 * 15 / 30 + 30 * 1 / 31)
    assert np.isnan(aimed_at(aims, replace(Q2, start=date(2024, 3, 31), end=date(2024, 5, 31)))[0])  # one day of a month without one


@pytest.mark.slow
def test_where_there_is_no_target_the_reason_is_named(aims):
    reasons = target_reasons(aims, replace(Q2, end=date(2024, 5, 31)))
    assert (reasons["net_revenue"], reasons["orders"], reasons["active_customers"]) == ("", "not_set", "not_additive")
    assert set(target_reasons(aims, replace(Q2, channel=("web",)))) == {"not_by_choice"}


def target_reasons(data_set, filters):
    return executive_kpis.comparison(database.open_source(data_set), filters).set_index("metric")["target_reason"]


@pytest.mark.slow
def test_a_reader_s_target_wins_over_the_data_s_and_can_take_it_away(aims):
    april = replace(Q2, end=date(2024, 4, 30))
    workspace.write_targets(aims, "net_revenue", months=[date(2024, 4, 1)], target_value=50)
    assert aimed_at(aims, april) == pytest.approx((50, 40 / 50))
    workspace.write_targets(aims, "net_revenue", months=[date(2024, 4, 1)], target_value=None)
    assert np.isnan(aimed_at(aims, april)).all()


@pytest.mark.slow
def test_a_region_is_held_against_its_own_target_and_a_channel_or_category_against_none(aims):
    april = replace(Q2, end=date(2024, 4, 30))
    assert aimed_at(aims, replace(april, region=("South",)))[0] == 10
    for narrower in (
        {"region": ("North",)},
        {"region": ("South", "North")},
        {"channel": ("web",)},
        {"category": ("drinks",)},
        {"region": (UNKNOWN,)},
    ):
        assert np.isnan(aimed_at(aims, replace(april, **narrower))[0])


@pytest.mark.slow
def test_active_customers_have_no_target_for_a_period_because_months_do_not_add_up(aims):
    april = replace(Q2, end=date(2024, 4, 30))
    for metric in ("active_customers", "new_customers"):
        workspace.write_targets(aims, metric, months=[date(2024, 4, 1)], target_value=5)
    assert np.isnan(aimed_at(aims, april, "active_customers")[0])
    assert aimed_at(aims, april, "new_customers") == (5, 0)


def test_the_trend_carries_the_target_of_each_month(aims):
    source = database.open_source(aims)
    given = executive_kpis.targets(source, Q2)
    trend = statistic.with_bucket_targets(monthly(source, Q2), given, grain="month", regions=("",))
    by_month = dict(zip(trend["bucket_on"].dt.strftime("%m"), trend["target_net_revenue"], strict=True))
    assert (by_month["04"], by_month["05"]) == (30, 30)
    assert math.isnan(by_month["06"])


# ── trend ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def monthly(source, filters):
    period = Period(filters.start, filters.end)
    return statistic.trend_rows(source(query.totals_by_bucket(filters, "month")), period=period, grain="month")


def test_months_by_hand(shop):
    trend = monthly(shop, Q2)
    assert trend["bucket_on"].dt.month.tolist() == [4, 5, 6]
    assert trend["net_revenue"].tolist() == [40, 40, 15]
    assert trend["orders"].tolist() == [1, 2, 1]
    assert trend["active_customers"].tolist() == [1, 2, 0]  # A is active in two months and one customer of the quarter
    assert trend["new_customers"].tolist() == [0, 1, 0]
    assert not trend["is_unfinished"].any()


def test_a_month_cut_by_an_end_of_the_period_is_unfinished(shop):
    trend = monthly(shop, replace(Q2, start=date(2024, 4, 2), end=date(2024, 6, 29)))
    assert trend["is_unfinished"].tolist() == [True, False, True]


def test_a_month_without_sales_has_zero_revenue_and_no_average(shop):
    trend = monthly(shop, Filters(start=date(2024, 6, 1), end=date(2024, 8, 31)))
    assert trend["net_revenue"].tolist() == [15, 0, 0]
    assert trend["average_order_value"].isna().tolist() == [False, True, True]


def test_the_trend_ends_with_the_data_and_says_that_its_last_bucket_is_unfinished(shop):
    trend = executive_kpis.trend(shop, Filters(start=date(2024, 1, 3), end=date(2024, 12, 31)))
    assert trend["bucket_on"].iloc[-1] == pd.Timestamp(2024, 6, 24)  # the week of 30 June, the last day of the data
    cut = executive_kpis.trend(shop, Filters(start=date(2024, 1, 1), end=date(2024, 6, 28)))
    assert cut["is_unfinished"].iloc[-1]


def test_a_first_bucket_cut_by_the_period_is_in_the_table_and_not_drawn(shop):
    trend = monthly(shop, replace(Q2, start=date(2024, 3, 31), end=date(2024, 6, 29)))
    assert trend["is_unfinished"].tolist() == [True, False, False, True]
    values_drawn, unfinished = executive_kpis.sparks(trend, executive_kpis.TREND)["net_revenue"]
    assert (values_drawn, unfinished) == ([40, 40, 15], [False, False, True])
    figure = executive_kpis.trend_figure(trend, trend.head(0), metric=executive_kpis.TREND[0], currency="USD")
    assert pd.Timestamp(figure.data[0].x[0]) == pd.Timestamp(2024, 4, 1)
    assert executive_kpis.trend_note(trend).startswith("The days before Apr 1, 2024 are too few")
    assert executive_kpis.trend_note(statistic.drawn(trend)) == ""
    assert len(statistic.drawn(trend.head(2))) == 2  # of two points none is left out


def test_the_axis_ends_with_the_data(shop):
    trend = monthly(shop, Q2)
    drawn = executive_kpis.trend_figure(trend, trend.head(0), metric=executive_kpis.TREND[0], currency="USD")
    first, last = (pd.Timestamp(end) for end in drawn.layout.xaxis.range)
    assert trend["bucket_on"].iloc[-1] < last < pd.Timestamp(2024, 6, 15)
    assert pd.Timestamp(2024, 3, 15) < first < trend["bucket_on"].iloc[0]


def test_the_earlier_period_stands_under_the_period_bucket_by_bucket(shop):
    earlier = executive_kpis.trend_compared(shop, Q2)
    assert (earlier["bucket_on"].iloc[0], earlier["compared_on"].iloc[0]) == (pd.Timestamp(2024, 4, 1), pd.Timestamp(2024, 1, 1))
    assert earlier["net_revenue"].sum() == 115 - 25 * (len(earlier) < 9)


# ── why it changed ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_change_by_hand_split_into_factors(shop):
    """Customers 2 -> 2, orders per customer 1 -> 1.5, revenue per order 45 -> 26.67, customer unknown 25 -> 15."""
    parts = executive_kpis.parts(shop, Q2).set_index("part")
    assert parts["effect"].to_dict() == pytest.approx(
        {
            "customers": 0,
            "orders_per_customer": 2 * 0.5 * (45 + 80 / 3) / 2,
            "revenue_per_order": 2 * (80 / 3 - 45) * (1 + 1.5) / 2,
            "customer_unknown": -10,
            "net_revenue": -20,
        }
    )
    assert parts.loc["orders_per_customer", ["value_before", "value_after", "change"]].to_numpy() == pytest.approx([1, 1.5, 0.5])
    assert parts["share_of_change"].drop("net_revenue").sum() == pytest.approx(1)


def test_regions_by_hand_with_their_mix_and_factors(shop):
    """North 50 -> 55 (40 of A, 15 unknown), South 40 -> 40 (one customer -> two, an order brings half), unknown 25 -> 0."""
    regions = executive_kpis.by_region(shop, Q2).set_index("value")
    assert regions["change"].to_dict() == {UNKNOWN: -25, "North": 5, "South": 0}
    assert regions.loc["North", ["share_before", "share_after"]].to_numpy() == pytest.approx([50 / 115, 55 / 95])
    assert regions.loc["North", ["customers", "orders_per_customer", "revenue_per_order", "customer_unknown"]].to_numpy() == pytest.approx(
        [0, 0, -10, 15]
    )
    assert regions.loc["South", ["customers", "orders_per_customer", "revenue_per_order", "customer_unknown"]].to_numpy() == pytest.approx(
        [30, 0, -30, 0]
    )


def test_channels_and_categories_by_hand(shop):
    channels, categories = executive_kpis.by_channel(shop, Q2), executive_kpis.by_category(shop, Q2)
    assert dict(zip(channels["value"], channels["change"], strict=True)) == {"shop": -40, "web": 20}
    assert dict(zip(categories["value"], categories["change"], strict=True)) == {"dishes": -30, "drinks": 10}
    assert "customers" not in categories.columns


amount = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False).map(lambda value: round(value, 2))
side = st.tuples(st.integers(0, 5000), st.integers(0, 5000), amount, amount).map(
    lambda drawn: {
        "active_customers": float(drawn[0] if drawn[1] else 0),
        "orders_identified": float(drawn[0] + drawn[1] if drawn[0] and drawn[1] else 0),
        "net_revenue_identified": drawn[2],
        "revenue_customer_unknown": drawn[3],
        "net_revenue": drawn[2] + drawn[3],
    }
)


def frame(*rows):
    return pd.DataFrame(list(rows))


@given(side, side)
def test_effects_add_up_to_the_change_without_a_remainder(old, new):
    effects = why.shapley_effects(frame(old), frame(new)).iloc[0]
    change = new["net_revenue_identified"] - old["net_revenue_identified"]
    size = max(1.0, *(abs(each["net_revenue_identified"]) for each in (old, new)), effects.abs().max())
    assert abs(np.nansum(effects) - change) <= 1e-9 * size
    parts = why.change_parts(frame(old), frame(new)).set_index("part")["effect"]
    assert abs(np.nansum(parts.drop("net_revenue")) - parts["net_revenue"]) <= 1e-9 * max(
        size, abs(new["revenue_customer_unknown"]), abs(old["revenue_customer_unknown"])
    )


@given(side, side)
def test_the_way_back_undoes_the_way_there(old, new):
    there, back = (why.shapley_effects(*ends).iloc[0] for ends in ((frame(old), frame(new)), (frame(new), frame(old))))
    assert there.to_numpy() == pytest.approx(-back.to_numpy(), rel=1e-9, abs=1e-6, nan_ok=True)


@given(side, st.integers(1, 5))
def test_a_factor_that_alone_moved_carries_the_whole_change(old, times):
    assume(old["orders_identified"] > 0)
    richer = old | {"net_revenue_identified": old["net_revenue_identified"] * (1 + times)}
    effects = why.shapley_effects(frame(old), frame(richer)).iloc[0]
    assert effects["revenue_per_order"] == pytest.approx(old["net_revenue_identified"] * times)
    assert effects[["customers", "orders_per_customer"]].tolist() == pytest.approx([0, 0], abs=1e-6)


@given(side, side)
def test_effects_scale_with_the_currency(old, new):
    money = ("net_revenue_identified", "revenue_customer_unknown", "net_revenue")
    dear_old, dear_new = ({**each, **{name: each[name] * 8 for name in money}} for each in (old, new))
    cheap, dear = why.shapley_effects(frame(old), frame(new)), why.shapley_effects(frame(dear_old), frame(dear_new))
    assert dear.iloc[0].to_numpy() == pytest.approx(8 * cheap.iloc[0].to_numpy(), rel=1e-9, abs=1e-6, nan_ok=True)


def one(customers, orders_identified, revenue):
    return frame({"active_customers": customers, "orders_identified": orders_identified, "net_revenue_identified": revenue})


def test_from_no_customer_at_all_the_whole_change_is_that_of_customers():
    for old, new, change in ((one(0, 0, 0), one(2, 3, 90), 90), (one(2, 3, 90), one(0, 0, -5), -95)):
        effects = why.shapley_effects(old, new).iloc[0]
        assert effects["customers"] == change
        assert effects[["orders_per_customer", "revenue_per_order"]].isna().all()


def test_where_only_returns_moved_the_change_is_one_of_revenue_per_order():
    assert why.shapley_effects(one(0, 0, -5), one(0, 0, -8)).iloc[0].tolist() == [0, 0, -3]


def test_a_change_between_two_empty_periods_has_no_share():
    nothing = frame(
        dict.fromkeys(["active_customers", "orders_identified", "net_revenue_identified", "revenue_customer_unknown", "net_revenue"], 0.0)
    )
    parts = why.change_parts(nothing, nothing)
    assert parts["effect"].tolist() == [0, 0, 0, 0, 0]
    assert parts["share_of_change"].isna().all()


# ── against pandas, on a random shop ────────────────────────────────────────────────────────────────────────────────────

DAYS = 700
FIRST = date(2022, 1, 1)


def random_orders():
    random = np.random.default_rng(7)
    rows = []
    for number in range(900):
        customer = None if random.random() < 0.1 else f"c{int(random.integers(60) ** 1.2)}"
        day = FIRST + timedelta(days=int(random.integers(DAYS))) if number else FIRST
        is_cancelled = bool(random.random() < 0.05)
        lines = []
        for _ in range(random.integers(1, 5)):
            kind = "cancelled" if is_cancelled else str(random.choice(["sale", "sale", "sale", "return", "gift"]))
            money = 0 if kind in ("cancelled", "gift") else round(float(random.uniform(1, 90)), 2)
            sign = -1 if kind == "return" else 1
            cost = round(money * 0.6, 2) if kind == "sale" and random.random() < 0.5 else None
            lines.append((str(random.choice(["p1", "p2", "p3", "p4"])), kind, sign, sign * money, cost))
        region, channel = random.choice(["North", "South", "West", ""]), random.choice(["web", "shop"])
        rows.append((f"o{number}", customer, day.isoformat(), str(region) or None, str(channel), is_cancelled, lines))
    return rows


RANDOM_ORDERS = random_orders()
CATEGORIES = {"p1": "drinks", "p2": "dishes", "p3": "drinks"}  # p4 is of no category


@pytest.fixture(scope="module")
def random_shop(tmp_path_factory):
    data_set = database.find_data_set(f"duckdb:///{tmp_path_factory.mktemp('random')}/random.duckdb")
    fill(data_set, RANDOM_ORDERS, CATEGORIES)
    return database.open_source(data_set)


def all_lines():
    rows = [(*order[:6], *line) for order in RANDOM_ORDERS for line in order[6]]
    columns = ["order", "customer", "day", "region", "channel", "is_cancelled", "product", "kind", "quantity", "amount", "cost"]
    lines = pd.DataFrame(rows, columns=columns)
    return lines.assign(
        day=pd.to_datetime(lines["day"]).dt.date,
        category=lines["product"].map(CATEGORIES),
        is_sold=(lines["kind"] == "sale") & (lines["quantity"] > 0) & ~lines["is_cancelled"],
    )


LINES = all_lines()


def kept(lines, chosen, column):
    return lines[lines[column].fillna(UNKNOWN).isin(chosen)] if chosen else lines


def by_pandas(filters):
    """The metrics of the period, written out as one would by hand."""
    first = LINES[LINES["is_sold"]].groupby("customer")["day"].min()
    lines = kept(kept(kept(LINES, filters.region, "region"), filters.channel, "channel"), filters.category, "category")
    lines = lines[(lines["day"] >= filters.start) & (lines["day"] <= filters.end)]
    sold = lines[lines["is_sold"]]
    bought = sold.groupby("customer")["order"].nunique()
    return {
        "net_revenue": lines["amount"].sum(),
        "net_revenue_identified": lines.loc[lines["customer"].notna(), "amount"].sum(),
        "gross_revenue": sold["amount"].sum(),
        "orders": sold["order"].nunique(),
        "orders_identified": bought.sum(),
        "active_customers": len(bought),
        "new_customers": sum(filters.start <= first[customer] for customer in bought.index),
        "repeat_rate": (bought >= 2).sum() / len(bought) if len(bought) else np.nan,
    }


@st.composite
def filter_values(draw):
    start = draw(st.integers(0, DAYS - 1))
    chosen = (
        draw(st.sets(st.sampled_from(["North", "South", "West", UNKNOWN]), max_size=2)),
        draw(st.sets(st.sampled_from(["web", "shop"]), max_size=1)),
        draw(st.sets(st.sampled_from(["drinks", "dishes", UNKNOWN]), max_size=2)),
    )
    end = draw(st.integers(start, DAYS - 1))
    region, channel, category = (tuple(sorted(values)) for values in chosen)
    days = FIRST + timedelta(days=start), FIRST + timedelta(days=end)
    return Filters(*days, region=region, channel=channel, category=category)


@given(filter_values())
def test_every_metric_is_what_pandas_makes_of_the_lines(random_shop, filters):
    expected = by_pandas(filters)
    assert values(random_shop, filters)[list(expected)].to_dict() == pytest.approx(expected, nan_ok=True, abs=1e-6)


@pytest.mark.slow
@given(filter_values(), st.sampled_from(["day", "week", "month", "quarter", "year"]))
def test_buckets_add_up_to_the_period_and_count_each_customer_once_in_each(random_shop, filters, grain):
    period = Period(filters.start, filters.end)
    trend = statistic.trend_rows(random_shop(query.totals_by_bucket(filters, grain)), period=period, grain=grain)
    whole = values(random_shop, filters)
    added = ["net_revenue", "gross_revenue", "returns", "revenue_customer_unknown", "orders"]
    assert trend[added].sum().to_dict() == pytest.approx(whole[added].to_dict(), abs=1e-6)
    # Under a region, channel or category the first purchase ever may lie in an earlier bucket than the first one within it.
    is_narrowed = filters.region or filters.channel or filters.category
    assert trend["new_customers"].sum() <= whole["new_customers"] if is_narrowed else trend["new_customers"].sum() == whole["new_customers"]
    at = trend["active_customers"].argmax()
    first = max(trend["bucket_on"].iloc[at].date(), filters.start)
    last = filters.end if at + 1 == len(trend) else min(trend["bucket_on"].iloc[at + 1].date() - timedelta(days=1), filters.end)
    alone = values(random_shop, replace(filters, start=first, end=last))
    counted = ["active_customers", "new_customers", "repeat_rate"]
    assert trend[counted].iloc[at].tolist() == pytest.approx(alone[counted].tolist(), nan_ok=True)
    assert trend["bucket_on"].iloc[0].date() == bucket_start(filters.start, grain)


@pytest.mark.slow
@settings(max_examples=25)
@given(filter_values())
def test_regions_channels_and_categories_add_up_to_the_whole_change(random_shop, filters):
    whole = executive_kpis.parts(random_shop, filters)
    assume(len(whole))
    change = whole.set_index("part").loc["net_revenue", "effect"]
    for table in (executive_kpis.by_region, executive_kpis.by_channel, executive_kpis.by_category):
        found = table(random_shop, filters)
        assert found["change"].sum() == pytest.approx(change, abs=1e-6)
        assert found["value"].is_unique
        if "customers" in found:
            inner = found[["customers", "orders_per_customer", "revenue_per_order", "customer_unknown"]].sum(axis=1)
            assert inner.tolist() == pytest.approx(found["change"].tolist(), abs=1e-6)


# ── nothing, and too little ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=BACKENDS)
def empty(request, tmp_path):
    data_set = new_data_set(request.param, request, "executive_empty", tmp_path)
    with database.change(data_set):
        pass
    yield database.open_source(data_set)
    database.delete(data_set)


@pytest.mark.parametrize("filters", [Filters(), Q2])
def test_every_table_stands_on_an_empty_data_set(empty, filters):
    for name, table in executive_kpis.TABLES.items():
        if name != "headlines":
            assert isinstance(table(empty, filters), pd.DataFrame), name
    assert values(empty, filters)[["net_revenue", "orders"]].tolist() == [0, 0]
    assert values(empty, filters)[["average_order_value", "repeat_rate", "gross_margin"]].isna().all()
    assert (
        executive_kpis.finding(
            executive_kpis.comparison(empty, filters), executive_kpis.parts(empty, filters), filters=filters, held=None, currency=""
        )
        == "There are no orders yet."
    )


def test_one_order_is_one_point(tmp_path):
    data_set = database.find_data_set(f"duckdb:///{tmp_path}/one.duckdb")
    fill(data_set, ORDERS[:1], {TEA: "drinks"})
    source = database.open_source(data_set)
    trend = executive_kpis.trend(source, Filters())
    assert trend["net_revenue"].tolist() == [10]
    assert values(source, Filters())["repeat_rate"] == 0
    drawn = executive_kpis.trend_figure(
        trend, executive_kpis.trend_compared(source, Filters()), metric=executive_kpis.TREND[0], currency="USD"
    )
    assert drawn.data[0].y.tolist() == [10]


# ── in words, and drawn ─────────────────────────────────────────────────────────────────────────────────────────────────


def sentence(source, filters, currency="USD"):
    held = executive_kpis.data_period(source, filters.scope)
    return executive_kpis.finding(
        executive_kpis.comparison(source, filters), executive_kpis.parts(source, filters), filters=filters, held=held, currency=currency
    )


def test_the_finding_names_revenue_change_and_the_main_cause(shop):
    assert sentence(shop, Q2) == (
        "Net revenue was $95.00 in the 3 months to Jun 30, 2024, down 17.4% on the 3 months before; "
        "most of it because an order brought less (-40.7%)."
    )


def test_the_finding_changes_with_the_filters(shop):
    assert "the 3 months before" in sentence(shop, replace(Q2, channel=("web",)))
    assert "up 40.0%" in sentence(shop, replace(Q2, channel=("web",)))
    assert "from May 5, 2024 to May 10, 2024" in sentence(shop, replace(Q2, start=date(2024, 5, 5), end=date(2024, 5, 10)))


def test_a_period_of_one_day_is_that_day(shop):
    one_day = replace(Q2, start=date(2024, 5, 10), end=date(2024, 5, 10))
    assert sentence(shop, one_day).startswith("Net revenue was -$40.00 on May 10, 2024.")
    trend, earlier = executive_kpis.trend(shop, one_day), executive_kpis.trend_compared(shop, one_day)
    drawn = executive_kpis.trend_figure(trend, earlier, metric=executive_kpis.TREND[0], currency="USD")
    assert drawn.layout.xaxis.ticktext == ("May 10, 2024",)
    assert drawn.data[0].mode == "markers"  # a line of one point would not be seen


def test_the_finding_says_why_there_is_no_comparison(shop):
    assert sentence(shop, replace(Q2, compare="none")).endswith("No comparison is chosen.")
    assert "the data begin on Dec 31, 2023, and the period before would begin on Apr 1, 2023." in sentence(
        shop, replace(Q2, compare="last_year")
    )
    assert "nothing before them" in sentence(shop, Filters())


def test_the_finding_speaks_chinese(shop):
    with speaking("zh"):
        said = sentence(shop, Q2)
    assert "净收入" in said
    assert "Net" not in said


def test_the_bridge_starts_and_ends_at_the_two_revenues_without_a_gap(shop):
    drawn = executive_kpis.bridge_figure(executive_kpis.parts(shop, Q2), before="before", after="now", currency="USD")
    bars = drawn.data[0]
    assert (bars.x[0], bars.x[-1]) == (115, 95)
    assert bars.base[-2] + bars.x[-2] == pytest.approx(95)
    assert bars.base[1:-1] == pytest.approx(bars.base[:-2] + bars.x[:-2])


def test_the_trend_draws_the_earlier_period_grey_and_the_unfinished_end_dashed(shop):
    filters = replace(Q2, end=date(2024, 6, 15))
    trend, earlier = executive_kpis.trend(shop, filters), executive_kpis.trend_compared(shop, filters)
    drawn = executive_kpis.trend_figure(trend, earlier, metric=executive_kpis.TREND[0], currency="USD")
    assert isinstance(drawn, go.Figure)
    assert [series.line.dash for series in drawn.data] == [None, None, "dot"]
    assert drawn.data[0].y.tolist() == earlier["net_revenue"].tolist()


def test_values_beyond_the_twelfth_are_drawn_together_and_lose_nothing():
    many = pd.DataFrame({"value": list("abcdefghijklmno"), "change": np.arange(15.0)[::-1], "share_before": 1 / 15, "share_after": 1 / 15})
    drawn = with_others(many)
    assert drawn["value"].tolist() == [*"abcdefghijkl", "all 3 others"]
    assert drawn["change"].sum() == many["change"].sum()
    assert drawn["share_after"].sum() == pytest.approx(1)


def test_a_name_from_the_data_is_drawn_as_text():
    values_table = pd.DataFrame({"value": ["<b>x</b>"], "change": [1.0], "share_before": [np.nan], "share_after": [1.0]})
    (label,) = executive_kpis.values_figure(values_table, currency="").layout.yaxis.ticktext
    assert label.startswith("&lt;b>x&lt;/b><br>")
    assert label.endswith("mix — → 100.0%</span>")


def test_a_long_name_is_cut_beside_its_bar_and_whole_in_the_hover():
    name = "Binders, binder accessories and everything else of paper"
    values_table = pd.DataFrame({"value": [name], "change": [123_456.0], "share_before": [0.5], "share_after": [1.0]})
    drawn = executive_kpis.values_figure(values_table, currency="USD")
    assert drawn.layout.yaxis.ticktext[0].split("<br>")[0] == "Binders, binder accesso…"
    assert drawn.data[0].customdata[0][0] == name
    assert (drawn.layout.annotations[0].text, drawn.data[0].customdata[0][2]) == ("+$123.46K", "+$123,456")
    assert drawn.layout.xaxis.range[1] > 123_456 * 1.3  # room for the amount beside the bar


def test_where_bars_go_both_ways_each_amount_stands_across_zero_from_its_bar():
    values_table = pd.DataFrame({"value": ["up", "down"], "change": [100.0, -10.0], "share_before": [0.5] * 2, "share_after": [0.5] * 2})
    drawn = executive_kpis.values_figure(values_table, currency="")
    assert [(note.x, note.xanchor) for note in drawn.layout.annotations] == [(0, "right"), (0, "left")]
    assert drawn.layout.xaxis.range == (-80, 100)


def test_tables_hold_numbers_with_their_units_beside_them(shop):
    comparison = executive_kpis.comparison_in_words(executive_kpis.comparison(shop, Q2), "USD")
    rows = comparison.set_index("label").to_dict("index")
    assert [rows["Net revenue"][name] for name in ("value", "compared_value", "unit_text")] == [95, 115, "USD"]
    assert [rows["Repeat rate"][name] for name in ("value", "unit_text", "change_points")] == [50, "%", 50]
    assert rows["Orders"]["change"] == pytest.approx(1 / 3)
    parts = executive_kpis.parts_in_words(executive_kpis.parts(shop, Q2), "USD")
    texts = {"label", "unit_text"}
    for table, frame in (("comparison", comparison), ("parts", parts)):
        shown = executive_kpis.columns(table, "USD")
        assert {name for name in shown if not pd.api.types.is_numeric_dtype(frame[name])} == texts
    assert executive_kpis.columns("by_region", "USD")["customers"][0] == "Effect of customers (USD)"
    assert executive_kpis.columns("by_region", "")["customers"][0] == "Effect of customers"


def test_where_the_data_begin_too_late_a_period_that_can_be_compared_is_offered():
    held = Period(date(2024, 1, 1), date(2024, 12, 31))
    year = Filters(*held)
    assert executive_kpis.comparable_preset("data_begin_later", year, held) == "last_90_days"
    assert executive_kpis.comparable_preset("all_dates", year, Period(date(2022, 1, 1), held.end)) == "last_12_months"
    assert executive_kpis.comparable_preset("data_begin_later", year, Period(date(2024, 12, 1), held.end)) is None
    assert executive_kpis.comparable_preset("data_begin_later", replace(year, compare="last_year"), held) is None
    assert executive_kpis.comparable_preset("not_chosen", year, held) is None


def test_costs_that_are_all_known_need_no_line():
    tiles = pd.DataFrame({"metric": ["gross_margin", "gross_margin_share", "net_revenue", "new_customers", "returning_customers"]})
    known, half = ({"value": [40.0, 0.4, revenue, 1, 2]} for revenue in (100.0, 200.0))
    assert executive_kpis.tile_notes(tiles.assign(**known))["gross_margin_share"] == ""
    assert executive_kpis.tile_notes(tiles.assign(**half))["gross_margin_share"] == "Costs are known for 50.0% of net revenue."


def test_a_later_room_s_tile_says_how_far_it_looks_or_why_it_is_unknown():
    tile = pd.DataFrame({"metric": ["customer_base_value"], "value": [1.0]})
    assert "12 months, discounted 10%" in executive_kpis.later_notes(tile)["customer_base_value"]
    assert "too little data" in executive_kpis.later_notes(tile.assign(value=np.nan))["customer_base_value"]
    assert executive_kpis.later_notes(tile.head(0)) == {}
    best = pd.DataFrame({"metric": ["profit_of_top_fifth"], "value": [0.8], "n": [2781]})
    assert executive_kpis.later_notes(best) == {"profit_of_top_fifth": "of 2,781 customers in the period"}


def test_every_room_of_customers_has_its_tile_in_the_overview():
    assert set(executive_kpis.HEADLINE_ROOMS) == {
        "profitability",
        "segmentation",
        "retention",
        "lifetime_value",
        "campaign_roi",
        "pipeline",
    }


# ── published figures, through the importer ─────────────────────────────────────────────────────────────────────────────


def imported(folder, path, mapping):
    """The file as `import` loads it."""
    data_set = database.find_data_set(f"duckdb:///{folder}/{mapping}.duckdb")
    import_file(data_set, path.read_bytes(), path.name, load_mapping(mapping), latest_on=date(2020, 1, 1))
    return database.open_source(data_set)


def test_cdnow_sample_totals_by_its_authors(tmp_path, cdnow_file):
    """Fader and Hardie's 1/10th sample: 2,357 customers, $244,091.94."""
    source = imported(tmp_path, cdnow_file, "cdnow")
    whole = values(source, Filters())
    assert round(whole["net_revenue"], 2) == 244_091.94
    assert whole["active_customers"] == 2357
    first_quarter = values(source, Filters(start=date(1997, 1, 1), end=date(1997, 3, 31)))
    assert first_quarter["new_customers"] == 2357  # the cohort was chosen by its first purchase, in January to March
    assert values(source, Filters(start=date(1997, 4, 1), end=date(1998, 6, 30)))["new_customers"] == 0
    year = Filters(start=date(1997, 7, 1), end=date(1998, 6, 30))
    assert sentence(source, year).endswith("the data begin on Jan 1, 1997, and the period before would begin on Jul 1, 1996.")


@pytest.fixture(scope="module")
def online_retail(tmp_path_factory, shared_data):
    return imported(tmp_path_factory.mktemp("retail"), shared_data / "online_retail" / "online_retail.csv.gz", "online_retail")


@pytest.mark.slow
def test_online_retail_has_each_of_its_revenues_under_its_own_name(online_retail):
    """UCI 352, recomputed from the file; 8,911,407.90, 18,532, 4,338 and 65.58 % are published."""
    whole = values(online_retail, Filters())
    assert round(whole["net_revenue"], 2) == 9_747_747.93
    assert round(whole["net_revenue_identified"], 2) == 8_300_065.81
    assert round(whole["gross_revenue_identified"], 2) == 8_911_407.90
    assert whole["orders_identified"] == 18_532
    assert whole["active_customers"] == 4_338
    assert round(whole["repeat_rate"] * 4_338) == 2_845
    assert round(whole["repeat_rate"], 4) == 0.6558
    assert round(whole["gross_revenue_identified"] / whole["orders_identified"], 2) == 480.87


@pytest.mark.slow
def test_online_retail_s_december_of_nine_days_is_unfinished(online_retail):
    trend = executive_kpis.trend(online_retail, Filters())
    assert trend["bucket_on"].iloc[-1] == pd.Timestamp(2011, 12, 1)
    assert trend["is_unfinished"].tolist() == [False] * 12 + [True]
    assert trend["net_revenue"].sum() == pytest.approx(9_747_747.934, abs=0.01)


@pytest.mark.slow
def test_online_retail_regions_add_up_to_the_whole_change(online_retail):
    half_year = Filters(start=date(2011, 6, 1), end=date(2011, 11, 30))
    whole = executive_kpis.parts(online_retail, half_year).set_index("part")["effect"]
    regions = executive_kpis.by_region(online_retail, half_year)
    assert regions["change"].sum() == pytest.approx(whole["net_revenue"], abs=0.01)
    assert whole.drop("net_revenue").sum() == pytest.approx(whole["net_revenue"], abs=0.01)


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The page on the shop, April to June 2024, for each run of `page()`."""
    monkeypatch.setenv(database.FOLDER_SETTING, str(tmp_path))
    monkeypatch.delenv(database.ADDRESS_SETTING, raising=False)
    fill(database.find_data_set("mine"), ORDERS, {TEA: "drinks", MUG: "dishes"})

    def opened(**parameters):
        app = AppTest.from_file(str(Path(__file__).parent.parent / "app.py"), default_timeout=60)
        for key, value in {"period": "own", "from": "2024-04-01", "to": "2024-06-15", **parameters}.items():
            app.query_params[key] = value
        app.run()
        return app.switch_page("pages/executive_kpis.py").run()

    return opened


def html(app):
    return "".join(element.proto.body for element in app.get("html"))


@pytest.mark.slow
@pytest.mark.parametrize("by", ["parts", "by_region", "by_channel", "by_category"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_draws_trend_and_reasons_in_both_languages(page, by, lang):
    app = page(by=by, lang=lang)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
    assert ("Net revenue was" in app.markdown[0].value) == (lang == "en")


@pytest.mark.slow
def test_without_a_comparison_the_page_says_why_and_draws_no_reasons(page):
    app = page(compare="none")
    assert len(app.get("plotly_chart")) == 1
    assert "No comparison is chosen." in [caption.value for caption in app.caption]


@pytest.mark.slow
def test_without_a_period_before_the_page_offers_one_that_can_be_compared_and_goes_there(page):
    app = page(period="all")
    offer = next(button for button in app.button if button.label == "Compare instead: Last 90 days")
    offer.click()
    app.run()
    assert app.selectbox(key="choose_period").value == "last_90_days"
    assert len(app.get("plotly_chart")) == 2


@pytest.mark.slow
def test_a_target_set_on_the_page_is_shown_at_once_and_kept(page, tmp_path):
    app = page(**{"from": "2024-04-01", "to": "2024-05-31"})
    assert "of target" not in html(app)
    app.number_input[0].set_value(50.0)
    next(button for button in app.button if button.label == "Save").click()
    app.run()
    assert not app.exception
    assert "Saved: Net revenue, 50.00 a month, months: 2." in [element.value for element in app.success]
    assert "80.0% of target $100.00" in html(app) or "80.0% of target 100.00" in html(app)
    assert workspace.read_targets(database.find_data_set("mine"))["target_value"].tolist() == [50, 50]
