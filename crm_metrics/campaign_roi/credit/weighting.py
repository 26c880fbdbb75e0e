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
MOST_CUSTOMERS = 20_000  # on a side: of more every second, third, … is taken, which changes nothing and takes the time of fewer
_STEPS, _RIDGE, _TOLERANCE, _STEEPEST = 60, 1e-6, 1e-9, 30.0

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Compared(NamedTuple):
    """One row per outcome, and one per measure: the tables adjusted and balance of one arm."""

    differences: pd.DataFrame
    balance: pd.DataFrame


def compared(people: pd.DataFrame, arm: str) -> Compared | None:
    """Return what the customers of an arm did against like ones outside the campaign; None where a side has fewer than FEW_CUSTOMERS.

    people: see query.before_and_after. Like ones: of no arm, and of the kinds that the treated are of. Each customer counts with the chance
    of having been on the other side, by a logistic regression on ADJUSTED and their logarithms: those who could as well have been chosen
    as not count most, and the means of ADJUSTED are then the same on both sides (overlap weights: Li, Morgan and Zaslavsky 2018, Journal of
    the American Statistical Association 113, 390-400). The interval is from what these measures leave unexplained.

    differences: outcome, n, mean, compared_n, compared_mean, difference, low, high, crude_difference, effective_n. balance: measure,
    difference_before, difference_after (standard deviations of the treated), is_adjusted.
    """
    is_treated = (people["arm"] == arm).to_numpy()
    is_other = people["arm"].isna().to_numpy() & people["kind"].isin(people.loc[is_treated, "kind"].unique()).to_numpy()
    counts = int(is_treated.sum()), int(is_other.sum())
    if min(counts) < FEW_CUSTOMERS:
        return None
    used = people.iloc[np.concatenate([_thinned(is_treated), _thinned(is_other)])]
    side = (used["arm"] == arm).to_numpy()
    known = _in_deviations(used[list(ADJUSTED)].to_numpy(dtype=float), side)
    measures = np.column_stack([np.ones(len(side)), known, np.log1p(np.maximum(known, 0.0))])
    weights = _overlap_weights(measures, side)
    rows = [{"outcome": name, **_difference(used[name].to_numpy(dtype=float), measures, side, weights)} for name in OUTCOMES]
    differences = pd.DataFrame(rows).assign(n=counts[0], compared_n=counts[1], effective_n=1.0 / (weights[~side] ** 2).sum())
    return Compared(differences, _balance(used, side, weights))


def _thinned(chosen: Flags) -> NDArray[np.int64]:
    places = np.flatnonzero(chosen)
    return places[:: -(-len(places) // MOST_CUSTOMERS)]


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


def _difference(outcome: Floats, measures: Floats, side: Flags, weights: Floats) -> dict[str, float]:
    """Return the weighted means and their difference with its interval, from the residuals of the weighted regression (sandwich)."""
    means = float(weights[side] @ outcome[side]), float(weights[~side] @ outcome[~side])
    design, root = np.column_stack([measures, side]), np.sqrt(weights)
    fitted = design @ np.linalg.lstsq(design * root[:, None], outcome * root, rcond=None)[0]
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * float(np.sqrt((weights**2 * (outcome - fitted) ** 2).sum()))
    difference = means[0] - means[1]
    return {
        "mean": means[0],
        "compared_mean": means[1],
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "crude_difference": float(outcome[side].mean() - outcome[~side].mean()),
    }


def _balance(used: pd.DataFrame, side: Flags, weights: Floats) -> pd.DataFrame:
    values = used[list(CHECKED)].to_numpy(dtype=float)
    scale = values[side].std(axis=0, ddof=1)
    scale[scale == 0] = np.nan
    before, after = values[side].mean(axis=0) - values[~side].mean(axis=0), (weights * np.where(side, 1, -1)) @ values
    rows = {"measure": CHECKED, "difference_before": before / scale, "difference_after": after / scale}
    return pd.DataFrame(rows).assign(is_adjusted=[name in ADJUSTED for name in CHECKED])
