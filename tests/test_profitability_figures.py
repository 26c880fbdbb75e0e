"""What the pictures and sentences of profitability hold, on customers counted by hand.

Ten customers earn 50, 30, 20, 15, 10, 5, 0, -5, -10, -15: 100 in all. The curve climbs to 130 % at the sixth, stays there at the seventh
and comes down to 100 %; the best two hold 80 %.
"""

import math

import numpy as np
import pandas as pd
import pytest

from crm_metrics import figures
from crm_metrics.profitability import answer_words, what_if_words, words
from crm_metrics.profitability.concentration import concentration_row, curve_points
from crm_metrics.profitability.curves import curve_figure, lorenz_figure, stability_figure, what_if_figure
from crm_metrics.profitability.figure import reason_bars, step_bars
from crm_metrics.profitability.labels import in_words
from crm_metrics.profitability.tables import REFERENCES
from crm_metrics.profitability.what_if import WhatIf

PROFITS = [50.0, 30.0, 20.0, 15.0, 10.0, 5.0, 0.0, -5.0, -10.0, -15.0]
OTHERS = pd.DataFrame(REFERENCES, columns=["name", "users_share_low", "users_share_high", "value_share_low", "value_share_high"])


def curve_of(values, measure="profit", names=None):
    """The tables curve and concentration of some values."""
    found = pd.DataFrame({"value": values, "name": names or [""] * len(values)})
    return curve_points(found, measure, has_names=names is not None), concentration_row(np.array(values), measure)


def drawn(values, *, by="customer", measure="profit", names=None):
    curve, held = curve_of(values, measure, names)
    return curve_figure(curve, held, OTHERS, by=by, measure=measure, currency="USD")


def labels(figure):
    return [note.text for note in figure.layout.annotations]


def lines(figure, color):
    return [trace for trace in figure.data if trace.mode == "lines" and trace.line.color == color]


def test_the_whale_curve_rises_above_its_end_and_falls_in_the_bad_colour_from_the_first_loser_on():
    figure = drawn(PROFITS)
    (earning,), (losing,) = lines(figure, figures.ACCENT), lines(figure, figures.BAD)
    assert (earning.x[0], earning.y[0]) == (0, 0)
    assert max(earning.y) == pytest.approx(1.3)
    assert losing.x.tolist() == pytest.approx([0.7, 0.8, 0.9, 1.0])
    assert losing.y.tolist() == pytest.approx([1.3, 1.25, 1.15, 1.0])
    assert "peak: 130.0% at 60.0% of customers" in labels(figure)
    assert "3 customers lose $30.00" in labels(figure)
    assert "20% of customers: 80.0%" in labels(figure)


def test_what_is_told_of_other_companies_is_marked_for_customers_alone():
    assert "Profit of banks<br>15% → 85%" in labels(drawn(PROFITS))
    assert "Long-distance calls<br>5–15% → 55–60%" in labels(drawn(PROFITS))
    assert not [text for text in labels(drawn([1.0] * 60, by="product")) if "banks" in text]


def test_where_all_together_lose_the_curve_is_of_money():
    figure = drawn([5.0, -10.0, -20.0])
    assert figure.layout.yaxis.title.text == "Cumulative profit (USD)"
    assert lines(figure, figures.BAD)[0].y.tolist() == [5, -5, -25]


def test_where_all_together_lose_no_shares_are_told():
    name, rows = words.concentration_table(*curve_of([5.0, -10.0, -20.0] * 20), by="customer")
    assert (name, len(rows)) == ("shares", 0)
    assert len(words.concentration_table(*curve_of(PROFITS), by="customer")[1])


def test_few_regions_are_bars_with_names_and_their_cumulative_line():
    bars, line = drawn([60.0, 50.0, -10.0], by="region", names=["North", "(unknown)", "South"]).data
    assert bars.x.tolist() == pytest.approx([0.6, 0.5, -0.1])
    assert [name for _key, name, _text in bars.customdata] == ["North", "unknown", "South"]
    assert bars.marker.color == (figures.ACCENT, figures.ACCENT, figures.BAD)
    assert list(line.x) == pytest.approx([0.6, 1.1, 1.0])


def test_the_lorenz_curve_of_revenue_hangs_below_the_line_of_all_alike():
    curve, held = curve_of([60.0, 30.0, 10.0], "net_revenue")
    figure = lorenz_figure(curve, held, by="customer")
    assert figure.data[1].y.tolist() == pytest.approx([0, 0.1, 0.4, 1])
    assert "Gini 0.33" in labels(figure)


STEPS = pd.DataFrame(
    [
        ("list_revenue", True, 100.0, True),
        ("returns", False, -10.0, True),
        ("discount", False, math.nan, False),
        ("net_revenue", True, 90.0, True),
        ("cost_of_goods", False, -50.0, True),
        ("gross_margin", True, 40.0, True),
        ("service", False, -5.0, True),
        ("rewards", False, 0.0, True),
        ("profit", True, 35.0, True),
    ],
    columns=["part", "is_total", "amount", "is_known"],
).assign(known_anywhere=lambda steps: steps["is_known"])
COSTS_COUNT, COSTS_LEFT_OUT = (pd.DataFrame({"has_customer_costs": [belong]}) for belong in (True, False))


def test_each_step_begins_where_the_one_above_ends_and_what_is_unknown_or_nothing_is_not_drawn():
    (bars,) = step_bars(STEPS, currency="USD").data
    assert [key for key, _name, _text in bars.customdata] == [
        "list_revenue", "returns", "net_revenue", "cost_of_goods", "gross_margin", "service", "profit",
    ]  # fmt: skip
    assert bars.base.tolist() == [0, 100, 0, 90, 0, 40, 0]
    assert (bars.base + bars.x).tolist() == [100, 90, 90, 40, 40, 35, 35]
    assert answer_words.note("steps", STEPS, COSTS_COUNT) == "Not recorded, and so not taken off: Discounts."


def test_where_discounts_are_in_the_price_the_reasons_of_losses_say_so():
    assert "where it was cut, the reason is cost of goods" in answer_words.note("losing", STEPS, COSTS_COUNT)
    assert "where it was cut" not in answer_words.note("losing", STEPS.assign(is_known=True), COSTS_COUNT)


def test_a_part_that_is_booked_on_other_days_is_not_called_unrecorded():
    later = STEPS.assign(is_known=~STEPS["part"].isin(["discount", "service", "rewards"]))
    assert answer_words.note("steps", later.assign(known_anywhere=later["part"] != "discount"), COSTS_COUNT) == (
        "Not recorded, and so not taken off: Discounts. None booked in this period, and so not taken off: Service, Rewards."
    )
    assert answer_words.note("steps", later, COSTS_LEFT_OUT) == answer_words.note("steps", STEPS, COSTS_COUNT)


REASONS = pd.DataFrame(
    {"reason": ["service", "goods"], "customers": [2, 1], "lost": [80.0, 5.0], "profit_without": [40.0, 0.0]},
)


def test_a_click_on_a_bar_gives_the_reason_and_its_customers():
    assert [key for key, *_ in reason_bars(REASONS, currency="").data[0].customdata] == ["service", "goods"]
    losing = pd.DataFrame({"customer_id": ["a", "b", "c"], "reason": ["service", "goods", "service"]})
    assert in_words("losing", losing, ["service"])["customer_id"].tolist() == ["a", "c"]
    assert in_words("losing", losing, [])["reason"].tolist() == ["Cost to serve", "Cost of goods", "Cost to serve"]


def test_the_largest_reason_is_named_with_what_would_be_without_it():
    assert answer_words.losing_finding(REASONS, currency="USD") == (
        "Most is lost to “Cost to serve”: $80.00 (2 of 3 losing customers); without it they would earn $40.00."
    )
    assert answer_words.losing_finding(REASONS.head(0), currency="USD") == "No customer loses money."


def test_both_curves_of_the_what_if_are_in_percent_of_todays_profit():
    today, then = (curve_of(values)[0] for values in (PROFITS, [value + 2 for value in PROFITS]))
    figure = what_if_figure(pd.concat([today.assign(scenario="today"), then.assign(scenario="then")]), currency="USD")
    assert [trace.y[-1] for trace in figure.data] == pytest.approx([1.0, 1.2])
    assert labels(figure) == ["today 100.0%", "then 120.0%"]


CUSTOMERS = pd.DataFrame({"orders": [2, 1, 0], "net_revenue": [400.0, 870.0, 0.0], "cost_to_serve": [5.0, 0.0, 0.0]})


@pytest.mark.parametrize(("steepest", "end"), [(0.13, 15), (0.20008, 20), (0.3, 30)])  # 20 % off, rounded to cents, is no 25
def test_the_sliders_end_where_the_data_do(steepest, end):
    offered = what_if_words.sliders(CUSTOMERS, pd.DataFrame({"discount_share": [steepest]}), currency="USD")
    assert {name: one.highest for name, one in offered.items()} == {"cheaper": 50, "cap": end, "minimum": 1000}
    unchanged = what_if_words.change_of({"cheaper": 0, "cap": end, "minimum": 0}, offered)
    assert unchanged == WhatIf()
    assert what_if_words.change_of({"cheaper": 10, "cap": 5, "minimum": 200}, offered) == WhatIf(0.1, 0.05, 200.0)


@pytest.mark.parametrize("steepest", [math.nan, None, 0.0])
def test_a_slider_that_would_move_nothing_is_not_offered(steepest):
    without = CUSTOMERS.assign(cost_to_serve=math.nan)
    assert list(what_if_words.sliders(without, pd.DataFrame({"discount_share": [steepest]}), currency="")) == ["minimum"]


def test_where_nobody_is_known_nothing_is_said_of_rewards():
    nobody = pd.DataFrame(columns=["tier", "reinvestment_rate", "reward_per_customer"])
    assert answer_words.rewards_finding(nobody, currency="USD") == "No customer with a purchase matches the filters."


def test_chance_is_told_apart_from_change():
    row = {"first_end": pd.Timestamp("2022-12-31"), "second_end": pd.Timestamp("2023-12-31"), "by_chance": 0.18, "low": 0.4, "high": 0.6}
    years = pd.DataFrame([row | {"stayed_share": 0.5, "unchanged": 0.75, "unchanged_low": 0.7, "unchanged_high": 0.8}])
    assert answer_words.stability_finding(years).endswith("if nobody changed 75.0% would: chance explains 50.0% of the change.")
    assert "no more change than chance makes" in answer_words.stability_finding(years.assign(stayed_share=0.72))
    assert answer_words.stability_finding(years.head(0)) == "To see who stays at the top, the data must hold two years."
    assert "nobody bought in the first" in answer_words.stability_finding(years.assign(stayed_share=math.nan))
    seen = next(trace for trace in stability_figure(years).data if trace.name == "seen")
    assert (seen.y[0], seen.error_y.array[0], seen.error_y.arrayminus[0]) == pytest.approx((0.5, 0.1, 0.1))


def tiles(customers=30, **values):
    return pd.DataFrame([{"metric": metric, "value": value, "n": customers} for metric, value in values.items()])


@pytest.mark.parametrize(
    ("share", "losing", "said"),
    [
        (0.8, 3, "The best 20% of customers earn 80.0% of profit; 3 of 30 lose $30.00 between them."),
        (0.8, 0, "The best 20% of customers earn 80.0% of profit; none of the 30 loses money."),
        (math.nan, 3, "Together the 30 customers earn nothing (-$5.00); 3 of them lose $30.00 between them."),
    ],
)
def test_the_finding_says_who_earns_and_who_loses(share, losing, said):
    found = tiles(profit=-5.0, profit_of_top_fifth=share, losing_customers=losing, lost_to_losing_customers=30.0)
    assert words.finding(found, currency="USD") == said


def test_under_30_customers_the_shares_are_said_to_say_little():
    small = "With so few customers the shares say little."
    profit = {"profit": 5.0, "profit_of_top_fifth": 0.8, "losing_customers": 0, "lost_to_losing_customers": 0.0}
    revenue = {"net_revenue": 5.0, "revenue_of_top_fifth": 0.8}
    for found in (profit, revenue):
        assert words.finding(tiles(29, **found), currency="USD").endswith(f" {small}")
        assert small not in words.finding(tiles(30, **found), currency="USD")
    shares = dict.fromkeys(["service_minutes_share", "visit_minutes_share", "visit_cost_share", "marketing_share"], 0.5)
    deciles = pd.DataFrame([{"customers": 5, "profit_share": 0.5, "cost_to_serve_share": 0.5, **shares}] * 2)
    assert answer_words.resources_finding(deciles).endswith(f" {small}")
    assert small not in answer_words.resources_finding(deciles.assign(customers=15))
