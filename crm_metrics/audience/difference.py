"""What sets two groups of customers apart: one measure for every attribute, with its interval, and the chance of so much by luck alone."""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_metrics.intervals import wilson
from crm_metrics.randomised_test.sums import holm

Floats = NDArray[np.float64]
ALPHA = 0.05
_ROUNDING = 1e-7  # equal chances are not told apart by their last digits
_Z = NormalDist().inv_cdf(1 - ALPHA / 2)
DIFFERENCE_COLUMNS = (
    *("attribute", "value", "unit", "first", "second", "first_known", "second_known"),
    *("difference", "low", "high", "p_value", "p_adjusted", "is_different"),
)


class Contrast(NamedTuple):
    """One comparison. first, second: median, or share of customers; first_known, second_known: customers it is about.

    difference: Cliff's delta, from -1 to 1: of two customers, one of each group, how much oftener the first's has more than less; of shares
    it is their difference. low, high: its 95% interval. p_value: chance of as much or more if the groups were alike.
    """

    first: float
    second: float
    first_known: int
    second_known: int
    difference: float
    low: float
    high: float
    p_value: float


def of_numbers(values: Floats, first: Floats, second: Floats) -> Contrast:
    """Return how two groups differ in a number. values: ascending; first, second: customers of each group who have it.

    Cliff (1993), Psychological Bulletin 114, 494-509; variance by DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, on the logit of
    P(more) + P(equal) / 2, so that the interval stays within bounds; p by Mann and Whitney (1947) with the correction for ties. Unknown
    with fewer than two customers in a group.
    """
    m, n = float(first.sum()), float(second.sum())
    if min(m, n) < 2:
        return Contrast(_median(values, first), _median(values, second), int(m), int(n), *[math.nan] * 4)
    below, above = np.cumsum(second) - second / 2, m - (np.cumsum(first) - first / 2)
    wins, losses = below / n, above / m  # of a customer of the first over the second's, and of the first's over one of the second
    area = float(first @ wins) / m
    variance = float(first @ (wins - area) ** 2) / (m - 1) / m + float(second @ (losses - area) ** 2) / (n - 1) / n
    low, high = _within_bounds(area, math.sqrt(variance))
    ties = first + second
    total = m + n
    spread = math.sqrt(m * n / 12 * (total + 1 - float((ties**3 - ties).sum()) / (total * (total - 1))))
    p_value = _two_sided((area - 0.5) * m * n / spread) if spread > 0 else 1.0
    medians = _median(values, first), _median(values, second)
    return Contrast(*medians, int(m), int(n), 2 * area - 1, 2 * low - 1, 2 * high - 1, p_value)


def of_shares(first: int, first_known: int, second: int, second_known: int) -> Contrast:
    """Return how two groups differ in the share of customers who have a value.

    Interval: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10. p: Fisher's exact test, two-sided. A normal approximation
    would call a value luck that few customers have far too seldom where one group is small: the best 5% beside all others.
    """
    p, q = (part / whole if whole else math.nan for part, whole in ((first, first_known), (second, second_known)))
    if not (first_known and second_known):
        return Contrast(p, q, first_known, second_known, *[math.nan] * 4)
    (p_low, p_high), (q_low, q_high) = wilson(first, first_known), wilson(second, second_known)
    low = p - q - math.hypot(p - p_low, q_high - q)
    high = p - q + math.hypot(p_high - p, q - q_low)
    return Contrast(p, q, first_known, second_known, p - q, low, high, _fisher(first, first_known, second, second_known))


def ranked(found: Mapping[tuple[str, str, str], Contrast]) -> pd.DataFrame:
    """Return one row per comparison (by attribute, value and unit), what differs most first: DIFFERENCE_COLUMNS.

    p_adjusted: Holm (1979), Scandinavian Journal of Statistics 6, over all comparisons, so that the chance of even one false finding among
    them is at most 5%. is_different: p_adjusted is below that.
    """
    rows = [dict(zip(("attribute", "value", "unit"), key, strict=True)) | contrast._asdict() for key, contrast in found.items()]
    frame = pd.DataFrame(rows, columns=[name for name in DIFFERENCE_COLUMNS if name not in ("p_adjusted", "is_different")])
    adjusted = holm(frame["p_value"].to_numpy(dtype=float))
    frame = frame.assign(p_adjusted=adjusted, is_different=adjusted < ALPHA)
    order = np.lexsort((frame["value"], frame["attribute"], -frame["difference"].abs().fillna(-1.0)))
    return frame.iloc[order].reset_index(drop=True)


def _median(values: Floats, customers: Floats) -> float:
    """Return the median of `values`, ascending, held by so many customers each; NaN of nobody."""
    total = customers.sum()
    if not total:
        return math.nan
    so_far = np.cumsum(customers)
    return float(values[np.searchsorted(so_far, total / 2)] + values[np.searchsorted(so_far, total / 2, side="right")]) / 2


def _within_bounds(area: float, error: float) -> tuple[float, float]:
    """Return the 95% interval of an area between 0 and 1; at an edge nothing is known of its scatter."""
    if not 0 < area < 1:
        return math.nan, math.nan
    logit, scale = math.log(area / (1 - area)), error / (area * (1 - area))
    low, high = (1 / (1 + math.exp(-(logit + sign * _Z * scale))) for sign in (-1, 1))
    return low, high


def _fisher(first: int, first_known: int, second: int, second_known: int) -> float:
    """Return the chance of a table of two shares as unlikely as this or more, its margins given (Fisher 1935)."""
    least = max(0, first + second - second_known)
    held = np.arange(least, min(first_known, first + second))  # by the first, all but the most it can hold
    odds = (first_known - held) * (first + second - held) / ((held + 1.0) * (second_known - first - second + held + 1))
    likelihood = np.concatenate([[0.0], np.cumsum(np.log(odds))])
    chance = np.exp(likelihood - likelihood.max())
    is_as_unlikely = chance <= chance[first - least] * (1 + _ROUNDING)
    return min(float(chance[is_as_unlikely].sum() / chance.sum()), 1.0)


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))
