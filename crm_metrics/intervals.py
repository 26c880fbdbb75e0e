"""Intervals of what was counted."""

import math
from collections.abc import Iterable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
FEW_CUSTOMERS = 30  # under these no share or mean is read: it is drawn faded, and said


class Interval(NamedTuple):
    """Lower and upper bound."""

    low: float
    high: float


def wilson(successes: float, total: float, *, confidence: float = CONFIDENCE) -> Interval:
    """Return Wilson's interval of a share (Wilson 1927); NaN over nothing.

    >>> tuple(round(bound, 4) for bound in wilson(5, 10))
    (0.2366, 0.7634)
    """
    if not total:
        return Interval(math.nan, math.nan)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = successes / total, z * z / total
    half = z * math.sqrt(share * (1 - share) / total + weight / (4 * total))
    middle = share + weight / 2
    return Interval(max(0.0, (middle - half) / (1 + weight)), min(1.0, (middle + half) / (1 + weight)))


def wilson_bounds(successes: Iterable[float], totals: Iterable[float]) -> npt.NDArray[np.float64]:
    """Return the lower and the upper bounds of `wilson` for each pair; NaN over nothing, and over an unknown number."""
    bounds = [wilson(some, of if of > 0 else 0) for some, of in zip(successes, totals, strict=True)]
    return np.array(bounds, dtype=float).reshape(-1, 2).T
