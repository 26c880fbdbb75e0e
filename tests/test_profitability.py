"""Which customers earn the money? Against hand-worked tables, the figures of two published shops, the demo's truth, and what must hold."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cost_shop import cost_shop, fill
from hypothesis import given
from hypothesis import strategies as st

from crm_metrics import database
from crm_metrics import profitability as room
from crm_metrics.customer_profit import customer_profits
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.demo import costs
from crm_metrics.demo.build import build
from crm_metrics.demo.plan import Plan
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.intervals import wilson
from crm_metrics.metric import BadInput
from crm_metrics.periods import Period
from crm_metrics.profitability import statistic, words
from crm_metrics.profitability.concentration import CURVE_POINTS, concentration_row, curve_points, gini
from crm_metrics.profitability.stability import dealt_shares, stayed_on_top, years_back
from crm_metrics.profitability.what_if import WhatIf
from crm_metrics.segments.rule import Condition, Opposite, Segment

EVER = Filters()
PARTS = [part for part, _, _, is_total in statistic.STEPS if not is_total]


@pytest.fixture(scope="module")
def shop(shared_data_set):
    return cost_shop(shared_data_set("shop"))


def row(frame: pd.DataFrame) -> Any:
    """The only row; Any, because its cells are compared with numbers."""
    assert len(frame) == 1
    return frame.iloc[0]


def values(source, filters=EVER) -> dict[str, float]:
    tiles = room.tiles(source, filters)
    return dict(zip(tiles["metric"], tiles["value"], strict=True))


# ── how a value is spread, by hand ──────────────────────────────────────────────────────────────────────────────────────


def test_concentration_is_as_worked_by_hand():
    """Ten customers: 60, 40, 10, five times 0, -4, -6: total 100; the first two hold 100 %, the peak is at 110, two lose 10."""
    found = row(concentration_row(np.array([0, 40, -4, 0, 60, 0, 0, 10, -6, 0.0]), "profit"))
    assert found[["entities", "total", "peak_share", "peak_rank", "erosion", "losing", "lost"]].tolist() == pytest.approx(
        [10, 100, 1.1, 3, 0.1, 2, 10]
    )
    assert found[["top_1", "top_5", "top_10", "top_20", "top_50"]].tolist() == pytest.approx([0.6, 0.6, 0.6, 1.0, 1.1])
    assert found[["entities_for_80", "share_for_80"]].tolist() == [2, 0.2]
    assert np.isnan(found["gini"])


@pytest.mark.parametrize(
    ("held", "wanted"), [([1, 1, 1, 1], 0.0), ([0, 0, 0, 4], 0.75), ([1, 2, 3, 4], 0.25), ([-5, 1, 1, 2], 0.375), ([0, 0], np.nan)]
)
def test_gini_counts_what_is_below_zero_as_nothing(held, wanted):
    assert gini(np.array(held, dtype=float)) == pytest.approx(wanted, nan_ok=True)


def test_where_everybody_loses_there_are_no_shares():
    found = row(concentration_row(np.array([-1.0, -2.0]), "profit"))
    assert found[["losing", "lost", "peak_rank"]].tolist() == [2, 3, 0]
    assert found[["top_20", "share_for_80", "peak_share"]].isna().all()


def test_the_curve_has_names_for_few_and_a_lorenz_curve_for_revenue():
    rows = pd.DataFrame({"value": [1.0, 3.0, -1.0], "name": ["a", "b", "c"]})
    found = curve_points(rows, "net_revenue", has_names=True)
    assert found["name"].tolist() == ["b", "a", "c"]
    assert found["cumulative"].tolist() == [3, 4, 3]
    assert found["lorenz_share"].tolist() == [0, 0.25, 1]
    assert curve_points(rows, "profit", has_names=True)["lorenz_share"].isna().all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 4_000), st.floats(-1, 3))
def test_a_curve_has_at_most_1000_points_and_all_that_matter(seed, count, middle):
    held = np.random.default_rng(seed).normal(middle, 1, count).round(1)
    found = curve_points(pd.DataFrame({"value": held, "name": ""}), "profit", has_names=False)
    spread = row(concentration_row(held, "profit"))
    assert len(found) <= CURVE_POINTS
    assert found["rank"].is_monotonic_increasing
    assert found["rank"].iloc[-1] == count
    assert (spread["peak_rank"] == 0) or spread["peak_rank"] in set(found["rank"])
    assert (spread["losing"] == 0) or count - spread["losing"] + 1 in set(found["rank"])
    if spread["total"] > 0:
        assert found["cumulative_share"].iloc[-1] == pytest.approx(1)
        assert found["cumulative_share"].max() == pytest.approx(spread["peak_share"])
        assert spread["entities_for_80"] in set(found["rank"])
    shuffled = curve_points(pd.DataFrame({"value": held[::-1], "name": ""}), "profit", has_names=False)
    pd.testing.assert_frame_equal(found, shuffled)


# ── the tables of the shop, by hand ─────────────────────────────────────────────────────────────────────────────────────


def test_the_summary_adds_up_column_by_column(shop):
    """Of customers 38 - 22.50, customer unknown 30, costs of nobody 9 + 3 + 17; the acquisition campaign would be the same money twice."""
    found: Any = room.summary(shop, EVER).set_index("part")
    assert found.loc["profit", ["of_customers", "customer_unknown", "unallocated", "amount"]].tolist() == pytest.approx(
        [15.5, 30, -29, 16.5]
    )
    for column in ("of_customers", "customer_unknown", "unallocated", "amount"):
        assert found.loc[["list_revenue", *PARTS], column].sum() == pytest.approx(found.loc["profit", column])
        assert found.loc[["list_revenue", "returns", "discount"], column].sum() == pytest.approx(found.loc["net_revenue", column])
    assert found["is_known"].all()
    assert found.loc["net_revenue", "share_of_net_revenue"] == 1


def test_customers_stand_by_profit_with_name_and_cumulative_share(shop):
    found = room.customers(shop, EVER)
    assert found[["customer_id", "customer_name", "profit_rank", "decile"]].values.tolist() == [["ann", "Ann", 1, 5], ["ben", "Ben", 2, 10]]
    assert found["profit"].tolist() == pytest.approx([38, -22.5])
    assert found["cumulative_profit_share"].tolist() == pytest.approx([38 / 15.5, 1])


def test_customers_and_customer_unknown_are_the_whole(shop):
    for filters in (EVER, Filters(region=("North",)), Filters(end=date(2024, 1, 31))):
        made, known = shop.remember(customer_profits, filters), room.customers(shop, filters)
        unknown = made[made["customer_number"].isna()]
        parts = ["net_revenue", "gross_margin", "profit"]
        assert (known[parts].sum() + unknown[parts].sum()).tolist() == pytest.approx(made[parts].sum().tolist())


def test_equal_profits_stand_in_order_of_the_customers_keys(data_set):
    orders = [(f"o{name}", name, "2024-01-10", None, None, "tea", [("sale", 1, 10, None, 4)]) for name in ("b", "c", "a")]
    assert room.customers(fill(data_set, orders), EVER)["customer_id"].tolist() == ["a", "b", "c"]


def test_the_basis_says_what_is_missing(shop):
    everything, north = row(room.basis(shop, EVER)), row(room.basis(shop, Filters(region=("North",))))
    assert everything[["has_profit", "has_customer_costs", "has_cost_to_serve", "has_marketing", "has_discount"]].all()
    assert everything[["customers", "customer_unknown", "undated_costs"]].tolist() == [2, 1, 1]
    assert not north[["has_customer_costs", "has_cost_to_serve", "has_marketing"]].any()
    assert room.summary(shop, Filters(region=("North",))).query("not is_known")["part"].tolist()[-2:] == ["acquisition", "campaigns"]


def test_a_part_of_other_days_is_told_from_one_that_nobody_recorded(shop):
    """In the first week there are no costs but ben's handling of returns, which has no day; a fair brings costs, of nobody."""
    found: Any = room.summary(shop, Filters(start=date(2024, 1, 8), end=date(2024, 1, 14))).set_index("part")
    assert found.query("not is_known").index.tolist() == [
        "service", "sales_visits", "delivery", "rewards", "other_service", "acquisition", "campaigns",
    ]  # fmt: skip
    assert found["known_anywhere"].all()
    region = room.summary(shop, Filters(region=("North",))).set_index("part")
    assert not region.loc[["service", "rewards", "campaigns"], "known_anywhere"].any()


def test_what_no_customer_of_a_segment_had_is_nothing_and_not_unknown(shop):
    """Ann, of two purchases, had no reward and no delivery; ben no discount."""
    rule = Condition("orders", low=2)
    ann, ben = (Filters(segments=(Segment("s", one),)) for one in (rule, Opposite(rule)))
    for filters in (ann, ben):
        summary = room.summary(shop, filters).set_index("part")
        assert summary["is_known"].all()
        assert "rewards" in words.questions(room.basis(shop, filters), summary.reset_index())
    assert room.summary(shop, ann).set_index("part").loc[["delivery", "rewards"], "of_customers"].tolist() == [0, 0]
    assert room.summary(shop, ben).set_index("part").loc["discount", "of_customers"] == 0
    assert room.reinvestment(shop, ann)[["reward_cost", "reinvestment_rate"]].values.tolist()[0] == [0, 0]


def test_those_who_cost_something_without_a_purchase_are_told_from_the_others_who_lose_money(shop):
    """In February ann buys for 50 and gives 30 back; ben, who bought in January, gets a mailing."""
    february = row(room.basis(shop, Filters(start=date(2024, 2, 1), end=date(2024, 2, 29))))
    assert february[["customers", "without_purchase", "losing_without_purchase"]].tolist() == [2, 1, 1]
    said = (
        "1 of the 2 customers bought nothing in the period but cost something or sent goods back; 1 of those who lose money are among them."
    )
    assert said in words.missing_note(pd.DataFrame([february]))
    ever = room.basis(shop, EVER)
    assert row(ever)[["without_purchase", "losing_without_purchase"]].tolist() == [0, 0]
    without_costs = words.missing_note(pd.DataFrame([february]).assign(has_profit=False))
    assert "1 of the 2 customers bought nothing in the period but cost something or sent goods back." in without_costs
    assert "bought nothing" not in words.missing_note(ever)


def test_products_regions_and_channels_hold_gross_margin_with_sales_of_customers_unknown(shop):
    """Tea: 100 - 40, 10 - 8, 40 - 10; mugs: 50 - 20 and -30 + 12."""
    products = room.curve(shop, EVER, "product")
    assert products[["name", "value"]].values.tolist() == [["tea", 92], ["mugs", 12]]
    assert room.curve(shop, EVER, "region", "net_revenue")[["name", "value"]].values.tolist() == [["North", 150], ["South", 20]]
    assert row(room.concentration(shop, EVER, "channel", "net_revenue"))[["entities", "total"]].tolist() == [2, 170]


def test_a_region_that_is_not_known_is_called_so(any_data_set):
    source = fill(any_data_set, [("o1", "a", "2024-01-10", None, "web", None, [("sale", 1, 10, None, 4)])])
    assert [room.curve(source, EVER, by)["name"].tolist() for by in ("region", "product")] == [[UNKNOWN]] * 2


@pytest.mark.slow
def test_without_costs_the_room_is_about_revenue(data_set):
    orders = [
        (f"o{name}", name, "2024-01-10", "North", "web", "tea", [("sale", 1, net, None, None)]) for name, net in (("a", 30), ("b", 10))
    ]
    source = fill(data_set, orders)
    wanted = {"net_revenue": 40, "revenue_of_top_fifth": 0.75, "customers_for_80_percent": 1, "gini_of_revenue": 0.25, "customers": 2}
    assert values(source) == pytest.approx(wanted)
    assert room.headline(source, EVER)["metric"].tolist() == ["revenue_of_top_fifth"]
    assert room.customers(source, EVER)[["customer_id", "net_revenue"]].values.tolist() == [["a", 30], ["b", 10]]
    assert room.deciles(source, EVER)["net_revenue_share"].tolist() == [0.75, 0.25]
    assert room.curve(source, EVER)["value"].tolist() == [30, 10]
    assert len(room.losing(source, EVER)) == 0


@pytest.mark.parametrize("table", room.TABLES)
def test_an_empty_data_set_has_every_table(tmp_path, table):
    source = database.open_source(database.find_data_set(f"duckdb:///{tmp_path}/none.duckdb"))
    assert list(room.TABLES[table](source, EVER).columns)


# ── who loses, and why ──────────────────────────────────────────────────────────────────────────────────────────────────

COLUMNS = ["list_revenue", "returns", "discount", "cost_of_goods", "cost_to_serve", "marketing"]
LOSING = {
    "discount": (100, 0, 40, 65, 5, 0),
    "returns": (100, 80, 0, 50, 5, 0),
    "service": (100, 0, 10, 50, 60, 10),
    "marketing": (100, 0, 0, 50, 10, 60),
    "goods": (100, 0, 0, 110, 0, 0),
    "several": (100, 0, 30, 110, 30, 30),
}


@pytest.mark.parametrize("reason", LOSING)
def test_the_reason_is_the_largest_part_that_alone_would_turn_the_loss(reason):
    customers = pd.DataFrame([LOSING[reason]], columns=COLUMNS).assign(customer_id="a")
    customers["profit"] = customers["list_revenue"] - customers[COLUMNS[1:]].sum(axis=1)
    assert statistic.losing_rows(customers)["reason"].tolist() == [reason]


def test_each_loser_has_one_reason_and_their_losses_add_up(shop):
    """Ben loses 22.50: without marketing of 16, or service of 8.50, he would still lose."""
    losing, reasons = room.losing(shop, EVER), room.losing_reasons(shop, EVER)
    assert losing[["customer_id", "reason", "lost"]].values.tolist() == [["ben", "several", 22.5]]
    assert reasons.values.tolist() == [["several", 1, 22.5, -6.5]]
    assert reasons["lost"].sum() == values(shop)["lost_to_losing_customers"]


# ── deciles and tiers ───────────────────────────────────────────────────────────────────────────────────────────────────


def customers_of(profit, **more):
    columns = ["net_revenue", "service_minutes", "visit_minutes", "visit_cost", "marketing", "cost_to_serve", "reward_cost"]
    frame = pd.DataFrame({"profit": profit, **dict.fromkeys(columns, np.nan), **more})
    return statistic.ranked(frame.assign(customer_id=[f"{number:03d}" for number in frame.index], customer_number=frame.index + 1))


def test_deciles_are_of_the_rank_and_say_nothing_of_what_is_not_recorded():
    found = statistic.decile_rows(customers_of(np.arange(25.0), service_minutes=4.0))
    assert found["customers"].tolist() == [2, 3, 2, 3, 2, 3, 2, 3, 2, 3]
    assert found["profit"].iloc[0] == 24 + 23
    assert found["service_minutes_share"].tolist() == pytest.approx((found["customers"] / 25).tolist())
    assert found[["profit_share", "service_minutes_share"]].sum().tolist() == pytest.approx([1, 1])
    assert found[["visit_minutes", "visit_minutes_share", "marketing_share"]].isna().all(axis=None)


def test_rewards_are_reinvested_by_tier_of_profit_before_rewards():
    """20 customers earn 1 to 20 after rewards of 1 for all but the best, who had 10: before 30; the next three 20, 19, 18."""
    found = statistic.tier_rows(customers_of(np.arange(1.0, 21), reward_cost=[1.0] * 19 + [10.0]))
    assert found["tier"].tolist() == ["top", "next", "rest"]
    assert found["customers"].tolist() == [1, 3, 16]
    assert found["profit_before_rewards"].tolist() == [30, 57, 152]
    assert found["reinvestment_rate"].tolist() == pytest.approx([10 / 30, 3 / 57, 16 / 152])
    assert found["reward_per_customer"].tolist() == [10, 1, 1]
    assert len(statistic.tier_rows(customers_of([1.0]))) == 0


# ── what if ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_if_is_as_worked_by_hand(shop):
    """No orders below 20, a discount of at most 5 %, service at half its cost.

    ann  20 off 120 become 6, of the 36 given back 6 off become 1.80: discount 14 becomes 4.20; service 12 becomes 6: 38 + 9.80 + 6 = 53.80
    ben  the order of 10 is not placed: 2 of margin and the delivery of 4 go; the other 4.50 become 2.25: -22.50 - 2 + 4 + 2.25 = -18.25
    """
    found: Any = room.what_if(shop, EVER, WhatIf(serve_cheaper=0.5, discount_cap=0.05, minimum_order=20)).set_index("scenario")
    columns = ["profit", "losing", "lost", "cost_to_serve", "discount", "net_revenue", "orders"]
    assert found.loc["today", columns].tolist() == pytest.approx([15.5, 1, 22.5, 20.5, 14, 130, 3])
    assert found.loc["then", columns].tolist() == pytest.approx([35.55, 1, 18.25, 8.25, 4.2, 129.8, 2])


STEEP: list[tuple[Any, ...]] = [
    ("o1", "a", "2024-01-10", None, None, "tea", [("sale", 1, 80, 20, 40)]),
    ("o2", "a", "2024-01-11", None, None, "tea", [("sale", 1, 100, 0, 40)]),
    ("o3", "a", "2024-01-12", None, None, "tea", [("sale", 1, 15, 5, 10)]),
    ("o4", "b", "2024-01-13", None, None, "tea", [("sale", 1, 90, 10, 40)]),
    ("r4", "b", "2024-01-14", None, None, "tea", [("return", -1, -90, -10, -40)]),
    ("x5", "b", "2024-01-15", None, None, "mugs", [("cancelled", 1, 0, 30, 0)]),
    ("o6", None, "2024-01-15", None, None, "mugs", [("sale", 1, 10, 90, 0)]),
]


@pytest.mark.parametrize("chosen", [(), *[pytest.param(names, marks=pytest.mark.slow) for names in (("tea",), ("tea", "mugs"))]])
def test_discounts_are_capped_order_by_order(any_data_set, chosen):
    """At most 15 %: of a's orders 5 of 20 off 100, nothing of 0 off 100, and 2 of 5 off 20 are over it; 12.5 % off all would not be.

    An order that is refused has no discount to cap. b gave everything back, at the price that was paid: nothing is gained by any cap.
    """
    source, filters = fill(any_data_set, STEEP), Filters(category=chosen)

    def then(change):
        found: Any = room.what_if(source, filters, change).set_index("scenario")
        return found.loc["then", ["profit", "discount", "net_revenue", "orders"]].tolist()

    assert then(WhatIf()) == pytest.approx([105, 25, 195, 4])
    assert then(WhatIf(discount_cap=0.15)) == pytest.approx([112, 18, 202, 4])
    assert then(WhatIf(discount_cap=0.15, minimum_order=50)) == pytest.approx([105, 15, 185, 3])
    assert then(WhatIf(discount_cap=0.05)) == pytest.approx([124, 6, 214, 4])
    assert then(WhatIf(discount_cap=0)) == pytest.approx([130, 0, 220, 4])
    assert row(room.steepest_discount(source, filters))["discount_share"] == pytest.approx(0.25)


@pytest.mark.slow
def test_an_order_of_several_categories_is_capped_as_one(any_data_set):
    """20 off 100 of tea and nothing off 100 of mugs: 10 % of the whole, 20 % of the tea alone."""
    lines = [("tea", ("sale", 1, 80, 20, 40)), ("mugs", ("sale", 1, 100, None, 40))]
    source = fill(any_data_set, [("o1", "a", "2024-01-10", None, None, category, [line]) for category, line in lines])
    for chosen, discount in (((), 20), (("tea", "mugs"), 20), (("tea",), 10)):
        found = room.what_if(source, Filters(category=chosen), WhatIf(discount_cap=0.1)).set_index("scenario")
        assert found.loc["then", "discount"] == discount


def test_what_a_rounding_of_sums_leaves_over_is_no_loss(data_set):
    """0.3 - 0.1 - 0.2, which is -2.8e-17 in floats."""
    orders = [("o1", "a", "2024-01-10", None, None, "tea", [("sale", 1, 0.3, None, 0.1)])]
    source = fill(data_set, orders, costs=[("a", "2024-01-10", "service", None, 0.2)])
    assert values(source)["losing_customers"] == len(room.losing(source, EVER)) == 0
    assert room.customers(source, EVER)["profit"].tolist() == [0]


def test_a_minimum_order_looks_at_the_whole_order_whatever_category_is_shown(any_data_set):
    both = [("o1", "a", "2024-01-10", None, None, "tea", [("sale", 1, 10, None, 4)])]
    source = fill(any_data_set, [*both, ("o2", "a", "2024-01-11", None, None, "mugs", [("sale", 1, 90, None, 4)])])
    then = room.what_if(source, Filters(category=("tea",)), WhatIf(minimum_order=20)).set_index("scenario")["orders"]
    assert then.to_dict() == {"today": 1, "then": 0}


def test_no_change_changes_nothing(shop):
    found = room.what_if_curve(shop, EVER)
    today, then = (found[found["scenario"] == name].drop(columns="scenario").reset_index(drop=True) for name in ("today", "then"))
    pd.testing.assert_frame_equal(today, then)
    assert room.what_if(shop, EVER).drop(columns="scenario").nunique().max() == 1


@pytest.mark.parametrize("terms", [{"serve_cheaper": 1.5}, {"discount_cap": -0.1}, {"minimum_order": -1}])
def test_terms_that_cannot_be_are_refused(terms):
    with pytest.raises(BadInput):
        WhatIf(**terms)


# ── from year to year ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_years_go_back_from_the_last_day_and_are_whole():
    found = years_back(date(2022, 3, 1), date(2024, 6, 30))
    assert found == (Period(date(2022, 7, 1), date(2023, 6, 30)), Period(date(2023, 7, 1), date(2024, 6, 30)))


def test_who_stays_on_top_is_counted_by_hand():
    """Ten customers in the first year, the best two a and b; five in the second, the best one a."""
    first = np.array([9.0, 8, 1, 1, 1, 1, 1, 1, 1, 1, np.nan])
    second = np.array([9.0, 1, 1, 1, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, 5])
    assert stayed_on_top(first, second) == (10, 2, 1, 0.1)


@pytest.mark.parametrize("changes", [False, True])
def test_chance_explains_all_where_nobody_changed_and_not_where_everybody_did(changes):
    """2,000 customers of very different size who order by Poisson; if they change, each takes another's rate in the second year."""
    random = np.random.default_rng(7)
    rates = random.gamma(0.8, 5, 2_000) + 0.5
    orders = random.poisson([rates, random.permutation(rates) if changes else rates])
    first, second = np.where(orders > 0, orders, np.nan).astype(float)
    customer = np.repeat(np.arange(2_000), orders.sum(axis=0))
    is_first = np.concatenate([np.arange(total) < count for count, total in zip(orders[0], orders.sum(axis=0), strict=True)])
    shares, seen = dealt_shares(customer, np.ones(len(customer)), is_first), stayed_on_top(first, second)
    low, high = wilson(seen.stayed, seen.top)
    assert bool(low <= shares.mean() <= high) is not changes
    assert bool(low <= seen.by_chance <= high) is changes


def test_stability_is_told_for_each_pair_of_years(any_data_set):
    orders = [
        (f"o{year}{number}", f"c{number}", f"{year}-06-01", None, None, "tea", [("sale", 1, 10 * number + 10, None, 4)])
        for year in (2022, 2023, 2024)
        for number in range(10)
    ]
    ends = [(f"e{day}", "c0", day, None, None, "tea", [("sale", 1, 1, None, 0)]) for day in ("2022-01-01", "2024-12-31")]
    found = room.stability(fill(any_data_set, [*orders, *ends]), EVER)
    assert (
        found[["measure", "customers", "top_customers", "stayed", "stayed_share", "by_chance", "sampled"]].values.tolist()
        == [["gross_margin", 10, 2, 2, 1.0, 0.2, 10]] * 2
    )
    assert found["first_start"].dt.strftime("%Y-%m-%d").tolist() == ["2022-01-01", "2023-01-01"]
    assert found["unchanged"].between(found["unchanged_low"], found["unchanged_high"]).all()


# ── published ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def imported(folder, path, mapping):
    data_set = database.find_data_set(f"duckdb:///{folder}/{mapping}.duckdb")
    import_file(data_set, path.read_bytes(), path.name, load_mapping(mapping))
    return database.open_source(data_set)


@pytest.mark.slow
def test_superstore_has_its_whale_curve(tmp_path, shared_data):
    """9,994 lines of 793 customers; sales are net of the discount, dates day first; amounts have four decimals."""
    source = imported(tmp_path, shared_data / "superstore" / "Superstore_plain.csv.gz", "superstore")
    summary, found = room.summary(source, EVER).set_index("part")["amount"], row(room.concentration(source, EVER))
    assert summary["net_revenue"] == pytest.approx(2_297_200.8603, abs=1e-6)
    assert summary["profit"] == pytest.approx(286_397.0217, abs=1e-6)
    assert found[["entities", "losing", "peak_rank", "entities_for_80"]].tolist() == [793, 155, 638, 153]
    assert found["lost"] == pytest.approx(71_224.4744, abs=1e-6)
    assert found[["peak_share", "top_20"]].round(4).tolist() == [1.2487, 0.8166]
    curve: Any = room.curve(source, EVER)
    assert curve.loc[curve["cumulative_share"].idxmax(), "rank"] == 638
    assert curve["cumulative_share"].iloc[-1] == pytest.approx(1)
    assert not summary[["discount", "service", "campaigns"]].notna().any()


@pytest.mark.slow
def test_online_retail_has_its_customers_and_no_profit_chen_sain_guo_2012(tmp_path, shared_data):
    source = imported(tmp_path, shared_data / "online_retail" / "online_retail.csv.gz", "online_retail")
    summary: Any = room.summary(source, EVER).set_index("part")
    assert values(source)["customers"] == 4_338
    assert summary.loc["list_revenue", "of_customers"] == pytest.approx(8_911_407.904, abs=1e-6)
    assert np.isnan(summary.loc["profit", "amount"])
    assert "34 of the 4,372 customers bought nothing in the period" in words.missing_note(room.basis(source, EVER))
    found = row(room.concentration(source, EVER))
    assert 0 < found["gini"] < 1
    assert found["losing"] == (room.customers(source, EVER)["net_revenue"] < 0).sum()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    data_set = database.find_data_set(f"duckdb:///{tmp_path_factory.mktemp('demo')}/demo.duckdb")
    build(data_set, Plan(customers=2_000))
    return database.open_source(data_set)


@pytest.mark.slow
def test_the_demo_s_truth_is_found_again(demo):
    """Rewards by tier of margin, the price of a delivery, and how many of the large customers are demanding: those lose money."""
    made = demo.remember(customer_profits, EVER)
    made = made[made["customer_number"].notna()]
    place = made["gross_margin"].rank(ascending=False, method="first") / len(made)
    gold, silver = made[place <= costs.GOLD_SHARE], made[(place > costs.GOLD_SHARE) & (place <= costs.GOLD_SHARE + costs.SILVER_SHARE)]
    rates = [(tier["reward_cost"] / tier["gross_margin"]).median() for tier in (silver, gold)]
    assert rates == pytest.approx(costs.REWARD_SHARE[1:], rel=0.02)  # orders that earn no margin earn no reward
    usual = made[place > costs.LARGE_SHARE]
    fixed = usual["delivery_cost"].sum() - costs.DELIVERY_SHARE * (usual["net_revenue"] + usual["returns"]).sum()
    assert fixed / usual["orders"].sum() == pytest.approx(costs.DELIVERY_COST, rel=0.02)  # the cancelled ones were delivered to nobody
    demanding = gold["visit_cost"] + gold["delivery_cost"] > gold["gross_margin"]
    error = (costs.DEMANDING_SHARE * (1 - costs.DEMANDING_SHARE) / len(gold)) ** 0.5
    assert abs(demanding.mean() - costs.DEMANDING_SHARE) < 3 * error
    assert (gold.loc[demanding, "profit"] < 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("filters", [EVER, Filters(start=date(2025, 1, 1), end=date(2025, 12, 31)), Filters(category=("茶 Tea",))])
def test_the_tables_of_the_demo_agree_with_each_other(demo, filters):
    summary, customers = room.summary(demo, filters).set_index("part"), room.customers(demo, filters)
    tiles, reasons = values(demo, filters), room.losing_reasons(demo, filters)
    assert tiles["profit"] == pytest.approx(summary.loc["profit", "of_customers"]) == pytest.approx(customers["profit"].sum())
    assert reasons["customers"].sum() == tiles["losing_customers"] == (customers["profit"] < 0).sum()
    assert reasons["lost"].sum() == pytest.approx(tiles["lost_to_losing_customers"])
    deciles = room.deciles(demo, filters)
    assert deciles["profit"].sum() == pytest.approx(tiles["profit"])
    for by in ("product", "region", "channel"):
        assert room.curve(demo, filters, by)["cumulative"].iloc[-1] == pytest.approx(summary.loc["gross_margin", "amount"])
    today: Any = room.what_if(demo, filters).set_index("scenario").loc["today"]
    assert today[["profit", "top_20"]].tolist() == pytest.approx([tiles["profit"], tiles["profit_of_top_fifth"]])
