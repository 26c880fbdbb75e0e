"""What to expect of the next campaign from the tests of the last ones."""

import math

import numpy as np
import pandas as pd

from crm_metrics.campaign_roi.plan.terms import OFTEN

LEAST_TESTS = 2  # one test says nothing of how far campaigns differ
ERRORS_95 = 2 * 1.959963984540054  # standard errors in an interval of 95%


# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def with_shrunk(lifts: pd.DataFrame) -> pd.DataFrame:
    """Return the lifts of past tests (lift, low, high) with shrunk_lift: each drawn towards the mean of all by how unsure it is.

    Empirical Bayes with the variance between campaigns by DerSimonian and Laird (1986), Controlled Clinical Trials 7, 177-188; as they
    are where there are fewer than LEAST_TESTS.
    """
    if len(lifts) < LEAST_TESTS:
        return lifts.assign(shrunk_lift=lifts["lift"])
    variance, (mean, between, _) = _variances(lifts), pooled(lifts)
    weight = between / (between + variance)
    return lifts.assign(shrunk_lift=mean + weight * (lifts["lift"] - mean))


def pooled(lifts: pd.DataFrame) -> tuple[float, float, float]:
    """Return the mean of the lifts (lift, low, high), the variance between campaigns, and the standard error of the mean.

    DerSimonian and Laird: weights 1 / (variance + variance between); the latter is 0 where the lifts differ no more than by chance.
    """
    lift, variance = lifts["lift"].to_numpy(dtype=float), _variances(lifts)
    weight = 1 / variance
    fixed = weight @ lift / weight.sum()
    excess = weight @ (lift - fixed) ** 2 - (len(lift) - 1)
    between = max(excess / (weight.sum() - (weight**2).sum() / weight.sum()), 0.0)
    weight = 1 / (variance + between)
    return float(weight @ lift / weight.sum()), float(between), float(1 / math.sqrt(weight.sum()))


def next_lift(lifts: pd.DataFrame) -> tuple[float, float]:
    """Return the lift to expect of a new campaign, and half of the range in which it lies with a chance of OFTEN.

    Prediction interval of a random-effects analysis: Higgins, Thompson and Spiegelhalter (2009), Journal of the Royal Statistical
    Society A 172, 137-159, with k - 1 degrees of freedom (Partlett and Riley 2017). lifts: LEAST_TESTS or more.
    """
    from scipy.special import stdtrit

    mean, between, error = pooled(lifts)
    return mean, float(stdtrit(len(lifts) - 1, (1 + OFTEN) / 2)) * math.sqrt(between + error**2)


def _variances(lifts: pd.DataFrame) -> np.ndarray:
    width = (lifts["high"] - lifts["low"]).to_numpy(dtype=float)
    found: np.ndarray = (width / ERRORS_95) ** 2
    return found
