"""Who is late against their own rhythm?

The days between the purchase days of a customer are taken to be gamma distributed, with one shape for all customers (how regularly they
buy) and a rate of each customer's own, which is gamma distributed over the customers: Chatfield and Goodhardt (1973), A consumer purchasing
model with Erlang inter-purchase times, Journal of the American Statistical Association 68, 828-835; with shape 1 it is the NBD model. So
what is expected of a customer goes from what is usual of all to the customer's own mean, the more intervals there are. That regularity
tells who has left: Platzer and Reutterer (2016), Ticking away the moments, Marketing Science 35, 779-799.

Shape and rates come from the variance of the logarithms within and between customers, each customer counting alike. Only intervals that
ended are in it: the question is how long a customer is usually away who does come back.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
INTERVALS_NEEDED, CUSTOMERS_NEEDED = 100, 30  # customers: with two intervals, which is what regularity shows in
# Intervals longer than the history can't have ended in it. In less than a year it must be twice as long as what is late: after the first
# month of a shop all that ended are short, and two customers of three would be late.
HISTORY_NEEDED_DAYS, HISTORY_NEEDED_TIMES = 365, 2
_LATE = 0.95
MOST_ALIKE = 1e4  # shape of the rates: customers who buy alike to within one part in a hundred


class Base(NamedTuple):
    """What is usual: intervals have this shape; rates per day have `rates_shape` and `rates_scale` (days); NaN unless the state is 'known'.

    customers: with an interval; intervals: that ended; state: 'known', or 'too_few' intervals, or 'too_short' a history.
    """

    shape: float
    rates_shape: float
    rates_scale: float
    customers: int
    intervals: int
    state: Literal["known", "too_few", "too_short"] = "known"

    @property
    def is_known(self) -> bool:
        """Whether there were enough intervals in a history long enough."""
        return self.state == "known"


# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def base(rhythms: pd.DataFrame, *, history_days: float) -> Base:
    """Return what is usual of all customers. rhythms: purchase_days, log_sum, log_square_sum (see query.rhythms)."""
    repeaters = rhythms[rhythms["purchase_days"].to_numpy() > 1]
    intervals = repeaters["purchase_days"].to_numpy(dtype=float) - 1
    total, squares = (repeaters[name].to_numpy(dtype=float) for name in ("log_sum", "log_square_sum"))
    several = intervals > 1
    counts = len(intervals), int(intervals.sum())
    unknown = Base(math.nan, math.nan, math.nan, *counts, "too_few")
    if counts[1] < INTERVALS_NEEDED or several.sum() < CUSTOMERS_NEEDED:
        return unknown
    means = total / intervals
    within = float((squares - total * means)[several].sum() / (intervals[several] - 1).sum())
    between = float(means.var(ddof=1) - within * (1 / intervals).mean())
    found = _of_moments(float(means.mean()), within, between, counts)
    late_after = float(expected_days(found, np.ones(1), np.zeros(1), _LATE)[0])
    is_short = history_days < min(HISTORY_NEEDED_DAYS, HISTORY_NEEDED_TIMES * late_after)
    return unknown._replace(state="too_short") if is_short else found


def _of_moments(mean: float, within: float, between: float, counts: tuple[int, int]) -> Base:
    """Return the base whose log intervals have this mean and variances: trigamma(shape) within, trigamma(rates_shape) between."""
    from scipy.special import digamma

    shape, rates_shape = _inverse_trigamma(within), _inverse_trigamma(between)
    return Base(shape, rates_shape, math.exp(mean - digamma(shape) + digamma(rates_shape)), *counts)


def _inverse_trigamma(value: float) -> float:
    from scipy.optimize import brentq
    from scipy.special import polygamma

    if value <= 1 / MOST_ALIKE:
        return MOST_ALIKE
    return float(brentq(lambda shape: polygamma(1, shape) - value, 1e-3, 2 * MOST_ALIKE))


def expected_days(found: Base, purchase_days: Floats, span_days: Floats, share: float = 0.5) -> Floats:
    """Return the days within which that share of a customer's next intervals end.

    purchase_days: so far; span_days: from the first to the last of them.

    >>> one = Base(1.0, 2.0, 30.0, 100, 300)
    >>> expected_days(one, np.array([1.0, 9.0]), np.array([0.0, 80.0])).round(1).tolist()
    [12.4, 7.9]
    """
    from scipy.special import betaincinv

    distinct, place = np.unique(purchase_days, return_inverse=True)
    part = betaincinv(found.shape, found.rates_shape + found.shape * (distinct - 1), share)
    return np.asarray((found.rates_scale + span_days) * (part / (1 - part))[place], dtype=float)


def lateness(found: Base, purchase_days: Floats, span_days: Floats, silent_days: Floats) -> Floats:
    """Return the share of a customer's next intervals that would have ended by now, had it come back: over .95 few take so long."""
    from scipy.special import betainc

    part = silent_days / (silent_days + found.rates_scale + span_days)
    return np.asarray(betainc(found.shape, found.rates_shape + found.shape * (purchase_days - 1), part), dtype=float)
