"""When customers order and for how much, before anything that a campaign or a bad answer does to it.

Each customer orders once when won, then at the customer's own constant rate on the seasonal clock, and leaves for ever after each
repeat order with the customer's own probability (BG/NBD). The net amount of an order is gamma distributed around the customer's mean
(Gamma-Gamma). An order that would fall on the day of the customer's order before it waits for the next day, because two orders of one
day are one purchase to the models.
"""

import numpy as np

from crm_metrics.demo import clock
from crm_metrics.demo.channels import CHANNELS
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import NONE, Booleans, Customers, Floats, History, Integers, Orders, Stated
from crm_metrics.language import noop

PREMIUM_AT_FIRST = 0.22  # share of customers who buy premium products from the first order on
UPGRADES_PER_YEAR = 0.10  # rate at which each of the others goes over to premium, once and for good
UPGRADE_FACTOR = 1.35  # on the net amount of every order after the upgrade
OUTLIER_SHARE, OUTLIER_FACTOR = 1 / 20_000, 40.0  # orders of many times what the customer would have paid
TEST_ORDERS, TEST_AMOUNT = 300, 1.0
SMALLEST_AMOUNT = 0.01

TOPIC = "orders"
PARAMETERS = {
    "premium_at_first": (noop("Share of customers who buy premium products from the first order on"), "share"),
    "upgrades_per_year": (noop("Rate at which the others go over to premium products, a year"), "share"),
    "upgrade_factor": (noop("Net amount of an order after the upgrade, as a multiple of that before"), "plain"),
    "outlier_share": (noop("Share of orders that are outliers"), "share"),
    "outlier_factor": (noop("Amount of an outlier, as a multiple of what it would have been"), "plain"),
    "test_orders": (noop("Orders of the test account, those included that find no day of their own before the end"), "number"),
    "test_amount": (noop("Net amount of each order of the test account"), "money"),
    "smallest_amount": (noop("Smallest net amount of an order"), "money"),
}


def natural_history(plan: Plan, chunk: int, customers: Customers) -> History:
    """Return the orders of a chunk's customers, and when they left."""
    customer, moment, left = _moments(plan, chunk, customers)
    is_first = np.concatenate([[True], customer[1:] != customer[:-1]]) if len(customer) else np.zeros(0, dtype=bool)
    is_premium, factor = _upgraded(plan, chunk, customers, customer=customer, moment=moment)
    amount = _amounts(plan, chunk, customers, customer) * factor
    orders = Orders(
        customer=customer,
        moment=moment,
        amount=np.where(customers.is_test[customer], TEST_AMOUNT, np.maximum(np.round(amount, 2), SMALLEST_AMOUNT)),
        is_first=is_first,
        is_premium=is_premium,
        campaign=np.full(len(customer), NONE),
        is_caused=np.zeros(len(customer), dtype=bool),
    )
    return History(orders, left)


def _moments(plan: Plan, chunk: int, customers: Customers) -> tuple[Integers, Floats, Floats]:
    """Return customer and moment of every order, sorted, and when each customer left: with the last order, NaN for those who have not."""
    random, count = plan.generator("purchases", chunk), len(customers.number)
    end = clock.to_seasonal(plan, np.array([float(plan.days)]))[0]
    remaining = random.geometric(np.clip(customers.leave_probability, 1e-12, 1))  # the last repeat order is the customer's last
    has_left = np.zeros(count, dtype=bool)
    now, active = clock.to_seasonal(plan, customers.acquired), np.flatnonzero(~customers.is_test)
    found = [(np.arange(count), now.copy())]
    while len(active):
        now[active] += random.exponential(7.0, len(active)) / customers.purchase_rate[active]
        active = active[now[active] < end]
        found.append((active, now[active]))
        remaining[active] -= 1
        has_left[active] = remaining[active] == 0
        active = active[~has_left[active]]
    tests = np.flatnonzero(customers.is_test)
    found.extend((np.full(TEST_ORDERS - 1, test), random.uniform(now[test], end, TEST_ORDERS - 1)) for test in tests)
    wanted, moment = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((moment, wanted))
    customer, moment = _on_days_of_their_own(plan, wanted[order], clock.from_seasonal(plan, moment[order]))
    has_left &= np.bincount(wanted, minlength=count) == np.bincount(customer, minlength=count)  # the last order is still to come
    return customer, moment, np.where(has_left, last_orders(customer, moment, count=count), np.nan)


def last_orders(customer: Integers, moment: Floats, *, count: int) -> Floats:
    """Return the moment of each of `count` customers' last order, from orders sorted by customer and moment; NaN where there is none."""
    last = np.full(count, np.nan)
    last[customer] = moment  # of several, the one assigned last stays
    return last


def _on_days_of_their_own(plan: Plan, customer: Integers, moment: Floats) -> tuple[Integers, Floats]:
    """Return the orders with each one at least a day after the customer's order before; those pushed out of the demo are gone."""
    day = np.floor(moment).astype(np.int64)
    starts = np.flatnonzero(np.diff(customer, prepend=NONE))
    place = np.arange(len(day)) - np.repeat(starts, np.diff(starts, append=len(day)))
    apart = customer * (2 * plan.days)  # so that the running maximum begins anew with each customer
    pushed = np.maximum.accumulate(day - place + apart) + place - apart
    kept = pushed < plan.days
    return customer[kept], (pushed + moment - day)[kept]


def _amounts(plan: Plan, chunk: int, customers: Customers, customer: Integers) -> Floats:
    random = plan.generator("amounts", chunk)
    shape = np.array([channel.p for channel in CHANNELS])[customers.channel][customer]
    amount = random.gamma(shape) / shape * customers.mean_order_value[customer]
    if plan.effects.outliers:
        amount[plan.generator("outliers", chunk).random(len(amount)) < OUTLIER_SHARE] *= OUTLIER_FACTOR
    return amount


def _upgraded(plan: Plan, chunk: int, customers: Customers, *, customer: Integers, moment: Floats) -> tuple[Booleans, Floats]:
    """Return which orders are of premium products, and what an upgrade does to their amount."""
    random, count = plan.generator("upgrades", chunk), len(customers.number)
    is_premium = random.random(count) < PREMIUM_AT_FIRST
    upgrade = customers.acquired + random.exponential(365.25 / UPGRADES_PER_YEAR, count)
    if not plan.effects.upgrades:
        return is_premium[customer], np.ones(len(customer))
    is_upgraded = ~is_premium[customer] & (moment > upgrade[customer])
    return is_premium[customer] | is_upgraded, np.where(is_upgraded, UPGRADE_FACTOR, 1.0)


def stated(plan: Plan) -> Stated:
    """Return the stated parameters."""
    effects, values = plan.effects, {"premium_at_first": PREMIUM_AT_FIRST}
    if effects.upgrades:
        values |= {"upgrades_per_year": UPGRADES_PER_YEAR, "upgrade_factor": UPGRADE_FACTOR}
    if effects.outliers:
        values |= {"outlier_share": OUTLIER_SHARE, "outlier_factor": OUTLIER_FACTOR}
        values |= {"test_orders": TEST_ORDERS, "test_amount": TEST_AMOUNT}
    return {**values, "smallest_amount": SMALLEST_AMOUNT}
