"""What a campaign is worth before it runs: the chance of profit when lift and baseline are both uncertain.

profit = treated x margin share x baseline x lift - cost

The lift is normal, as the reader expects it; the baseline lognormal with its own standard error, so that it stays above 0. Both are of
the mean over customers: what single customers do by luck comes on top of it in the result.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crm_metrics.campaign_roi.plan.terms import OFTEN
from crm_metrics.randomised_test.plan import Design

Floats = NDArray[np.float64]
_NORMAL = NormalDist()
SPREADS = _NORMAL.inv_cdf((1 + OFTEN) / 2)  # standard deviations from the middle to either end of the expected range
_PLACES = 401  # of the baseline's distribution, equally likely: the chance is right to .001
_REACH = 40.0  # standard deviations in which a quantile is looked for


class Economics(NamedTuple):
    """A campaign in numbers.

    treated: customers. spend_mean, spend_error: net revenue per customer without the campaign and its standard error. margin_share: of
    net revenue. cost: in all. lift, lift_error: expected, relative to spend_mean, and its standard deviation.
    """

    treated: int
    spend_mean: float
    spend_error: float
    margin_share: float
    cost: float
    lift: float
    lift_error: float

    @property
    def worth(self) -> float:
        """Margin that a lift of 100% would bring."""
        return self.treated * self.margin_share * self.spend_mean

    @property
    def break_even_lift(self) -> float:
        """The lift at which the campaign has just paid its cost; unknown where no lift brings anything."""
        return self.cost / self.worth if self.worth > 0 else math.nan

    def profit_at(self, lift: float) -> float:
        """Return the profit at a lift.

        >>> round(Economics(1_000, 50.0, 1.0, 0.4, 500.0, 0.1, 0.05).profit_at(0.1), 9)
        1500.0
        """
        return self.worth * lift - self.cost


# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def chance_above(plan: Economics, profit: float = 0.0) -> float:
    """Return the chance that the campaign earns more than `profit`; unknown where the margin is.

    >>> round(chance_above(Economics(1_000, 50.0, 1e-9, 0.4, 2_000.0, 0.1, 0.05)), 3)
    0.5
    """
    if not plan.worth > 0:
        return math.nan
    from scipy.special import ndtr

    needed = (profit + plan.cost) / (plan.treated * plan.margin_share * baselines(plan))
    return float(ndtr((plan.lift - needed) / plan.lift_error).mean())


def profit_quantile(plan: Economics, share: float) -> float:
    """Return the profit that the campaign stays below with a chance of `share`; unknown where the margin is."""
    if not plan.worth > 0:
        return math.nan
    from scipy.optimize import brentq

    middle = plan.profit_at(plan.lift)
    relative = plan.spend_error / plan.spend_mean
    reach = _REACH * plan.worth * math.hypot(plan.lift_error, relative * (abs(plan.lift) + plan.lift_error))
    found = brentq(lambda profit: chance_above(plan, profit) - (1 - share), middle - reach, middle + reach)
    return float(found)


def chance_to_prove(plan: Economics, design: Design, smallest: float) -> float:
    """Return the chance that the test proves a gain: the power, averaged over the lifts that are expected.

    O'Hagan, Stevens and Campbell (2005), Pharmaceutical Statistics 4, 187-201: assurance. smallest: lift that the test can show.

    >>> plan = Economics(1_000, 50.0, 1.0, 0.4, 500.0, lift=0.1, lift_error=1e-9)
    >>> round(chance_to_prove(plan, Design(power=0.8), smallest=0.1), 3)  # a lift that is certain: the power
    0.8
    """
    border = _NORMAL.inv_cdf(1 - design.alpha / 2)
    error = smallest / (border + _NORMAL.inv_cdf(design.power))
    return _NORMAL.cdf((plan.lift - border * error) / math.hypot(plan.lift_error, error))


def baselines(plan: Economics) -> Floats:
    """Return equally likely values of the net revenue per customer without the campaign, ascending."""
    spread = math.sqrt(math.log1p((plan.spend_error / plan.spend_mean) ** 2))
    scores = np.array([_NORMAL.inv_cdf((place + 0.5) / _PLACES) for place in range(_PLACES)])
    values: Floats = plan.spend_mean * np.exp(spread * scores - spread**2 / 2)
    return values
