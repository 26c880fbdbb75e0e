"""Which categories an order holds: independent of each other but for a few pairs that are bought together, or never together.

Each category is wanted with a stated probability, the two of a pair together with lift * pA * pB. An order in which nothing is wanted is
no order, so what a reader measures is conditional on at least one category: every lift is then the stated one times P(at least one),
and that of two independent categories is P(at least one) itself, which is below 1.
"""

import math
from typing import NamedTuple

import numpy as np

from crm_metrics.demo.plan import Plan
from crm_metrics.demo.products import BEDDING, CATEGORIES, CATEGORY_NAMES, CURTAINS, RUGS, SCENTS, TABLEWARE, TEA
from crm_metrics.demo.world import Booleans, Floats, Stated
from crm_metrics.language import noop

WANTED = (0.24, 0.26, 0.22, 0.20, 0.16, 0.18, 0.12, 0.12)  # probability that a customer who looks around wants the category


class Pair(NamedTuple):
    """Two categories, each of one pair at most. lift: of wanting both, relative to independent wishes."""

    first: int
    second: int
    lift: float


PAIRS = (Pair(TABLEWARE, TEA, 2.4), Pair(BEDDING, CURTAINS, 1.9), Pair(RUGS, SCENTS, 0.4))

TOPIC = "affinities"
PARAMETERS = {
    "category_share": (noop("Share of orders with the category"), "share"),
    "lift": (noop("Lift of the two categories, as measured in orders"), "plain"),
    "wanted_lift": (
        noop("Lift of the two categories among all who look around, those who want nothing and place no order included"),
        "plain",
    ),
    "lift_of_other_pairs": (noop("Lift of every other two categories, as measured in orders"), "plain"),
}
_SETS = (np.arange(2 ** len(CATEGORIES))[:, None] >> np.arange(len(CATEGORIES)) & 1).astype(bool)  # every set of categories, a row each


def pairs(plan: Plan) -> tuple[Pair, ...]:
    """Return the pairs with the lift they have in this plan: 1 without affinities."""
    return PAIRS if plan.effects.affinities else tuple(pair._replace(lift=1.0) for pair in PAIRS)


def categories(plan: Plan, uniform: Floats) -> Booleans:
    """Return a row per order, a column per category: whether the order holds it. uniform: one random number of [0, 1) per order."""
    chance = _set_probabilities(plan)
    chance[0] = 0  # nothing wanted is no order
    upper = np.cumsum(chance)
    return _SETS[np.searchsorted(upper / upper[-1], uniform, side="right")]


def _set_probabilities(plan: Plan) -> Floats:
    """Return the probability of each row of _SETS."""
    wanted = np.array(WANTED)
    paired = [place for pair in PAIRS for place in pair[:2]]
    single = [place for place in range(len(CATEGORIES)) if place not in paired]
    chance = np.where(_SETS, wanted, 1 - wanted)[:, single].prod(axis=1)
    for first, second, lift in pairs(plan):
        both = lift * wanted[first] * wanted[second]
        joint = np.array([[1 - wanted[first] - wanted[second] + both, wanted[second] - both], [wanted[first] - both, both]])
        chance *= joint[_SETS[:, first].astype(int), _SETS[:, second].astype(int)]
    return chance


def share_not_empty(plan: Plan) -> float:
    """Return the probability that anything is wanted."""
    empty = math.prod(1 - share for place, share in enumerate(WANTED) if not any(place in pair[:2] for pair in PAIRS))
    for first, second, lift in pairs(plan):
        empty *= 1 - WANTED[first] - WANTED[second] + lift * WANTED[first] * WANTED[second]
    return 1 - empty


def stated(plan: Plan) -> Stated:
    """Return the parameters of a plan, as a reader of its orders would measure them."""
    some = share_not_empty(plan)
    wanted = {f"{CATEGORY_NAMES[first]} + {CATEGORY_NAMES[second]}": lift for first, second, lift in pairs(plan)}
    return {
        "category_share": {name: share / some for name, share in zip(CATEGORY_NAMES, WANTED, strict=True)},
        "lift": {names: lift * some for names, lift in wanted.items()},
        "wanted_lift": wanted,
        "lift_of_other_pairs": some,
    }
