"""The pictures and words of the segments: what they hold, on frames written by hand."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from crm_metrics.figures import BAD, GOOD, GREY, themed
from crm_metrics.metric import BadInput
from crm_metrics.segmentation import figure, words
from crm_metrics.segmentation.rfm import SEGMENT_NAMES, Cuts, RfmTerms
from crm_metrics.segmentation.saved import rule_of
from crm_metrics.segments.rule import Condition, Group

CUTS = Cuts((7, 30, 90, 200), (1, 2, 3, 5), (10, 20, 50, 99))
BASIS = pd.DataFrame(
    [{"as_of": pd.Timestamp("2024-06-30"), "has_forecast": True, "finds_leaving": True, "has_margin": False, "cost_coverage": 0.4}]
)


def segments(**customers: int) -> pd.DataFrame:
    """The table of segments: so many customers, 100.00 of net revenue each, half of it in the last 12 months."""
    count = np.array([customers.get(name, 0) for name in SEGMENT_NAMES])
    whole = count.sum() or math.nan
    revenue = {"net_revenue": count * 100.0, "recent_revenue": count * 50.0}
    return pd.DataFrame(
        {"segment": SEGMENT_NAMES, "customers": count, "customers_share": count / whole, "net_revenue_share": count / whole, **revenue}
    )


def cut_points(*orders: tuple[float, float]) -> pd.DataFrame:
    """The rows of orders of the table of cut points: lowest and highest by score; nan: nobody."""
    rows = [("orders", score, low, high, 0 if math.isnan(low) else 1) for score, (low, high) in enumerate(orders, 1)]
    return pd.DataFrame(rows, columns=["measure", "score", "low", "high", "customers"])


MOVES = pd.DataFrame(
    [
        ("champions", "champions", 60, 0.6),
        ("champions", "at_risk", 40, 0.4),
        ("hibernating", "champions", 10, 1.0),
        ("not_yet", "new", 50, 1.0),
    ],
    columns=["from_segment", "to_segment", "customers", "share_of_from"],
)
TOTALS = pd.DataFrame(
    [
        {
            "from_on": pd.Timestamp("2023-06-30"),
            "as_of": pd.Timestamp("2024-06-30"),
            "customers_before": 110,
            "customers_after": 160,
            "not_yet": 50,
            "up": 10,
            "down": 40,
            "stayed": 60,
        }
    ]
)


# ── pictures ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_map_has_a_field_for_each_segment_that_tells_a_click_which():
    drawn = figure.segment_map(segments(champions=30, at_risk=70), cut_points())
    fields = drawn.data[0]
    assert [data[0] for data in fields.customdata] == list(SEGMENT_NAMES)
    assert sum(width * height for width, height in zip(fields.width, fields.y, strict=True)) == pytest.approx(25, rel=0.1)
    assert "30 · 30%" in " ".join(note.text for note in drawn.layout.annotations)


def test_a_field_that_holds_more_revenue_is_darker_and_none_is_too_dark_to_read():
    opacity = dict(
        zip(SEGMENT_NAMES, figure.segment_map(segments(champions=30, at_risk=70), cut_points()).data[0].marker.opacity, strict=True)
    )
    assert opacity["hibernating"] < opacity["champions"] < opacity["at_risk"] <= figure.DARKEST


def test_a_shop_without_customers_has_a_map_of_empty_fields():
    assert len(figure.segment_map(segments(), cut_points()).data[0].x) == len(SEGMENT_NAMES)


def test_a_score_that_ties_leave_empty_says_nobody():
    nobody = (math.nan, math.nan)
    found = figure.score_ranges(cut_points((1, 1), nobody, (2, 3), nobody, (4, 90)), "orders")
    assert list(found.values()) == ["<b>1</b><br>1", "<b>2</b><br>nobody", "<b>3</b><br>2–3", "<b>4</b><br>nobody", "<b>5</b><br>4–90"]


def test_the_matrix_colours_moves_by_direction_and_fades_rows_of_few_customers():
    drawn = figure.movement_matrix(MOVES, before="then", after="now")
    assert list(drawn.data[0].marker.color) == [GREY, BAD, GOOD, GREY]
    assert drawn.data[0].marker.opacity[2] < drawn.data[0].marker.opacity[0]
    assert [note.text for note in drawn.layout.annotations] == ["60", "40", "100", "100"]


@pytest.mark.parametrize("chinese", [False, True])
def test_the_flow_loses_nobody_on_either_side(chinese):
    flow = themed(figure.movement_flow(MOVES, before="then", after="now"), dark=True, chinese=chinese).data[0]
    assert sum(flow.link.value) == 160
    assert list(flow.node.label) == [
        "Champions 100",
        "Hibernating 10",
        "Not yet a customer 50",
        "Champions 70",
        "New customers 50",
        "At risk 40",
    ]
    assert max(flow.link.target) < len(flow.node.label)


@pytest.mark.parametrize("inactive", [400.0, math.nan])
def test_the_limits_are_marked_where_they_are_known(inactive):
    gaps = pd.DataFrame({"days_from": [1, 8, 15], "days_to": [7, 14, 90], "gaps": [80, 19, 1], "gaps_share": [0.8, 0.19, 0.01]})
    gaps["cumulative_share"] = gaps["gaps_share"].cumsum()
    limits = {"defecting_days": 10.0, "recommended_low": 9.0, "recommended_high": 12.0, "inactive_days": inactive}
    drawn = figure.lapse_bars(gaps, pd.DataFrame([limits]))
    marked = [note.text for note in drawn.layout.annotations]
    assert marked == ["defecting<br>after 10 days", "inactive<br>after 400 days"][: 1 if math.isnan(inactive) else 2]
    assert list(drawn.data[0].y) == [0.8, 0.19]  # the longest hundredth in one bar would look like a peak


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_finding_adds_champions_to_loyal_customers_and_tells_who_has_gone_quiet():
    found = words.finding(segments(champions=20, loyal=30, at_risk=40, cant_lose=10), BASIS, currency="")
    assert found.startswith("Champions and loyal customers (50, 50.0%) bring 50.0% of net revenue. Gone quiet")
    assert found.endswith("though they used to buy often: 50; they brought 5,000.00.")


def test_the_finding_of_no_customers_says_up_to_which_day():
    assert words.finding(segments(), BASIS, currency="") == "No customer with a purchase up to Jun 30, 2024 matches the filters."


def test_the_finding_of_the_movement_is_about_all_and_about_champions():
    assert words.movement_finding(MOVES, TOTALS) == (
        "From Jun 30, 2023 to Jun 30, 2024, 10 of 110 customers moved up and 40 down; 50 came new. "
        "Champions before: 100; still champions: 60; gone quiet: 40."
    )


def test_a_missing_margin_is_explained_with_what_is_known_of_costs():
    assert "costs of only 40.0% of net revenue are known" in words.basis_note(BASIS)


def test_a_model_that_finds_nobody_leaving_has_no_share_of_customers_alive():
    assert "P(alive) is the mean" in words.basis_note(BASIS)
    assert "No P(alive): these data show nobody leaving" in words.basis_note(BASIS.assign(finds_leaving=False))


LAPSE = pd.DataFrame(
    {
        "recommended_days": [399.0],
        "recommended_low": [384.0],
        "recommended_high": [418.0],
        "naive_days": [496.0],
        "median_gap_days": [129.0],
        "inactive_days": [687.0],
        "horizon_days": [730],
        "return_chance": [0.82],
        "inactive_return_chance": [0.9],
        "customers_silent_longer": [83],
        "share_silent_longer": [0.1],
    }
)


def test_customers_of_whom_most_come_back_are_late_and_not_lost():
    assert words.lapse_finding(LAPSE).endswith("But of those who reach that limit 82.0% come back within a year: they are late, not lost.")
    assert "lost" not in words.lapse_finding(LAPSE.assign(return_chance=0.38))


def test_nobody_is_given_up_where_most_of_the_silent_still_come_back():
    assert "90.0% of those still silent come back within another year" in words.lapse_note(LAPSE)
    assert words.lapse_note(LAPSE.assign(inactive_return_chance=0.16)).endswith(
        "After 687 days 99 of 100 of the returns within 730 days have come: give up."
    )
    assert "give up" in words.lapse_note(LAPSE.assign(inactive_return_chance=math.nan))


def test_a_limit_of_short_data_says_how_long_they_follow_anyone():
    short = LAPSE.assign(horizon_days=373, inactive_return_chance=math.nan)
    assert "follow nobody's silence for longer than 373 days" in words.lapse_finding(short)
    assert words.lapse_finding(short).startswith("Of the returns that come within 373 days, nine of ten come within 399 days")
    assert "of the returns within 373 days have come" in words.lapse_note(short)
    assert words.tile_notes(segments(), short)["lapse_limit_days"] == "of the returns within 373 days"
    assert "follow nobody" not in words.lapse_finding(LAPSE)


def test_a_limit_that_is_unknown_has_no_line_under_its_tile():
    assert "lapse_limit_days" not in words.tile_notes(segments(), LAPSE.assign(recommended_days=math.nan))


def test_the_limit_is_called_longer_than_that_of_ended_intervals_only_where_it_is():
    assert "don't count for the limit, so it is shorter" in words.lapse_note(LAPSE)
    assert "so the limit is longer" in words.lapse_note(LAPSE.assign(naive_days=300.0))


def test_segments_chosen_in_the_figure_and_in_the_table_are_taken_together():
    rows = segments(champions=1, at_risk=2)
    assert words.chosen(rows, ["at_risk"], [0, 1]) == ("champions", "at_risk")  # row 1 has nobody


# ── cut points ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cut_points_are_read_as_written_and_empty_means_from_the_data():
    assert words.terms_of(("", "1, 2 4;8", ""), ["2024-02", "2023-11"]) == RfmTerms(
        orders=(1.0, 2.0, 4.0, 8.0), months_left_out=(dt.date(2023, 11, 1), dt.date(2024, 2, 1))
    )


@pytest.mark.parametrize("text", ["1 2 3", "1 2 2 3", "4 3 2 1", "a b c d", "1 2 3 inf"])
def test_cut_points_that_are_not_four_rising_numbers_are_refused(text):
    with pytest.raises(BadInput, match="four rising numbers"):
        words.terms_of((text, "", ""), [])


def test_what_a_box_shows_can_be_written_into_it():
    shown = [box.shown for box in words.cut_inputs(CUTS)]
    assert words.terms_of(shown, []) == RfmTerms(*CUTS)


# ── saving ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_segment_is_saved_as_ranges_of_what_the_catalogue_of_attributes_knows():
    loyal = Group("all", (Condition("days_since_last_order", low=8, high=90), Condition("orders", low=4)))
    assert rule_of(["loyal"], CUTS) == loyal
    both = rule_of(["loyal", "champions"], CUTS)
    assert both == Group("any", (rule_of(["champions"], CUTS), loyal))
