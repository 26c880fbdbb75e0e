"""What is given back: one line of some orders, whole, on a later day and as an order of its own."""

from typing import NamedTuple

import numpy as np

from crm_metrics.demo.line_table import RETURN, Goods
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.products import (
    BEDDING,
    CATEGORIES,
    CATEGORY_NAMES,
    COOKWARE,
    CURTAINS,
    LAMPS,
    RUGS,
    SCENTS,
    TABLEWARE,
    TEA,
    TIERS,
    categories_of,
)
from crm_metrics.demo.world import Booleans, Customers, Floats, Integers, Orders, Stated, chosen
from crm_metrics.language import noop

RETURN_SHARE = (0.04, 0.07)  # of orders, by tier; never of those that a campaign caused, or of the test account
DAYS_TO_RETURN = (3.0, 25.0)  # every moment between them alike
CHANCE_OF_CATEGORY = {LAMPS: 1.0, BEDDING: 1.4, CURTAINS: 2.0, TABLEWARE: 0.8, TEA: 0.3, COOKWARE: 0.7, RUGS: 1.6, SCENTS: 0.4}

TOPIC = "returns"
PARAMETERS = {
    "return_share": (
        noop("Orders of the tier of which a line is given back, among those no campaign caused, 25 days or more before the last"),
        "share",
    ),
    "days_to_return_least": (noop("Days from the order to the return, at least; every number between as likely, by the moment"), "days"),
    "days_to_return_most": (noop("Days from the order to the return, at most; what would fall after the end is lost"), "days"),
    "chance_of_category": (noop("Chance of a line to be the one given back of its order, as a multiple of that of a lamp in it"), "plain"),
}


class Returns(NamedTuple):
    """One element per return, an order of its own. order: place of what it returns. moment: of the return. goods: a line each."""

    order: Integers
    moment: Floats
    goods: Goods


def returns(plan: Plan, chunk: int, customers: Customers, orders: Orders, *, sold: Goods) -> Returns:
    """Return what is given back of `sold`, the lines of `orders`."""
    random, count = plan.generator("returns", chunk), len(orders.moment)
    luck, wait = random.random(count), random.uniform(*DAYS_TO_RETURN, count)
    share = np.array(RETURN_SHARE if plan.effects.returns else (0.0, 0.0))[orders.is_premium.astype(int)]
    can_be = ~orders.is_caused & ~customers.is_test[orders.customer] & (np.floor(orders.moment + wait) < plan.days)
    is_given_back = (luck < share) & can_be
    order = np.flatnonzero(is_given_back)
    line = _lines_given_back(random, sold, is_given_back)
    given = chosen(sold, line)
    negative = {name: -getattr(given, name) for name in ("quantity", "gross", "discount", "net", "cost")}
    own = given._replace(order=np.arange(len(order)), kind=np.full(len(order), RETURN), **negative)
    return Returns(order, orders.moment[order] + wait[order], own)


def _lines_given_back(random: np.random.Generator, sold: Goods, is_given_back: Booleans) -> Integers:
    """Return the line of each order: the first to go, each at the rate of its category."""
    place = np.flatnonzero(is_given_back[sold.order])
    rate = np.array([CHANCE_OF_CATEGORY[category] for category in range(len(CATEGORIES))])[categories_of(sold.product[place])]
    time_to_go = random.exponential(size=len(place)) / rate
    by_order = np.lexsort((time_to_go, sold.order[place]))
    is_first = np.diff(sold.order[place][by_order], prepend=-1) > 0
    return place[by_order][is_first]


def stated(plan: Plan) -> Stated:
    """Return the parameters of a plan."""
    if not plan.effects.returns:
        return {}
    least, most = DAYS_TO_RETURN
    return {
        "return_share": dict(zip(TIERS, RETURN_SHARE, strict=True)),
        "days_to_return_least": least,
        "days_to_return_most": most,
        "chance_of_category": {CATEGORY_NAMES[place]: chance for place, chance in CHANCE_OF_CATEGORY.items()},
    }
