"""Many tests at once, from sums that a database adds up: differences of arms, with and without what was before, and sizes of arms.

Of each cell (a comparison, a stratum and an arm) it takes the SUMS: n members whose outcome y is known, and with x, what was measured of
them before the start, the sums of y, y², x, x² and xy. The differences are those of `analyse.stratified_difference`.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_metrics.randomised_test.analyse import FAULTY_BELOW, SampleRatio
from crm_metrics.randomised_test.plan import LEAST_PER_ARM

SUMS = ("n", "y", "yy", "x", "xx", "xy")
DIFFERENCES = [
    "n", "mean", "control_n", "control_mean", "estimate", "low", "high", "p_value", "standard_error", "degrees_of_freedom", "adjusted",
    "adjusted_low", "adjusted_high", "variance_reduction", "crude", "strata",
]  # fmt: skip
LEAST_EXPECTED = 5  # members planned for an arm of a stratum, under which chi-square is not what it is held for (Cochran 1954)
_ROUNDING = 1e-12  # of the sum of squares; less is what adding up leaves over of an outcome that does not scatter

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def differences(sums: pd.DataFrame, by: Sequence[str], *, alpha: float = 0.05) -> pd.DataFrame:
    """Return one row per comparison (the columns `by`), in the order in which they first come: `by` and DIFFERENCES.

    sums: one row per comparison, stratum and arm: stratum, is_treated and SUMS; x, xx, xy NaN where nothing is known of before.

    estimate: mean - control_mean, weighted by the strata's shares of members, with Welch's interval where there is one stratum; crude: of
    the arms as they are. Strata with fewer than LEAST_PER_ARM members of an arm count as one; a comparison without two of each is NaN.

    adjusted: the same of y - theta x, with theta = cov(estimate of y, estimate of x) / var(estimate of x): then the variance is that of
    estimate times 1 - rho², and nobody's y moves the mean of theta x, which is zero (CUPED: Deng, Xu, Kohavi and Walker 2013, Improving
    the sensitivity of online controlled experiments by utilizing pre-experiment data, equations 3 to 5). variance_reduction: rho².

    >>> rows = {"campaign": "a", "stratum": "", "is_treated": [True, False], "n": 2, "y": [12, 4], "yy": [74, 10]}
    >>> found = differences(pd.DataFrame(rows | {"x": [2, 2], "xx": [4, 4], "xy": [12, 4]}), ["campaign"])
    >>> float(found["estimate"][0])
    4.0
    """
    group = sums.groupby(list(by), sort=False, dropna=False).ngroup().to_numpy()
    keys = sums.loc[~sums.duplicated(list(by)), list(by)].reset_index(drop=True)
    stratum, names = pd.factorize(sums["stratum"], use_na_sentinel=False)
    cell, pairs = pd.factorize(group * max(len(names), 1) + stratum)
    of_stratum = (pairs // max(len(names), 1)).astype(np.intp)
    arm = sums["is_treated"].to_numpy(dtype=bool)
    size = _by_cell(cell, arm, sums["n"].to_numpy(dtype=np.float64), len(pairs))
    cell = _pooled(of_stratum, size)[cell]
    cells = [_by_cell(cell, arm, sums[name].to_numpy(dtype=np.float64), len(pairs)) for name in SUMS]
    kept = cells[0].sum(axis=1) > 0
    compared = _compared(of_stratum[kept], [each[kept] for each in cells], len(keys), alpha=alpha)
    return pd.concat([keys, pd.DataFrame(compared)[DIFFERENCES]], axis=1)


def sample_ratio_of_arms(members: Floats, planned: Floats) -> SampleRatio:
    """Return whether arms have the sizes they were planned with, in all and stratum by stratum.

    members: strata (rows) by arms. planned: the share of each arm. Pearson's chi-square of all arms at once; with several strata twice the
    smaller of two p-values (Bonferroni), the other of the strata's chi-squares together.

    >>> sample_ratio_of_arms(np.array([[13_000.0, 12_000.0]]), np.array([0.5, 0.5])).is_faulty
    True
    """
    from scipy.special import chdtrc

    share = planned / planned.sum()
    if len(share) < 2 or not members.sum():  # one arm has no ratio
        return SampleRatio(math.nan, is_faulty=False)
    total = members.sum(axis=0, keepdims=True)
    in_all, in_strata = (_squares(each, share) for each in (total, members))
    p_value = float(chdtrc(len(share) - 1, in_all.sum()))
    if len(in_strata) > 1:
        p_value = min(1.0, 2 * min(p_value, float(chdtrc(len(in_strata) * (len(share) - 1), in_strata.sum()))))
    return SampleRatio(p_value, is_faulty=p_value < FAULTY_BELOW)


def holm(p_values: Floats) -> Floats:
    """Return p-values that allow for there being several (Holm 1979, Scandinavian Journal of Statistics 6, 65-70); unknown ones stay so.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    adjusted, known = np.full(len(p_values), np.nan), np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1)), 1.0)
    return adjusted


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Return p-values of which those below a share hold at most that share of false ones; unknown ones stay so.

    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.5])).round(3).tolist()
    [0.04, 0.053, 0.053, 0.5]
    """
    adjusted, known = np.full(len(p_values), np.nan), np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")][::-1]
    adjusted[order] = np.minimum.accumulate(p_values[order] * len(order) / np.arange(len(order), 0, -1))
    return adjusted


def _squares(members: Floats, share: Floats) -> Floats:
    """Return the terms of chi-square of each stratum of which enough members are planned for every arm."""
    expected = members.sum(axis=1, keepdims=True) * share
    is_enough = (expected >= LEAST_EXPECTED).all(axis=1) | (len(members) == 1)
    return ((members - expected) ** 2 / np.where(expected > 0, expected, np.nan))[is_enough]


def _by_cell(cell: Places, arm: NDArray[np.bool_], values: Floats, strata: int) -> Floats:
    """Return the sums of the values of each stratum: of control and of treated."""
    return np.asarray(np.bincount(2 * cell + arm, weights=values, minlength=2 * strata).reshape(-1, 2), dtype=np.float64)


def _pooled(group: Places, size: Floats) -> Places:
    """Return with which stratum of its comparison each one counts: those too small together, with the smallest other if still too small."""
    place = np.arange(len(group))
    is_small = size.min(axis=1, initial=np.inf) < LEAST_PER_ARM
    if not is_small.any():
        return place
    first, host = np.full(group.max() + 1, -1), np.full(group.max() + 1, -1)
    first[group[is_small][::-1]] = place[is_small][::-1]
    with_first = np.where(is_small, first[group], place)
    by_size = np.argsort(-size.sum(axis=1), kind="stable")
    by_size = by_size[~is_small[by_size]]
    host[group[by_size]] = by_size  # the last one written is the smallest
    together = np.column_stack([np.bincount(with_first, weights=size[:, arm], minlength=len(group)) for arm in (0, 1)])
    is_lost = is_small & (together[with_first].min(axis=1) < LEAST_PER_ARM) & (host[group] >= 0)
    return np.where(is_lost, host[group], with_first)


def _compared(group: Places, cells: list[Floats], groups: int, *, alpha: float) -> dict[str, Floats]:
    """Return DIFFERENCES of each comparison. group: the comparison of each stratum. cells: SUMS, strata (rows) by control and treated."""
    n, y, yy, x, xx, xy = cells

    def added(values: Floats) -> Floats:
        return np.asarray(np.bincount(group, weights=values, minlength=groups), dtype=np.float64)

    with np.errstate(divide="ignore", invalid="ignore"):
        y_mean, x_mean = y / n, x / n
        y_squares, x_squares, products = (_scatter(*each, n) for each in ((yy, y, y), (xx, x, x), (xy, x, y)))
        members = n.sum(axis=1)
        share = members / added(members)[group]
        weight = np.where(n >= LEAST_PER_ARM, share[:, None] ** 2 / (n * (n - 1)), np.nan)  # a cell too small makes all unknown
        y_var, x_var, covariance = (added((weight * each).sum(axis=1)) for each in (y_squares, x_squares, products))
        theta = np.where(x_var > 0, covariance / x_var, np.where(np.isnan(x_var), np.nan, 0.0))
        rest = np.maximum(y_squares - 2 * theta[group, None] * products + theta[group, None] ** 2 * x_squares, 0.0)
        means = [added(share * y_mean[:, arm]) for arm in (0, 1)]
        estimate, before = means[1] - means[0], added(share * (x_mean[:, 1] - x_mean[:, 0]))
        sizes = [added(n[:, arm]) for arm in (0, 1)]
        test = _t_tests(estimate, group, weight * y_squares, n, alpha=alpha)
        adjusted = _t_tests(estimate - theta * before, group, weight * rest, n, alpha=alpha)
        crude = added(y[:, 1]) / sizes[1] - added(y[:, 0]) / sizes[0]
        reduction = np.where(y_var > 0, 1 - adjusted["standard_error"] ** 2 / y_var, np.nan)
    return {
        "n": sizes[1],
        "mean": means[1],
        "control_n": sizes[0],
        "control_mean": means[0],
        **test,
        "adjusted": adjusted["estimate"],
        "adjusted_low": adjusted["low"],
        "adjusted_high": adjusted["high"],
        "variance_reduction": reduction,
        "crude": crude,
        "strata": added(np.ones(len(group))),
    }


def _scatter(squares: Floats, first: Floats, second: Floats, n: Floats) -> Floats:
    """Return the sum of products of deviations from the means; 0 where it is a rounding."""
    found = squares - first * second / n
    return np.where(np.abs(found) <= _ROUNDING * np.abs(squares), 0.0, found)


def _t_tests(estimate: Floats, group: Places, parts: Floats, n: Floats, *, alpha: float) -> dict[str, Floats]:
    """Return the t-test of each comparison from the parts of its variance, with the degrees of freedom of Satterthwaite (1946)."""
    from scipy.special import stdtr, stdtrit

    variance, squared = (np.bincount(group, weights=each.sum(axis=1), minlength=len(estimate)) for each in (parts, parts**2 / (n - 1)))
    error = np.sqrt(np.where(variance > 0, variance, np.nan))
    degrees = variance**2 / squared
    half = stdtrit(degrees, 1 - alpha / 2) * error
    return {
        "estimate": estimate,
        "low": estimate - half,
        "high": estimate + half,
        "p_value": 2 * stdtr(degrees, -np.abs(estimate) / error),
        "standard_error": error,
        "degrees_of_freedom": np.where(variance > 0, degrees, np.nan),
    }
