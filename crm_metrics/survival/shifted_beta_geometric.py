"""How long contracts last that are renewed at the end of each period: the shifted beta-geometric model.

Fader and Hardie (2007), How to project customer retention, Journal of Interactive Marketing 21(1), 76-90: each contract has a chance of
its own to end at a renewal, the same at each; over the contracts these chances are beta distributed with alpha and beta. That retention
rises with age is then no change of anybody's mind: the ones who leave easily have left.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Verdict = Literal["fitted", "too_few", "not_falling", "not_converged"]
LOST_NEEDED, AGES_NEEDED = 30, 3  # with fewer ends, or fewer ages at which they came, two parameters are guesswork
MOST_LOG = 8.0  # of a parameter: a thousand times any published one, where the chance to end no longer falls with age
_STARTS = ((0.0, 0.0), (0.0, 1.5), (1.0, 3.0), (-1.0, 1.0))
_HALF_CHI_SQUARE = 1.920729  # the log-likelihood falls by so much to the edge of a 95% region of one number
_DIRECTIONS, _HALVINGS, _WIDEST = 96, 40, 20.0


class Fit(NamedTuple):
    """Parameters of the beta distribution of the chance to end at a renewal; NaN unless the verdict is 'fitted'.

    lost, still_there: contracts that it stands on. edge: (alpha, beta) around the 95% region of the profile likelihood, two columns.
    """

    alpha: float
    beta: float
    verdict: Verdict
    lost: int
    still_there: int
    edge: Floats


def fit(counts: pd.DataFrame) -> Fit:
    """Return the model with the highest likelihood.

    counts: age (renewals, from 1 on for those lost), lost (ended at that renewal), still_there (renewed so often and not lost yet).
    Cohorts of several ages may stand in it together: who has not ended counts for the renewals that were seen.

    >>> lost, still_there = [369, 163, 86, 56, 37, 27, 21], [0, 0, 0, 0, 0, 0, 241]
    >>> found = fit(pd.DataFrame({"age": range(1, 8), "lost": lost, "still_there": still_there}))
    >>> round(found.alpha, 3), round(found.beta, 3)  # Fader and Hardie's Regular customers, years 1 to 7
    (0.704, 1.182)
    """
    from scipy.optimize import minimize

    rows = counts.groupby("age", as_index=False)[["lost", "still_there"]].sum()
    age, lost, there = (rows[name].to_numpy(dtype=float) for name in ("age", "lost", "still_there"))
    unfitted = Fit(math.nan, math.nan, "too_few", int(lost.sum()), int(there.sum()), np.empty((0, 2)))
    if lost.sum() < LOST_NEEDED or (lost > 0).sum() < AGES_NEEDED:
        return unfitted

    def loss(logs: Floats) -> float:
        return -float(_log_likelihood(np.asarray(logs)[None, :], age, (lost, there))[0])

    bounds = [(-MOST_LOG, MOST_LOG)] * 2
    tries = [minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in _STARTS]
    found = min(tries, key=lambda one: (round(one.fun, 4), not one.success))  # of equally good ones, one that knows that it is done
    if np.abs(found.x).max() >= MOST_LOG - 0.01:  # flat there, so that it may not know
        return unfitted._replace(verdict="not_falling")
    if not found.success:
        return unfitted._replace(verdict="not_converged")
    edge = _edge(found.x, age, (lost, there))
    return unfitted._replace(alpha=math.exp(found.x[0]), beta=math.exp(found.x[1]), verdict="fitted", edge=np.exp(edge))


def _log_likelihood(logs: Floats, age: Floats, counts: tuple[Floats, Floats]) -> Floats:
    """Return the log-likelihood of each row of log alpha and log beta."""
    from scipy.special import betaln

    alpha, beta = np.exp(logs[:, :1]), np.exp(logs[:, 1:])
    lost, there = counts
    ending = betaln(alpha + 1, beta + np.maximum(age, 1) - 1)  # equation 5 of the paper
    lasting = betaln(alpha, beta + age)  # equation 6
    total = (lost * ending + there * lasting).sum(axis=1)
    return np.asarray(total - (lost.sum() + there.sum()) * betaln(alpha, beta)[:, 0], dtype=float)


def _edge(best: Floats, age: Floats, counts: tuple[Floats, Floats]) -> Floats:
    """Return points around `best`, in every direction as far as the likelihood lets them."""
    turns = np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False)
    directions = np.column_stack([np.cos(turns), np.sin(turns)])
    level = _log_likelihood(best[None, :], age, counts)[0] - _HALF_CHI_SQUARE
    low, high = np.zeros(_DIRECTIONS), np.full(_DIRECTIONS, _WIDEST)
    for _halving in range(_HALVINGS):
        middle = (low + high) / 2
        is_inside = _log_likelihood(best + directions * middle[:, None], age, counts) >= level
        low, high = np.where(is_inside, middle, low), np.where(is_inside, high, middle)
    return np.asarray(best + directions * low[:, None], dtype=float)


# ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────────────


def survival(found: Fit, ages: npt.ArrayLike) -> Floats:
    """Return the share that is still there after each number of renewals; 1 after none, NaN for a model that is not fitted."""
    return _survival(np.array([[found.alpha, found.beta]]), ages)[0]


def survival_band(found: Fit, ages: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the lowest and the highest survival in the 95% region of the profile likelihood, for each number of renewals."""
    if not len(found.edge):
        unknown = np.full(np.shape(ages), np.nan)
        return unknown, unknown
    every = _survival(found.edge, ages)
    return every.min(axis=0), every.max(axis=0)


def _survival(parameters: Floats, ages: npt.ArrayLike) -> Floats:
    from scipy.special import betaln

    alpha, beta = parameters[:, :1], parameters[:, 1:]
    return np.asarray(np.exp(betaln(alpha, beta + np.asarray(ages, dtype=float)) - betaln(alpha, beta)), dtype=float)
