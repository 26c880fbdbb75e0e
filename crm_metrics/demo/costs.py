"""What it costs to serve each customer, beyond the goods: most cost little, some of the largest more than they bring.

Rows are sums by customer, quarter, kind and channel of contact, booked on the quarter's last day. Service costs come from the tickets,
the others from the orders: delivery, handling of returns, visits to companies, rewards by tier of value. Of the customers with the
highest margins some are demanding: rush deliveries and visits take more than all of their margin.
"""

from datetime import timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crm_metrics.demo.baskets import Baskets
from crm_metrics.demo.plan import FIRST_ON, Plan
from crm_metrics.demo.service import TICKET_CHANNELS, Contacts
from crm_metrics.demo.world import Booleans, Customers, Floats, Integers, Orders, Stated, Tables, chosen, customer_keys, days, keys, money
from crm_metrics.language import noop
from crm_metrics.schema import costs_to_serve

SERVICE, (DELIVERY, RETURN_HANDLING, VISIT, REWARD) = 0, range(len(TICKET_CHANNELS), len(TICKET_CHANNELS) + 4)
KINDS = (*["service"] * len(TICKET_CHANNELS), "delivery", "return handling", "sales visit", "reward")
CONTACT_CHANNELS = (*TICKET_CHANNELS, None, None, None, None)
DELIVERY_COST, DELIVERY_SHARE = 12.0, 0.02  # CNY an order, and of its net amount
RETURN_COST, RETURNED_AMOUNT_SHARE = 18.0, 0.05  # CNY a return, and of the amount given back
RETURN_MINUTES = 12.0
VISITS_PER_ORDER, VISIT_COST, VISIT_MINUTES = 0.3, 260.0, 120.0  # by companies that are not demanding; Poisson
LARGE_SHARE = 0.05  # of customers, by margin
DEMANDING_SHARE = 0.12  # of the large ones
DEMANDING_COST = (1.10, 1.80)  # visits and rush deliveries of a demanding customer, as a multiple of the margin; all between alike
DEMANDING_VISITS = 0.6  # share of that cost for visits; the rest is for deliveries
REWARD_SHARE = (0.0, 0.02, 0.04)  # of the margin of every order, by tier of value
VALUE_TIERS = ("普通 Basic", "银卡 Silver", "金卡 Gold")
GOLD_SHARE, SILVER_SHARE = 0.05, 0.15  # of customers, by margin

TOPIC = "costs"
PARAMETERS = {
    "delivery_cost": (noop("Cost of a delivery, per order; all costs are booked by sums, on the last day of their quarter"), "money"),
    "delivery_share": (noop("Cost of a delivery on top, as a share of the net amount"), "share"),
    "return_cost": (noop("Cost of handling a return"), "money"),
    "returned_amount_share": (noop("Cost of handling a return on top, as a share of the amount given back"), "share"),
    "return_minutes": (noop("Minutes of an employee to handle a return"), "minutes"),
    "visits_per_order": (noop("Sales visits to a company that is not demanding, per order, on average"), "number"),
    "visit_cost": (noop("Cost of a sales visit"), "money"),
    "visit_minutes": (noop("Minutes of an employee for a sales visit"), "minutes"),
    "large_share": (
        noop("Share of customers who count as large, by margin over the whole demo, within 50,000 customers simulated together"),
        "share",
    ),
    "demanding_share": (noop("Share of the large customers who are demanding"), "share"),
    "demanding_cost_least": (noop("Visits and deliveries of a demanding customer as a multiple of the margin, at least"), "plain"),
    "demanding_cost_most": (noop("Visits and deliveries of a demanding customer as a multiple of the margin, at most"), "plain"),
    "demanding_visits": (noop("Share of that cost of a demanding customer that goes into visits, the rest into deliveries"), "share"),
    "tier_share": (noop("Share of customers in the tier of value, by margin over the whole demo"), "share"),
    "reward_share": (noop("Rewards as a share of the margin of orders that earn one, by tier of value"), "share"),
}


class _Charges(NamedTuple):
    """Costs, one element each. kind: place in KINDS, one for all or each. customer: place. minutes: of employees."""

    kind: Integers | int
    customer: Integers
    moment: Floats
    cost: Floats
    minutes: Floats | float


def costs(  # noqa: PLR0917  # what the parts before it made, in their order
    plan: Plan, chunk: int, customers: Customers, orders: Orders, baskets: Baskets, contacts: Contacts
) -> Tables:
    """Return the costs of serving a chunk's customers, in sums by customer, quarter, kind and channel of contact."""
    charges = [_Charges(SERVICE + contacts.channel, contacts.customer, contacts.moment, contacts.cost, contacts.minutes)]
    if plan.effects.cost_to_serve:
        charges += _of_orders(plan, chunk, customers, orders=orders, baskets=baskets)
    ends = _quarter_ends(plan)
    shape = (len(customers.number), len(ends), len(KINDS))
    rows, cost, minutes = _summed(charges, ends, shape)
    customer, quarter, kind = np.unravel_index(np.flatnonzero(rows), shape)
    spent = minutes[rows > 0]
    columns = {
        "cost_id": keys("cost", np.arange(len(customer)), chunk=chunk),
        "customer_id": customer_keys(customers.number).take(pa.array(customer)),
        "incurred_on": days(ends[quarter].astype(np.float64)),
        "cost_kind": pa.array(KINDS).take(pa.array(kind)),
        "channel": pa.array(CONTACT_CHANNELS).take(pa.array(kind)),
        "minutes": money(np.where(spent > 0, spent, np.nan)),
        "cost_amount": money(cost[rows > 0]),
    }
    return {costs_to_serve: pa.table(columns)}


def _summed(charges: list[_Charges], ends: Integers, shape: tuple[int, int, int]) -> Floats:
    """Return number, cost and minutes of the charges, a row each, by customer, quarter and kind."""
    totals = np.zeros((3, int(np.prod(shape))))
    for charge in charges:
        quarter = np.searchsorted(ends, np.floor(charge.moment))
        place = np.ravel_multi_index((charge.customer, quarter, np.broadcast_to(charge.kind, quarter.shape)), shape)
        for row, values in enumerate((1.0, charge.cost, charge.minutes)):
            totals[row] += np.bincount(place, np.broadcast_to(values, place.shape), minlength=totals.shape[1])
    return totals


def _quarter_ends(plan: Plan) -> Integers:
    """Return the last day of every quarter."""
    following = [FIRST_ON + timedelta(day + 1) for day in range(plan.days)]
    return np.flatnonzero([day.day == 1 and day.month % 3 == 1 for day in following])


def _of_orders(plan: Plan, chunk: int, customers: Customers, *, orders: Orders, baskets: Baskets) -> list[_Charges]:
    """Return what follows from the orders; the test account costs nothing."""
    is_counted = ~customers.is_test[orders.customer]
    orders, margin, returned = chosen(orders, is_counted), baskets.margin[is_counted], baskets.returned[is_counted]
    returned_at = baskets.returned_at[is_counted]
    total = _by_customer(orders.customer, margin, len(customers.number))
    multiple = _demanded(plan, chunk, total)
    wanted = multiple[orders.customer] * np.maximum(margin, 0)
    random = plan.generator("visits", chunk)
    visits = random.poisson(VISITS_PER_ORDER, len(margin)) * customers.is_company[orders.customer]
    visit_cost = np.where(wanted > 0, wanted * DEMANDING_VISITS, visits * VISIT_COST)
    is_visited, is_returned = visit_cost > 0, returned > 0
    delivery = DELIVERY_COST + DELIVERY_SHARE * orders.amount + wanted * (1 - DEMANDING_VISITS)
    reward = np.array(REWARD_SHARE)[_value_tiers(total)][orders.customer] * np.maximum(margin, 0)
    handling = RETURN_COST + RETURNED_AMOUNT_SHARE * returned[is_returned]
    visited, spent = chosen(orders, is_visited), visit_cost[is_visited]
    rewarded = chosen(orders, reward > 0)
    return [
        _Charges(DELIVERY, orders.customer, orders.moment, delivery, 0.0),
        _Charges(RETURN_HANDLING, orders.customer[is_returned], returned_at[is_returned], handling, RETURN_MINUTES),
        _Charges(VISIT, visited.customer, visited.moment, spent, spent / VISIT_COST * VISIT_MINUTES),
        _Charges(REWARD, rewarded.customer, rewarded.moment, reward[reward > 0], 0.0),
    ]


def _demanded(plan: Plan, chunk: int, margin: Floats) -> Floats:
    """Return what visits and deliveries take of each customer's margin, beyond the usual: 0 for those who are not demanding."""
    random = plan.generator("demanding customers", chunk)
    is_chosen, multiple = random.random(len(margin)) < DEMANDING_SHARE, random.uniform(*DEMANDING_COST, len(margin))
    return np.where(is_chosen & is_large(margin), multiple, 0.0)


def is_large(margin: Floats) -> Booleans:
    """Return which customers count as large: those with the highest margins."""
    return margin >= np.quantile(margin, 1 - LARGE_SHARE)


def _value_tiers(margin: Floats) -> Integers:
    """Return each customer's tier of value, as place in VALUE_TIERS."""
    return np.searchsorted(np.quantile(margin, [1 - GOLD_SHARE - SILVER_SHARE, 1 - GOLD_SHARE]), margin, side="right")


def _by_customer(customer: Integers, values: Floats, count: int) -> Floats:
    return np.bincount(customer, values, minlength=count).astype(np.float64)


def stated(plan: Plan) -> Stated:
    """Return the parameters of a plan."""
    if not plan.effects.cost_to_serve:
        return {}
    least, most = DEMANDING_COST
    tiers = (1 - GOLD_SHARE - SILVER_SHARE, SILVER_SHARE, GOLD_SHARE)
    return {
        "delivery_cost": DELIVERY_COST,
        "delivery_share": DELIVERY_SHARE,
        "return_cost": RETURN_COST,
        "returned_amount_share": RETURNED_AMOUNT_SHARE,
        "return_minutes": RETURN_MINUTES,
        "visits_per_order": VISITS_PER_ORDER,
        "visit_cost": VISIT_COST,
        "visit_minutes": VISIT_MINUTES,
        "large_share": LARGE_SHARE,
        "demanding_share": DEMANDING_SHARE,
        "demanding_cost_least": least,
        "demanding_cost_most": most,
        "demanding_visits": DEMANDING_VISITS,
        "tier_share": dict(zip(VALUE_TIERS, tiers, strict=True)),
        "reward_share": dict(zip(VALUE_TIERS, REWARD_SHARE, strict=True)),
    }
