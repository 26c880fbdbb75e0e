"""What may any choice of customers in fact bring? A prediction interval of each part of them.

Two things are unknown: the parameters, and what each customer does even if they were known. For each refit of the models (see bootstrap)
what the customers do is drawn (see outcome), of up to CUSTOMERS_DRAWN of them: of more, those that scatter most are likeliest to be
drawn, and all the others count as expected. The models' own error is not in the interval: the hold-out shows it.

The refits and what they expect hold for every choice of customers: only the drawing is done anew for each.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.polynomial import chebyshev
from numpy.random import Generator

from crm_metrics.purchase_model.bootstrap import Refits
from crm_metrics.purchase_model.groups import Floats, Integers, total_weights
from crm_metrics.purchase_model.model import DAYS_PER_WEEK
from crm_metrics.purchase_model.outcome import drawn_purchases, drawn_spend
from crm_metrics.purchase_model.score import Spent, beta_geometric_alive, beta_geometric_purchases, spend_given, spent_so_far
from crm_metrics.purchase_model.value import Horizon, new_customer_value

CUSTOMERS_DRAWN = 2_000  # 0.1 s for 200 draws; the standard deviation is then off by some 3%, that of 200 draws is by 5%
_POINTS = 48  # of the integral over the drop-out chance: 3e-5 of the value at worst, against intervals of several percent
_AGES = 16  # Chebyshev points in age between which expected purchases are interpolated
_LEAST_SCATTER = 1e-9  # so that somebody can be drawn where nobody is worth anything
_COLUMNS = ["frequency", "recency_days", "age_days", "repeat_value_mean", "expected_purchases", "expected_spend", "expected_value"]


class Outlook(NamedTuple):
    """What each refit expects over a horizon of any customer, and of a new one.

    frequencies: the distinct ones, sorted. longest: greatest ln(1 + age in weeks). if_alive: refits x frequencies x Chebyshev points from
    0 to it, expected purchases (undiscounted) of an active customer. new_customer_values: per refit, the mean of a new customer.
    """

    refits: Refits
    weeks: float
    frequencies: Floats
    longest: float
    if_alive: Floats
    new_customer_values: Floats


class PartDraws(NamedTuple):
    """What parts of the customers may in fact bring, refits x parts: purchases (undiscounted) and values. No rows without refits."""

    purchases: Floats
    values: Floats


class _Drawn(NamedTuple):
    """The customers whose outcomes are drawn, one element each.

    past: frequency, and recency and age in weeks. place, basis: row in Outlook.if_alive and weights of its points in age. discounting:
    discounted / undiscounted expected purchases at the point estimate (refits move it in the fifth digit).
    """

    past: tuple[Floats, Floats, Floats]
    spent: Spent
    place: Integers
    basis: Floats
    discounting: Floats


def outlook(refits: Refits, summary: pd.DataFrame, *, horizon: Horizon) -> Outlook:
    """Return what each refit expects over `horizon`. summary: every customer, with frequency and age_days."""
    frequencies, longest = np.unique(summary["frequency"].to_numpy(dtype=np.float64)), float(_scale(summary).max(initial=0.0))
    points, total = np.expm1((chebyshev.chebpts1(_AGES) + 1) / 2 * longest), horizon.total()
    at = (np.repeat(frequencies, _AGES), np.tile(points, len(frequencies)))
    if_alive = [beta_geometric_purchases(purchases, at, total, points=_POINTS) for purchases, _ in refits.pairs]
    return Outlook(
        refits=refits,
        weeks=float(total.weeks[-1]),
        frequencies=frequencies,
        longest=longest,
        if_alive=np.reshape(if_alive, (len(refits.pairs), len(frequencies), _AGES)),
        new_customer_values=np.array([new_customer_value(*pair, horizon=horizon) for pair in refits.pairs]),
    )


def drawn_parts(ahead: Outlook, customers: pd.DataFrame, part: Integers, *, seed: int = 1) -> PartDraws:
    """Return what parts of the customers may bring, once per refit: quantiles of it are a prediction interval.

    customers: frequency, recency_days, age_days, repeat_value_mean, and by the models themselves expected_purchases, expected_spend and
    expected_value over the horizon. part: of each of them 0, 1, …; -1: in no part.

    A customer who is drawn for certain counts as drawn. Of the others all count as the models expect; for each one drawn with chance c,
    the difference that a refit makes to the expectation is added 1 / c fold, and the deviation of what is drawn from what the refit
    expects c^-1/2 fold: the sums then have the right mean for each refit, and the right variance.
    """
    refits, size, chosen = ahead.refits.pairs, int(part.max(initial=-1)) + 1, np.flatnonzero(part >= 0)
    if not (refits and len(chosen)):
        return PartDraws(*np.zeros((2, len(refits), size)))
    part, shown = part[chosen], customers[_COLUMNS].iloc[chosen].astype(np.float64)
    value, random = shown["expected_value"].to_numpy(), np.random.default_rng([seed, 1])
    chance = _chances(part, np.sqrt(value * (value + shown["expected_spend"].to_numpy())) + _LEAST_SCATTER)
    some = _sample(chance, seed=seed)
    drawn, part_drawn, is_certain = _drawn(ahead, shown.iloc[some]), part[some], chance[some] == 1
    of_outcome, of_difference = chance[some] ** -0.5, np.where(is_certain, 0.0, 1 / chance[some])
    of_mean, of_estimate = np.where(is_certain, 0.0, of_difference - of_outcome), (chance < 1).astype(np.float64)
    of_estimate[some] -= of_difference
    estimates = (shown[name].to_numpy() for name in ("expected_purchases", "expected_value"))
    always = [total_weights(part, of_estimate * estimate, size=size) for estimate in estimates]
    sums = []
    for place in range(len(refits)):
        outcomes, means = _lived(ahead, drawn, place, random)
        added = [of_outcome * outcome + of_mean * mean for outcome, mean in zip(outcomes, means, strict=True)]
        sums.append([known + total_weights(part_drawn, more, size=size) for known, more in zip(always, added, strict=True)])
    return PartDraws(*np.array(sums).swapaxes(0, 1))


def _drawn(ahead: Outlook, summary: pd.DataFrame) -> _Drawn:
    frequency, recency_days, age_days, _, plain, spend, value = summary.to_numpy().T  # in the order of _COLUMNS
    place, basis = _points(ahead, summary)
    return _Drawn(
        past=(frequency, recency_days / DAYS_PER_WEEK, age_days / DAYS_PER_WEEK),
        spent=spent_so_far(summary),
        place=place,
        basis=basis,
        discounting=np.divide(value, plain * spend, where=value > 0, out=np.zeros_like(value)),
    )


def _lived(ahead: Outlook, drawn: _Drawn, place: int, random: Generator) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return purchases and value of each customer under the refit at `place`: drawn once, and expected."""
    purchases, spend = ahead.refits.pairs[place]
    frequency, _, age = drawn.past
    alive = beta_geometric_alive(purchases, drawn.past)
    bought = drawn_purchases(purchases, (frequency, age), alive=alive, weeks=ahead.weeks, random=random)
    brought = drawn_spend(spend, drawn.spent, purchases=bought, random=random)
    expected = alive * np.einsum("ij,ij->i", ahead.if_alive[place][drawn.place], drawn.basis)
    worth = expected * spend_given(spend, drawn.spent)
    return (bought, drawn.discounting * brought), (expected, drawn.discounting * worth)


def _chances(part: Integers, scatter: Floats) -> Floats:
    """Return each customer's chance to be drawn: half of the draws go to the parts alike, half to where most scatter is.

    scatter: about the standard deviation of an outcome; within a part chances in proportion to it are best (Neyman 1934).
    """
    if len(part) <= CUSTOMERS_DRAWN:
        return np.ones(len(part))
    of_part = np.bincount(part, weights=scatter)
    draws = CUSTOMERS_DRAWN / 2 * (1 / np.count_nonzero(of_part) + of_part / of_part.sum())
    return np.minimum(scatter * np.divide(draws, of_part, where=of_part > 0, out=np.zeros_like(of_part))[part], 1.0)


def _sample(chance: Floats, *, seed: int) -> Integers:
    """Return the positions of a systematic sample with these chances."""
    uncertain = np.where(chance < 1, chance, 0.0)
    steps = np.floor(np.cumsum(uncertain) + np.random.default_rng([seed, 2]).random())
    return np.flatnonzero((np.diff(steps, prepend=0.0) > 0) | (chance == 1))


def _points(ahead: Outlook, customers: pd.DataFrame) -> tuple[Integers, Floats]:
    """Return, of each customer, the row in Outlook.if_alive and the weights of its points: their weighted sum is an interpolation."""
    at_points = chebyshev.chebvander(chebyshev.chebpts1(_AGES), _AGES - 1)
    at_ages = chebyshev.chebvander(2 * _scale(customers) / (ahead.longest or 1.0) - 1, _AGES - 1)
    return np.searchsorted(ahead.frequencies, customers["frequency"].to_numpy(dtype=np.float64)), at_ages @ np.linalg.inv(at_points)


def _scale(customers: pd.DataFrame) -> Floats:
    """Return ln(1 + age in weeks), in which expected purchases are smooth."""
    return np.asarray(np.log1p(customers["age_days"].to_numpy(dtype=np.float64) / DAYS_PER_WEEK), dtype=np.float64)
