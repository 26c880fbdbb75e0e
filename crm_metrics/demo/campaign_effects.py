"""What a campaign does to the orders of a chunk: orders that it adds, orders that it costs, orders that name it."""

import numpy as np

from crm_metrics.demo.campaign_audience import Split
from crm_metrics.demo.campaign_catalogue import CAMPAIGNS, ORDER_VALUE_SHAPE, Campaign, SecondLife
from crm_metrics.demo.draws import gamma
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.purchases import SMALLEST_AMOUNT
from crm_metrics.demo.world import NONE, Booleans, Floats, Integers, Orders, chosen, sort_key


def with_effects(plan: Plan, chunk: int, place: int, *, split: Split, orders: Orders) -> Orders:
    """Return the orders as they are with the campaign at `place` of CAMPAIGNS.

    Orders are caused and attributed from the day after the first on: what was sent on the first day came before them.
    """
    campaign = CAMPAIGNS[place]
    kept = chosen(orders, ~_is_lost(plan, chunk, campaign, split=split, orders=orders))
    naming = kept._replace(campaign=np.where(_is_attributed(plan, chunk, campaign, split=split, orders=kept), place, kept.campaign))
    random = plan.generator(f"caused {campaign.name}", chunk)
    luck = random.random(len(split.group))
    buyer = np.flatnonzero(luck < _of_customers(campaign.levels("extra_orders"), split))
    value = _of_customers(campaign.levels("order_value"), split)[buyer]
    caused = _with_added(naming, random, buyer, value=value, days=range(campaign.started + 1, campaign.ended), campaign=place)
    if campaign.second_life is None:
        return caused
    return _with_second_life(caused, random, buyer, life=campaign.second_life, start=campaign.ended)


def in_window(campaign: Campaign, orders: Orders) -> Booleans:
    """Return which orders fall into the measuring window."""
    return (orders.moment >= campaign.started) & (orders.moment < campaign.ended)


def _of_customers(levels: Floats, split: Split) -> Floats:
    """Return each customer's level; 0 for those in no arm."""
    return np.where(split.is_member, levels[split.stratum, np.where(split.is_member, split.group, 0)], 0.0)


def _is_lost(plan: Plan, chunk: int, campaign: Campaign, *, split: Split, orders: Orders) -> Booleans:
    """Return which orders the campaign costs; never a first one, because everybody in the audience was won before."""
    lost_share, found = _of_customers(campaign.levels("lost_share"), split), np.zeros(len(orders.customer), dtype=bool)
    place = np.flatnonzero(in_window(campaign, orders))
    luck = plan.generator(f"lost {campaign.name}", chunk).random(len(place))
    found[place] = luck < lost_share[orders.customer[place]]
    return found


def _is_attributed(plan: Plan, chunk: int, campaign: Campaign, *, split: Split, orders: Orders) -> Booleans:
    """Return which orders name the campaign though they would have been placed without it."""
    is_late = in_window(campaign, orders) & (orders.moment >= campaign.started + 1)
    place = np.flatnonzero(is_late & split.is_treated(campaign)[orders.customer])
    found = np.zeros(len(orders.customer), dtype=bool)
    found[place] = plan.generator(f"attributed {campaign.name}", chunk).random(len(place)) < campaign.attributed_share
    return found


def _with_second_life(orders: Orders, random: np.random.Generator, buyer: Integers, *, life: SecondLife, start: int) -> Orders:
    """Return the orders with those that the won-back place after the window; they name no campaign."""
    count = random.poisson(life.orders, len(buyer))
    for already in range(int(count.max(initial=0))):
        more = buyer[count > already]
        value = np.full(len(more), life.order_value)
        orders = _with_added(orders, random, more, value=value, days=range(start, start + life.days), campaign=NONE)
    return orders


def _with_added(orders: Orders, random: np.random.Generator, buyer: Integers, *, value: Floats, days: range, campaign: int) -> Orders:
    """Return the orders with one more for each buyer, of mean `value`, on one of the days on which the buyer has none."""
    day_luck, hour_luck = random.random((2, len(buyer)))
    amount = np.round(gamma(random, value, shape=ORDER_VALUE_SHAPE), 2)
    day, is_free = _free_days(orders, buyer, luck=day_luck, days=days)
    buyer, moment, amount = buyer[is_free], (day + hour_luck)[is_free], amount[is_free]
    at = np.searchsorted(sort_key(orders.customer, orders.moment), sort_key(buyer, moment))
    added = Orders(
        customer=buyer,
        moment=moment,
        amount=np.maximum(amount, SMALLEST_AMOUNT),
        is_first=np.zeros(len(buyer), dtype=bool),
        is_premium=orders.is_premium[at - 1],  # as the customer's order before
        campaign=np.full(len(buyer), campaign),
        is_caused=np.ones(len(buyer), dtype=bool),
    )
    return Orders(*(np.insert(column, at, more) for column, more in zip(orders, added, strict=True)))


def _free_days(orders: Orders, buyer: Integers, *, luck: Floats, days: range) -> tuple[Floats, Booleans]:
    """Return a day for each buyer, drawn from `days` and put off while the buyer has an order on it; and whether one was free."""
    taken = sort_key(orders.customer, np.floor(orders.moment))
    place = np.floor(luck * len(days))
    for _ in days:
        is_taken = _is_in(taken, sort_key(buyer, days.start + place))
        if not is_taken.any():
            break
        place[is_taken] = (place[is_taken] + 1) % len(days)
    day = days.start + place
    return day, ~_is_in(taken, sort_key(buyer, day))


def _is_in(ordered: Floats, wanted: Floats) -> Booleans:
    """Return which of the wanted numbers are among the ordered ones."""
    found = np.searchsorted(ordered, wanted)
    return ordered[np.minimum(found, len(ordered) - 1)] == wanted
