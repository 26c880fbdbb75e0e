"""How long something lasts: against published tables, SciPy, and what must hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_metrics.survival import aalen_johansen as competing
from crm_metrics.survival import shifted_beta_geometric as sbg
from crm_metrics.survival.aalen_johansen import aalen_johansen, mean_time, time_to
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


# ── Aalen-Johansen ──────────────────────────────────────────────────────────────────────────────────────────────────────

FOLLOWED = [3, 5, 6, 8, 10, 13, 15, 19, 22, 26, 30, 31]
ENDED_AS = [2, 1, 0, 2, 1, 1, 0, 2, 1, 0, 2, 0]  # 0: not yet
COUNTS = st.lists(st.tuples(st.integers(0, 20), *[st.integers(0, 3)] * 3), min_size=1, max_size=15)


def two_ways(durations, ways) -> pd.DataFrame:
    way = np.asarray(ways)
    return pd.DataFrame({"duration": durations, "won": way == 1, "lost": way == 2, "censored": way == 0}).astype(int)


def made(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["duration", "won", "lost", "censored"])


def test_shares_and_their_errors_are_those_of_two_other_programs():
    """lifelines 0.30.3 (AalenJohansenFitter: the shares) and statsmodels 0.15.0 (CumIncidenceRight: shares and errors) print these."""
    found = aalen_johansen(two_ways(FOLLOWED, ENDED_AS), ("won", "lost"))
    assert found["won_share"].iloc[[1, 4, 5, 8, 11]].round(6).tolist() == [0.083333, 0.175926, 0.268519, 0.37963, 0.37963]
    assert found["lost_share"].iloc[[0, 3, 7, 10]].round(6).tolist() == [0.083333, 0.175926, 0.287037, 0.453704]
    assert found["won_error"].iloc[[1, 4, 5, 8]].round(6).tolist() == [0.079786, 0.113329, 0.133048, 0.151789]
    assert found["lost_error"].iloc[[0, 3, 7, 10]].round(6).tolist() == [0.079786, 0.113329, 0.141863, 0.172515]


@given(COUNTS)
def test_what_ended_in_any_way_and_what_did_not_is_all_whatever_the_order_of_the_rows(rows):
    counts = made(rows)
    found = aalen_johansen(counts, ("won", "lost"))
    assert np.allclose(found[["won_share", "lost_share", "not_ended"]].sum(axis=1), 1)
    pd.testing.assert_frame_equal(found, aalen_johansen(counts[::-1], ("won", "lost")))


@pytest.mark.slow
@given(COUNTS)
def test_with_one_way_to_end_it_is_kaplan_meier_with_greenwoods_error(rows):
    counts = made(rows).rename(columns={"won": "ended"})
    one, other = aalen_johansen(counts, ("ended",)), kaplan_meier(counts)
    assert np.allclose(one["ended_share"], 1 - other["survival"])
    ended, at_risk = other["ended"].to_numpy(dtype=float), other["at_risk"].to_numpy(dtype=float)
    lasting = ended < at_risk
    greenwood = np.cumsum(np.where(lasting, ended / np.maximum(at_risk * (at_risk - ended), 1), 0.0))
    expected = other["survival"].to_numpy() * np.sqrt(greenwood)
    assert np.allclose(one["ended_error"][lasting], expected[lasting])


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3), st.integers(0, 3), st.just(0)), min_size=1, max_size=15))
def test_where_all_are_followed_to_the_end_it_is_the_plain_share_with_the_error_of_a_binomial(rows):
    counts = made(rows)
    number = counts[["won", "lost"]].to_numpy().sum()
    if not number:
        return
    last = aalen_johansen(counts, ("won", "lost")).iloc[-1]
    share = counts["won"].sum() / number
    assert last["won_share"] == pytest.approx(share)
    assert last["won_error"] == pytest.approx(np.sqrt(share * (1 - share) / number), abs=1e-7)  # the root of what rounding leaves


def test_a_share_is_known_from_the_first_day_to_the_last_that_was_followed_and_for_ever_where_all_ended():
    open_ones, closed = two_ways(FOLLOWED, ENDED_AS), two_ways([2, 4, 9], [1, 2, 1])
    found = competing.at(aalen_johansen(open_ones, ("won", "lost")), [0, 5, 31, 32])
    assert found["won_share"].round(6).tolist()[:3] == [0, 0.083333, 0.37963]
    assert np.isnan(found["won_share"].iloc[3])
    assert found["at_risk"].tolist() == [12, 11, 1, 0]
    assert competing.at(aalen_johansen(closed, ("won", "lost")), [9, 1000])["won_share"].round(6).tolist() == [0.666667, 0.666667]


def test_times_to_an_end_count_those_that_are_still_open():
    """Wins after 2, 4 and 12 days; two that were open after 5 days would have taken as long as the slowest."""
    curve = aalen_johansen(two_ways([2, 4, 5, 5, 12], [1, 1, 0, 0, 1]), ("won", "lost"))
    assert time_to(curve, "won") == 12  # 2 of 5 by day 4, then the last stands for three
    assert mean_time(curve, "won", 3)[0] == pytest.approx((2 + 4 + 3 * 12) / 5)
    assert np.isnan(time_to(curve, "lost"))
    assert np.isnan(mean_time(curve, "lost", 0)[0])


def test_nothing_is_known_of_nobody():
    nobody = aalen_johansen(two_ways([], []), ("won", "lost"))
    assert nobody.empty
    assert competing.at(nobody, [30])["won_share"].isna().all()


@pytest.mark.slow
def test_the_interval_of_a_share_covers_as_often_as_it_says():
    """1,000 cohorts of 150 deals with known chances and times, of which many are still open: 950 expected, 3 standard errors of that."""
    random, covered, truth = np.random.default_rng(11), 0, 0.3 * (1 - np.exp(-60 / 40))
    for _ in range(1000):
        is_won = random.random(150) < 0.3
        takes = np.where(is_won, random.exponential(40, 150), random.exponential(25, 150))
        seen = random.uniform(0, 120, 150)
        way = np.where(takes > seen, 0, np.where(is_won, 1, 2))
        curve = aalen_johansen(two_ways(np.minimum(takes, seen), way), ("won", "lost"))
        row = competing.at(curve, [60]).iloc[0]
        covered += bool(row["won_low"] <= truth <= row["won_high"])
    assert 929 <= covered <= 971


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
