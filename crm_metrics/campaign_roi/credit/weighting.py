"""What the treated did against what like customers did, where nobody drew lots: weights that make the two alike, and what is left then."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_metrics.intervals import CONFIDENCE, FEW_CUSTOMERS

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
ADJUSTED = ("spend_90", "spend_180", "spend_365", "orders_365", "days_since_last", "tenure_days")
"""What is known of a customer before the start, and made alike."""
CHECKED = (*ADJUSTED, "spend_30", "orders_90")
"""What the balance shows: the last two are not made alike, so they tell whether that was enough."""
OUTCOMES = ("gross_revenue", "net_revenue", "bought")
ALIKE = 0.1  # standard deviations; a larger difference is one (Austin 2009, Statistics in Medicine 28, 3083-3107)
_STEPS, _RIDGE, _TOLERANCE, _STEEPEST = 60, 1e-6, 1e-9, 30.0

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Compared(NamedTuple):
    """One row per outcome, and one per measure: the tables adjusted and balance of one arm."""

    differences: pd.DataFrame
    balance: pd.DataFrame


def compared(people: pd.DataFrame) -> Compared | None:
    """Return what the customers of an arm did against like ones outside the campaign; None where a side has fewer than FEW_CUSTOMERS.

    people: see query.before_and_after. Each customer counts with the chance of having been on the other side, by a logistic regression on
    ADJUSTED and their logarithms: those who could as well have been chosen as not count most, and the means of ADJUSTED are then the same
    on both sides (overlap weights: Li, Morgan and Zaslavsky 2018, Journal of the American Statistical Association 113, 390-400). The
    interval is from what these measures leave unexplained.

    differences: outcome, n, mean, compared_n, compared_mean, difference, low, high, crude_difference, effective_n. balance: measure,
    difference_before, difference_after (standard deviations of the treated), is_adjusted.
    """
    from threadpoolctl import threadpool_limits

    counts = people.groupby("is_treated")["customers"].first().reindex([True, False], fill_value=0)
    if counts.min() < FEW_CUSTOMERS:
        return None
    side = people["is_treated"].to_numpy(dtype=bool)
    known = _in_deviations(people[list(ADJUSTED)].to_numpy(dtype=float), side)
    measures = np.column_stack([np.ones(len(side)), known, np.log1p(np.maximum(known, 0.0))])
    with threadpool_limits(1):  # the tables are narrow: several threads wait for each other, and take ten times as long
        weights = _overlap_weights(measures, side)
        found = _differences(people[list(OUTCOMES)].to_numpy(dtype=float), measures, side, weights)
    differences = pd.DataFrame({"outcome": OUTCOMES, **found})
    shown = differences.assign(n=counts[True], compared_n=counts[False], effective_n=1.0 / (weights[~side] ** 2).sum())
    return Compared(shown, _balance(people, side, weights))


def _in_deviations(values: Floats, side: Flags) -> Floats:
    """Return the columns in standard deviations of the treated; those in which the treated are all alike are left out."""
    scale = values[side].std(axis=0, ddof=1)
    return values[:, scale > 0] / scale[scale > 0]


def _overlap_weights(measures: Floats, side: Flags) -> Floats:
    """Return for each customer the chance of the other side, summing to 1 on each side.

    >>> _overlap_weights(np.ones((4, 1)), np.array([True, False, False, False])).round(4).tolist()
    [1.0, 0.3333, 0.3333, 0.3333]
    """
    slopes, wanted = np.zeros(measures.shape[1]), side.astype(float)
    chance = np.full(len(side), 0.5)
    for _ in range(_STEPS):
        spread = chance * (1 - chance) + _TOLERANCE
        curve = (measures * spread[:, None]).T @ measures + _RIDGE * np.eye(len(slopes))
        step = np.linalg.solve(curve, measures.T @ (wanted - chance) - _RIDGE * slopes)
        slopes += step
        chance = 1 / (1 + np.exp(-np.clip(measures @ slopes, -_STEEPEST, _STEEPEST)))
        if np.abs(step).max() < _TOLERANCE:
            break
    weights = np.where(side, 1 - chance, chance)
    return weights / np.where(side, weights[side].sum(), weights[~side].sum())


def _differences(outcomes: Floats, measures: Floats, side: Flags, weights: Floats) -> dict[str, Floats]:
    """Return the weighted means of each outcome and their difference with its interval, from the residuals of the weighted regression.

    The interval is a sandwich.
    """
    mean, compared_mean = (weights[chosen] @ outcomes[chosen] for chosen in (side, ~side))
    design, root = np.column_stack([measures, side]), np.sqrt(weights)[:, None]
    fitted = design @ np.linalg.lstsq(design * root, outcomes * root, rcond=None)[0]
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * np.sqrt(((weights[:, None] * (outcomes - fitted)) ** 2).sum(axis=0))
    difference = mean - compared_mean
    return {
        "mean": mean,
        "compared_mean": compared_mean,
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "crude_difference": outcomes[side].mean(axis=0) - outcomes[~side].mean(axis=0),
    }


def _balance(used: pd.DataFrame, side: Flags, weights: Floats) -> pd.DataFrame:
    values = used[list(CHECKED)].to_numpy(dtype=float)
    scale = values[side].std(axis=0, ddof=1)
    scale[scale == 0] = np.nan
    before, after = values[side].mean(axis=0) - values[~side].mean(axis=0), (weights * np.where(side, 1, -1)) @ values
    rows = {"measure": CHECKED, "difference_before": before / scale, "difference_after": after / scale}
    return pd.DataFrame(rows).assign(is_adjusted=[name in ADJUSTED for name in CHECKED])
