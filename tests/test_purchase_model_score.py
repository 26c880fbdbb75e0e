"""What the purchase models say of customers: P(alive), purchases, spend, value, hold-out."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_customers import BG, MBG, PARETO, SPEND, TRUTH, customers, model, simulated

from crm_metrics.metric import BadInput
from crm_metrics.purchase_model.fit import fit_bg_nbd, fit_gamma_gamma
from crm_metrics.purchase_model.groups import history
from crm_metrics.purchase_model.holdout import graded, holdout_by_frequency, holdout_test, share_found
from crm_metrics.purchase_model.likelihood import pareto_log_drop_odds
from crm_metrics.purchase_model.score import (
    HorizonWeights,
    alive_by_construction,
    expected_purchases,
    expected_purchases_new,
    expected_spend,
    probability_alive,
    probability_alive_path,
    purchases_if_alive,
)
from crm_metrics.purchase_model.value import Horizon, expected_value, new_customer_value


@pytest.fixture(scope="module")
def two_thousand():
    return simulated(2_000)


# ── scores against arithmetic with 60 digits (computed with mpmath 1.4.1 from the hypergeometric formulas) ──────────────


@pytest.mark.parametrize(
    ("r", "alpha", "a", "b", "frequency", "age_weeks", "weeks", "expected"),
    [
        (0.5, 100, 0.97, 20, 1000, 300, 1, 2.4982798516119846),
        (0.5, 100, 1.001, 20, 26, 31, 1, 0.20183923618149519),
        (0.5, 0.2, 1.001, 900, 150, 300, 52, 25.748854012794613),
        (3, 0.2, 1.001, 1.3, 0, 0, 52, 8.626139671235583),
        (3, 5, 1, 20, 2, 10, 520, 46.6991649387597),
        (0.5, 5, 1, 1.3, 26, 31, 520, 73.95499398534488),
        (0.5, 0.2, 1.001, 20, 0, 30, 52, 0.8137599027421523),
        (0.5, 0.2, 1, 900, 26, 31, 52, 43.11064920259676),
        (0.5, 0.2, 1.001, 900, 1000, 300, 1, 3.3298542636023645),
        (0.05, 0.2, 2.5, 900, 2, 10, 52, 10.232195493764678),
        (3, 0.2, 300, 900, 0, 0, 1, 3.6548715448148417),
        (0.5, 10.0, 0.3, 1.3, 26, 31, 52, None),
    ],
)
def test_purchases_of_an_active_bg_nbd_customer_hold_near_a_1_where_hyp2f1_does_not(r, alpha, a, b, frequency, age_weeks, weeks, expected):
    if expected is None:  # away from a = 1 SciPy's hypergeometric function is right: Fader, Hardie and Lee (2005), equation 10
        from scipy.special import hyp2f1

        after = (alpha + age_weeks) / (alpha + age_weeks + weeks)
        series = hyp2f1(r + frequency, b + frequency, a + b + frequency - 1, 1 - after)
        expected = (a + b + frequency - 1) / (a - 1) * (1 - after ** (r + frequency) * series)
    found = purchases_if_alive(
        model("bg_nbd", r=r, alpha=alpha, a=a, b=b),
        customers((frequency, 0, age_weeks * 7)),
        horizon=HorizonWeights(np.array([float(weeks)]), np.ones(1)),
    )
    assert found[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("r", "alpha", "a", "b", "frequency", "age_weeks", "weeks", "expected"),
    [
        (0.05, 0.2, 0.3, 0.02, 26, 31, 1, 0.8308681891527232),
        (0.5, 100, 0.01, 1.3, 2, 10, 1, 0.02272618384426278),
        (0.05, 100, 300, 0.02, 26, 31, 1, 0.18114324595834697),
    ],
)
def test_purchases_of_an_active_bg_nbd_customer_hold_for_tiny_a_and_b(r, alpha, a, b, frequency, age_weeks, weeks, expected):
    asked = HorizonWeights(np.array([float(weeks)]), np.ones(1))
    found = purchases_if_alive(model("bg_nbd", r=r, alpha=alpha, a=a, b=b), customers((frequency, 0, age_weeks * 7)), horizon=asked)
    assert found[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("params", "frequency", "recency", "age", "log_odds"),
    [
        ((0.55, 10.6, 20, 11.7), 2, 30, 38.9, 4.238819349278564),
        ((0.55, 200, 0.05, 11.7), 150, 299.9, 300, -11.025095467391576),
        ((0.55, 0.05, 4, 300), 0, 0, 200, 3.1529305232998075),
        ((0.05, 200, 4, 2), 0, 0, 0.5, 0.3656930436898136),
        ((3, 10.6, 0.6, 300), 26, 30.857, 31, -8.207186780860406),
        ((0.05, 2, 0.6, 300), 1000, 299.86, 300, -8.632888176821766),
        ((3, 200, 20, 2), 1000, 299.86, 300, -4.531989568596707),
        ((0.55, 2, 4, 300), 1000, 20, 300, 2615.141026639338),
    ],
)
def test_pareto_drop_odds_hold_for_a_thousand_purchases(params, frequency, recency, age, log_odds):
    past = history(customers((frequency, recency * 7, age * 7)).assign(customers=1))
    assert pareto_log_drop_odds(params, past)[0] == pytest.approx(log_odds, rel=1e-11)


def test_pareto_customer_who_bought_a_thousand_times_and_today_is_alive():
    # lifetimes gives NaN here (traps: SciPy >= 1.16 logsumexp of a difference rounded below 0)
    assert probability_alive(PARETO, customers((1000, 2100, 2100)))[0] == 1.0
    assert probability_alive(PARETO, customers((1000, 2099, 2100)))[0] == pytest.approx(1, abs=1e-3)
    assert probability_alive(PARETO, customers((1000, 100, 2100)))[0] == pytest.approx(0, abs=1e-12)


def test_pareto_expectation_is_continuous_at_s_1():
    past, days = customers((3, 70, 200)), 364.0
    near = [
        expected_purchases(model("pareto_nbd", r=0.5, alpha=10, s=s, beta=12), past, horizon_days=days)[0] for s in (1 - 1e-9, 1, 1 + 1e-9)
    ]
    assert near[0] == pytest.approx(near[1], rel=1e-7)
    assert near[2] == pytest.approx(near[1], rel=1e-7)


@pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd"])
def test_expected_purchases_of_new_customers_equal_a_simulation(name):
    random, size, weeks = np.random.default_rng(3), 200_000, 52.0
    rate, leaves = random.gamma(TRUTH["r"], 1 / TRUTH["alpha"], size), random.beta(TRUTH["a"], TRUTH["b"], size)
    would_buy = random.poisson(rate * weeks)
    stays_for = random.geometric(np.clip(leaves, 1e-12, 1)) - (name == "mbg_nbd")  # MBG/NBD: may leave before the first repeat
    bought = np.minimum(would_buy, stays_for)
    expected = expected_purchases_new(model(name, **TRUTH), weeks * 7)[0]
    assert expected == pytest.approx(bought.mean(), abs=4 * bought.std() / math.sqrt(size))  # four standard errors


# ── properties ──────────────────────────────────────────────────────────────────────────────────────────────────────────

positive = st.floats(0.02, 50)
pasts = st.tuples(st.integers(0, 400), st.floats(0, 1), st.integers(0, 3_000)).map(
    lambda past: (past[0], round(past[1] * past[2]) if past[0] else 0, past[2])
)


@given(
    st.tuples(positive, positive, positive, positive),
    st.sampled_from(["bg_nbd", "mbg_nbd", "pareto_nbd"]),
    st.lists(pasts, min_size=1, max_size=8),
)
def test_probabilities_are_in_0_to_1_and_purchases_grow_with_the_horizon(params, name, rows):
    names = ("r", "alpha", "s", "beta") if name == "pareto_nbd" else ("r", "alpha", "a", "b")
    fitted, past = model(name, **dict(zip(names, params, strict=True))), customers(*rows)
    alive = probability_alive(fitted, past)
    assert ((alive >= 0) & (alive <= 1)).all()
    soon, late = (expected_purchases(fitted, past, horizon_days=days) for days in (30, 365))
    assert np.isfinite(late).all()
    assert (soon >= 0).all()
    assert (late >= soon * (1 - 1e-9)).all()


@given(pasts.filter(lambda past: past[0] > 0 and past[2] > past[1]))
def test_a_later_last_purchase_never_makes_a_customer_less_alive(past):
    frequency, recency, age = past
    for fitted in (BG, MBG, PARETO):
        earlier, later = probability_alive(fitted, customers((frequency, recency, age), (frequency, recency + 1, age)))
        assert later >= earlier - 1e-12


@given(st.integers(1, 36), st.floats(0, 1))
def test_discounting_lowers_value_and_no_discount_changes_nothing(months, rate):
    past = customers((0, 0, 90), (4, 80, 90)).assign(customer_id=[1, 2], repeat_value_mean=[math.nan, 20.0])
    for fitted in (BG, MBG, PARETO):
        plain = expected_value(past, fitted, spend=SPEND, horizon=Horizon(date(2024, 2, 29), months))
        assert (plain["expected_value"] == plain["expected_purchases"] * plain["expected_spend"]).all()
        discounted = expected_value(past, fitted, spend=SPEND, horizon=Horizon(date(2024, 2, 29), months, rate))
        assert (discounted["expected_value"] <= plain["expected_value"] * (1 + 1e-12)).all()
        assert (discounted["expected_value"] >= plain["expected_value"] / (1 + rate) ** (months / 12) * (1 - 1e-12)).all()


def test_the_unit_of_money_moves_the_value_and_nothing_else(two_thousand):
    in_cents = two_thousand.assign(repeat_value_mean=two_thousand["repeat_value_mean"] * 1e6)
    small, large = fit_gamma_gamma(two_thousand), fit_gamma_gamma(in_cents)
    assert large.converged
    assert large.params == pytest.approx({**small.params, "v": small.params["v"] * 1e6}, rel=1e-4)


def test_the_length_of_history_scales_alpha_alone(two_thousand):
    slower = two_thousand.assign(recency_days=two_thousand["recency_days"] * 30, age_days=two_thousand["age_days"] * 30)
    short, long = fit_bg_nbd(two_thousand), fit_bg_nbd(slower)
    assert long.params == pytest.approx({**short.params, "alpha": short.params["alpha"] * 30}, rel=1e-4)


# ── horizon, spend, path ────────────────────────────────────────────────────────────────────────────────────────────────


def test_twelve_months_end_on_the_same_day_of_the_next_year():
    assert Horizon(date(2023, 3, 1), 12).days() == 366
    assert Horizon(date(2022, 3, 1), 12).days() == 365
    assert Horizon(date(2024, 1, 31), 1).month_ends_days().tolist() == [29]


@pytest.mark.parametrize(("months", "rate"), [(0, 0.1), (601, 0.1), (12, -1.0), (12, math.nan)])
def test_impossible_horizons_are_refused_in_words_the_reader_can_mend(months, rate):
    with pytest.raises(BadInput, match="Choose"):
        Horizon(date(2024, 1, 1), months, rate)


def test_spend_of_a_customer_lies_between_own_mean_and_population_mean():
    frame = pd.DataFrame({"frequency": [0, 2, 50, 3, 3], "repeat_value_mean": [math.nan, 100.0, 100.0, math.nan, -5.0]})
    population = 6.0 * 15.0 / 3.0
    few, many = expected_spend(SPEND, frame)[1:3]
    assert expected_spend(SPEND, frame)[[0, 3, 4]].tolist() == [population] * 3
    assert population < few < many < 100


def test_infinite_mean_spend_is_unknown_and_flagged_but_known_for_customers_with_repeats():
    heavy = model("gamma_gamma", p=2.0, q=0.9, v=10.0)
    assert heavy.has_infinite_mean
    found = expected_spend(heavy, pd.DataFrame({"frequency": [0, 3], "repeat_value_mean": [math.nan, 20.0]}))
    assert math.isnan(found[0])
    assert found[1] == pytest.approx(2 * (10 + 3 * 20) / (2 * 3 + 0.9 - 1))
    assert math.isnan(new_customer_value(BG, heavy, horizon=Horizon(date(2024, 1, 1), 12)))


def test_repeaters_without_a_positive_value_are_left_out_of_the_spend_model_and_counted(two_thousand):
    repeaters = two_thousand.index[two_thousand["frequency"] > 0]
    spoiled = two_thousand.copy()
    spoiled.loc[repeaters[:3], "repeat_value_mean"] = [0.0, -7.0, math.nan]
    fitted = fit_gamma_gamma(spoiled)
    assert (fitted.left_out, fitted.customers) == (3, len(repeaters) - 3)


def test_new_customer_value_without_discount_is_new_purchases_times_population_mean():
    horizon = Horizon(date(2024, 1, 1), 12)
    by_hand = expected_purchases_new(BG, horizon.days())[0] * 6.0 * 15.0 / 3.0
    assert new_customer_value(BG, SPEND, horizon=horizon) == pytest.approx(by_hand, rel=1e-12)


def test_alive_path_falls_between_purchases_and_rises_with_one():
    path = probability_alive_path(MBG, [0, 40, 10, 40], until_day=60)
    assert path["day"].tolist() == list(range(61))
    assert path["frequency"].iloc[[0, 9, 10, 39, 40, 60]].tolist() == [0, 0, 1, 1, 2, 2]
    steps = path["probability"].diff()
    assert (steps.drop([0, 10, 40]) < 0).all()
    assert (steps[[10, 40]] > 0).all()
    assert not path["is_by_construction"].any()


def test_alive_path_of_the_bg_nbd_says_where_it_knows_nothing():
    path = probability_alive_path(BG, [0, 10], until_day=20)
    assert path["is_by_construction"].tolist() == [True] * 10 + [False] * 11
    assert (path["probability"][:10] == 1).all()


def test_the_bg_nbd_assumes_one_time_buyers_alive():
    assert alive_by_construction(BG, customers((0, 0, 5), (1, 2, 5))).tolist() == [True, False]


# ── hold-out ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_holdout_baseline_goes_on_at_the_rate_so_far_and_empty_bins_are_unknown():
    past = customers((2, 50, 100), (0, 0, 0), (9, 90, 90)).assign(holdout_purchases=[1, 0, 4], holdout_days=50)
    bins = holdout_by_frequency(BG, past)
    assert bins["baseline"].iloc[[0, 2, 7]].tolist() == [0.0, 1.0, 5.0]  # 9 in 90 days are 5 in 50
    assert bins["customers"].tolist() == [1, 0, 1, 0, 0, 0, 0, 1]
    assert bins.loc[1, ["actual", "predicted", "baseline"]].isna().all()


def test_share_found_counts_ties_at_the_border_in_part():
    actual = np.array([4.0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    assert share_found(np.arange(10.0)[::-1], actual) == 0.8  # the two best ranked have 4 of 5
    assert share_found(np.zeros(10), actual) == pytest.approx(0.2)  # a ranking that knows nothing finds its share
    assert math.isnan(share_found(np.ones(10), np.zeros(10)))


def test_grade_follows_its_written_rule():
    assert graded((0.05, 0.7), (0.3, 0.7)) == "A"
    assert graded((0.05, 0.7), (0.04, 0.7)) == "B"  # the baseline is nearer
    assert graded((0.15, 0.7), (0.3, 0.7)) == "B"
    assert graded((0.30, 0.7), (0.4, 0.7)) == "B"  # far off, but nearer than the baseline
    assert graded((0.30, 0.7), (0.2, 0.7)) == "C"
    assert graded((0.05, 0.6), (0.3, 0.7)) == "C"  # ranks worse
    assert graded((math.nan, 0.6), (0.3, 0.7)) is None


def test_a_holdout_without_purchases_has_no_grade():
    past = customers((2, 50, 100), (0, 0, 40)).assign(holdout_purchases=0, holdout_days=50)
    result = holdout_test(BG, past)
    assert result.grade is None
    assert math.isnan(result.predicted_error)
