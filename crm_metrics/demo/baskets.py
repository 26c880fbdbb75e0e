"""Order lines: products, discounts, gifts, returns, cancelled and anonymous orders, and what each order earned.

An order's lines add up to its amount to the fen whatever else is switched on: discounts raise the gross amount, returns and gifts
are lines of their own.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crm_metrics.demo import discounts, goods, line_table, returns, sales_channels
from crm_metrics.demo.channels import CHANNELS, STORE
from crm_metrics.demo.goods import Draws, Wanted
from crm_metrics.demo.line_table import CANCELLED, Goods, Heads, Part
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.purchases import PREMIUM_AT_FIRST, SMALLEST_AMOUNT
from crm_metrics.demo.sales_channels import IN_STORE, PHONE
from crm_metrics.demo.world import NONE, Booleans, Customers, Floats, Orders, Stated, chosen, keys, order_keys
from crm_metrics.language import noop

CANCELLED_SHARE = (
    0.01  # of orders, neither caused by a campaign nor of the test account, that the customer follows up with one that is cancelled
)
DAYS_TO_CANCELLED = 30.0  # mean of the days between the two, exponential
ANONYMOUS_SHARE = 0.02  # sales in the shop to nobody known, per order that no campaign caused; none beside the test account's

TOPIC = "order_kinds"
PARAMETERS = {
    "cancelled_share": (
        noop("Orders followed by a cancelled one, among those no campaign caused; what would fall after the end is lost"),
        "share",
    ),
    "days_to_cancelled": (noop("Days from an order to the cancelled one that follows, on average, before the end cuts them off"), "days"),
    "anonymous_share": (noop("Sales in the shop without a customer, per order with one that no campaign caused"), "share"),
}


class Baskets(NamedTuple):
    """lines: as `line_table` makes them.

    Per order of Orders, in CNY: margin, net amount minus cost of goods with returns taken off; returned, net amount given back.
    returned_at: moment of that, NaN where nothing was.
    """

    lines: pa.Table
    margin: Floats
    returned: Floats
    returned_at: Floats


def baskets(plan: Plan, chunk: int, customers: Customers, orders: Orders, *, customer_ids: pa.Array) -> Baskets:
    """Return the lines of a chunk's orders. customer_ids: of each order, as the order names the customer."""
    sold = _sold(Draws(plan, chunk, "sold"), customers, orders, customer_ids=customer_ids)
    given = returns.returns(plan, chunk, customers, orders, sold=sold.goods)
    gifts = goods.gifts(plan, chunk, orders.is_premium)
    parts = [
        sold,
        Part(sold.heads, gifts),
        _given_back(chunk, given, sold.heads),
        _cancelled(Draws(plan, chunk, "cancelled"), customers, orders, customer_ids=customer_ids),
        _anonymous(Draws(plan, chunk, "anonymous"), customers, orders),
    ]
    count = len(orders.moment)
    margin, returned, returned_at = np.zeros(count), np.zeros(count), np.full(count, np.nan)
    for part in (sold.goods, gifts, given.goods._replace(order=given.order)):
        margin += np.bincount(part.order, part.net - part.cost, minlength=count)
    returned[given.order], returned_at[given.order] = -given.goods.net / 100, given.moment
    return Baskets(line_table.line_table(parts), margin / 100, returned, returned_at)


def _sold(draws: Draws, customers: Customers, orders: Orders, *, customer_ids: pa.Array) -> Part:
    """Return the orders themselves."""
    ids = order_keys(draws.chunk, len(orders.moment))
    return Part(_heads(draws, customers, orders, order_id=ids, customer_id=customer_ids), _goods(draws, customers, orders))


def _goods(draws: Draws, customers: Customers, orders: Orders) -> Goods:
    rates = discounts.discount_rates(draws, len(customers.number), customer=orders.customer, moment=orders.moment)
    fen = np.rint(orders.amount * 100).astype(np.int64)
    is_company = customers.is_company[orders.customer] & (orders.customer != NONE)
    return goods.goods(draws, Wanted(fen, rates, is_premium=orders.is_premium, is_company=is_company))


def _heads(draws: Draws, customers: Customers, orders: Orders, *, order_id: pa.Array, customer_id: pa.Array) -> Heads:
    luck = draws.generator("sales channels").random(len(orders.moment))
    channel = sales_channels.sales_channels(draws.plan, luck, acquisition=customers.channel[orders.customer], moment=orders.moment)
    moment = sales_channels.at_hours(orders.moment, channel)
    return Heads(
        order_id=order_id,
        customer_id=customer_id,
        moment=moment,
        sales_channel=channel,
        region=sales_channels.order_regions(draws.generator("regions"), customers.region[orders.customer]),
        campaign=orders.campaign,
        entry=sales_channels.entries(draws.plan, draws.generator("entries"), moment, is_entered=channel == PHONE),
    )


def _given_back(chunk: int, given: returns.Returns, heads: Heads) -> Part:
    """Return what is given back, each an order of its own by the same customer."""
    count, channel = len(given.order), heads.sales_channel[given.order]
    own = Heads(
        order_id=keys("returned order", np.arange(count), chunk=chunk),
        customer_id=heads.customer_id.take(pa.array(given.order)),
        moment=sales_channels.at_hours(given.moment, channel),
        sales_channel=channel,
        region=heads.region[given.order],
        campaign=np.full(count, NONE),
        entry=sales_channels.no_entry(count),
    )
    return Part(own, given.goods)


def _cancelled(draws: Draws, customers: Customers, orders: Orders, *, customer_ids: pa.Array) -> Part:
    """Return orders that were cancelled, each of a customer who ordered before, and of the amount of that order."""
    share = CANCELLED_SHARE if draws.plan.effects.voids else 0.0
    random, count = draws.generator("orders"), len(orders.moment)
    is_followed, wait = random.random(count) < share, random.exponential(DAYS_TO_CANCELLED, count)
    place = np.flatnonzero(is_followed & _is_ordinary(customers, orders) & (orders.moment + wait < draws.plan.days))
    followed = chosen(orders, place)._replace(moment=(orders.moment + wait)[place], campaign=np.full(len(place), NONE))
    held = _goods(draws, customers, followed)
    ids = keys("cancelled order", np.arange(len(place)), chunk=draws.chunk)
    heads = _heads(draws, customers, followed, order_id=ids, customer_id=customer_ids.take(pa.array(place)))
    return Part(heads, held._replace(kind=np.full(len(held.order), CANCELLED)))


def _anonymous(draws: Draws, customers: Customers, orders: Orders) -> Part:
    """Return sales in the shop to nobody known, on days on which others order, and of amounts as of customers won in the shop."""
    share = ANONYMOUS_SHARE if draws.plan.effects.anonymous else 0.0
    random, store = draws.generator("orders"), CHANNELS[STORE]
    place = np.flatnonzero((random.random(len(orders.moment)) < share) & _is_ordinary(customers, orders))
    count, channel = len(place), np.full(len(place), IN_STORE)
    amount = random.gamma(store.p, size=count) * store.v / random.gamma(store.q, size=count)
    sales = chosen(orders, place)._replace(
        customer=np.full(count, NONE),
        moment=np.floor(orders.moment[place]) + random.random(count),
        amount=np.maximum(np.round(amount, 2), SMALLEST_AMOUNT),
        is_premium=random.random(count) < PREMIUM_AT_FIRST,
    )
    heads = Heads(
        order_id=keys("anonymous order", np.arange(count), chunk=draws.chunk),
        customer_id=pa.nulls(count, pa.string()),
        moment=sales_channels.at_hours(sales.moment, channel),
        sales_channel=channel,
        region=customers.region[orders.customer[place]],
        campaign=np.full(count, NONE),
        entry=sales_channels.no_entry(count),
    )
    return Part(heads, _goods(draws, customers, sales))


def _is_ordinary(customers: Customers, orders: Orders) -> Booleans:
    return ~orders.is_caused & ~customers.is_test[orders.customer]


def stated(plan: Plan) -> Stated:
    """Return the parameters of a plan."""
    cancelled: Stated = {"cancelled_share": CANCELLED_SHARE, "days_to_cancelled": DAYS_TO_CANCELLED} if plan.effects.voids else {}
    anonymous: Stated = {"anonymous_share": ANONYMOUS_SHARE} if plan.effects.anonymous else {}
    return {**cancelled, **anonymous}
