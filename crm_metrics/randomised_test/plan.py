"""How many customers does a test need, and what can the customers at hand show?

Two-sided test of the difference of two means, each arm with its own variance, as analyse.py tests it: with z of the normal distribution

    lift x mean = (z[1 - alpha / 2] + z[power]) sqrt(treated variance / treated customers + control variance / control customers)

Chow, Shao and Wang (2008), Sample Size Calculations in Clinical Research, 2nd edition: shares p. 89, means p. 58. Fleiss, Levin and Paik
(2003), Statistical Methods for Rates and Proportions, chapter 4, pool the variance of shares in the test: within 2% of these at equal
arms and small lifts. What strata take away from the variance comes on top: the power reached is at least the one planned.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import pandas as pd

from crm_metrics.metric import BadInput, value_text

LEAST_PER_ARM = 2  # one customer has no variance
NOTHING_LOST = 1e-9  # .2 x 15 is 3.0000000000000004
_NORMAL = NormalDist()
_CURVE_POINTS = 40


@dataclass(frozen=True)
class Baseline:
    """The outcome per customer without the campaign, as in a like period before.

    mean: share who buy (0 to 1), or money per customer. standard_deviation: of the money, customers who spend nothing among them; None
    for a share, whose mean says how much it scatters. Money is taken to scatter as much with the campaign as without.
    Raises BadInput where no test could be planned.
    """

    mean: float
    standard_deviation: float | None = None

    def __post_init__(self) -> None:
        if self.standard_deviation is None and not 0 < self.mean < 1:
            raise BadInput(
                "Without the campaign {share} of the customers buy. A test needs a share above 0 and below 100%: choose other customers "
                "or another number of days.",
                share=value_text(self.mean, "share"),
            )
        if self.standard_deviation is not None and not (0 < self.mean < math.inf and 0 < self.standard_deviation < math.inf):
            raise BadInput(
                "Without the campaign a customer brings {mean}, with a standard deviation of {deviation}. A test needs both above 0: "
                "choose customers of whom some buy, or more days.",
                mean=value_text(self.mean, "money_per_customer"),
                deviation=value_text(self.standard_deviation, "money_per_customer"),
            )


@dataclass(frozen=True)
class Design:
    """What the planner chooses. Raises BadInput where it is impossible.

    share_control: of the customers, above 0 and below 1. alpha: chance of a false alarm, two-sided. power: chance to find the lift.
    """

    share_control: float = 0.5
    alpha: float = 0.05
    power: float = 0.8

    def __post_init__(self) -> None:
        if not 0 < self.share_control < 1:
            raise BadInput(
                "The control group is {share} of the customers. Choose a share above 0 and below 100%.",
                share=value_text(self.share_control, "share"),
            )
        if not 0 < self.alpha < self.power < 1:
            raise BadInput(
                "The chance of a false alarm is {alpha}, the chance to find the lift {power}. Choose the first above 0, the second above "
                "the first and below 100%; 5% and 80% are usual.",
                alpha=value_text(self.alpha, "share"),
                power=value_text(self.power, "share"),
            )


class Arms(NamedTuple):
    """Customers in each arm."""

    treated: int
    control: int

    @property
    def customers(self) -> int:
        """Return the customers of both arms."""
        return self.treated + self.control


def customers_needed(baseline: Baseline, design: Design, *, lift: float) -> Arms:
    """Return the customers it takes to find `lift` (.1: 10% more than without the campaign) with the power of `design`.

    Raises BadInput if the lift is not above 0, or takes a share past 100%.

    >>> customers_needed(Baseline(0.65), Design(), lift=0.20 / 0.65)
    Arms(treated=70, control=70)
    """
    _check_lift(baseline, lift)
    difference = lift * baseline.mean
    shares = (1 - design.share_control, design.share_control)
    needed = max((_z(design) / difference) ** 2 * _variance(baseline, design, difference), LEAST_PER_ARM / min(shares))
    treated, control = (math.ceil(needed * share - NOTHING_LOST) for share in shares)
    return Arms(treated, control)


def smallest_lift(baseline: Baseline, design: Design, *, customers: int) -> float:
    """Return the smallest lift that `customers` in all can show with the power of `design`; NaN if a share of 100% is not enough.

    Raises BadInput if an arm would have fewer than LEAST_PER_ARM customers.

    >>> round(smallest_lift(Baseline(0.65), Design(), customers=140), 3)
    0.307
    """
    check_audience(customers, share_control=design.share_control)
    of_squares = _z(design) ** 2 / customers
    if baseline.standard_deviation is not None:
        return math.sqrt(of_squares * _variance(baseline, design, 0.0)) / baseline.mean
    # The variance of the treated is (p + d)(1 - p - d), so the formula is a quadratic equation in the difference d.
    treated = of_squares / (1 - design.share_control)
    half = treated * (1 - 2 * baseline.mean) / 2 / (1 + treated)
    difference = half + math.sqrt(half**2 + of_squares * _variance(baseline, design, 0.0) / (1 + treated))
    return difference / baseline.mean if baseline.mean + difference <= 1 else math.nan


def power_at(baseline: Baseline, design: Design, *, lift: float, customers: int) -> float:
    """Return the chance that `customers` in all show `lift`, in either direction: at a lift of 0 it is alpha.

    Raises BadInput as smallest_lift, and if the lift is negative or takes a share past 100%.

    >>> round(power_at(Baseline(0.65), Design(), lift=0.20 / 0.65, customers=140), 2)
    0.8
    """
    check_audience(customers, share_control=design.share_control)
    if lift:
        _check_lift(baseline, lift)
    difference = lift * baseline.mean
    score = difference / math.sqrt(_variance(baseline, design, difference) / customers)
    border = _NORMAL.inv_cdf(1 - design.alpha / 2)
    return _NORMAL.cdf(score - border) + _NORMAL.cdf(-score - border)


def power_curve(baseline: Baseline, design: Design, *, customers: int, lifts: Sequence[float] = ()) -> pd.DataFrame:
    """Return the power that `customers` in all have for each of `lifts`: lift, power.

    Without `lifts` from 0 to twice the smallest lift, or to a share of 100% where that comes first. Raises BadInput as power_at.
    """
    if not lifts:
        largest = math.inf if baseline.standard_deviation is not None else _largest_lift(baseline)
        smallest = smallest_lift(baseline, design, customers=customers)
        end = largest if math.isnan(smallest) else min(2 * smallest, largest)
        lifts = [end * place / _CURVE_POINTS for place in range(_CURVE_POINTS + 1)]
    powers = [power_at(baseline, design, lift=lift, customers=customers) for lift in lifts]
    return pd.DataFrame({"lift": list(lifts), "power": powers}, dtype=float)


def check_audience(customers: int, *, share_control: float) -> None:
    """Raise BadInput if `customers` are too few for LEAST_PER_ARM in each arm."""
    least = min(share_control, 1 - share_control)
    if customers * least < LEAST_PER_ARM - NOTHING_LOST:
        raise BadInput(
            "There are {customers} customers, {share} of them for the smaller group. Each group needs {least} at least: choose more "
            "customers or groups of more equal size.",
            customers=f"{customers:,}",
            share=value_text(least, "share"),
            least=LEAST_PER_ARM,
        )


def _z(design: Design) -> float:
    return _NORMAL.inv_cdf(1 - design.alpha / 2) + _NORMAL.inv_cdf(design.power)


def _variance(baseline: Baseline, design: Design, difference: float) -> float:
    """Return the variance of the difference of the arms' means, times the customers in all."""
    treated = control = (baseline.standard_deviation or 0.0) ** 2
    if baseline.standard_deviation is None:
        share = min(baseline.mean + difference, 1.0)
        treated, control = share * (1 - share), baseline.mean * (1 - baseline.mean)
    return treated / (1 - design.share_control) + control / design.share_control


def _largest_lift(baseline: Baseline) -> float:
    return 1 / baseline.mean - 1


def _check_lift(baseline: Baseline, lift: float) -> None:
    if not 0 < lift < math.inf:
        raise BadInput("The lift is {lift}. Write a number above 0; 10% is a tenth more than without the campaign.", lift=f"{lift:.1%}")
    if baseline.standard_deviation is None and lift > _largest_lift(baseline) + NOTHING_LOST:
        raise BadInput(
            "A lift of {lift} would take the share who buy from {share} past 100%. Choose at most {largest}.",
            lift=value_text(lift, "share"),
            share=value_text(baseline.mean, "share"),
            largest=value_text(math.floor(_largest_lift(baseline) * 1000) / 1000, "share"),
        )
