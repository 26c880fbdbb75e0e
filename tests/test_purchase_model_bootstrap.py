"""The prediction interval of the value of the customer base, and the time that it and the fits take."""

from datetime import date

import numpy as np
import pytest
from simulated_customers import predicted, simulated

from crm_metrics.lifetime_value.statistic import interval
from crm_metrics.purchase_model import bootstrap, prediction
from crm_metrics.purchase_model.bootstrap import refitted
from crm_metrics.purchase_model.fit import fit_bg_nbd, fit_gamma_gamma
from crm_metrics.purchase_model.model import Model, unfitted
from crm_metrics.purchase_model.value import Horizon, expected_value


@pytest.fixture(scope="module")
def two_thousand():
    return simulated(2_000)


# ── bootstrap ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def fitted_pair(two_thousand):
    return fit_bg_nbd(two_thousand), fit_gamma_gamma(two_thousand)


ONE_PART = np.zeros(2_000, dtype=np.int64)
YEAR = Horizon(date(2024, 1, 1), 12, 0.1)


def test_bootstrap_of_unconverged_models_or_few_refits_is_unknown(two_thousand, fitted_pair):
    nothing = (unfitted("bg_nbd", customers=0), unfitted("gamma_gamma", customers=0))
    for pair, resamples in ((nothing, 60), (fitted_pair, 39)):
        refits, _, found = predicted(two_thousand, pair, horizon=YEAR, part=ONE_PART, resamples=resamples)
        assert found.values.shape == found.purchases.shape == (0, 1)
        assert refits.failed == resamples
        assert refits.parameters[["low", "median", "high"]].isna().all(axis=None)


def test_what_parts_bring_adds_up_to_the_whole_in_each_draw(two_thousand, fitted_pair):
    part = np.arange(2_000) % 7
    _, _, drawn = predicted(two_thousand, fitted_pair, horizon=YEAR, part=part, resamples=60)
    _, _, whole = predicted(two_thousand, fitted_pair, horizon=YEAR, part=ONE_PART, resamples=60)
    assert drawn.values.sum(axis=1) == pytest.approx(whole.values[:, 0], rel=1e-12)
    assert drawn.purchases.sum(axis=1) == pytest.approx(whole.purchases[:, 0], rel=1e-12)


@pytest.mark.slow
def test_a_seed_gives_the_same_draws_and_another_seed_others(two_thousand, fitted_pair):
    first, again, other = (
        predicted(two_thousand, fitted_pair, horizon=YEAR, part=ONE_PART, resamples=60, seed=seed)[2] for seed in (4, 4, 5)
    )
    assert (first.values == again.values).all()
    assert (first.values != other.values).any()


@pytest.mark.slow
def test_one_customer_brings_nothing_as_often_as_the_model_says(two_thousand, fitted_pair):
    """The best customer, known and drawn once per resample: drawing customers would leave this one out of 37 % of them."""
    worth = expected_value(two_thousand, fitted_pair[0], spend=fitted_pair[1], horizon=YEAR)
    best = int(worth["expected_value"].argmax())
    _, _, drawn = predicted(two_thousand, fitted_pair, horizon=YEAR, part=np.where(np.arange(2_000) == best, 0, -1))
    low, high = np.quantile(drawn.values[:, 0], [0.025, 0.975])
    assert low < worth["expected_value"][best] < high
    customer, (r, alpha, *_) = two_thousand.iloc[best], fitted_pair[0].values()
    rate = alpha + customer["age_days"] / 7
    buys = worth["probability_alive"][best] * (1 - (rate / (rate + YEAR.days() / 7)) ** (r + customer["frequency"]))
    assert (drawn.values > 0).mean() == pytest.approx(buys, abs=4 * (buys * (1 - buys) / 200) ** 0.5 + 0.01)  # .01: refits move it
    assert drawn.values.mean() == pytest.approx(worth["expected_value"][best], abs=4 * drawn.values.std() / 200**0.5)


@pytest.mark.slow
def test_outcomes_of_a_sample_scatter_as_those_of_all(two_thousand, fitted_pair, monkeypatch):
    """Above 2,000 customers (here 500): standard deviations over 200 draws agree within four standard errors.

    Up to 2,000 the numbers are those drawn when up to 100,000 were; above they are others, because fewer customers are drawn.
    """
    part = np.where(np.arange(2_000) < 1_700, 0, 1)
    _, _, every = predicted(two_thousand, fitted_pair, horizon=YEAR, part=part)
    assert prediction.CUSTOMERS_DRAWN == 2_000
    monkeypatch.setattr(prediction, "CUSTOMERS_DRAWN", 500)
    _, _, some = predicted(two_thousand, fitted_pair, horizon=YEAR, part=part)
    for found, wanted in ((some.values, every.values), (some.purchases, every.purchases)):
        assert found.mean(axis=0) == pytest.approx(wanted.mean(axis=0), abs=4 * wanted.std(axis=0).max() / 100**0.5)
        assert found.std(axis=0) == pytest.approx(wanted.std(axis=0), rel=0.28)  # 4 x sqrt(2) / sqrt(2 x 200), normal draws
    assert (some.values != every.values).all()


def test_bootstrap_refit_of_the_same_weights_returns_the_point_estimate(two_thousand, fitted_pair):
    from crm_metrics.purchase_model.bootstrap import _base, _purchase_objective, _refitter

    base = _base(two_thousand)
    objective = _purchase_objective(fitted_pair[0], base.past)
    again = _refitter(fitted_pair[0], objective)(objective, 2_000.0)
    assert isinstance(again, Model)
    assert again.params == pytest.approx(fitted_pair[0].params, rel=1e-6)


@pytest.mark.slow
def test_what_in_fact_comes_lies_in_the_prediction_interval_as_often_as_it_says():
    """60 simulated bases of 1,500 customers, fitted, forecast and then lived on for a year.

    Set before the first run: of 60 bases at least 51 (binomial(60, .95) is so with probability .996); of 900 parts of 100 customers
    .95 +- .022 (three standard errors). Purchases on whole days shift the estimates a little. No discount: money as it comes.
    """
    part = np.arange(1_500) // 100
    covered, parts_covered = 0, []
    for seed in range(60):
        base = simulated(1_500, weeks=300, seed=seed, days_after=366)
        pair = fit_bg_nbd(base), fit_gamma_gamma(base)
        drawn = predicted(base, pair, horizon=Horizon(date(2023, 3, 1), 12), part=part, seed=seed)[2].values
        came = np.bincount(part, weights=base["later_value"])
        low, high = interval(drawn.sum(axis=1))
        covered += low <= came.sum() <= high
        bounds = [interval(one) for one in drawn.T]
        parts_covered += [low <= value <= high for (low, high), value in zip(bounds, came, strict=True)]
    assert covered >= 51
    assert np.mean(parts_covered) == pytest.approx(0.95, abs=0.022)


# ── many customers ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_200_refits_of_100000_customers_all_succeed():
    many = simulated(100_000)
    pair = fit_bg_nbd(many), fit_gamma_gamma(many)
    assert refitted(many, pair).failed == 0


@pytest.mark.slow
def test_refits_of_a_smaller_resample_spread_as_those_of_as_many_as_there_are(monkeypatch):
    """Above 100,000 customers (here 2,500 of 10,000): standard deviations of 400 refits agree within four standard errors."""
    many = simulated(10_000)
    pair = fit_bg_nbd(many), fit_gamma_gamma(many)
    assert bootstrap.LARGEST_RESAMPLE == 100_000
    spreads = []
    for most in (100_000, 2_500):
        monkeypatch.setattr(bootstrap, "LARGEST_RESAMPLE", most)
        pairs = refitted(many, pair, resamples=400).pairs
        spreads.append(np.std([np.log([*one.values(), *two.values()]) for one, two in pairs], axis=0))
    assert spreads[1] == pytest.approx(spreads[0], rel=0.2)  # 4 x sqrt(2) / sqrt(2 x 400), normal draws


@pytest.mark.slow
def test_a_million_customers_are_fitted_by_our_own_search_and_all_valued():
    million = simulated(1_000_000)
    purchases = fit_bg_nbd(million)
    assert purchases.fitter == "own"
    worth = expected_value(million, purchases, spend=fit_gamma_gamma(million), horizon=Horizon(date(2024, 1, 1), 12, 0.1))
    assert worth["expected_value"].notna().all()
