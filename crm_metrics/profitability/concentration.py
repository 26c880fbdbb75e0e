"""How unevenly a value is spread: the whale, Pareto and Lorenz curves, what the top holds, and what the losers take away."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Measure = Literal["profit", "net_revenue"]
Floats = npt.NDArray[np.float64]
TOP_PERCENTS = (1, 5, 10, 20, 50)
MOST_OF_IT = 0.8
CURVE_POINTS = 1_000
MOST_NAMED = 50
_ROUNDING = 1e-9  # of the total: so much a sum of floats may miss


def top_count(percent: int, entities: int) -> int:
    """Return how many entities the top p % are, rounded up.

    >>> top_count(20, 793)
    159
    """
    return -(-percent * entities // 100)


def concentration_row(values: Floats, measure: Measure) -> pd.DataFrame:
    """Return one row on how `values`, one per entity, are spread.

    entities, total, gini (of revenue only, values below zero counted as 0), top_1 … top_50 (share of the total that the top p % hold),
    entities_for_80 (the fewest who hold 80 %), share_for_80 (of the entities), peak_share, peak_rank (entities above zero), erosion
    (peak_share - 1), losing (entities below zero), lost (what they lose, positive). Shares are NaN where the total is not above zero;
    all but entities is NaN where values are unknown.

    >>> concentration_row(np.array([60.0, 50.0, 10.0, -20.0]), "profit")[["top_50", "peak_share", "losing", "lost"]].values.tolist()
    [[1.1, 1.2, 1.0, 20.0]]
    """
    best, n = np.sort(values)[::-1], len(values)
    total = float(values.sum()) if n else np.nan
    sums, whole = np.cumsum(best), total if total > 0 else np.nan
    peak = int((best > 0).sum())
    peak_share = float(best[:peak].sum()) / whole
    is_known = not np.isnan(total)
    for_80 = _first_reaching(sums[:peak], MOST_OF_IT * whole) + 1 if not np.isnan(whole) else np.nan
    row = {
        "entities": n,
        "total": total,
        "gini": gini(values) if measure == "net_revenue" else np.nan,
        **{f"top_{percent}": float(best[: top_count(percent, n)].sum()) / whole for percent in TOP_PERCENTS},
        "entities_for_80": for_80,
        "share_for_80": for_80 / n if n else np.nan,
        "peak_share": peak_share,
        "peak_rank": peak if is_known else np.nan,
        "erosion": peak_share - 1,
        "losing": float((best < 0).sum()) if is_known else np.nan,
        "lost": -float(best[best < 0].sum()) + 0.0 if is_known else np.nan,
    }
    return pd.DataFrame([row])


def gini(values: Floats) -> float:
    """Return the Gini coefficient of the values, those below zero counted as 0; NaN where nobody has any.

    >>> gini(np.array([1.0, 1.0, 1.0])), gini(np.array([0.0, 0.0, 0.0, 4.0]))
    (0.0, 0.75)
    """
    held, n = np.sort(np.maximum(values, 0)), len(values)
    whole = held.sum()
    if not whole > 0:
        return np.nan
    return float(2 * (np.arange(1, n + 1) * held).sum() / (n * whole) - (n + 1) / n)


def curve_points(values: pd.DataFrame, measure: Measure, *, has_names: bool) -> pd.DataFrame:
    """Return the points of the curve, the best entity first; at most 1,000, among them the peak, 80 %, the first loser and the last.

    values: one row per entity: value, name. Columns: rank, entity_share, cumulative, cumulative_share (NaN where the total is not above
    zero), value, name (of at most 50 entities, else empty), lorenz_share (revenue: what the `rank` smallest hold, values below zero
    counted as 0). No row for the origin; none at all where values are unknown.
    """
    known = values["value"].to_numpy(dtype=float)
    if np.isnan(known).any() or not len(known):
        return pd.DataFrame(columns=CURVE_COLUMNS)
    places = np.argsort(-known, kind="stable")
    best, n = known[places], len(known)
    sums, total = np.cumsum(best), best.sum()
    whole = total if total > 0 else np.nan
    smallest = np.cumsum(np.maximum(best[::-1], 0))
    at = _points(best, sums, whole)
    is_lorenz = measure == "net_revenue" and smallest[-1] > 0
    names = values["name"].to_numpy(dtype=object)[places][at] if has_names and n <= MOST_NAMED else None
    points = {
        "rank": at + 1,
        "entity_share": (at + 1) / n,
        "cumulative": sums[at],
        "cumulative_share": sums[at] / whole,
        "value": best[at],
        "name": pd.Series(names, index=range(len(at)), dtype="object"),
        "lorenz_share": smallest[at] / smallest[-1] if is_lorenz else np.nan,
    }
    return pd.DataFrame(points, columns=CURVE_COLUMNS)


CURVE_COLUMNS = ["rank", "entity_share", "cumulative", "cumulative_share", "value", "name", "lorenz_share"]


def _points(best: Floats, sums: Floats, whole: float) -> npt.NDArray[np.int64]:
    n, above = len(best), int((best > 0).sum())
    marks = [above - 1, int((best >= 0).sum()), n - 1]
    if not np.isnan(whole):
        marks.append(_first_reaching(sums[:above], MOST_OF_IT * whole))
    marked = [mark for mark in marks if 0 <= mark < n]
    spread = np.linspace(0, n - 1, min(n, CURVE_POINTS - len(marks))).round().astype(int)
    return np.union1d(spread, marked)


def _first_reaching(sums: Floats, wanted: float) -> int:
    """Return the place of the first of rising sums that is not below what is wanted."""
    return int(np.searchsorted(sums, wanted * (1 - _ROUNDING)))
