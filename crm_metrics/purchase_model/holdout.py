"""Did the model forecast what happened? The hold-out test, beside a naive baseline.

The model is fitted on the calibration period only and asked for each customer's purchase days in the hold-out. The baseline lets each
customer keep the rate so far: repeat purchase days / age x length of the hold-out; age 0 gives 0. (Microsoft's Customer Insights
grades its prediction against a similar baseline, average monthly spend x months x retention.)
"""

import math
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from crm_metrics.language import noop, t
from crm_metrics.purchase_model.groups import Floats
from crm_metrics.purchase_model.model import Model
from crm_metrics.purchase_model.score import expected_purchases, expected_purchases_new

HIGHEST_BIN = 7  # the tables of Fader, Hardie and Lee (2005) end with 7 or more
TOP_SHARE = 0.2  # whom a campaign would pick
GRADE_A_TOTAL_ERROR = 0.10
GRADE_B_TOTAL_ERROR = 0.25
GRADE_RANKING_SLACK = 0.05  # a ranking up to this share worse than the baseline's counts as equal: the rate so far ranks well

Grade = Literal["A", "B", "C"]
GRADE_MEANS: dict[Grade, str] = {
    "A": noop(
        "A: the total is within {within:.0%} of what happened and nearer than the baseline, "
        "and the best customers are found as well as by it."
    ),
    "B": noop(
        "B: the total is within {within:.0%} of what happened or nearer than the baseline, "
        "and the best customers are found as well as by it."
    ),
    "C": noop("C: the model does no better than letting every customer keep the rate so far: do not rely on it."),
}
_WITHIN: dict[Grade, float] = {"A": GRADE_A_TOTAL_ERROR, "B": GRADE_B_TOTAL_ERROR, "C": GRADE_B_TOTAL_ERROR}


def grade_sentence(grade: Grade) -> str:
    """Return what `grade` means, in the reader's language."""
    return t(GRADE_MEANS[grade], within=_WITHIN[grade])


class HoldoutTest(NamedTuple):
    """The hold-out in figures; purchases are purchase days, errors are relative to the actual total, NaN without any purchase.

    *_error: (forecast - actual) / actual. *_mean_absolute_error: per customer. *_found: share of the actual purchases made by the
    TOP_SHARE of customers ranked highest; customers of equal rank at the border count in part.
    grade: see graded. horizon_days: length of the hold-out.
    """

    customers: int
    horizon_days: float
    actual: float
    predicted: float
    baseline: float
    predicted_error: float
    baseline_error: float
    predicted_mean_absolute_error: float
    baseline_mean_absolute_error: float
    predicted_found: float
    baseline_found: float
    grade: Grade | None


def holdout_forecast(model: Model, holdout: pd.DataFrame) -> pd.DataFrame:
    """Return one row per customer: frequency, actual, predicted, baseline, all purchase days in the hold-out.

    holdout: frequency, recency_days, age_days, holdout_purchases, holdout_days (the same in every row).
    """
    days = float(holdout["holdout_days"].iloc[0]) if len(holdout) else 0.0
    frequency, age = (holdout[name].to_numpy(dtype=np.float64) for name in ("frequency", "age_days"))
    return pd.DataFrame(
        {
            "frequency": frequency,
            "actual": holdout["holdout_purchases"].to_numpy(dtype=np.float64),
            "predicted": expected_purchases(model, holdout, horizon_days=days),
            "baseline": np.divide(frequency, age, where=age > 0, out=np.zeros_like(age)) * days,
        }
    )


def holdout_by_frequency(model: Model, holdout: pd.DataFrame) -> pd.DataFrame:
    """Return one row per frequency in the calibration, 0 to 7 (7: 7 or more): frequency, customers, actual, predicted, baseline.

    The last three are means per customer of purchase days in the hold-out; NaN in a bin without customers.
    """
    forecast = holdout_forecast(model, holdout)
    forecast["frequency"] = forecast["frequency"].clip(upper=HIGHEST_BIN).astype(int)
    bins = pd.RangeIndex(HIGHEST_BIN + 1, name="frequency")
    means = forecast.groupby("frequency")[["actual", "predicted", "baseline"]].mean().reindex(bins)
    means.insert(0, "customers", forecast["frequency"].value_counts().reindex(bins, fill_value=0))
    return means.reset_index()


def holdout_test(model: Model, holdout: pd.DataFrame) -> HoldoutTest:
    """Return totals, errors, ranking and grade of `model` on the hold-out (columns as in holdout_forecast)."""
    forecast = holdout_forecast(model, holdout)
    actual, predicted, baseline = (forecast[name].to_numpy() for name in ("actual", "predicted", "baseline"))
    total = float(actual.sum())
    errors = [float(guess.sum() / total - 1) if total else math.nan for guess in (predicted, baseline)]
    found = [share_found(guess, actual) for guess in (predicted, baseline)]
    return HoldoutTest(
        customers=len(holdout),
        horizon_days=float(holdout["holdout_days"].iloc[0]) if len(holdout) else 0.0,
        actual=total,
        predicted=float(predicted.sum()),
        baseline=float(baseline.sum()),
        predicted_error=errors[0],
        baseline_error=errors[1],
        predicted_mean_absolute_error=_mean_absolute(predicted - actual),
        baseline_mean_absolute_error=_mean_absolute(baseline - actual),
        predicted_found=found[0],
        baseline_found=found[1],
        grade=graded((errors[0], found[0]), (errors[1], found[1])),
    )


def graded(model: tuple[float, float], baseline: tuple[float, float]) -> Grade | None:
    """Return the grade of a model from (error of the total, share found), its own and the baseline's; None when unknown.

    A: total within GRADE_A_TOTAL_ERROR and nearer than the baseline's, and share found at least the baseline's.
    B: total within GRADE_B_TOTAL_ERROR or nearer than the baseline's, and share found at least the baseline's.
    C: else. "At least" allows GRADE_RANKING_SLACK of the baseline's share.

    >>> graded((0.04, 0.70), (0.50, 0.71)), graded((-0.2, 0.70), (0.1, 0.71)), graded((0.04, 0.50), (0.50, 0.71))
    ('A', 'B', 'C')
    """
    error, base_error = abs(model[0]), abs(baseline[0])
    if any(math.isnan(figure) for figure in (error, base_error, model[1], baseline[1])):
        return None
    ranks = model[1] >= baseline[1] * (1 - GRADE_RANKING_SLACK)
    nearer = error < base_error
    if ranks and nearer and error <= GRADE_A_TOTAL_ERROR:
        return "A"
    return "B" if ranks and (nearer or error <= GRADE_B_TOTAL_ERROR) else "C"


def share_found(ranked_by: Floats, actual: Floats) -> float:
    """Return the share of `actual` that belongs to the TOP_SHARE of customers with the highest `ranked_by`; NaN without any.

    Ties at the border count in part, so the order of rows does not matter.

    >>> share_found(np.array([5.0, 1, 1, 1, 1]), np.array([3.0, 1, 0, 0, 0]))
    0.75
    """
    places = TOP_SHARE * len(actual)
    if not actual.sum() > 0 or np.isnan(ranked_by).any():
        return math.nan
    border = np.sort(ranked_by)[::-1][max(math.ceil(places) - 1, 0)]
    above, level = ranked_by > border, ranked_by == border
    part = (places - above.sum()) / level.sum()
    return float((actual[above].sum() + part * actual[level].sum()) / actual.sum())


def expected_cumulative(model: Model, cohorts: pd.DataFrame, *, days_after_as_of: Floats) -> pd.DataFrame:
    """Return the expected cumulative repeat purchases of all customers, at each of `days_after_as_of` (negative: before it).

    cohorts: one row per first purchase day: first_days_before_as_of, customers. Columns: days_after_as_of, expected_repeat_purchases.
    The tracking plot of Fader, Hardie and Lee (2005), figure 4: sum over cohorts of customers x E[X(days since the first purchase)].
    """
    asked = np.asarray(days_after_as_of, dtype=np.float64)
    since_first = asked[:, None] + cohorts["first_days_before_as_of"].to_numpy(dtype=np.float64)
    elapsed, position = np.unique(np.maximum(since_first, 0.0), return_inverse=True)
    each = expected_purchases_new(model, elapsed)[position].reshape(since_first.shape)
    return pd.DataFrame({"days_after_as_of": asked, "expected_repeat_purchases": each @ cohorts["customers"].to_numpy(dtype=np.float64)})


def _mean_absolute(errors: Floats) -> float:
    return float(np.abs(errors).mean()) if len(errors) else math.nan
