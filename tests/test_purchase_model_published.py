"""The purchase models against the literature, on CDNOW (in the lifetimes package) and the apparel retailer of CLVTools.

Published figures: Fader, Hardie and Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24 (2), and its spreadsheet
notes (brucehardie.com/notes/004, /008, /009, /025); the tests of lifetimes carry the same; CLVTools' walkthrough for apparel.
"""

import dataclasses
import json
import warnings
from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pytest
from simulated_customers import predicted

from crm_metrics.purchase_model.bootstrap import Refits, refitted
from crm_metrics.purchase_model.fit import fit_bg_nbd, fit_gamma_gamma, fit_mbg_nbd, fit_pareto_nbd
from crm_metrics.purchase_model.gate import data_gate
from crm_metrics.purchase_model.groups import customer_groups, grouped, history
from crm_metrics.purchase_model.holdout import expected_cumulative, holdout_by_frequency, holdout_test
from crm_metrics.purchase_model.likelihood import beta_geometric, gamma_gamma, pareto_nbd, spend_of
from crm_metrics.purchase_model.prediction import _points, outlook
from crm_metrics.purchase_model.score import (
    alive_by_construction,
    expected_purchases,
    expected_purchases_new,
    expected_spend,
    probability_alive,
    purchases_if_alive,
)
from crm_metrics.purchase_model.value import Horizon, expected_value

YEAR = 364.0  # the papers' 52 weeks


def purchase_summary(orders, split_on, end_on):
    """One row per customer bought by `split_on`, from orders (customer_id, day, value); same-day purchases merged."""
    split, end = pd.Timestamp(split_on), pd.Timestamp(end_on)
    daily = orders.groupby(["customer_id", "day"], as_index=False)["value"].sum()
    before, after = daily[daily["day"] <= split], daily[(daily["day"] > split) & (daily["day"] <= end)]
    days = before.groupby("customer_id")["day"].agg(["min", "max", "size"])
    is_repeat = before["day"] > before["customer_id"].map(days["min"])
    bought = after.groupby("customer_id").size().reindex(days.index, fill_value=0)
    return pd.DataFrame(
        {
            "frequency": days["size"] - 1,
            "recency_days": (days["max"] - days["min"]).dt.days,
            "age_days": (split - days["min"]).dt.days,
            "repeat_value_mean": before[is_repeat].groupby("customer_id")["value"].mean().reindex(days.index),
            "holdout_purchases": bought,
            "holdout_days": (end - split).days,
        }
    ).reset_index()


@pytest.fixture(scope="module")
def cdnow(cdnow_file):
    """2,357 customers, calibration to 1997-09-30, hold-out to 1998-06-30."""
    names = ["master_id", "customer_id", "day", "cds", "value"]
    orders = pd.read_csv(cdnow_file, sep=r"\s+", header=None, names=names)
    orders["day"] = pd.to_datetime(orders["day"].astype(str))
    return purchase_summary(orders, "1997-09-30", "1998-06-30")


@pytest.fixture(scope="module")
def bg(cdnow):
    return fit_bg_nbd(cdnow)


@pytest.fixture(scope="module")
def mbg(cdnow):
    return fit_mbg_nbd(cdnow)


@pytest.fixture(scope="module")
def pareto(cdnow):
    return fit_pareto_nbd(cdnow)


@pytest.fixture(scope="module")
def spend(cdnow):
    return fit_gamma_gamma(cdnow)


def one(frequency, recency_weeks, age_weeks):
    return pd.DataFrame({"frequency": [frequency], "recency_days": [recency_weeks * 7], "age_days": [age_weeks * 7]})


# ── CDNOW, parameters ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_cdnow_summary_has_2457_repeats_by_946_repeaters_and_1882_purchases_in_the_holdout(cdnow):
    assert cdnow["frequency"].clip(upper=7).value_counts().sort_index().tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert (cdnow["frequency"].sum(), (cdnow["frequency"] > 0).sum(), cdnow["holdout_purchases"].sum()) == (2457, 946, 1882)
    assert data_gate(cdnow).verdict == "full"


def test_bg_nbd_is_fader_hardie_lee_2005_table_2(bg):
    assert bg.params == pytest.approx({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, abs=0.0005)  # printed with 3 decimals
    assert bg.log_likelihood == pytest.approx(-9582.429, abs=0.01)
    assert (bg.fitter, bg.converged, bg.customers, bg.time_unit, bg.sampled) == ("lifetimes", True, 2357, "week", False)


def test_pareto_nbd_is_fader_hardie_lee_2005_table_2(pareto):
    assert pareto.params == pytest.approx({"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}, abs=0.0005)  # 3 decimals
    assert pareto.log_likelihood == pytest.approx(-9594.976, abs=0.01)
    assert (pareto.fitter, pareto.converged, pareto.sampled) == ("lifetimes", True, False)


@pytest.mark.slow
def test_pareto_nbd_does_not_depend_on_its_seed(cdnow, pareto):
    assert fit_pareto_nbd(cdnow, seed=7).params == pytest.approx(pareto.params, rel=1e-4)


def test_gamma_gamma_is_fader_hardie_notes_025(spend):
    assert spend.params == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.44}, abs=0.006)  # 2 decimals; the note rounds 3.7442 to 3.74
    assert (spend.customers, spend.left_out, spend.converged, spend.fitter) == (946, 0, True, "lifetimes")
    assert not spend.has_infinite_mean


def test_frequency_and_mean_value_correlate_as_in_fader_hardie_notes_025(spend):
    assert spend.correlation == pytest.approx(0.113884, abs=1e-5)  # theirs is of cents, rounded


@pytest.mark.slow
def test_mbg_nbd_own_figures(mbg):
    assert mbg.params == pytest.approx({"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, abs=0.0005)  # own, 3 decimals
    assert mbg.converged


# ── CDNOW, customers ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_customer_buys_as_often_in_52_weeks_as_lifetimes_tests_say(bg, pareto):
    assert expected_purchases_new(pareto, YEAR)[0] == pytest.approx(1.473434, rel=1e-4)
    assert expected_purchases_new(bg, YEAR)[0] == pytest.approx(1.444004, rel=1e-4)


def test_customer_1516_of_pareto_nbd_spreadsheet(pareto, bg):
    customer = one(26, 30.857, 31)
    assert probability_alive(pareto, customer)[0] == pytest.approx(0.997874, rel=1e-4)
    assert expected_purchases(pareto, customer, horizon_days=YEAR)[0] == pytest.approx(25.45647, rel=1e-4)
    assert probability_alive(bg, customer)[0] == pytest.approx(0.9688523, rel=1e-4)
    assert expected_purchases(bg, customer, horizon_days=YEAR)[0] == pytest.approx(25.75659, rel=1e-4)


def test_customer_with_2_purchases_of_bg_nbd_notes_004(bg):
    customer = one(2, 30.43, 38.86)
    assert expected_purchases(bg, customer, horizon_days=39 * 7)[0] == pytest.approx(1.226, abs=0.0005)  # 3 decimals
    assert probability_alive(bg, customer)[0] == pytest.approx(0.7266, abs=0.00005)  # 4 decimals


def test_expected_spend_of_the_first_ten_customers_of_notes_025(cdnow, spend):
    published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert expected_spend(spend, cdnow.head(10)) == pytest.approx(published, abs=0.1)  # the note's parameters are rounded


def test_one_time_buyers_are_alive_by_construction_in_the_bg_nbd_and_by_evidence_in_the_others(cdnow, bg, mbg, pareto):
    once = cdnow[cdnow["frequency"] == 0]
    assert alive_by_construction(bg, cdnow).sum() == 1411
    assert not alive_by_construction(mbg, cdnow).any()
    assert set(probability_alive(bg, once)) == {1.0}
    assert np.quantile(probability_alive(mbg, once), [0, 1]) == pytest.approx([0.39, 0.43], abs=0.005)  # own, 2 decimals
    assert np.quantile(probability_alive(pareto, once), [0, 1]) == pytest.approx([0.30, 0.38], abs=0.005)  # own, 2 decimals


# ── CDNOW, hold-out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_holdout_bins_are_those_of_fader_hardie_lee_2005(cdnow, bg):
    bins = holdout_by_frequency(bg, cdnow)
    assert bins["customers"].tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert bins["actual"].tolist() == pytest.approx([0.2367, 0.6970, 1.3925, 1.5600, 2.5323, 2.9474, 3.8621, 6.3594], abs=0.00005)
    assert (bins["predicted"] - bins["actual"]).abs().max() < (bins["baseline"] - bins["actual"])[1:].abs().max()


def test_holdout_test_adds_up_the_bins_and_beats_the_rate_so_far(cdnow, bg):
    result, bins = holdout_test(bg, cdnow), holdout_by_frequency(bg, cdnow)
    assert result.actual == 1882
    assert result.predicted == pytest.approx((bins["predicted"] * bins["customers"]).sum())
    assert abs(result.predicted_error) < abs(result.baseline_error)
    assert result.grade == "B"  # 12 % too few: B by the rule of `graded`


def test_holdout_does_not_depend_on_the_order_of_rows(cdnow, bg):
    shuffled = cdnow.sample(frac=1, random_state=3)
    assert holdout_test(bg, shuffled)._asdict() == pytest.approx(holdout_test(bg, cdnow)._asdict())


def test_expected_cumulative_on_the_as_of_date_is_the_sum_over_customers(cdnow, bg):
    cohorts = cdnow.groupby("age_days").size().reset_index(name="customers").rename(columns={"age_days": "first_days_before_as_of"})
    line = expected_cumulative(bg, cohorts, days_after_as_of=np.array([-300.0, 0.0, 273.0]))["expected_repeat_purchases"]
    assert line[0] == 0
    assert line[1] == pytest.approx(expected_purchases_new(bg, cdnow["age_days"].to_numpy(dtype=float)).sum())
    assert line[1] == pytest.approx(cdnow["frequency"].sum(), rel=0.05)  # the model tracks 2,457 repeats within 5 %


# ── CDNOW, likelihood and errors against lifetimes ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd", "pareto_nbd"])
def test_log_likelihood_equals_that_of_lifetimes_to_six_digits(cdnow, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes
    past = history(grouped(cdnow))
    log_params = np.log([0.4, 7.0, 0.9, 3.0])
    is_pareto, at_once = name == "pareto_nbd", name == "mbg_nbd"
    ours = pareto_nbd(log_params, past) if is_pareto else beta_geometric(log_params, past, drops_at_once=at_once).value
    fitter = {"bg_nbd": lifetimes.BetaGeoFitter, "mbg_nbd": lifetimes.ModifiedBetaGeoFitter, "pareto_nbd": lifetimes.ParetoNBDFitter}[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = fitter._negative_log_likelihood(np.exp(log_params) if name == "pareto_nbd" else log_params, *past[:4], 0.0)
    scale = past.weight.mean() if name == "pareto_nbd" else past.weight.sum()  # lifetimes divides by it
    assert ours == pytest.approx(-theirs * scale, rel=1e-9)


def test_gamma_gamma_log_likelihood_equals_that_of_lifetimes_to_six_digits(cdnow):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import GammaGammaFitter
    spent, log_params = spend_of(cdnow), np.log([4.0, 3.0, 20.0])
    theirs = GammaGammaFitter._negative_log_likelihood(log_params, *spent[:3], 0.0)
    assert gamma_gamma(log_params, spent).value == pytest.approx(-theirs * 946, rel=1e-9)


def test_own_search_and_lifetimes_find_the_same_parameters_to_six_digits(cdnow, bg, mbg, monkeypatch):
    monkeypatch.setattr("crm_metrics.purchase_model.fit.CELLS_ABOVE_CUSTOMERS", 0)  # what sets too large for lifetimes get
    for fit, model in ((fit_bg_nbd, bg), (fit_mbg_nbd, mbg)):
        own = fit(cdnow)
        assert own.fitter == "own"
        assert own.params == pytest.approx(model.params, rel=1e-6)
        assert own.log_likelihood == pytest.approx(model.log_likelihood, rel=1e-10)


@pytest.mark.parametrize("name", ["BetaGeoFitter", "ModifiedBetaGeoFitter"])
def test_standard_errors_equal_the_diagonal_of_lifetimes(cdnow, bg, mbg, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes

        past = history(grouped(cdnow))
        fitted = getattr(lifetimes, name)().fit(*past[:4])
    model = bg if name == "BetaGeoFitter" else mbg
    assert model.standard_errors == pytest.approx(fitted.standard_errors_.to_dict(), rel=1e-3)


def test_pareto_standard_errors_equal_second_differences_of_another_step(cdnow, pareto):
    past, top = history(grouped(cdnow)), np.log(pareto.values())
    steps = np.eye(4) * 0.01
    value = partial(pareto_nbd, past=past)
    hessian = np.array(
        [[value(top + i + j) - value(top + i - j) - value(top - i + j) + value(top - i - j) for j in steps] for i in steps]
    ) / (4 * 0.01**2)
    errors = np.exp(top) * np.sqrt(np.diag(np.linalg.inv(-hessian)))
    assert list(pareto.standard_errors.values()) == pytest.approx(errors, rel=0.01)  # a step of .01 is off by under 1 %


def test_fitting_leaves_the_warnings_filters_and_the_random_state_alone(cdnow):
    filters, state = list(warnings.filters), repr(np.random.get_state())  # noqa: NPY002  # the global state is what is tested
    fit_pareto_nbd(cdnow.head(400))
    assert list(warnings.filters) == filters
    assert repr(np.random.get_state()) == state  # noqa: NPY002


# ── CDNOW, groups, value and interval ───────────────────────────────────────────────────────────────────────────────────


def test_grouping_2357_customers_to_1016_rows_changes_no_likelihood(cdnow, bg):
    ungrouped = history(cdnow[["frequency", "recency_days", "age_days"]].assign(customers=1))
    groups = grouped(cdnow)
    assert (len(groups), groups["customers"].sum()) == (1016, 2357)
    top = np.log(bg.values())
    assert beta_geometric(top, ungrouped, drops_at_once=False).value == pytest.approx(bg.log_likelihood, rel=1e-12)


def test_weekly_cells_with_mean_days_keep_the_parameters_within_a_fifth_of_a_percent(cdnow, bg, monkeypatch):
    cells = customer_groups(cdnow, cells_above=0).frame
    assert len(cells) < 1016
    monkeypatch.setattr("crm_metrics.purchase_model.fit.customer_groups", lambda summary: customer_groups(summary, cells_above=0))
    monkeypatch.setattr("crm_metrics.purchase_model.fit.CELLS_ABOVE_CUSTOMERS", 0)
    in_cells = fit_bg_nbd(cdnow)
    assert in_cells.params == pytest.approx(bg.params, rel=0.002)
    assert in_cells.params["b"] != pytest.approx(2.298, rel=0.01)  # what floored weeks give


def test_value_without_discount_is_purchases_times_spend_to_the_last_digit(cdnow, bg, pareto, spend):
    horizon = Horizon(date(1997, 9, 30), 12)
    for model in (bg, pareto):
        worth = expected_value(cdnow, model, spend=spend, horizon=horizon)
        assert (worth["expected_value"] == worth["expected_purchases"] * worth["expected_spend"]).all()
        assert (worth["expected_purchases"] == expected_purchases(model, cdnow, horizon_days=365)).all()


def test_discounted_value_is_the_sum_over_months_of_purchases_discounted_at_mid_month(cdnow, bg, spend):
    horizon = Horizon(date(1997, 9, 30), 6, 0.2)
    few = cdnow.head(50)
    ends = horizon.month_ends_days()
    assert ends.tolist() == [30, 61, 91, 122, 151, 181]  # to 1997-10-30, 11-30, 12-30, 1998-01-30, 02-28, 03-30
    cumulative = np.array([expected_purchases(bg, few, horizon_days=days) for days in ends])
    monthly = np.diff(cumulative, axis=0, prepend=0)
    by_hand = sum(month / 1.2 ** ((number + 0.5) / 12) for number, month in enumerate(monthly)) * expected_spend(spend, few)
    assert expected_value(few, bg, spend=spend, horizon=horizon)["expected_value"].to_numpy() == pytest.approx(by_hand, rel=1e-10)


EVERYBODY = np.zeros(2357, dtype=np.int64)


def test_bootstrap_lies_around_the_point_value_and_is_the_same_again(cdnow, bg, spend):
    horizon = Horizon(date(1997, 9, 30), 12, 0.1)
    refits, _, found = predicted(cdnow, (bg, spend), horizon=horizon, part=EVERYBODY, resamples=60, seed=5)
    total = expected_value(cdnow, bg, spend=spend, horizon=horizon)["expected_value"].sum()
    assert found.values.mean() == pytest.approx(total, abs=4 * found.values.std() / 60**0.5)  # four standard errors
    assert (len(found.values), refits.failed) == (60, 0)
    _, _, again = predicted(cdnow, (bg, spend), horizon=horizon, part=EVERYBODY, resamples=60, seed=5)
    assert (again.values == found.values).all()
    assert (again.purchases == found.purchases).all()


def test_purchases_interpolated_over_age_are_those_of_each_history(cdnow, bg, spend):
    horizon = Horizon(date(1997, 9, 30), 12)
    ahead = outlook(Refits(((bg, spend),), 0, pd.DataFrame()), cdnow, horizon=horizon)
    place, basis = _points(ahead, cdnow)
    found = (ahead.if_alive[0][place] * basis).sum(axis=1)
    assert found == pytest.approx(purchases_if_alive(bg, cdnow, horizon=horizon.total()), rel=1e-6)


def test_bootstrap_spread_of_the_parameters_is_near_their_standard_errors(cdnow, bg, spend):
    table = refitted(cdnow, (bg, spend), resamples=200).parameters
    spread = dict(zip(table["parameter"], (table["high"] - table["low"]) / 3.92, strict=True))
    assert spread["r"] == pytest.approx(bg.standard_errors["r"], rel=0.35)  # 200 draws; a skewed distribution
    assert spread["q"] == pytest.approx(spend.standard_errors["q"], rel=0.35)


def test_a_model_is_plain_json(bg, spend):
    for model in (bg, spend):
        text = json.dumps(dataclasses.asdict(model))
        assert type(model)(**json.loads(text)).params == model.params


# ── the apparel retailer of CLVTools ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def apparel(shared_data):
    """600 customers, calibration 104 weeks to 2006-12-31."""
    orders = pd.read_csv(shared_data / "apparel" / "apparelTrans.csv.gz", names=["customer_id", "day", "value"], header=0)
    orders["day"] = pd.to_datetime(orders["day"])
    return purchase_summary(orders, "2006-12-31", "2010-12-20")


def test_apparel_splits_as_in_clvtools(apparel):
    assert len(apparel) == 600
    assert apparel["frequency"].sum() + 600 == 1866
    assert apparel["holdout_purchases"].sum() == 1317
    assert (apparel["frequency"] == 0).sum() == 213


def test_apparel_pareto_nbd_is_clvtools_walkthrough(apparel):
    model = fit_pareto_nbd(apparel)
    published = {"r": 1.4489768, "alpha": 48.6360845, "s": 0.5612598, "beta": 46.8843633}
    assert model.params == pytest.approx(published, rel=2e-3)  # a flat top: optimisers stop within .2 % of each other
    assert model.log_likelihood == pytest.approx(-5848.0978, abs=0.01)
    customers = apparel.set_index("customer_id").loc[[1, 10, 100, 101]].reset_index()
    assert probability_alive(model, customers) == pytest.approx([0.9468478, 0.9825606, 0.2784686, 0.4739762], rel=5e-4)
    expected = expected_purchases(model, customers, horizon_days=float(customers["holdout_days"].iloc[0]))
    assert expected == pytest.approx([7.3256573, 3.5198114, 0.4190901, 1.2056215], rel=5e-4)


def test_apparel_bg_nbd_own_figures(apparel):
    model = fit_bg_nbd(apparel)
    assert model.params == pytest.approx({"r": 0.60731, "alpha": 20.95676, "a": 1.27556, "b": 8.86095}, rel=1e-3)  # own
    assert model.log_likelihood == pytest.approx(-5857.020, abs=0.01)
