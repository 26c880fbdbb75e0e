"""What resampling says of a test: an interval that knows how skewed the outcome is, and how often Welch's interval holds the truth.

Members are drawn with replacement. Those whose outcome is zero need not be known one by one, only counted.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crm_metrics.intervals import Interval

SMALL_ARM = 1000  # members, under which the coverage of Welch's interval is measured (skewed spend, 900 against 100: .875)
ROUGH_BELOW, UNRELIABLE_BELOW = 0.93, 0.90  # coverage of an interval that claims .95
ROUNDS = 1000
MOST_LOST = 0.05  # of the rounds may have no variance, and so no t
_MANY_DRAWN = 3000  # outcomes other than zero in an arm, from which its mean is as good as normal

Floats = NDArray[np.float64]


class Outcomes(NamedTuple):
    """The outcomes of one stratum. treated, control: those other than zero. members, control_members: all, those with zero too."""

    treated: Floats
    control: Floats
    members: int
    control_members: int


def percentile_t(strata: Sequence[Outcomes], *, seed: int, alpha: float = 0.05) -> Interval:
    """Return the bootstrap-t interval of the difference, weighted by stratum: NaN where too many rounds have no variance.

    Efron and Tibshirani (1993), An Introduction to the Bootstrap, section 12.5.
    """
    random = np.random.default_rng(seed)
    seen, error = _seen(strata)
    drawn = [
        (_drawn(each.treated, each.members, each.members, random), _drawn(each.control, each.control_members, each.control_members, random))
        for each in strata
    ]
    difference, variance, _ = _difference(strata, drawn)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(variance > 0, (difference - seen) / np.sqrt(variance), np.nan)
    if not error > 0 or np.isnan(scores).mean() > MOST_LOST:
        return Interval(math.nan, math.nan)
    high, low = np.nanquantile(scores, [alpha / 2, 1 - alpha / 2])
    return Interval(seen - float(low) * error, seen - float(high) * error)


def coverage(strata: Sequence[Outcomes], *, seed: int, alpha: float = 0.05) -> float:
    """Return how often Welch's interval holds the truth where both arms are drawn from the outcomes of both together.

    A round in which nothing scatters, and so there is no interval, does not hold it. NaN where every outcome is zero.
    """
    if not sum(len(each.treated) + len(each.control) for each in strata):
        return math.nan
    from scipy.special import stdtrit

    random = np.random.default_rng(seed)
    drawn = []
    for each in strata:
        pooled, members = np.concatenate([each.treated, each.control]), each.members + each.control_members
        drawn.append((_drawn(pooled, members, each.members, random), _drawn(pooled, members, each.control_members, random)))
    difference, variance, degrees = _difference(strata, drawn)
    with np.errstate(invalid="ignore"):
        return float((np.abs(difference) <= stdtrit(degrees, 1 - alpha / 2) * np.sqrt(variance)).mean())


class _Drawn(NamedTuple):
    """Mean and variance of the outcomes of an arm, of each round."""

    mean: Floats
    variance: Floats


def _drawn(values: Floats, members: int, size: int, random: np.random.Generator) -> _Drawn:
    """Return ROUNDS arms of `size` members, drawn from `members` of whom all but `values` have zero."""
    expected = size * len(values) / members
    if expected >= _MANY_DRAWN:
        middle = float(values.sum()) / members
        spread = float(np.square(values).sum()) / members - middle**2
        return _Drawn(random.normal(middle, math.sqrt(spread / size), ROUNDS), np.full(ROUNDS, spread))
    counts = random.binomial(size, len(values) / members, ROUNDS)
    picked = values[random.integers(0, max(len(values), 1), counts.sum())]
    of_round = np.repeat(np.arange(ROUNDS), counts)
    total, squares = (np.bincount(of_round, weights=each, minlength=ROUNDS) for each in (picked, picked**2))
    mean = total / size
    return _Drawn(mean, np.maximum(squares - size * mean**2, 0.0) / (size - 1))


def _difference(strata: Sequence[Outcomes], drawn: Sequence[tuple[_Drawn, _Drawn]]) -> tuple[Floats, Floats, Floats]:
    """Return difference, its variance and its degrees of freedom, of each round."""
    everybody = sum(each.members + each.control_members for each in strata)
    difference, variance, squared = np.zeros((3, ROUNDS))
    for each, (treated, control) in zip(strata, drawn, strict=True):
        share = (each.members + each.control_members) / everybody
        difference = difference + share * (treated.mean - control.mean)
        for arm, size in ((treated, each.members), (control, each.control_members)):
            part = share**2 * arm.variance / size
            variance, squared = variance + part, squared + part**2 / (size - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return difference, variance, variance**2 / squared


def _seen(strata: Sequence[Outcomes]) -> tuple[float, float]:
    """Return the difference as it is, and its standard error."""
    exact = []
    for each in strata:
        for values, size in ((each.treated, each.members), (each.control, each.control_members)):
            mean = float(values.sum()) / size
            spread = (float(np.square(values).sum()) - size * mean**2) / (size - 1)
            exact.append(_Drawn(np.full(ROUNDS, mean), np.full(ROUNDS, max(spread, 0.0))))
    difference, variance, _ = _difference(strata, list(zip(exact[::2], exact[1::2], strict=True)))
    return float(difference[0]), math.sqrt(float(variance[0]))
