"""The interval of the value of the customer base, and the time that it and the fits take."""

import math
from datetime import date

import numpy as np
import pytest
from simulated_customers import BG, SPEND, simulated

from crm_metrics.purchase_model.bootstrap import bootstrap_base_value, bootstrap_parts
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


def test_bootstrap_of_unconverged_models_or_few_refits_is_unknown(two_thousand, fitted_pair):
    horizon = Horizon(date(2024, 1, 1), 12)
    nothing = (unfitted("bg_nbd", customers=0), unfitted("gamma_gamma", customers=0))
    assert math.isnan(bootstrap_base_value(two_thousand, nothing, horizon=horizon).low)
    few = bootstrap_base_value(two_thousand, fitted_pair, horizon=horizon, resamples=10)
    assert math.isnan(few.low)
    assert few.value > 0


def test_bootstrap_of_parts_adds_up_to_that_of_the_whole(two_thousand, fitted_pair):
    horizon = Horizon(date(2024, 1, 1), 12, 0.1)
    part = np.where(np.arange(2_000) < 500, 0, 1)
    drawn = bootstrap_parts(two_thousand, fitted_pair, horizon=horizon, part=part, resamples=60)
    whole = bootstrap_base_value(two_thousand, fitted_pair, horizon=horizon, resamples=60)
    assert np.quantile(drawn.values.sum(axis=1), [0.025, 0.975]) == pytest.approx([whole.low, whole.high])
    assert (drawn.values.sum(axis=1) < drawn.purchases.sum(axis=1) * 1_000).all()


def test_bootstrap_refit_of_the_same_weights_returns_the_point_estimate(two_thousand, fitted_pair):
    from crm_metrics.purchase_model.bootstrap import _base, _purchase_objective, _refitter

    base = _base(two_thousand, Horizon(date(2024, 1, 1), 12))
    objective = _purchase_objective(fitted_pair[0], base.past)
    again = _refitter(fitted_pair[0], objective)(objective, 2_000.0)
    assert isinstance(again, Model)
    assert again.params == pytest.approx(fitted_pair[0].params, rel=1e-6)


@pytest.mark.slow
def test_bootstrap_interval_covers_the_value_of_the_true_parameters():
    """60 simulated bases of 1,500 customers: the interval covers the base's value at the true parameters in most.

    Purchases on whole days shift the estimates a little; binomial(60, .95) is at least 51 with probability .996.
    """
    horizon, truth = Horizon(date(2024, 1, 1), 12), (BG, SPEND)
    covered = 0
    for seed in range(60):
        base = simulated(1_500, weeks=300, seed=seed)
        pair = fit_bg_nbd(base), fit_gamma_gamma(base)
        found = bootstrap_base_value(base, pair, horizon=horizon, resamples=100, seed=seed)
        value = expected_value(base, truth[0], spend=truth[1], horizon=horizon)["expected_value"].sum()
        covered += found.low <= value <= found.high
    assert covered >= 51


# ── many customers ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_200_refits_of_100000_customers_all_succeed():
    many = simulated(100_000)
    pair = fit_bg_nbd(many), fit_gamma_gamma(many)
    found = bootstrap_base_value(many, pair, horizon=Horizon(date(2024, 1, 1), 12, 0.1))
    assert found.failed == 0


@pytest.mark.slow
def test_a_million_customers_are_fitted_by_our_own_search_and_all_valued():
    million = simulated(1_000_000)
    purchases = fit_bg_nbd(million)
    assert purchases.fitter == "own"
    worth = expected_value(million, purchases, spend=fit_gamma_gamma(million), horizon=Horizon(date(2024, 1, 1), 12, 0.1))
    assert worth["expected_value"].notna().all()
