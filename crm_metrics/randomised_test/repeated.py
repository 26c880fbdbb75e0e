"""Intervals that hold at every look at a running test, and results of several tests beside each other."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DRAWS = 4000
_SEED = 20261122


class Shrunk(NamedTuple):
    """Results of several tests, drawn to their common mean by how little each of them knows.

    estimate, low, high: of each. chance_best: that it is the largest. mean: of the population of tests. between: standard deviation of
    what they truly bring.
    """

    estimate: Floats
    low: Floats
    high: Floats
    chance_best: Floats
    mean: float
    between: float


def half_width_at_every_look(variance: Floats, *, planned: float, alpha: float = 0.05) -> Floats:
    """Return half the width of an interval that holds the truth at all looks together with 1 - alpha, whenever one stops.

    variance: of the difference at each look, growing; planned: at the end, where the interval is narrowest. The normal mixture of Robbins
    (1970), Annals of Mathematical Statistics 41, 1397-1409, as in Howard, Ramdas, McAuliffe and Sekhon (2021), Annals of Statistics 49,
    1055-1080, equation 14; for means of many it holds asymptotically (Waudby-Smith et al. 2024, Annals of Statistics 52, 2613-2640). Who
    spends goes on spending, which makes looks more alike than here is taken for granted: it then holds more often.

    >>> half_width_at_every_look(np.array([1.0]), planned=1.0).round(2).tolist()
    [3.04]
    """
    double = -2 * math.log(alpha)
    mixture = planned / (double + math.log(double) + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 0, np.sqrt((variance + mixture) * np.log((variance + mixture) / (mixture * alpha**2))), np.nan)


def shrunk(estimates: Floats, errors: Floats, *, alpha: float = 0.05) -> Shrunk:
    """Return the results of several tests drawn to their mean: empirical Bayes with the variance of DerSimonian and Laird.

    errors: standard errors. DerSimonian and Laird (1986), Controlled Clinical Trials 7, 177-188; Efron and Morris (1975), Journal of the
    American Statistical Association 70, 311-319. Where the results differ no more than chance makes them, all are their mean; one test
    alone stays as it is. The intervals take the variance between tests for known, and allow for the mean being estimated.

    >>> shrunk(np.array([1.0, 3.0]), np.array([2.0, 2.0])).estimate.tolist()
    [2.0, 2.0]
    """
    from statistics import NormalDist

    precision = 1 / errors**2
    total = precision.sum()
    fixed = float((precision * estimates).sum() / total)
    scatter = float((precision * (estimates - fixed) ** 2).sum()) - (len(estimates) - 1)
    rest = float(total - (precision**2).sum() / total)
    between = max(scatter / rest, 0.0) if rest > 0 else math.inf
    if math.isinf(between):  # one test: nothing is known of others
        weight, mean, mean_variance = np.ones(len(estimates)), fixed, 0.0
        variance = errors**2
    else:
        weight = between / (between + errors**2)
        of_all = 1 / (between + errors**2)
        mean, mean_variance = float((of_all * estimates).sum() / of_all.sum()), float(1 / of_all.sum())
        variance = weight * errors**2 + (1 - weight) ** 2 * mean_variance
    estimate = weight * estimates + (1 - weight) * mean
    half = NormalDist().inv_cdf(1 - alpha / 2) * np.sqrt(variance)
    random = np.random.default_rng(_SEED)
    common = math.sqrt(mean_variance) * random.standard_normal((DRAWS, 1))
    own = np.sqrt(weight * errors**2) * random.standard_normal((DRAWS, len(estimates)))
    drawn = estimate + (1 - weight) * common + own
    best = np.bincount(drawn.argmax(axis=1), minlength=len(estimates)) / DRAWS
    return Shrunk(estimate, estimate - half, estimate + half, best, mean, math.nan if math.isinf(between) else math.sqrt(between))
