"""What resampling says of a test: an interval that knows how skewed an outcome is, and how often Welch's interval holds the truth.

Members are drawn with replacement, with all their outcomes. Those whose outcomes are zero need not be known one by one, only counted.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SMALL_ARM = 1000  # members, under which the coverage of Welch's interval is measured (skewed spend, 900 against 100: .875)
ROUGH_BELOW, UNRELIABLE_BELOW = 0.93, 0.90  # coverage of an interval that claims .95
ROUNDS = 1000
MOST_LOST = 0.05  # of the rounds may have no variance, and so no t
_NORMAL_FROM = 1000  # outcomes other than zero in an arm, from which its mean is taken for normal where coverage is measured

Floats = NDArray[np.float64]


class Arm(NamedTuple):
    """One arm of one stratum. outcomes: one row per member with an outcome other than zero, one column per outcome. members: all."""

    outcomes: Floats
    members: int


class Stratum(NamedTuple):
    """Both arms of one stratum."""

    treated: Arm
    control: Arm


class Bounds(NamedTuple):
    """Lower and upper bound of each outcome."""

    low: Floats
    high: Floats


def symmetric_percentile_t(strata: Sequence[Stratum], *, seed: int, alpha: float = 0.05) -> Bounds:
    """Return the symmetric bootstrap-t interval of the difference, weighted by stratum; NaN where too many rounds have no variance.

    Hall (1988), Journal of the Royal Statistical Society B 50, 35-45. Of skewed spend it holds the truth at least as often as Welch's:
    1,200 against 300 people of whom a tenth spend, lognormal with sigma 1.5: .938 against .918; the two-sided bootstrap-t .870.
    """
    random = np.random.default_rng(seed)
    seen = [(_as_it_is(each.treated), _as_it_is(each.control)) for each in strata]
    (difference,), (variance,), _ = _difference(strata, seen)
    drawn = [(_drawn(each.treated, each.treated.members, random), _drawn(each.control, each.control.members, random)) for each in strata]
    differences, variances, _ = _difference(strata, drawn)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(variances > 0, np.abs(differences - difference) / np.sqrt(variances), np.nan)
    is_told = (variance > 0) & (np.isnan(scores).mean(axis=0) <= MOST_LOST)
    border = np.full(len(difference), np.nan)
    if is_told.any():
        border[is_told] = np.nanquantile(scores[:, is_told], 1 - alpha, axis=0)
    half = border * np.sqrt(variance)
    return Bounds(difference - half, difference + half)


def coverage(strata: Sequence[Stratum], *, seed: int, alpha: float = 0.05) -> Floats:
    """Return how often Welch's interval holds the truth, where both arms are drawn from the outcomes of both together.

    A round in which nothing scatters, and so there is no interval, does not hold it. NaN where every outcome is zero.
    """
    from scipy.special import stdtrit

    random = np.random.default_rng(seed)
    drawn = []
    for treated, control in strata:
        both = Arm(np.concatenate([treated.outcomes, control.outcomes]), treated.members + control.members)
        drawn.append((_quickly_drawn(both, treated.members, random), _quickly_drawn(both, control.members, random)))
    difference, variance, degrees = _difference(strata, drawn)
    with np.errstate(invalid="ignore"):
        is_held = np.abs(difference) <= stdtrit(degrees, 1 - alpha / 2) * np.sqrt(variance)
    return np.where((variance > 0).any(axis=0), is_held.mean(axis=0), np.nan)


class _Drawn(NamedTuple):
    """Mean and variance in an arm, of each round (rows) and outcome (columns)."""

    mean: Floats
    variance: Floats


def _drawn(arm: Arm, size: int, random: np.random.Generator) -> _Drawn:
    """Return ROUNDS arms of `size` members, drawn from the members of `arm`."""
    from scipy.sparse import csr_array

    count = len(arm.outcomes)
    counts = random.binomial(size, count / arm.members, ROUNDS)
    ends = np.concatenate([[0], np.cumsum(counts)])
    picked = random.integers(0, max(count, 1), ends[-1], dtype=np.int32)
    times = csr_array((np.ones(ends[-1]), picked, ends), shape=(ROUNDS, max(count, 1)))
    both = np.hstack([arm.outcomes, arm.outcomes**2]) if count else np.zeros((1, 2 * arm.outcomes.shape[1]))
    total, squares = np.hsplit(times @ both, 2)
    return _spread(total, squares, size)


def _quickly_drawn(arm: Arm, size: int, random: np.random.Generator) -> _Drawn:
    """Return the same; means of many outcomes other than zero are drawn from the normal distribution that they have."""
    if size * len(arm.outcomes) < _NORMAL_FROM * arm.members:
        return _drawn(arm, size, random)
    mean, variance = _as_it_is(arm)
    return _Drawn(mean + np.sqrt(variance / size) * random.standard_normal((ROUNDS, mean.shape[1])), np.repeat(variance, ROUNDS, axis=0))


def _as_it_is(arm: Arm) -> _Drawn:
    """Return mean and variance as one round."""
    return _spread(arm.outcomes.sum(axis=0, keepdims=True), np.square(arm.outcomes).sum(axis=0, keepdims=True), arm.members)


def _spread(total: Floats, squares: Floats, size: int) -> _Drawn:
    rest = squares - total**2 / size
    return _Drawn(total / size, np.where(rest > 1e-12 * squares, rest, 0.0) / (size - 1))  # less is a rounding


def _difference(strata: Sequence[Stratum], drawn: Sequence[tuple[_Drawn, _Drawn]]) -> tuple[Floats, Floats, Floats]:
    """Return the difference weighted by stratum, its variance and its degrees of freedom, of each round and outcome."""
    everybody = sum(treated.members + control.members for treated, control in strata)
    difference, variance, squared = np.zeros((3, 1, 1))
    for arms, moments in zip(strata, drawn, strict=True):
        share = sum(arm.members for arm in arms) / everybody
        difference = difference + share * (moments[0].mean - moments[1].mean)
        for arm, moment in zip(arms, moments, strict=True):
            part = share**2 * moment.variance / arm.members
            variance, squared = variance + part, squared + part**2 / (arm.members - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return difference, variance, variance**2 / squared
