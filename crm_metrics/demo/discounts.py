"""Discounts: what the price list says above what the customer pays. The net amount of an order is the same with and without."""

import numpy as np

from crm_metrics.demo import clock
from crm_metrics.demo.draws import by_shares
from crm_metrics.demo.goods import Draws
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import Floats, Integers, Stated, subject
from crm_metrics.language import noop

RATES = (0.0, 0.05, 0.10, 0.20)  # of the gross amount; one for all lines of an order
HUNTER_SHARE = 0.15  # of customers: they wait for discounts
NOVEMBER = 10  # 0 is January
GROUPS = (
    "普通顾客 Others",
    "普通顾客，十一月 Others, November",
    "追逐折扣的顾客 Bargain hunters",
    "追逐折扣的顾客，十一月 Bargain hunters, November",
)
RATE_SHARE = ((0.80, 0.10, 0.07, 0.03), (0.45, 0.20, 0.20, 0.15), (0.40, 0.20, 0.25, 0.15), (0.20, 0.20, 0.30, 0.30))  # of orders, by group

TOPIC = "discounts"
PARAMETERS = {
    "hunter_share": (noop("Share of customers who wait for discounts"), "share"),
    "rate_share": (noop("Share of orders at the discount, a share of the gross amount, by customer and season"), "share"),
}


def discount_rates(draws: Draws, customers: int, *, customer: Integers, moment: Floats) -> Floats:
    """Return the discount of each order, as a share of its gross amount. customers: how many. customer: place; NONE is an ordinary one."""
    plan = draws.plan
    if not plan.effects.discounts:
        return np.zeros(len(customer))
    hunters = np.flatnonzero(plan.generator("bargain hunters", draws.chunk).random(customers) < HUNTER_SHARE)
    group = 2 * np.isin(customer, hunters) + (clock.month_of(plan, moment) % 12 == NOVEMBER)
    luck = draws.generator("discounts").random(len(customer))
    return np.array(RATES)[by_shares(luck, np.array(RATE_SHARE)[group])]


def stated(plan: Plan) -> Stated:
    """Return the parameters of a plan."""
    if not plan.effects.discounts:
        return {}
    shares = {
        subject(group, f"{rate:.0%}"): share
        for group, row in zip(GROUPS, RATE_SHARE, strict=True)
        for rate, share in zip(RATES, row, strict=True)
    }
    return {"hunter_share": HUNTER_SHARE, "rate_share": shares}
