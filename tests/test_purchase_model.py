"""Fits of the purchase models by hand, by property and by trap. Published figures: test_purchase_model_published.py."""

import math
from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_customers import SPEND_TRUTH, TRUTH, customers, predicted, simulated

from crm_metrics import language
from crm_metrics.purchase_model.fit import PARETO_CUSTOMERS, fit_bg_nbd, fit_gamma_gamma, fit_mbg_nbd, fit_pareto_nbd
from crm_metrics.purchase_model.gate import data_gate
from crm_metrics.purchase_model.groups import customer_groups, grouped, history, reweighted
from crm_metrics.purchase_model.holdout import grade_sentence
from crm_metrics.purchase_model.likelihood import beta_geometric, gamma_gamma, spend_of
from crm_metrics.purchase_model.model import unfitted
from crm_metrics.purchase_model.score import (
    expected_purchases,
    expected_purchases_new,
    probability_alive,
)
from crm_metrics.purchase_model.value import Horizon, expected_value


@pytest.fixture(scope="module")
def two_thousand():
    return simulated(2_000)


# ── likelihood ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("params", [[0.24, 4.4, 0.8, 2.4], [3.0, 40.0, 0.05, 9.0], [0.05, 0.3, 12.0, 0.4]])
@pytest.mark.parametrize("drops_at_once", [False, True])
def test_written_gradient_of_the_beta_geometric_equals_finite_differences(two_thousand, params, drops_at_once):
    objective = partial(beta_geometric, past=history(grouped(two_thousand)), drops_at_once=drops_at_once)
    assert_gradient(objective, np.log(params))


@pytest.mark.parametrize("params", [[6.25, 3.74, 15.4], [0.7, 1.2, 300.0], [30.0, 20.0, 1.0]])
def test_written_gradient_of_the_gamma_gamma_equals_finite_differences(two_thousand, params):
    assert_gradient(partial(gamma_gamma, spend=spend_of(two_thousand)), np.log(params))


def assert_gradient(objective, at):
    differences = [(objective(at + e).value - objective(at - e).value) / 2e-5 for e in np.eye(len(at)) * 1e-5]
    assert objective(at).gradient == pytest.approx(differences, rel=1e-5, abs=1e-3)  # the values have about 1e-8 of rounding


def test_a_customer_counted_twice_weighs_as_two_customers(two_thousand):
    groups = grouped(two_thousand)
    twice = groups.assign(customers=groups["customers"] * 2)
    at = np.log([0.5, 5.0, 1.0, 2.0])
    once = beta_geometric(at, history(groups), drops_at_once=False).value
    assert beta_geometric(at, history(twice), drops_at_once=False).value == pytest.approx(2 * once)


def test_reweighting_to_zero_leaves_a_group_out(two_thousand):
    groups = grouped(two_thousand)
    weight = np.where(np.arange(len(groups)) % 2, groups["customers"].to_numpy(dtype=float), 0.0)
    kept = history(groups[weight > 0])
    at = np.log([0.5, 5.0, 1.0, 2.0])
    again = beta_geometric(at, reweighted(history(groups), weight), drops_at_once=True)
    assert again.value == pytest.approx(beta_geometric(at, kept, drops_at_once=True).value)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_groups_keep_every_customer_and_their_days(rows):
    frame = customers(*((x, min(recency, age), age) for x, recency, age in rows))
    groups = customer_groups(frame)
    assert groups.frame["customers"].sum() == len(frame)
    assert not groups.frame.duplicated(["frequency", "recency_days", "age_days"]).any()
    back = groups.frame.loc[groups.group, ["frequency", "recency_days", "age_days"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(back, frame)


# ── gate and traps ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("size", "repeaters", "verdict"),
    [
        (0, 0, "none"),
        (20, 20, "none"),
        (299, 299, "none"),
        (300, 99, "none"),
        (300, 100, "rough"),
        (999, 999, "rough"),
        (1000, 100, "full"),
    ],
)
def test_gate_wants_300_customers_and_100_repeaters_and_1000_for_a_full_model(size, repeaters, verdict):
    frame = pd.DataFrame({"frequency": [1] * repeaters + [0] * (size - repeaters), "age_days": [30] * size})
    assert data_gate(frame).verdict == verdict


def test_gate_says_what_there_is_and_what_is_needed_in_both_languages():
    gate = data_gate(pd.DataFrame({"frequency": [1, 0], "age_days": [40, 30]}))
    assert "2 customers, 1 of them with a second purchase day, over 40 days. It needs 300 customers and 100 repeaters" in gate.sentence()
    with language.speaking("zh"):
        assert "现有 2 位客户" in gate.sentence()
        assert "25%" in grade_sentence("B")


@pytest.mark.slow
@pytest.mark.parametrize("fit", [fit_bg_nbd, fit_mbg_nbd, fit_pareto_nbd, fit_gamma_gamma])
@pytest.mark.parametrize("trap", ["empty", "one row", "all one-time", "all alike", "all on the first day"])
def test_data_without_information_never_give_a_converged_model(fit, trap):
    row = {"customer_id": 1, "frequency": 2, "recency_days": 30, "age_days": 60, "repeat_value_mean": 10.0}
    once = row | {"frequency": 0, "recency_days": 0, "repeat_value_mean": math.nan}
    frame = {
        "empty": pd.DataFrame([row]).head(0),
        "one row": pd.DataFrame([row]),
        "all one-time": pd.DataFrame([once] * 500).assign(age_days=np.arange(500)),
        "all alike": pd.DataFrame([row] * 500),
        "all on the first day": pd.DataFrame([once] * 500).assign(age_days=0),
    }[trap]
    fitted = fit(frame)
    assert not fitted.converged
    assert fitted.customers in (len(frame), 0)  # Gamma-Gamma counts usable repeaters


@pytest.mark.slow
def test_twenty_customers_neither_crash_a_fit_nor_a_score(two_thousand):
    few = two_thousand.head(20)
    for fit in (fit_bg_nbd, fit_mbg_nbd, fit_pareto_nbd):
        fitted = fit(few)
        assert len(probability_alive(fitted, few)) == 20
        assert len(expected_purchases(fitted, few, horizon_days=365)) == 20
    assert data_gate(few).verdict == "none"


@pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd", "pareto_nbd"])
def test_an_unfitted_model_knows_nothing(name):
    past = customers((0, 0, 5), (1, 2, 5)).assign(customer_id=[1, 2], repeat_value_mean=[math.nan, 3.0])
    nothing = unfitted(name, customers=0)
    assert np.isnan(probability_alive(nothing, past)).all()
    assert np.isnan(expected_purchases(nothing, past, horizon_days=30)).all()
    assert np.isnan(expected_purchases_new(nothing, 30.0)).all()
    worth = expected_value(past, nothing, spend=unfitted("gamma_gamma", customers=0), horizon=Horizon(date(2024, 1, 1), 12, 0.1))
    assert worth[["probability_alive", "expected_purchases", "expected_spend", "expected_value"]].isna().all(axis=None)


@pytest.fixture(scope="module")
def loyal():
    """1,500 customers of whom nobody ever leaves: purchases at Gamma(.7, 9 weeks) rates; as Online Retail to 2011-09-01 is fitted."""
    random, size = np.random.default_rng(3), 1_500
    age = np.ceil(random.uniform(30, 300, size))
    frequency = np.minimum(random.poisson(random.gamma(0.7, 1 / 9, size) * age / 7), age)
    recency = np.where(frequency > 0, np.ceil(age * random.beta(np.maximum(frequency, 1), 1)), 0)  # the last of x uniform days
    frame = pd.DataFrame({"frequency": frequency, "recency_days": np.maximum(recency, frequency), "age_days": age})
    return frame.assign(customer_id=range(size), repeat_value_mean=np.where(frequency > 0, random.gamma(5, 4, size), np.nan))


@pytest.mark.slow
@pytest.mark.parametrize("fit", [fit_bg_nbd, fit_mbg_nbd, fit_pareto_nbd])
def test_where_nobody_leaves_the_forecast_stands_and_the_parameters_of_leaving_are_said_to_be_unknown(loyal, fit):
    fitted = fit(loyal)
    assert (fitted.converged, fitted.is_dropout_unknown) == (True, True)
    known = [math.isfinite(error) for error in fitted.standard_errors.values()]
    assert known == [True, True, False, False]
    r, alpha = fitted.values()[:2]
    rate = (r + loyal["frequency"]) / (alpha + loyal["age_days"] / 7)  # the NBD: gamma-Poisson without leaving
    assert expected_purchases(fitted, loyal, horizon_days=70) == pytest.approx(10 * rate.to_numpy(), rel=1e-3)


def test_resamples_where_nobody_leaves_count(loyal):
    pair = fit_bg_nbd(loyal), fit_gamma_gamma(loyal)
    horizon = Horizon(date(2024, 1, 1), 12)
    refits, _, found = predicted(loyal, pair, horizon=horizon, part=np.zeros(len(loyal), dtype=int), resamples=60)
    assert refits.failed <= 1
    value = expected_value(loyal, pair[0], spend=pair[1], horizon=horizon)["expected_value"].sum()
    assert found.values.min() < value < found.values.max()


def test_a_test_account_with_a_thousand_orders_leaves_the_pareto_nbd_finite(two_thousand):
    robot = pd.DataFrame([{"customer_id": -1, "frequency": 700, "recency_days": 700, "age_days": 700, "repeat_value_mean": 10.0}])
    fitted = fit_pareto_nbd(pd.concat([two_thousand, robot]))
    assert fitted.converged
    assert math.isfinite(fitted.log_likelihood)


@pytest.mark.slow
def test_pareto_nbd_above_20000_customers_is_fitted_on_a_sample_and_says_so(two_thousand, monkeypatch):
    assert PARETO_CUSTOMERS == 20_000
    monkeypatch.setattr("crm_metrics.purchase_model.fit.PARETO_CUSTOMERS", 1_000)
    fitted = fit_pareto_nbd(two_thousand, seed=3)
    assert (fitted.sampled, fitted.customers) == (True, 1_000)
    assert fit_pareto_nbd(two_thousand, seed=3) == fitted


def test_fits_find_the_parameters_they_were_simulated_from():
    many = simulated(30_000, weeks=300)
    found = fit_bg_nbd(many)
    for name, truth in TRUTH.items():
        assert found.params[name] == pytest.approx(truth, rel=0.08), name  # purchases on whole days: a little slower and fewer
    spent = fit_gamma_gamma(many)
    for name, truth in SPEND_TRUTH.items():
        assert spent.params[name] == pytest.approx(truth, abs=4 * spent.standard_errors[name]), name
