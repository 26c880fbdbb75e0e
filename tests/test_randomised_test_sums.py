"""Tests from sums: as from the customers one by one, with what was before taken away, with arms of the planned sizes, and by drawing again.

The promises are checked by simulation: every seed is fixed beforehand and was not chosen by its result.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crm_metrics.randomised_test.analyse import stratified_difference
from crm_metrics.randomised_test.repeated import half_width_at_every_look, shrunk
from crm_metrics.randomised_test.resample import Arm, Stratum, coverage, symmetric_percentile_t
from crm_metrics.randomised_test.sums import SUMS, differences, holm, sample_ratio_of_arms

SEED = 20261122


def customers(count=3000, *, strata=("a", "b", "c"), lift=0.0):
    """One row per customer: stratum, arm, what was spent before (x) and in the test (value), skewed and often zero."""
    random = np.random.default_rng(SEED)
    frame = pd.DataFrame({"stratum": random.choice(strata, count), "arm": random.choice(["treated", "control"], count, p=[0.7, 0.3])})
    x = random.gamma(1, 50, count) * (random.random(count) < 0.4)
    value = 0.6 * x + random.gamma(1, 50, count) * (random.random(count) < 0.3) + lift * (frame["arm"] == "treated")
    return frame.assign(x=x, value=value)


def sums_of(frame, **keys):
    """The sums of one test."""
    columns = {"n": 1.0, "y": frame["value"], "yy": frame["value"] ** 2, "xx": frame["x"] ** 2, "xy": frame["x"] * frame["value"]}
    cells = frame.assign(is_treated=frame["arm"] == "treated", **columns).groupby(["stratum", "is_treated"])[list(SUMS)].sum()
    return cells.reset_index().assign(**keys)


def residuals(frame, name):
    """A column less the mean of its stratum and arm."""
    return frame[name] - frame.groupby(["stratum", "arm"])[name].transform("mean")


# ── differences ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_difference_from_sums_is_that_of_the_customers_one_by_one():
    frame = customers(lift=5)
    (found,) = differences(sums_of(frame, test="one"), ["test"]).to_dict("records")
    expected = stratified_difference(frame)
    names = ("estimate", "low", "high", "standard_error", "degrees_of_freedom", "p_value", "strata")
    assert [found[name] for name in names] == pytest.approx([getattr(expected, name) for name in names], rel=1e-9)
    assert [found["mean"], found["control_mean"]] == pytest.approx([expected.treated_mean, expected.control_mean])


def test_each_of_many_tests_is_as_if_alone_whatever_the_order_of_rows():
    parts = [sums_of(customers(400 + 50 * number, lift=number), test=f"t{number}") for number in range(5)]
    mixed = pd.concat(parts).sample(frac=1, random_state=1)
    together = differences(mixed, ["test"]).set_index("test").sort_index()
    alone = pd.concat([differences(part, ["test"]) for part in parts]).set_index("test")
    pd.testing.assert_frame_equal(together, alone, rtol=1e-9)


def test_what_was_before_narrows_the_interval_by_what_theory_says():
    """One stratum, equal arms: by the correlation of both within the arms, sqrt(1 - rho²)."""
    random = np.random.default_rng(SEED)
    frame = customers(4000, strata=("",)).assign(arm=random.permutation(["treated", "control"] * 2000))
    (found,) = differences(sums_of(frame, test="one"), ["test"]).to_dict("records")
    rho = np.corrcoef(residuals(frame, "x"), residuals(frame, "value"))[0, 1]
    narrowed = (found["adjusted_high"] - found["adjusted_low"]) / (found["high"] - found["low"])
    assert rho > 0.4
    assert narrowed == pytest.approx(np.sqrt(1 - rho**2), rel=0.01)
    assert narrowed == pytest.approx(np.sqrt(1 - found["variance_reduction"]), rel=1e-3)


def test_the_adjusted_difference_is_that_of_a_regression_within_the_arms():
    """y less theta x, with the theta that takes away most of the variance of the difference."""
    frame = customers(lift=4)
    sizes = frame.groupby(["stratum", "arm"])["x"].transform("size")
    weight = (frame.groupby("stratum")["x"].transform("size") / len(frame)) ** 2 / (sizes * (sizes - 1))
    before, after = residuals(frame, "x"), residuals(frame, "value")
    theta = (weight * before * after).sum() / (weight * before**2).sum()
    expected = stratified_difference(frame.assign(value=frame["value"] - theta * frame["x"]))
    (found,) = differences(sums_of(frame, test="one"), ["test"]).to_dict("records")
    assert [found["adjusted"], found["adjusted_low"], found["adjusted_high"]] == pytest.approx(
        [expected.estimate, expected.low, expected.high]
    )


def test_without_anything_known_of_before_nothing_is_adjusted():
    unknown = sums_of(customers(), test="one").assign(x=np.nan, xx=np.nan, xy=np.nan)
    found = differences(unknown, ["test"])
    assert found[["adjusted", "adjusted_low", "adjusted_high", "variance_reduction"]].isna().all(axis=None)
    assert found["low"].notna().all()


def test_strata_too_small_for_two_of_each_arm_count_together():
    frame = customers(1000)
    small = pd.concat([frame, frame[:3].assign(stratum=["d", "d", "e"], arm=["treated", "control", "treated"])], ignore_index=True)
    (found,) = differences(sums_of(small, test="one"), ["test"]).to_dict("records")
    sizes = frame["stratum"].value_counts()
    expected = stratified_difference(small.replace({"stratum": {"d": sizes.index[-1], "e": sizes.index[-1]}}))
    assert found["strata"] == 3
    assert [found["estimate"], found["low"]] == pytest.approx([expected.estimate, expected.low])


def test_a_test_without_two_of_each_arm_is_unknown():
    frame = pd.DataFrame({"stratum": "", "arm": ["treated", "treated", "control"], "x": [1, 2, 3], "value": [4, 5, 6]})
    found = differences(sums_of(frame, test="one"), ["test"])
    assert found[["low", "high", "p_value", "adjusted_low"]].isna().all(axis=None)


def test_an_outcome_that_does_not_scatter_has_no_interval():
    frame = customers(500).assign(value=10.1)
    found = differences(sums_of(frame, test="one"), ["test"])
    assert found[["low", "high", "p_value"]].isna().all(axis=None)
    assert found["estimate"].tolist() == pytest.approx([0], abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_ten_thousand_tests_of_nothing_reject_as_often_as_they_say_with_and_without_what_was_before(share):
    frame = customers(2400)
    random, runs, control = np.random.default_rng(SEED), 10_000, int(2400 * share)
    columns = np.column_stack(
        [np.ones(2400), frame["value"], frame["value"] ** 2, frame["x"], frame["x"] ** 2, frame["x"] * frame["value"]]
    )
    of_control = np.stack([columns[random.permutation(2400)[:control]].sum(axis=0) for _ in range(runs)])
    arms = [pd.DataFrame(sums, columns=list(SUMS)).assign(test=range(runs)) for sums in (of_control, columns.sum(axis=0) - of_control)]
    sums = pd.concat([arms[0].assign(is_treated=False), arms[1].assign(is_treated=True)]).assign(stratum="")
    found = differences(sums, ["test"])
    assert 0.044 <= (found["p_value"] < 0.05).mean() <= 0.056
    assert 0.044 <= ((found["adjusted_low"] > 0) | (found["adjusted_high"] < 0)).mean() <= 0.056
    assert found["adjusted"].mean() == pytest.approx(0, abs=4 * found["adjusted"].std() / np.sqrt(runs))
    assert found["adjusted"].std() / found["estimate"].std() == pytest.approx(np.sqrt(1 - found["variance_reduction"].mean()), rel=0.03)


# ── sizes of the arms ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_arms_are_checked_as_pearson_does():
    members, planned = np.array([[5_150.0, 4_850.0]]), np.array([0.5, 0.5])
    assert sample_ratio_of_arms(members, planned).p_value == pytest.approx(stats.chisquare([5150, 4850]).pvalue)


def test_three_arms_are_checked_at_once():
    members, planned = np.array([[410.0, 390.0, 230.0]]), np.array([0.4, 0.4, 0.2])
    assert sample_ratio_of_arms(members, planned).p_value == pytest.approx(stats.chisquare(members[0], members.sum() * planned).pvalue)


def test_strata_that_are_wrong_in_opposite_ways_are_faulty_although_the_total_is_right():
    members = np.array([[700.0, 300.0], [300.0, 700.0]])
    assert sample_ratio_of_arms(members, np.array([0.5, 0.5])).is_faulty
    assert not sample_ratio_of_arms(members.sum(axis=0, keepdims=True), np.array([0.5, 0.5])).is_faulty


def test_a_split_of_52_to_48_among_25000_is_flagged_and_an_even_one_is_not():
    random = np.random.default_rng(SEED)
    flagged = {}
    for share in (0.52, 0.5):
        treated = random.binomial(25_000, share, 1_000).astype(float)
        found = [sample_ratio_of_arms(np.array([[each, 25_000 - each]]), np.array([0.5, 0.5])).is_faulty for each in treated]
        flagged[share] = np.mean(found)
    assert flagged[0.52] >= 0.99
    assert flagged[0.5] <= 0.005  # one in a thousand is meant


# ── looks at a running test, and several tests ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("habit", [0.0, 0.5])
def test_who_looks_every_day_at_nothing_is_seldom_misled_by_the_interval_for_every_look(habit):
    """45 looks at the difference of two arms: independent days, and days that half repeat what kind of spender somebody is."""
    random = np.random.default_rng(SEED)
    runs, days = 4_000, 45
    steps = np.sqrt(1 - habit) * random.standard_normal((runs, days)) + np.sqrt(habit) * random.standard_normal((runs, 1))
    variance = np.arange(1, days + 1) * (1 - habit) + habit * np.arange(1, days + 1) ** 2
    total = steps.cumsum(axis=1)
    half = half_width_at_every_look(variance, planned=float(variance[-1]))
    misled, plainly = ((np.abs(total) > border).any(axis=1).mean() for border in (half, 1.96 * np.sqrt(variance)))
    assert misled <= 0.05
    assert plainly > 0.08 + 0.2 * (habit == 0)
    assert half[-1] / np.sqrt(variance[-1]) == pytest.approx(3.04, abs=0.01)


def test_shrinking_takes_the_estimates_nearer_to_what_is_true():
    random = np.random.default_rng(SEED)
    error = random.uniform(2, 12, 400)
    truth = random.normal(5, 4, 400)
    seen = truth + error * random.standard_normal(400)
    found = shrunk(seen, error)
    assert ((found.estimate - truth) ** 2).mean() < 0.4 * ((seen - truth) ** 2).mean()
    assert found.mean == pytest.approx(5, abs=0.7)
    assert found.between == pytest.approx(4, abs=1)
    assert ((found.low <= truth) & (truth <= found.high)).mean() == pytest.approx(0.95, abs=0.03)
    assert found.chance_best.sum() == pytest.approx(1)


def test_one_test_alone_stays_as_it_is():
    found = shrunk(np.array([3.0]), np.array([2.0]))
    assert found.estimate.tolist() == [3.0]
    assert [found.low[0], found.high[0]] == pytest.approx([3 - 1.96 * 2, 3 + 1.96 * 2], abs=0.01)
    assert np.isnan(found.between)


# ── several p-values, and drawing again ─────────────────────────────────────────────────────────────────────────────────


def test_holm_leaves_out_what_is_unknown():
    assert holm(np.array([0.02, np.nan, 0.03])).tolist() == pytest.approx([0.04, np.nan, 0.04], nan_ok=True)
    assert holm(np.array([])).tolist() == []


def lognormal_arm(members, random):
    """A tenth of the members spend, very unequally."""
    return Arm(random.lognormal(3, 1.5, (random.binomial(members, 0.1), 1)), members)


def test_drawing_again_gives_the_same_for_the_same_seed_and_nothing_where_nobody_spent():
    random = np.random.default_rng(SEED)
    strata = [Stratum(lognormal_arm(300, random), lognormal_arm(200, random))]
    assert symmetric_percentile_t(strata, seed=1) == symmetric_percentile_t(strata, seed=1)
    nobody = [Stratum(Arm(np.zeros((0, 1)), 300), Arm(np.zeros((0, 1)), 200))]
    assert np.isnan([*symmetric_percentile_t(nobody, seed=1), coverage(nobody, seed=1)]).all()


def test_of_a_large_and_even_outcome_the_bootstrap_says_what_welch_says():
    random = np.random.default_rng(SEED)
    arms = [random.normal(10, 3, 1500), random.normal(9, 2, 900)]
    low, high = symmetric_percentile_t([Stratum(*[Arm(each[:, None], len(each)) for each in arms])], seed=1)
    interval = stats.ttest_ind(*arms, equal_var=False).confidence_interval()
    assert [low[0], high[0]] == pytest.approx([interval.low, interval.high], abs=0.03)


@pytest.mark.slow
def test_the_measured_coverage_is_the_one_that_welch_has():
    """Skewed spend in arms of 900 and 100: the mean of what is measured on 200 samples against what 4,000 samples have."""
    random = np.random.default_rng(SEED)
    held, measured = [], []
    for number in range(4_000):
        arms = [lognormal_arm(members, random) for members in (900, 100)]
        values = [np.concatenate([arm.outcomes[:, 0], np.zeros(arm.members - len(arm.outcomes))]) for arm in arms]
        interval = stats.ttest_ind(*values, equal_var=False).confidence_interval()
        held.append(interval.low <= 0 <= interval.high)
        if number < 200:
            measured.append(coverage([Stratum(*arms)], seed=number)[0])
    assert np.mean(held) < 0.93
    assert np.mean(measured) == pytest.approx(np.mean(held), abs=0.02)


@pytest.mark.slow
def test_the_bootstrap_of_skewed_spend_holds_the_truth_more_often_than_welch():
    random = np.random.default_rng(SEED)
    held = {"welch": 0, "bootstrap": 0}
    for number in range(1_000):
        arms = [lognormal_arm(members, random) for members in (1200, 300)]
        values = [np.concatenate([arm.outcomes[:, 0], np.zeros(arm.members - len(arm.outcomes))]) for arm in arms]
        interval = stats.ttest_ind(*values, equal_var=False).confidence_interval()
        low, high = symmetric_percentile_t([Stratum(*arms)], seed=number)
        held["welch"] += interval.low <= 0 <= interval.high
        held["bootstrap"] += low[0] <= 0 <= high[0]
    assert held["bootstrap"] > held["welch"]
    assert held["bootstrap"] / 1_000 > 0.92
