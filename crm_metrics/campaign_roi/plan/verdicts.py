"""What came of a planned campaign against what was expected of it, and how good the planner is over all of them."""

import math
from typing import Literal

import numpy as np
import pandas as pd

from crm_metrics.campaign_roi.plan.economics import SPREADS
from crm_metrics.campaign_roi.plan.past import ERRORS_95
from crm_metrics.intervals import CONFIDENCE, wilson

Verdict = Literal["running", "faulty", "none", "as expected", "better", "worse", "cannot tell"]
LEAST_PLANS = 3  # before the mean error of the planner has an interval

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def verdict(expected: float, low: float, high: float) -> Verdict:
    """Return how the lift that came out, with its 95% interval, compares with the one expected.

    >>> [verdict(0.1, *interval) for interval in ((0.02, 0.15), (0.12, 0.3), (-0.1, 0.05), (-0.1, 0.2))]
    ['as expected', 'better', 'worse', 'cannot tell']
    """
    if math.isnan(expected) or math.isnan(low):
        return "none"
    if low > expected:
        return "better"
    if high < expected:
        return "worse"
    return "cannot tell" if low <= 0 <= high else "as expected"


def calibration_row(log: pd.DataFrame) -> pd.DataFrame:
    """Return one row: how what came out lies in what was expected. log: the table decision_log.

    plans (whose days are over and of which something was expected), inside (whose lift lies in the range that should hold it with a
    chance of OFTEN, the luck of the test counted in), inside_share, low, high (Wilson), error (mean of lift found - lift expected),
    error_low, error_high (95 %, t; NaN under LEAST_PLANS).
    """
    rows = log[["lift", "lift_low", "lift_high", "expected_lift", "expected_low", "expected_high"]].astype(float).dropna()
    luck = (rows["lift_high"] - rows["lift_low"]) / ERRORS_95
    doubt = (rows["expected_high"] - rows["expected_low"]) / 2 / SPREADS
    off = (rows["lift"] - rows["expected_lift"]).to_numpy()
    inside = int((np.abs(off) <= SPREADS * np.hypot(luck, doubt)).sum())
    plans = len(rows)
    low, high = wilson(inside, plans)
    half = _half_width(off) if plans >= LEAST_PLANS else math.nan
    error = float(off.mean()) if plans else math.nan
    found = {"plans": plans, "inside": inside, "inside_share": inside / plans if plans else math.nan, "low": low, "high": high}
    return pd.DataFrame([{**found, "error": error, "error_low": error - half, "error_high": error + half}])


def profit_row(log: pd.DataFrame) -> pd.DataFrame:
    """Return one row: plans (of which a profit was expected and came out), expected, profit, low, high (95 %), their sums.

    The campaigns are taken to be independent: half of the interval is the root of the sum of squares. NaN without any.
    """
    rows = log[["expected_profit", "profit", "found_low", "found_high"]].astype(float).dropna()
    expected, profit = (float(rows[name].sum(min_count=1)) for name in ("expected_profit", "profit"))
    half = math.sqrt(float(((rows["found_high"] - rows["found_low"]) ** 2).sum())) / 2
    found = {"plans": len(rows), "expected": expected, "profit": profit}
    return pd.DataFrame([{**found, "low": profit - half, "high": profit + half}])


def _half_width(values: np.ndarray) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2) * values.std(ddof=1) / math.sqrt(len(values)))
