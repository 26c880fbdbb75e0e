"""One outcome per customer, drawn from the models: on average it is what the models expect."""

import math

import numpy as np
import pandas as pd
import pytest
from simulated_customers import BG, MBG, SPEND, TRUTH, customers, model

from crm_metrics.purchase_model.outcome import drawn_purchases, drawn_spend
from crm_metrics.purchase_model.score import Spent, expected_purchases, expected_spend, probability_alive

DRAWS = 100_000
WEEKS = 52.0


def often(value):
    return np.full(DRAWS, float(value))


def drawn(fitted, past, *, seed=7):
    """Purchases of the one customer of `past` (frequency, recency, age in days), drawn DRAWS times."""
    frequency, _, age_days = past
    alive = often(probability_alive(fitted, customers(past))[0])
    return drawn_purchases(fitted, (often(frequency), often(age_days / 7)), alive=alive, weeks=WEEKS, random=np.random.default_rng(seed))


def assert_mean(found, expected):
    assert found.mean() == pytest.approx(expected, abs=4 * found.std() / math.sqrt(DRAWS))  # four standard errors


@pytest.mark.parametrize("fitted", [BG, MBG], ids=["bg_nbd", "mbg_nbd"])
@pytest.mark.parametrize("past", [(0, 0, 0), (0, 0, 300), (1, 20, 60), (5, 100, 400), (26, 216, 217), (26, 195, 217)])
def test_purchases_drawn_are_on_average_those_expected(fitted, past):
    found = drawn(fitted, past)
    assert_mean(found, expected_purchases(fitted, customers(past), horizon_days=WEEKS * 7)[0])
    assert (found == np.floor(found)).all()


@pytest.mark.parametrize("fitted", [BG, MBG], ids=["bg_nbd", "mbg_nbd"])
def test_the_chance_to_buy_at_all_is_that_of_the_model(fitted):
    """An active customer buys nothing in t weeks with probability ((alpha + T) / (alpha + T + t))^(r + x): leaving follows a purchase."""
    found = drawn(fitted, (5, 100, 400))
    rate = TRUTH["alpha"] + 400 / 7
    buys = probability_alive(fitted, customers((5, 100, 400)))[0] * (1 - (rate / (rate + WEEKS)) ** (TRUTH["r"] + 5))
    assert_mean(found > 0, buys)


def test_where_nobody_leaves_purchases_drawn_are_gamma_poisson():
    for a, b in ((1e-9, 5.0), (1e-300, 1e5)):
        found = drawn(model("bg_nbd", r=0.7, alpha=9.0, a=a, b=b), (3, 60, 140))
        rate = (0.7 + 3) / (9 + 20)
        assert_mean(found, rate * WEEKS)
        assert found.var() == pytest.approx(rate * WEEKS * (1 + WEEKS / 29), rel=0.03)  # 100,000 draws: six standard errors


@pytest.mark.parametrize(("frequency", "mean"), [(0, math.nan), (1, 12.0), (7, 80.0), (3, -5.0), (3, 0.0), (2, math.nan)])
def test_value_drawn_is_on_average_purchases_times_expected_spend(frequency, mean):
    known = frequency if mean > 0 else 0
    spent = Spent(often(known), often(known * mean if known else 0))
    bought = drawn(BG, (frequency, 50 if frequency else 0, 200))
    found = drawn_spend(SPEND, spent, purchases=bought, random=np.random.default_rng(8))
    each = expected_spend(SPEND, pd.DataFrame({"frequency": [frequency], "repeat_value_mean": [mean]}))[0]
    assert_mean(found, expected_purchases(BG, customers((frequency, 50 if frequency else 0, 200)), horizon_days=WEEKS * 7)[0] * each)
    assert ((found > 0) == (bought > 0)).all()
