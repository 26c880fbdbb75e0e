"""Tests drawn by lot: sizes against published ones, splits that are exact and reproducible, and an analysis that keeps its promises.

The promises are checked by simulation: every seed is fixed beforehand and was not chosen by its result.
"""

import math
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crm_metrics.metric import BadInput
from crm_metrics.randomised_test.analyse import relative_lift, sample_ratio, stratified_difference
from crm_metrics.randomised_test.plan import Arms, Baseline, Design, customers_needed, power_at, power_curve, smallest_lift
from crm_metrics.randomised_test.split import OTHER, arm_counts, balance, stratified_split, value_strata

SEED = 20261122
SHARE, MONEY = Baseline(0.1), Baseline(40.0, 120.0)


def shop(customers=2400):
    """Customers whose spend is skewed and often zero, before the test and in it: customer_id, band of spend before, region, spend."""
    random = np.random.default_rng(SEED)
    worth = random.gamma(0.8, size=customers)
    before, spend = (random.gamma(2.0 * random.poisson(worth), 30.0) for _ in range(2))
    return pd.DataFrame(
        {
            "customer_id": [f"C{number:05d}" for number in range(customers)],
            "band": value_strata(pd.Series(before), 4),
            "region": random.choice(["North", "East", "South", "West"], customers, p=[0.4, 0.3, 0.2, 0.1]),
            "before": before,
            "spend": spend,
        }
    )


def split(customers, *, strata=("band", "region"), share_control=0.5, seed=SEED):
    return stratified_split(customers, strata=strata, share_control=share_control, seed=seed)


def outcomes_of(members, values):
    """The outcomes of a split whose customers are in the order of `values`."""
    return members.assign(value=values)


# ── how many customers ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_shares_take_as_many_customers_as_chow_shao_and_wang_compute():
    # Sample Size Calculations in Clinical Research (2008), p. 89: 65% against 85%
    assert customers_needed(Baseline(0.65), Design(), lift=0.2 / 0.65) == Arms(treated=70, control=70)


def test_two_standard_deviations_and_unequal_arms_take_as_many_as_stata_computes():
    # sampsi 12 15, sd1(5) sd2(7) r(0.5) power(0.8): 108 and 54. Its two variances stand here for one: 5² / (2/3) + 7² / (1/3)
    pooled = math.sqrt((25 * 1.5 + 49 * 3) / 4.5)
    assert customers_needed(Baseline(12, pooled), Design(share_control=1 / 3), lift=0.25) == Arms(treated=108, control=54)
    # sampsi 12 16, sd(5) power(0.8): 25 and 25
    assert customers_needed(Baseline(12, 5), Design(), lift=4 / 12) == Arms(25, 25)


@pytest.mark.parametrize(("d", "published"), [(0.2, 393), (0.3, 175), (0.4, 100), (0.5, 64), (0.6, 45), (0.7, 33), (0.8, 26)])
def test_means_take_as_many_customers_as_cohen_tabulates(d, published):
    # Cohen (1988), Statistical Power Analysis, table 2.4.1, power .80, two-sided .05; his is the t distribution, a customer more at most
    assert customers_needed(Baseline(1, 1), Design(), lift=d).treated == pytest.approx(published, abs=1)


@pytest.mark.parametrize(("share", "lift", "power", "published"), [(0.1, 1.0, 0.8, 199), (0.5, 0.5, 0.9, 77)])
def test_shares_take_nearly_as_many_customers_as_with_the_variance_pooled(share, lift, power, published):
    # Stata: power twoproportions .1 .2; R: power.prop.test(p1 = .50, p2 = .75, power = .90). Fleiss, Levin and Paik (2003), 4.14
    assert customers_needed(Baseline(share), Design(power=power), lift=lift).control == pytest.approx(published, rel=0.05)


@given(
    baseline=st.sampled_from([SHARE, MONEY, Baseline(0.7)]),
    lift=st.floats(0.02, 0.4),
    share_control=st.floats(0.05, 0.95),
    power=st.floats(0.5, 0.95),
)
def test_the_customers_needed_have_the_power_and_no_smaller_lift_can_be_shown(baseline, lift, share_control, power):
    design = Design(share_control, power=power)
    needed = customers_needed(baseline, design, lift=lift)
    assert power_at(baseline, design, lift=lift, customers=needed.customers) >= power - 1e-9
    assert smallest_lift(baseline, design, customers=needed.customers) <= lift + 1e-9
    if needed.customers > 2 / min(share_control, 1 - share_control) + 2:
        assert not smallest_lift(baseline, design, customers=needed.customers - 2) <= lift  # each arm is rounded up to a whole customer


def test_the_power_curve_starts_at_alpha_and_has_the_power_at_the_smallest_lift():
    curve = power_curve(MONEY, Design(), customers=4000)
    assert curve["power"].iloc[0] == pytest.approx(0.05)
    assert curve["power"].is_monotonic_increasing
    assert np.interp(smallest_lift(MONEY, Design(), customers=4000), curve["lift"], curve["power"]) == pytest.approx(0.8, abs=1e-4)


def test_what_few_customers_can_show_of_a_share_near_one_is_unknown_and_the_curve_ends_at_one():
    high = Baseline(0.9)
    assert math.isnan(smallest_lift(high, Design(), customers=20))
    assert power_curve(high, Design(), customers=20)["lift"].iloc[-1] == pytest.approx(1 / 9)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.2, math.nan])
def test_a_baseline_that_is_no_share_is_refused(share):
    with pytest.raises(BadInput, match="above 0 and below 100%"):
        Baseline(share)


@pytest.mark.parametrize(("mean", "deviation"), [(0, 10), (10, 0), (-5, 10), (math.nan, 10), (10, math.nan), (10, math.inf)])
def test_money_that_nobody_spends_or_that_does_not_scatter_is_refused(mean, deviation):
    with pytest.raises(BadInput, match="both above 0"):
        Baseline(mean, deviation)


@pytest.mark.parametrize("design", [{"share_control": 0}, {"share_control": 1}, {"alpha": 0}, {"power": 1}, {"alpha": 0.3, "power": 0.2}])
def test_an_impossible_design_is_refused(design):
    with pytest.raises(BadInput, match="Choose"):
        Design(**design)


@pytest.mark.parametrize("lift", [0, -0.1, math.nan, math.inf])
def test_a_lift_that_is_not_above_zero_is_refused(lift):
    with pytest.raises(BadInput, match="above 0"):
        customers_needed(SHARE, Design(), lift=lift)


def test_a_lift_that_takes_a_share_past_one_is_refused_with_the_largest_possible():
    with pytest.raises(BadInput, match=r"from 30.0% past 100%. Choose at most 233.3%"):
        customers_needed(Baseline(0.3), Design(), lift=2.5)


def test_an_empty_audience_is_refused():
    with pytest.raises(BadInput, match="There are 0 customers"):
        smallest_lift(SHARE, Design(), customers=0)
    with pytest.raises(BadInput, match="Each group needs 2"):
        smallest_lift(SHARE, Design(share_control=0.1), customers=19)


# ── who is in which arm ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_seed_gives_the_same_split_whatever_the_order_of_rows():
    customers = shop(500)
    shuffled = customers.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(split(customers).members, split(shuffled).members)
    assert not split(customers).members.equals(split(customers, seed=SEED + 1).members)


def test_a_split_of_today_can_be_drawn_again_in_years():
    """These controls were drawn once; another NumPy has to draw them too."""
    customers = pd.DataFrame({"customer_id": list("abcdefghijkl"), "region": ["N"] * 6 + ["S"] * 6})
    drawn = split(customers, strata=["region"], seed=7).members
    assert "".join(drawn.loc[drawn["arm"] == "control", "customer_id"]) == "bceijk"


def test_members_are_sorted_by_the_bytes_of_their_ids():
    customers = pd.DataFrame({"customer_id": ["b", "Z", "é", "a", "10", "9"]})
    assert split(customers, strata=[]).members["customer_id"].tolist() == ["10", "9", "Z", "a", "b", "é"]


@given(
    sizes=st.lists(st.integers(0, 60), min_size=1, max_size=8),
    share_control=st.sampled_from([0.05, 0.1, 0.2, 1 / 3, 0.5, 0.8]),
    seed=st.integers(0, 2**32),
)
def test_the_control_arm_is_exact_in_all_and_within_one_in_each_stratum(sizes, share_control, seed):
    region = np.repeat([f"R{number}" for number in range(len(sizes))], sizes)
    customers = pd.DataFrame({"customer_id": [f"{number:04d}" for number in range(len(region))], "region": region})
    if len(customers) * min(share_control, 1 - share_control) < 2 - 1e-9:
        with pytest.raises(BadInput, match="for the smaller group"):
            split(customers, strata=["region"], share_control=share_control, seed=seed)
        return
    drawn = split(customers, strata=["region"], share_control=share_control, seed=seed)
    counts = arm_counts(drawn.members)
    assert counts["control"].sum() == math.floor(len(customers) * share_control + 0.5 + 1e-9)
    assert (counts["control"] - counts["customers"] * share_control).abs().max() < 1
    assert counts[["treated", "control"]].min().min() >= 2
    assert counts["customers"].sum() == len(customers)


def test_strata_too_small_for_two_of_each_arm_are_split_together_and_named():
    customers = pd.DataFrame(
        {"customer_id": [f"{number:02d}" for number in range(40)], "region": ["N"] * 20 + ["S"] * 14 + ["E"] * 3 + ["W"] * 3}
    )
    drawn = split(customers, strata=["region"])
    assert drawn.merged == ("E", "W")
    assert arm_counts(drawn.members).values.tolist() == [[OTHER, 6, 3, 3, 0.5], ["N", 20, 10, 10, 0.5], ["S", 14, 7, 7, 0.5]]


def test_a_small_stratum_alone_takes_the_next_larger_with_it():
    customers = pd.DataFrame({"customer_id": [f"{number:02d}" for number in range(33)], "region": ["N"] * 20 + ["S"] * 10 + ["E"] * 3})
    drawn = split(customers, strata=["region"], share_control=0.2)
    assert drawn.merged == ("E", "S")
    assert arm_counts(drawn.members)["control"].tolist() == [3, 4]


def test_an_unknown_value_is_a_stratum_of_its_own():
    customers = pd.DataFrame(
        {"customer_id": list("abcdefgh"), "band": pd.array([1, None] * 4, dtype="Int64"), "region": ["N"] * 4 + [None] * 4}
    )
    drawn = split(customers, strata=["band"])
    assert arm_counts(drawn.members)["stratum"].tolist() == ["1", "—"]
    assert split(customers, strata=["region"]).members["stratum"].tolist() == ["N"] * 4 + ["—"] * 4


def test_a_customer_who_is_there_twice_is_an_error():
    with pytest.raises(ValueError, match="more than once"):
        split(pd.DataFrame({"customer_id": ["a", "a", "b", "c"]}), strata=[])


def test_the_frame_handed_in_stays_as_it_was():
    customers = shop(200)
    kept = customers.copy(deep=True)
    split(customers)
    pd.testing.assert_frame_equal(customers, kept)


@given(st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 7.5, None]), min_size=1, max_size=40), st.integers(2, 6))
def test_equal_values_are_in_one_band_and_the_order_of_rows_does_not_matter(values, groups):
    values = pd.Series(values, dtype=float)
    bands = value_strata(values, groups)
    pairs = pd.DataFrame({"value": values, "band": bands}).dropna().drop_duplicates().sort_values("value")
    assert pairs["value"].is_unique
    assert pairs["band"].is_monotonic_increasing
    assert sorted(pairs["band"].unique()) == list(range(1, pairs["band"].nunique() + 1))
    assert bands.isna().equals(values.isna())
    assert value_strata(values[::-1], groups)[::-1].equals(bands)


def test_bands_of_distinct_values_are_of_equal_size():
    assert value_strata(pd.Series(range(100)), 4).value_counts().tolist() == [25, 25, 25, 25]


def test_balance_gives_means_before_the_test_and_their_standardised_difference():
    """treated spent 10 and 20, control 0 and 10: means 15 and 5, both variances 50, so 10 / sqrt(50) apart; orders are equal."""
    members = pd.DataFrame({"customer_id": list("abcd"), "stratum": "", "arm": ["treated", "treated", "control", "control"]})
    before = pd.DataFrame({"customer_id": list("dcba"), "spend": [10, 0, 20, 10], "orders": 1})
    table = balance(members, before)
    assert table["measure"].tolist() == ["spend", "orders"]
    assert table[["treated_mean", "control_mean"]].values.tolist() == [[15, 5], [1, 1]]
    assert table["difference"].tolist() == pytest.approx([10 / math.sqrt(50), math.nan], nan_ok=True)


def test_a_stratified_split_leaves_the_arms_alike_in_what_was_before():
    customers = shop()
    table = balance(split(customers).members, customers[["customer_id", "before"]])
    assert abs(table["difference"].iloc[0]) < 0.1


@pytest.mark.slow
def test_a_million_customers_are_split_within_two_seconds():
    customers = shop(1_000_000)
    started = perf_counter()
    split(customers)
    assert perf_counter() - started < 2


# ── what came of it ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_difference_of_a_hand_worked_test():
    """Two strata.

    stratum  share  treated     control     difference  variance
    a        .4     5, 7        1, 3        4           2/2 + 2/2 = 2
    b        .6     10, 12, 14  8, 10, 12   2           4/3 + 4/3 = 8/3

    estimate .4 x 4 + .6 x 2 = 2.8; variance .16 x 2 + .36 x 8/3 = 1.28;
    degrees of freedom 1.28² / (2 x .16² / 1 + 2 x .48² / 2) = 1.6384 / .2816 = 5.818
    """
    outcomes = pd.DataFrame(
        {
            "stratum": ["a"] * 4 + ["b"] * 6,
            "arm": ["treated"] * 2 + ["control"] * 2 + ["treated"] * 3 + ["control"] * 3,
            "value": [5, 7, 1, 3, 10, 12, 14, 8, 10, 12],
        }
    )
    found = stratified_difference(outcomes)
    assert found.estimate == pytest.approx(2.8)
    assert found.standard_error == pytest.approx(math.sqrt(1.28))
    assert found.degrees_of_freedom == pytest.approx(1.6384 / 0.2816)
    assert (found.treated_mean, found.control_mean) == pytest.approx((0.4 * 6 + 0.6 * 12, 0.4 * 2 + 0.6 * 10))
    assert (found.treated_customers, found.control_customers, found.strata) == (5, 5, 2)
    half = stats.t.ppf(0.975, 1.6384 / 0.2816) * math.sqrt(1.28)
    assert (found.low, found.high) == pytest.approx((2.8 - half, 2.8 + half))
    assert found.p_value == pytest.approx(2 * stats.t.sf(2.8 / math.sqrt(1.28), 1.6384 / 0.2816))
    assert stratified_difference(outcomes.sample(frac=1, random_state=3)) == pytest.approx(found)


def test_with_one_stratum_it_is_the_test_of_welch():
    customers = shop(300)
    outcomes = outcomes_of(split(customers, strata=[], share_control=0.2).members, customers["spend"])
    found = stratified_difference(outcomes, alpha=0.1)
    arms = [outcomes.loc[outcomes["arm"] == arm, "value"] for arm in ("treated", "control")]
    welch = stats.ttest_ind(*arms, equal_var=False)
    assert found.p_value == pytest.approx(welch.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(welch.confidence_interval(0.9)))


def test_where_nothing_scatters_the_interval_is_unknown():
    outcomes = pd.DataFrame({"stratum": "", "arm": ["treated", "control"] * 3, "value": 0.0})
    found = stratified_difference(outcomes)
    assert found.estimate == 0
    assert all(math.isnan(figure) for figure in (found.low, found.high, found.p_value, found.degrees_of_freedom))


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ({"stratum": [], "arm": [], "value": []}, "No customer of the test"),
        ({"stratum": ["a"] * 4, "arm": ["treated", "control"] * 2, "value": [1, 2, None, 4]}, "outcome of 1 customers is unknown"),
        ({"stratum": ["a"] * 3, "arm": ["treated", "control", "treated"], "value": [1, 2, 3]}, "fewer than 2 treated or control"),
    ],
)
def test_outcomes_that_can_not_be_analysed_are_refused(outcomes, message):
    with pytest.raises(BadInput, match=message):
        stratified_difference(pd.DataFrame(outcomes))


def test_an_arm_of_another_name_is_an_error_and_no_control():
    with pytest.raises(ValueError, match="neither"):
        stratified_difference(pd.DataFrame({"stratum": "", "arm": ["treated", "control", "treated B"], "value": 1}))


def test_the_sample_ratio_is_tested_by_chi_square():
    found = sample_ratio(8_300, 1_900, share_control=0.2)
    assert found.p_value == pytest.approx(stats.chisquare([8_300, 1_900], [8_160, 2_040]).pvalue)
    assert found.is_faulty
    assert not sample_ratio(8_200, 2_000, share_control=0.2).is_faulty
    assert math.isnan(sample_ratio(0, 0, share_control=0.2).p_value)


# ── what it promises, simulated ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("share_control", [0.5, 0.2])
def test_ten_thousand_tests_of_nothing_reject_as_often_as_they_say(share_control):
    customers = shop()
    values = customers["spend"].to_numpy()
    tests = [
        stratified_difference(outcomes_of(split(customers, share_control=share_control, seed=SEED + number).members, values))
        for number in range(10_000)
    ]
    rejected = np.mean([found.p_value < 0.05 for found in tests])
    assert 0.044 <= rejected <= 0.056
    error = float(np.mean([found.standard_error for found in tests])) / 100  # of the mean of 10,000 estimates
    assert np.mean([found.estimate for found in tests]) == pytest.approx(0, abs=4 * error)


@pytest.mark.slow
def test_plain_welch_hardly_ever_rejects_on_a_stratified_split():
    """Where strata explain most of the outcome, plain Welch takes what they explain for chance: 5% is meant."""
    customers = shop(1200)
    values = customers["before"].to_numpy()  # the bands are cut from it
    plain, stratified = [], []
    for number in range(2_000):
        members = split(customers, seed=SEED + number).members
        is_treated = (members["arm"] == "treated").to_numpy()
        plain.append(stats.ttest_ind(values[is_treated], values[~is_treated], equal_var=False).pvalue)
        stratified.append(stratified_difference(outcomes_of(members, values)).p_value)
    assert np.mean(np.array(plain) < 0.05) < 0.01
    assert np.mean(np.array(stratified) < 0.05) == pytest.approx(0.05, abs=0.015)  # three standard errors


@pytest.mark.slow
@pytest.mark.parametrize("share_control", [0.5, 0.2])
def test_a_lift_of_a_share_is_found_with_the_planned_power(share_control):
    baseline, design, lift = Baseline(0.2), Design(share_control), 0.25
    audience = customers_needed(baseline, design, lift=lift).customers
    customers = pd.DataFrame({"customer_id": np.arange(audience)})
    random = np.random.default_rng(SEED)
    found = 0
    for number in range(4_000):
        members = split(customers, strata=[], share_control=share_control, seed=SEED + number).members
        chance = np.where(members["arm"] == "treated", 0.2 * (1 + lift), 0.2)
        found += stratified_difference(outcomes_of(members, (random.random(audience) < chance).astype(float))).p_value < 0.05
    assert found / 4_000 == pytest.approx(0.8, abs=0.02)  # three standard errors


@pytest.mark.slow
@pytest.mark.parametrize("share_control", [0.5, 0.2])
def test_a_lift_of_skewed_spend_is_found_with_the_planned_power_and_with_more_where_strata_explain_it(share_control):
    customers, design = shop(), Design(share_control)
    spend = customers["spend"].to_numpy()
    baseline = Baseline(spend.mean(), spend.std(ddof=1))
    gain = smallest_lift(baseline, design, customers=len(customers)) * baseline.mean

    def power(strata):
        found = 0
        for number in range(4_000):
            members = split(customers, strata=strata, share_control=share_control, seed=SEED + number).members
            values = spend + gain * (members["arm"] == "treated").to_numpy()
            found += stratified_difference(outcomes_of(members, values)).p_value < 0.05
        return found / 4_000

    without = power([])
    assert without == pytest.approx(0.8, abs=0.02)  # three standard errors
    assert power(["band", "region"]) > without


@pytest.mark.slow
@pytest.mark.parametrize("true_lift", [0.1, 0.3, 0.6])
def test_the_interval_of_a_relative_lift_holds_it_as_often_as_it_says(true_lift):
    """Gamma outcomes of mean 100, 400 treated and 400 control, 4,000 tests: a control mean taken as certain holds 60% in 87 of 100."""
    random = np.random.default_rng(20261122)
    control = random.gamma(0.5, 200, (4_000, 400))
    treated = random.gamma(0.5, 200, (4_000, 400)) + 100 * true_lift
    means, squares = (control.mean(axis=1), treated.mean(axis=1)), control.var(axis=1, ddof=1) + treated.var(axis=1, ddof=1)
    half = 1.96 * np.sqrt(squares / 400)
    _, low, high = relative_lift(means[1] - means[0], half, control_mean=means[0], treated=400, control=400)
    assert 0.94 < ((low < true_lift) & (true_lift < high)).mean() < 0.96
