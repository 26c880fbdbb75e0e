"""Who are our customers? Against hand-checked orders, plain loops over raw lines, published survival curves and what must always hold."""

import datetime as dt
import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise, product
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
import raw_shop
import test_facts
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from written_orders import sale, write

from crm_metrics import schema
from crm_metrics import segmentation as room
from crm_metrics.data_import.load import checked_file, import_file, load_into
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.data_import.read_file import read_file
from crm_metrics.database import Source, find_data_set, open_source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput
from crm_metrics.segmentation import query, silence, statistic
from crm_metrics.segmentation.rfm import MEASURES, SCORES, SEGMENT_NAMES, SEGMENTS, Cuts, RfmTerms, raw_ranges, score, segment_places
from crm_metrics.segmentation.saved import rule_of
from crm_metrics.segments.rule import Condition
from crm_metrics.segments.rule import Segment as Kept

LAST_ON = dt.date(2024, 6, 30)
ALL = Filters()
OF_SCORES = ("tiles", "segments", "rfm", "cells", "cube", "cut_points", "movement", "movement_totals", "gaps", "lapse")


def table(name: str, source: Source, filters: Filters = ALL, *more: Any) -> Any:
    """One table of the room; Any, because its cells are compared with numbers."""
    show: Any = room.TABLES[name]
    return show(source, filters, *more)


def ago(days: int) -> dt.date:
    return LAST_ON - dt.timedelta(days=days)


def gift(customer, day):
    return {"customer": customer, "day": day, "lines": [("gift", 1, "0", None)], "is_purchase": False}


def given_back(customer, day, amount):
    return {"customer": customer, "day": day, "lines": [("return", -1, f"-{amount}", None)], "is_purchase": False}


HAND_MADE = [
    *[sale("ann", ago(days), "100", "60") for days in (0, 30, 60, 90, 300)],
    *[sale("ben", ago(days), "50", "30") for days in (400, 430, 460, 490)],
    sale("cat", ago(20), "40", "20"),
    sale("cat", ago(50), "40", "20"),
    given_back("cat", ago(10), "10"),
    sale("dan", ago(200), "0", "0"),
    sale("eve", ago(5), "25", "20"),
    gift("eve", ago(1)),
    given_back("fay", ago(3), "5"),
    sale(None, ago(2), "999"),
]
"""Up to LAST_ON, in fifths of five customers, so that each has a score of its own where no two are equal:

     days  score   orders  score   net revenue                    score   segment
ann     0      5        5      5   500                                5   champions
eve     5      4        1      1   25 (a gift is no purchase)         2   promising
cat    20      3        2      3   80 - 10 = 70                       3   need_attention
dan   200      2        1      1   0 (worth zero, a purchase)         1   hibernating
ben   400      1        4      4   200                                4   at_risk

orders in rising order are 1 1 2 4 5, the cut points 1, 1, 2, 4: nobody has score 2. fay never bought, 999 are nobody's.
"""


def shop(data_set, orders=HAND_MADE):
    return open_source(write(data_set, orders))


def in_folder(folder, orders, name="shop"):
    return shop(find_data_set(f"duckdb:///{folder / name}.duckdb"), orders)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """HAND_MADE, published once for all tests that only read it."""
    return in_folder(tmp_path_factory.mktemp("small"), HAND_MADE)


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """random_orders(3), published once."""
    return in_folder(tmp_path_factory.mktemp("big"), random_orders(3))


# ── scores and segments ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_small_shop_scored_by_hand(any_data_set):
    found = table("rfm", shop(any_data_set)).set_index("customer_id")
    assert found.index.tolist() == ["ann", "ben", "cat", "eve", "dan"]
    assert found["rfm"].to_dict() == {"ann": "555", "ben": "144", "cat": "333", "eve": "412", "dan": "211"}
    assert found["segment"].tolist() == ["champions", "at_risk", "need_attention", "promising", "hibernating"]
    assert found["net_revenue"].tolist() == [500, 200, 70, 25, 0]
    assert found["orders"].tolist() == [5, 4, 2, 1, 1]
    assert found["days_since_last_order"].tolist() == [0, 400, 20, 5, 200]
    assert found["last_on"].dt.date.tolist() == [ago(days) for days in (0, 400, 20, 5, 200)]


def test_the_segments_of_a_small_shop(small):
    found = table("segments", small).set_index("segment")
    assert found.index.tolist() == list(SEGMENT_NAMES)
    assert found["customers"].sum() == 5
    assert found.loc["champions", ["customers_share", "net_revenue_share", "gross_margin"]].tolist() == [0.2, 500 / 795, 200]
    assert found.loc["need_attention", ["orders_mean", "days_since_last_order_median", "recent_revenue"]].tolist() == [2, 20, 70]
    assert found.loc[["champions", "at_risk"], "recent_revenue"].tolist() == [500, 0]  # ben bought more than 12 months ago
    assert found.loc["loyal", ["customers", "net_revenue"]].tolist() == [0, 0]
    assert found.loc["loyal", ["orders_mean", "days_since_last_order_median"]].isna().all()
    assert found[["probability_alive", "expected_value"]].isna().all(axis=None)  # five customers carry no model


def test_the_tiles_of_a_small_shop(small):
    tiles = table("tiles", small).set_index("metric")
    assert tiles.loc["customers", "value"] == 5
    assert tiles.loc["best_customers_share", "value"] == 500 / 795
    assert tiles.loc["at_risk_revenue", ["value", "n"]].tolist() == [200, 1]
    assert tiles.loc[["lapsed_share", "lapse_limit_days"], "value"].isna().all()  # seven gaps say nothing
    assert table("lapse", small)["reason"].tolist() == ["too_few_gaps"]
    pd.testing.assert_frame_equal(room.headline(small, ALL), tiles.loc[["at_risk_revenue"]].reset_index(), check_like=True)


def test_without_costs_the_margin_is_unknown_and_with_nearly_all_the_rest_earns_alike():
    """97 of 100 have a cost, of 50%: the 3 others earn 50%, too. With 94 of 100 nothing is said."""
    both = pd.DataFrame({"net_revenue": [97.0, 3.0], "costed_revenue": [97.0, 0.0], "cost_of_goods": [48.5, 0.0]})
    assert statistic.gross_margins(both).margins.tolist() == [48.5, 1.5]
    assert np.isnan(statistic.gross_margins(both.assign(costed_revenue=[94.0, 0.0])).margins).all()
    found = statistic.segment_rows(scored(purchases([1], [1], [9.0])), np.array([np.nan]), NO_FORECAST)
    assert found[["gross_margin", "gross_margin_share"]].isna().all(axis=None)


NO_FORECAST = pd.DataFrame({"probability_alive": [np.nan], "expected_value": [np.nan]})


def test_every_cell_is_in_exactly_one_segment():
    holders = Counter(
        cell
        for one in SEGMENTS
        for cell in product(range(one.r_low, one.r_high + 1), range(one.f_low, one.f_high + 1), range(one.m_low, one.m_high + 1))
    )
    assert holders == Counter(product(range(1, SCORES + 1), repeat=3))
    assert segment_places().min() == 0


@pytest.mark.parametrize(
    ("recency", "frequency", "name"),
    [
        *[(r, f, "hibernating") for r in (1, 2) for f in (1, 2)],
        *[(r, f, "at_risk") for r in (1, 2) for f in (3, 4)],
        *[(r, 5, "cant_lose") for r in (1, 2)],
        *[(3, f, "about_to_sleep") for f in (1, 2)],
        (3, 3, "need_attention"),
        *[(r, f, "loyal") for r in (3, 4) for f in (4, 5)],
        (4, 1, "promising"),
        (5, 1, "new"),
        *[(r, f, "potential_loyalists") for r in (4, 5) for f in (2, 3)],
        *[(5, f, "champions") for f in (4, 5)],
    ],
)
def test_the_segments_are_those_of_the_ten_name_map(recency, frequency, name):
    assert {SEGMENT_NAMES[place] for place in segment_places()[recency - 1, frequency - 1]} == {name}


def purchases(days, orders, net_revenue):
    values = {"days_since_last_order": days, "orders": orders, "net_revenue": net_revenue}
    zero = dict.fromkeys(("costed_revenue", "cost_of_goods", "recent_revenue"), 0.0)
    return pd.DataFrame({"customer_number": range(1, len(days) + 1), **values, **zero})


def scored(frame):
    return statistic.with_scores(frame, statistic.cuts_of(frame, RfmTerms()))


def test_where_60_percent_bought_once_they_all_have_the_lowest_score_and_two_scores_stay_empty():
    found = scored(purchases([1] * 10, [1] * 6 + [2, 2, 3, 9], [5.0] * 10))
    assert found["frequency_score"].tolist() == [1] * 6 + [4, 4, 5, 5]
    assert set(found["recency_score"]) == {5}  # no cut point lies below: all have the fewest days that there are
    assert set(found["monetary_score"]) == {1}


SHOPS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 6), st.integers(-500, 5000)), min_size=1, max_size=40)


@settings(max_examples=40)
@given(SHOPS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_and_equal_values_get_equal_scores(customers, random):
    values = np.array(customers)
    found = scored(purchases(values[:, 0], values[:, 1], values[:, 2] / 100))
    rows = random.sample(range(len(values)), len(values))
    shuffled = scored(purchases(values[rows, 0], values[rows, 1], values[rows, 2] / 100))
    columns = [*statistic.SCORE_COLUMNS, "segment"]
    assert shuffled[columns].to_numpy().tolist() == found[columns].to_numpy()[rows].tolist()
    for measure, name, rises in zip(MEASURES, columns, (False, True, True), strict=False):
        assert found.groupby(measure)[name].nunique().max() == 1
        assert found.sort_values(measure, ascending=rises)[name].is_monotonic_increasing


@settings(max_examples=40)
@given(SHOPS)
def test_the_ranges_of_a_segment_choose_its_customers(customers):
    values = np.array(customers)
    frame = purchases(values[:, 0], values[:, 1], values[:, 2] / 100)
    cuts = statistic.cuts_of(frame, RfmTerms())
    found = statistic.with_scores(frame, cuts)
    for place, segment in enumerate(SEGMENTS):
        chosen = pd.Series(data=True, index=frame.index)
        for measure, (low, high) in raw_ranges(segment, cuts)._asdict().items():
            chosen &= frame[measure].between(-math.inf if low is None else low, math.inf if high is None else high)
        assert chosen.tolist() == (found["segment"] == place).tolist()


def test_cut_points_of_the_reader_are_used_and_shown_as_given(small):
    terms = RfmTerms(orders=(1, 2, 3, 4))
    found = table("cut_points", small, ALL, terms).set_index(["measure", "score"])
    assert found.loc["orders", "customers"].tolist() == [2, 1, 0, 1, 1]
    assert found.loc["orders", "is_given"].all()
    assert not found.loc["net_revenue", "is_given"].any()
    assert found.loc[("orders", 3), ["cut_from", "cut_to"]].tolist() == [3, 3]
    assert found.loc[("orders", 3), ["low", "high"]].isna().all()
    assert found.loc[("days_since_last_order", 5), ["low", "high", "cut_to"]].tolist() == [0, 0, 0]
    assert room.cuts(small, ALL, terms) == Cuts((0, 5, 20, 200), (1, 2, 3, 4), (0, 25, 70, 200))
    assert (found.groupby("measure")["customers"].sum() == 5).all()


@pytest.mark.parametrize("cuts", [(1, 2, 3), (1, 2, 2, 3), (4, 3, 2, 1), (1, 2, 3, math.nan), (1, 2, 3, math.inf)])
def test_cut_points_that_do_not_rise_are_refused(cuts):
    with pytest.raises(BadInput, match="four rising numbers"):
        RfmTerms(net_revenue=cuts)


def test_cells_and_cube_add_up_to_all_customers_and_their_revenue(small):
    for name, size in (("cells", 25), ("cube", 125)):
        found = table(name, small)
        assert len(found) == size
        assert found[["customers", "net_revenue", "customers_share", "net_revenue_share"]].sum().tolist() == pytest.approx([5, 795, 1, 1])
    assert table("cells", small).iloc[0][["recency_score", "frequency_score", "segment", "customers"]].tolist() == [5, 5, "champions", 1]


# ── which purchases count ───────────────────────────────────────────────────────────────────────────────────────────────


def random_orders(seed: int, *, orders: int = 400, customers: int = 40) -> list[dict]:
    """Orders of three years up to LAST_ON, with one on it, one 300 and one 990 days before, returns, and customers who share days."""
    draw = Random(seed)
    made = [sale("c00", ago(days), "8", "1", region="N") for days in (0, 300)]
    made.append(sale("gone", ago(990), "8", "1"))
    for _ in range(orders):
        customer, day = f"c{int(draw.paretovariate(0.7)) % customers:02d}", ago(draw.randint(0, 1000))
        returned = draw.random() < 0.1
        amount = str(draw.randint(1, 9999) / 100)
        made.append(given_back(customer, day, amount) if returned else sale(customer, day, amount, "1", region=draw.choice("NS")))
    return made


@pytest.mark.slow
def test_an_as_of_day_in_the_past_shows_what_a_data_set_cut_at_that_day_shows(tmp_path):
    orders, day = random_orders(1), ago(300)
    cut = [order for order in orders if order["day"] <= day]
    sources = in_folder(tmp_path, orders), in_folder(tmp_path, cut, "cut")
    for name in (*OF_SCORES, "basis"):
        pd.testing.assert_frame_equal(table(name, sources[0], Filters(as_of=day)), table(name, sources[1], ALL), obj=name)


@pytest.mark.slow
def test_months_left_out_are_as_if_their_orders_had_never_been(tmp_path):
    """All but the forecast, which sees all months."""
    orders, months = random_orders(2), (dt.date(2024, 2, 1), dt.date(2023, 12, 1))
    without = [order for order in orders if order["day"].replace(day=1) not in months]
    sources, terms = (in_folder(tmp_path, orders), in_folder(tmp_path, without, "fewer")), RfmTerms(months_left_out=months)
    for name in OF_SCORES:
        if name not in ("segments", "rfm"):
            pd.testing.assert_frame_equal(table(name, sources[0], Filters(as_of=LAST_ON), terms), table(name, sources[1], ALL), obj=name)


def test_the_beginning_of_the_period_limits_nothing_but_says_where_movement_begins(small):
    late = Filters(start=ago(10), end=LAST_ON)
    for name in ("tiles", "segments", "rfm", "cells", "cut_points", "lapse"):
        pd.testing.assert_frame_equal(table(name, small, late), table(name, small))
    assert room.from_day(small, late) == ago(11)
    assert room.from_day(small, ALL) == dt.date(2023, 6, 30)


def test_a_region_chooses_the_orders_that_are_scored(data_set):
    orders = [sale("ann", ago(3), "5", region="N"), sale("ann", ago(0), "7", region="S"), sale("ben", ago(2), "9", region="S")]
    found = table("rfm", shop(data_set, orders), Filters(region=("N",)))
    assert found[["customer_id", "days_since_last_order", "orders", "net_revenue"]].to_numpy().tolist() == [["ann", 3, 1, 5]]


def test_nobody_is_lost_or_invented_without_data(data_set):
    source = open_source(data_set)
    found = {name: table(name, source) for name in OF_SCORES}
    assert found["rfm"].empty
    assert found["movement"].empty
    assert found["gaps"].empty
    assert found["segments"]["customers"].sum() == found["cube"]["customers"].sum() == found["lapse"]["customers"].sum() == 0
    assert found["tiles"].set_index("metric")["value"].drop("customers").isna().all()
    assert room.months(source, ALL) == []


# ── movement ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_movement_between_two_days_by_hand(any_data_set):
    """Cut points of the later day for both: days 0, 5, 20, 200 and orders 1, 1, 2, 4. 365 days before LAST_ON only ben had bought:

    four times, the last 35 days before: recency 2, frequency 4, at risk; he still is.
    100 days before LAST_ON (the other case) ann had bought once, 200 days before: recency 2, frequency 1, hibernating, now a champion;
    dan, 100 days before, was hibernating and still is.
    """
    source = shop(any_data_set)
    found = table("movement", source)
    assert found.iloc[0].tolist() == ["at_risk", "at_risk", 1, 1.0, 0.0]
    assert (found["from_segment"].iloc[1:] == "not_yet").all()
    assert found["net_revenue"].sum() == 500 + 25 + 70
    found = table("movement", source, ALL, RfmTerms(), ago(100)).set_index(["from_segment", "to_segment"])
    assert found.loc[("hibernating", "champions"), ["customers", "net_revenue"]].tolist() == [1, 400]
    totals = table("movement_totals", source, ALL, RfmTerms(), ago(100)).iloc[0]
    assert totals[["customers_before", "customers_after", "not_yet", "up", "down", "stayed"]].tolist() == [3, 5, 2, 1, 0, 2]
    assert (totals["from_on"].date(), totals["as_of"].date()) == (ago(100), LAST_ON)


@pytest.mark.slow
@pytest.mark.parametrize("days", [1, 60, 400, 1001])
def test_movement_adds_up_to_the_customers_and_revenue_of_both_days(big, days):
    found, totals = (table(name, big, ALL, RfmTerms(), ago(days)) for name in ("movement", "movement_totals"))
    now, then = table("rfm", big), table("rfm", big, Filters(as_of=ago(days)))
    assert found.groupby("to_segment")["customers"].sum().to_dict() == now["segment"].value_counts().to_dict()
    were_there = found[found["from_segment"] != room.NOT_YET]
    assert were_there["customers"].sum() == len(then) == totals["customers_before"].iloc[0]
    assert totals[["up", "down", "stayed"]].sum(axis=1).tolist() == [len(then)]
    between = [order for order in random_orders(3) if order["customer"] in set(now["customer_id"]) and order["day"] > ago(days)]
    assert found["net_revenue"].sum() == pytest.approx(sum(float(order["lines"][0][2]) for order in between))
    assert found.groupby("from_segment")["share_of_from"].sum().tolist() == pytest.approx([1] * found["from_segment"].nunique())


def test_an_earlier_day_that_is_not_earlier_is_refused(small):
    with pytest.raises(BadInput, match="Choose an earlier one"):
        table("movement", small, ALL, RfmTerms(), LAST_ON)


# ── the lapse limit ─────────────────────────────────────────────────────────────────────────────────────────────────────


def lengths(ended, still_open, entered=()):
    """Gaps by days, of lists of days; entered: ages of those that were older than 0 when the window began."""
    size = max([*ended, *still_open]) + 1
    began = np.bincount(entered or [0], minlength=size)
    began[0] = len(ended) + len(still_open) - len(entered)
    return silence.Lengths(np.bincount(ended, minlength=size), np.bincount(still_open, minlength=size), began)


def test_the_curve_is_the_published_one_of_the_6_mp_patients():
    """Freireich and others (1963), 21 patients; the estimates as in Kleinbaum and Klein (2012), Survival Analysis, chapter 2."""
    relapsed, censored = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    found = silence.life_table(lengths(relapsed, censored))
    published = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482, 35: 0.4482}
    for week, share in published.items():
        assert found.silent[week - 1] == pytest.approx(share, abs=0.00005)  # printed with four decimals


def test_a_gap_that_began_before_the_window_is_at_risk_from_the_age_it_had_by_then():
    """Ended after 2, 4 and 5 days, open for 3; the one of 5 was 3 days old when the window began.

    day 1: 3 at risk. day 2: 3, one ends: 2/3. day 3: 2. day 4: 1 and the one that entered: 2, one ends: 2/3 x 1/2. day 5: 1, ends: 0.
    """
    found = silence.life_table(lengths([2, 4, 5], [3], [3]))
    assert found.at_risk.tolist() == [3, 3, 2, 2, 1]
    assert found.silent.tolist() == pytest.approx([1, 2 / 3, 2 / 3, 1 / 3, 0])


def test_the_gaps_of_the_window_are_those_that_plain_loops_find(big):
    orders = random_orders(3)
    since, window = dt.date(2022, 6, 30), (LAST_ON - dt.date(2022, 6, 30)).days
    days: dict[str, set[dt.date]] = {
        customer: set() for customer in {order["customer"] for order in orders if order.get("is_purchase", True)}
    }
    for order in orders:
        if order.get("is_purchase", True):
            days[order["customer"]].add(order["day"])
    pairs = [pair for bought in days.values() for pair in pairwise(sorted(bought)) if pair[1] > since]
    silent = [(LAST_ON - max(bought)).days for bought in days.values()]
    found = silence.lengths(big(query.gap_lengths(Filters(), since, LAST_ON)), np.array(silent), window_days=window)
    expected = Counter((later - earlier).days for earlier, later in pairs)
    assert {days: count for days, count in enumerate(found.ended) if count} == expected
    ages = Counter(max((since - earlier).days, 0) for earlier, _ in pairs) + Counter(max(each - window, 0) for each in silent)
    assert {days: count for days, count in enumerate(found.entered) if count} == ages
    assert table("gaps", big)["gaps"].sum() == table("lapse", big)["gaps"].iloc[0] == len(pairs)


def followed(rate_days: float, *, customers: int, seed: int, lost: float = 0.0) -> silence.Lengths:
    """Gaps of customers who come back after exponential times, or with a chance of `lost` never, watched for 730 days."""
    random = np.random.default_rng(seed)
    ended, still_open = [], []
    for _ in range(customers):
        day = int(random.integers(0, 730))
        while True:
            gap = math.inf if random.random() < lost else math.ceil(random.exponential(rate_days))
            if day + gap > 730:
                still_open.append(730 - day)
                break
            ended.append(int(gap))
            day += int(gap)
    return lengths(ended, still_open)


def test_the_limit_finds_the_true_one_where_closed_gaps_alone_make_it_too_short():
    """Nine of ten of the returns within 730 days of an exponential of 150 days come within 336, whoever else is lost for good."""
    found = followed(150, customers=2_000, seed=1, lost=0.2)
    row = silence.limits(found, silence.life_table(found))
    truth = -150 * math.log(1 - 0.9 * (1 - math.exp(-730 / 150)))
    assert truth == pytest.approx(336, abs=1)
    assert row["recommended_low"] <= truth <= row["recommended_high"]
    assert row["naive_days"] < 0.9 * truth


@pytest.mark.slow
def test_the_interval_of_the_limit_holds_the_truth_in_about_95_of_100_shops():
    """Of 200 shops 178 to 200: four standard errors of a binomial with .95."""
    truth = -60 * math.log(1 - 0.9 * (1 - math.exp(-730 / 60)))
    tables = [followed(60, customers=300, seed=seed) for seed in range(200)]
    rows = [silence.limits(found, silence.life_table(found)) for found in tables]
    held = sum(row["recommended_low"] - 1 <= truth <= row["recommended_high"] for row in rows)  # the days of the truth are whole
    assert 178 <= held <= 200


def test_the_bars_hold_every_gap_that_ended_once():
    found = followed(30, customers=300, seed=2)
    bars = silence.gap_bars(found, silence.life_table(found))
    assert bars["gaps"].sum() == found.ended.sum()
    assert bars["gaps_share"].sum() == pytest.approx(1)
    assert bars["cumulative_share"].iloc[-1] == 1
    assert (bars["days_from"].iloc[1:].to_numpy() == bars["days_to"].iloc[:-1].to_numpy() + 1).all()
    assert len(bars) <= 60


def test_who_is_silent_longer_than_the_limit_counts_as_lapsed(data_set):
    orders = [sale(f"c{who:02d}", ago(10 * who + 10 * times), "1") for who in range(30) for times in range(5)]
    row = table("lapse", source := shop(data_set, orders)).iloc[0]
    assert row[["recommended_days", "gaps", "silent", "naive_days"]].tolist() == [10, 120, 30, 10]
    assert row[["customers_silent_longer", "share_silent_longer"]].tolist() == [28, 28 / 30]
    tiles = table("tiles", source).set_index("metric")
    assert tiles.loc["lapsed_share", ["value", "low", "high"]].tolist() == [28 / 30] * 3
    assert tiles.loc["lapse_limit_days", "value"] == 10


# ── the raw lines, other rooms, published totals ────────────────────────────────────────────────────────────────────────


def assert_answers_as_raw_lines(reads, filters: Filters, as_of: dt.date, months: tuple[dt.date, ...]) -> None:
    """What customers bought, and the gaps between their purchases, counted by loops over the raw lines."""
    since = as_of - dt.timedelta(days=30)
    within = [
        line
        for line in raw_shop.identified(raw_shop.within(raw_shop.raw_shop(reads[0]).lines, replace(filters, start=None, end=as_of)))
        if line["ordered_on"].replace(day=1) not in months
    ]
    bought, lines_of = raw_shop.purchases_by_customer(within), raw_shop.grouped(within, "customer_id")
    expected = {
        customer: (
            (as_of - orders[-1]["ordered_on"]).days,
            len(orders),
            raw_shop.total(lines_of[customer], "net_amount"),
            raw_shop.total([line for line in lines_of[customer] if line["cost_amount"] is not None], "net_amount"),
            raw_shop.total(lines_of[customer], "cost_amount"),
            raw_shop.total([line for line in lines_of[customer] if line["ordered_on"] > since], "net_amount"),
        )
        for customer, orders in bought.items()
    }
    gaps = [pair for days in raw_shop.purchase_days(within).values() for pair in pairwise(days) if pair[1] > since]
    ended = Counter((later - earlier).days for earlier, later in gaps)
    entered = Counter((since - earlier).days for earlier, _ in gaps if earlier < since)
    for read in reads:
        named = {row["customer_number"]: row["customer_id"] for row in read(select(schema.customer_facts)).to_pylist()}
        rows = read(query.customer_purchases(filters, as_of, since=since, left_out=months)).to_pylist()
        assert {named[row.pop("customer_number")]: tuple(row.values()) for row in rows} == expected
        found = read(query.gap_lengths(filters, since, as_of, left_out=months)).to_pylist()
        assert {row["days"]: row["ended"] for row in found if row["ended"]} == ended
        assert {row["days"]: row["entered"] for row in found if row["entered"]} == entered


def assert_random_shop_is_answered(seed: int, *data_sets) -> None:
    shop = test_facts.random_shop(seed)
    with test_facts.unpublished(*data_sets) as writers:
        for data, _ in test_facts.files(shop):
            file = checked_file(read_file(data, "orders.csv"), test_facts.MAPPING)
            for writer in writers:
                load_into(writer, file)
        for filters, as_of, _, _ in shop.readers:
            for months in ((), (dt.date(2024, 1, 1),)):
                assert_answers_as_raw_lines([writer.read for writer in writers], filters, as_of, months)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 28))
def test_under_any_filters_the_queries_say_what_the_raw_lines_say(tmp_path, seed):
    assert_random_shop_is_answered(seed, find_data_set(f"duckdb:///{tmp_path}/never.duckdb"))


@pytest.mark.slow
@pytest.mark.postgresql
@pytest.mark.parametrize("seed", range(28, 31))
def test_postgresql_says_what_duckdb_says(tmp_path, postgresql_schema, seed):
    assert_random_shop_is_answered(seed, find_data_set(f"duckdb:///{tmp_path}/never.duckdb"), find_data_set(postgresql_schema))


@pytest.mark.slow
def test_alive_and_expected_value_are_those_of_the_room_lifetime_value(data_set, cdnow_file):
    from crm_metrics import lifetime_value

    import_file(data_set, cdnow_file.read_bytes(), cdnow_file.name, load_mapping("cdnow"))
    source, filters = open_source(data_set), Filters(as_of=dt.date(1997, 9, 30))
    found, there = (
        each.set_index("customer_id").sort_index() for each in (table("rfm", source, filters), lifetime_value.customers(source, filters))
    )
    assert len(found) == 2_357  # Fader, Hardie and Lee (2005)
    pd.testing.assert_series_equal(found["probability_alive"], there["alive_mbg_nbd"], check_names=False)
    pd.testing.assert_series_equal(found["expected_value"], there["expected_value"])
    segments = table("segments", source, filters)
    assert segments["expected_value"].sum() == pytest.approx(there["expected_value"].sum())
    assert segments[["customers", "net_revenue"]].sum().tolist() == pytest.approx([2_357, found["net_revenue"].sum()])
    assert table("basis", source, filters)["has_forecast"].all()


@pytest.mark.slow
def test_online_retail_has_4338_customers_in_segments_that_hold_all_their_revenue(data_set, shared_data):
    file = shared_data / "online_retail" / "online_retail.csv.gz"
    import_file(data_set, file.read_bytes(), file.name, load_mapping("online_retail"))
    source = open_source(data_set)
    found, customers = table("segments", source), table("rfm", source)
    assert len(customers) == found["customers"].sum() == 4_338  # customers with a purchase: shared/data/README.md
    assert found["net_revenue"].sum() == pytest.approx(customers["net_revenue"].sum())
    assert found[["customers_share", "net_revenue_share"]].sum().tolist() == pytest.approx([1, 1])
    assert found["gross_margin"].isna().all()
    assert found["probability_alive"].isna().all()  # the model finds nobody leaving within one year
    assert not table("basis", source)["finds_leaving"].any()
    assert found["expected_value"].notna().all()
    assert score(np.array([1.0]), room.cuts(source, ALL).orders).tolist() == [1]


# ── segments as filters ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small", "big"])
def test_a_segment_kept_as_a_rule_and_chosen_as_a_filter_holds_the_customers_it_was_made_of(request, name):
    source = request.getfixturevalue(name)
    cuts, customers = room.cuts(source, ALL), table("rfm", source)
    for segment in SEGMENT_NAMES:
        chosen = Filters(segments=(Kept(segment, rule_of([segment], cuts)),))
        expected = customers.loc[customers["segment"] == segment, "customer_id"]
        assert sorted(table("rfm", source, chosen)["customer_id"]) == sorted(expected), segment


def test_a_segment_chosen_as_a_filter_holds_the_same_customers_on_both_days_of_the_movement(small):
    """Bought twice or more by LAST_ON: ann, ben and cat. 100 days before it ann had bought only once, and is there all the same."""
    twice = Filters(segments=(Kept("twice", Condition("orders", low=2)),))
    totals = table("movement_totals", small, twice, RfmTerms(), ago(100))
    assert totals[["customers_before", "customers_after"]].iloc[0].tolist() == [2, 3]
