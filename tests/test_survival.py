"""How long something lasts: against published tables, SciPy, and what must hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_metrics.survival import shifted_beta_geometric as sbg
from crm_metrics.survival.kaplan_meier import at, kaplan_meier, quantile

# Freireich and others (1963), Blood 21, 699-716: weeks of remission under 6-mercaptopurine; 0 marks a patient still in remission.
REMISSION = [(6, 1), (6, 1), (6, 1), (6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0), (13, 1), (16, 1), (17, 0), (19, 0), (20, 0),
             (22, 1), (23, 1), (25, 0), (32, 0), (32, 0), (34, 0), (35, 0)]  # fmt: skip
FITTED_YEARS = 7


def counted(durations, ended) -> pd.DataFrame:
    is_end = np.asarray(ended, dtype=int)
    return pd.DataFrame({"duration": durations, "ended": is_end, "censored": 1 - is_end})


@pytest.fixture(scope="module")
def remission() -> pd.DataFrame:
    return kaplan_meier(counted(*zip(*REMISSION, strict=True)))


# ── Kaplan-Meier ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_survival_of_the_remissions_is_the_published_one(remission):
    """Kalbfleisch and Prentice and many textbooks print these; 23 weeks is the median."""
    by_week = remission.set_index("duration")
    assert by_week.loc[[6, 7, 10, 13, 16, 22, 23], "survival"].round(4).tolist() == [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert by_week.loc[[6, 7, 10, 22], "at_risk"].tolist() == [21, 17, 15, 7]
    assert quantile(remission).value == 23


def test_the_band_of_the_remissions_is_that_of_r_survival_with_log_log(remission):
    """R's survfit(conf.type = "log-log") prints 0.620 to 0.952 at 6 weeks and 0.268 to 0.747 at 22, and a median from 13 on."""
    by_week = remission.set_index("duration").round(3)
    assert by_week.loc[6, ["low", "high"]].tolist() == [0.620, 0.952]
    assert by_week.loc[22, ["low", "high"]].tolist() == [0.268, 0.747]
    assert quantile(remission).low == 13
    assert np.isinf(quantile(remission).high)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=2, max_size=60))
def test_curve_and_band_are_those_of_scipy(rows):
    from scipy.stats import CensoredData, ecdf

    durations, ended = np.array([days for days, _ in rows]), np.array([end for _, end in rows])
    ours = kaplan_meier(counted(durations, ended)).set_index("duration")
    if not ended.any():
        assert (ours["survival"] == 1).all()
        return
    theirs = ecdf(CensoredData(uncensored=durations[ended], right=durations[~ended])).sf
    at_times = ours.reindex(theirs.quantiles.astype(int))
    assert at_times["survival"].to_numpy() == pytest.approx(theirs.probabilities, abs=1e-12)
    known = at_times["low"].notna().to_numpy()
    band = theirs.confidence_interval(0.95, method="log-log")
    assert at_times["low"].to_numpy()[known] == pytest.approx(band.low.probabilities[known], abs=1e-9)
    assert at_times["high"].to_numpy()[known] == pytest.approx(band.high.probabilities[known], abs=1e-9)


def test_rows_of_one_duration_are_added_up_in_any_order():
    rows = pd.DataFrame({"duration": [2, 1, 2, 1], "ended": [1, 1, 0, 2], "censored": [0, 1, 3, 0]})
    together = pd.DataFrame({"duration": [1, 2], "ended": [3, 1], "censored": [1, 3]})
    pd.testing.assert_frame_equal(kaplan_meier(rows), kaplan_meier(together))


def test_where_few_end_there_is_no_median_and_beyond_the_last_nothing_is_known():
    curve = kaplan_meier(pd.DataFrame({"duration": [1, 5], "ended": [1, 0], "censored": [0, 9]}))
    assert np.isnan(quantile(curve).value)
    assert at(curve, 0)["survival"] == 1
    assert at(curve, 4)["survival"] == pytest.approx(0.9)
    assert np.isnan(at(curve, 6)["survival"])


# ── shifted beta-geometric ──────────────────────────────────────────────────────────────────────────────────────────────


def yearly(percents, years=FITTED_YEARS) -> pd.DataFrame:
    """A thousand customers of Fader and Hardie (2007), table 1, as they stood after so many years."""
    left = np.asarray(percents, dtype=float)[: years + 1] * 10
    still_there = np.zeros(years)
    still_there[-1] = left[-1]
    return pd.DataFrame({"age": np.arange(1, years + 1), "lost": -np.diff(left), "still_there": still_there})


@pytest.fixture(scope="module")
def paper(shared_data) -> pd.DataFrame:
    return pd.read_csv(shared_data / "sbg_survival" / "fader_hardie_2007_table1.csv.gz")


@pytest.mark.parametrize(("column", "alpha", "beta"), [("high_end_pct", 0.668, 3.806), ("regular_pct", 0.704, 1.182)])
def test_the_parameters_are_the_published_ones(paper, column, alpha, beta):
    found = sbg.fit(yearly(paper[column]))
    assert (round(found.alpha, 3), round(found.beta, 3)) == (alpha, beta)


def test_the_projection_of_years_8_to_12_is_the_published_one(paper):
    found = sbg.fit(yearly(paper["high_end_pct"]))
    assert sbg.survival(found, range(8, 13)).round(3).tolist() == [0.460, 0.436, 0.414, 0.395, 0.378]
    low, high = sbg.survival_band(found, range(8, 13))
    actual = paper["high_end_pct"].to_numpy()[8:13] / 100
    assert ((low < actual) & (actual < high)).all()


@pytest.fixture(scope="module")
def simulated() -> sbg.Fit:
    """Contracts of four cohorts, alpha 0.9 and beta 2.6, the youngest seen for 3 renewals and the eldest for 12."""
    random = np.random.default_rng(20)
    ends = random.geometric(random.beta(0.9, 2.6, 40_000))
    seen = random.choice([3, 6, 9, 12], len(ends))
    is_lost = ends <= seen
    age = np.where(is_lost, ends, seen)
    lost, there = (np.bincount(age, weights=part, minlength=13) for part in (is_lost, ~is_lost))
    return sbg.fit(pd.DataFrame({"age": range(13), "lost": lost, "still_there": there}))


def test_cohorts_of_several_ages_are_fitted_together(simulated):
    assert simulated.alpha == pytest.approx(0.9, abs=0.07)  # 4 standard errors
    assert simulated.beta == pytest.approx(2.6, abs=0.26)


def test_the_band_holds_the_truth_and_retention_rises_with_age(simulated):
    truth = sbg.Fit(0.9, 2.6, "fitted", 0, 0, np.empty((0, 2)))
    low, high = sbg.survival_band(simulated, range(1, 25))
    expected = sbg.survival(truth, range(1, 25))
    assert ((low < expected) & (expected < high)).all()
    ages = np.arange(1, 25)
    rates = sbg.survival(simulated, ages) / sbg.survival(simulated, ages - 1)
    assert rates == pytest.approx((simulated.beta + ages - 1) / (simulated.alpha + simulated.beta + ages - 1))  # the paper's equation 8
    assert (np.diff(rates) > 0).all()


@pytest.mark.slow
def test_the_band_covers_as_often_as_it_says():
    random, truth, covered = np.random.default_rng(5), sbg.Fit(0.7, 1.2, "fitted", 0, 0, np.empty((0, 2))), 0
    expected = sbg.survival(truth, [10])[0]
    for _ in range(200):
        ends = np.minimum(random.geometric(random.beta(0.7, 1.2, 400)), 6)
        lost = np.bincount(ends, minlength=7)[1:6]
        counts = pd.DataFrame({"age": range(1, 6), "lost": lost, "still_there": [0, 0, 0, 0, 400 - lost.sum()]})
        low, high = sbg.survival_band(sbg.fit(counts), [10])
        covered += bool(low[0] <= expected <= high[0])
    assert 183 <= covered <= 197  # 190 expected; 95 % give or take what 200 draws allow


@pytest.mark.parametrize(
    ("lost", "still_there", "verdict"),
    [
        ([5, 3, 2], 90, "too_few"),
        ([40, 0, 0], 60, "too_few"),
        ([20, 60, 180], 740, "not_falling"),  # a chance that rises with age
    ],
)
def test_what_the_model_cannot_say_is_unknown_with_its_reason(lost, still_there, verdict):
    found = sbg.fit(pd.DataFrame({"age": [1, 2, 3], "lost": lost, "still_there": [0, 0, still_there]}))
    assert found.verdict == verdict
    assert np.isnan(found.alpha)
    assert np.isnan(sbg.survival(found, [1, 2])).all()
    assert np.isnan(sbg.survival_band(found, [1, 2])[0]).all()
