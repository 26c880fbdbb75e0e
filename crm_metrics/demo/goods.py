"""What an order holds, and how its net amount splits over its lines: to the fen."""

from typing import NamedTuple

import numpy as np

from crm_metrics.demo import affinities, products
from crm_metrics.demo.line_table import GIFT, SALE, Goods
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.products import CATEGORIES, POPULARITY, PRODUCTS_EACH, SCENTS, product_places
from crm_metrics.demo.world import Booleans, Fact, Floats, Integers
from crm_metrics.language import noop

PRODUCTS_IN_CATEGORY = (0.90, 0.09, 0.01)  # share of an order's categories with one, two, three products
PRICE_DEVIATION = 0.35  # of the logarithm: made to measure, a thing costs more or less than listed
GIFT_SHARE = 0.02  # of orders, with a gift

TOPIC = "baskets"
PARAMETERS = {
    "products_in_category": (noop("Share of an order's categories with so many products"), "share"),
    "gift_share": (noop("Share of orders with a gift"), "share"),
}


class Draws(NamedTuple):
    """Where the random numbers of one sort of orders come from. sort: 'sold', 'cancelled', 'anonymous'."""

    plan: Plan
    chunk: int
    sort: str

    def generator(self, subject: str) -> np.random.Generator:
        """Return the stream of one question about these orders."""
        return self.plan.generator(f"{self.sort}: {subject}", self.chunk)


def goods(draws: Draws, fen: Integers, *, is_premium: Booleans, discount_rate: Floats) -> Goods:
    """Return the lines of orders, at least one each. fen: net amount of each order, which its lines add up to."""
    order, category, copy = _things(draws, len(fen))
    rank = np.arange(len(order)) - np.searchsorted(order, order)
    kept = rank < fen[order]  # a line costs a fen at least
    order, category, copy = order[kept], category[kept], copy[kept]
    cells = (len(fen), len(CATEGORIES))
    favourite = np.searchsorted(np.cumsum(POPULARITY)[:-1], draws.generator("products").random(cells))
    product = product_places(category, is_premium[order].astype(np.int64), (favourite[order, category] + copy) % PRODUCTS_EACH)
    luck = draws.generator("prices").standard_normal((*cells, PRODUCTS_EACH), dtype=np.float32)
    listed = products.list_prices()[product]
    net = _split(fen, order, listed * np.exp(PRICE_DEVIATION * luck[order, category, copy]))
    gross = np.rint(net / (1 - discount_rate[order])).astype(np.int64)
    return Goods(
        order=order,
        product=product,
        quantity=np.maximum(np.rint(gross / 100 / listed), 1).astype(np.int64),
        gross=gross,
        discount=gross - net,
        net=net,
        cost=np.rint(gross * products.cost_shares()[product]).astype(np.int64),
        kind=np.full(len(order), SALE),
    )


def _things(draws: Draws, count: int) -> tuple[Integers, Integers, Integers]:
    """Return order, category and 0, 1, … within both, of every line."""
    held = affinities.categories(draws.plan, draws.generator("categories").random(count))
    many = 1 + np.searchsorted(np.cumsum(PRODUCTS_IN_CATEGORY)[:-1], draws.generator("number of products").random(held.shape))
    order, category = np.nonzero(held)
    repeats = many[order, category]
    first = np.repeat(np.cumsum(repeats) - repeats, repeats)
    return np.repeat(order, repeats), np.repeat(category, repeats), np.arange(repeats.sum()) - first


def _split(fen: Integers, order: Integers, weight: Floats) -> Integers:
    """Return each line's share of its order's amount by weight, one fen at least; the last line takes the rest.

    >>> _split(np.array([100, 7]), np.array([0, 0, 0, 1]), np.array([1.0, 1.0, 1.0, 5.0])).tolist()
    [33, 33, 34, 7]
    """
    lines = np.bincount(order, minlength=len(fen))
    share = weight / np.bincount(order, weight, minlength=len(fen))[order]
    net = 1 + np.floor((fen - lines)[order] * share).astype(np.int64)
    last = np.cumsum(lines) - 1
    net[last] = 0
    net[last] = fen - np.add.reduceat(net, last - lines + 1) if len(fen) else 0
    return net


def gifts(plan: Plan, chunk: int, is_premium: Booleans) -> Goods:
    """Return the lines given away with orders: a candle, for nothing, at its cost. is_premium: of every order."""
    order = np.flatnonzero(plan.generator("gifts", chunk).random(len(is_premium)) < GIFT_SHARE)
    if not plan.effects.voids:
        order = order[:0]
    product = product_places(np.full(len(order), SCENTS), is_premium[order].astype(np.int64), np.zeros(len(order), dtype=np.int64))
    nothing = np.zeros(len(order), dtype=np.int64)
    return Goods(
        order=order,
        product=product,
        quantity=nothing + 1,
        gross=nothing,
        discount=nothing,
        net=nothing,
        cost=np.rint(products.unit_costs()[product] * 100).astype(np.int64),
        kind=nothing + GIFT,
    )


def facts(plan: Plan) -> list[Fact]:
    """Return the parameters of a plan."""
    found = [Fact(TOPIC, "products_in_category", str(number), share) for number, share in enumerate(PRODUCTS_IN_CATEGORY, 1)]
    return [*found, Fact(TOPIC, "gift_share", "", GIFT_SHARE)] if plan.effects.voids else found
